"""One identity per company, whatever the order and the split of the rows; families of companies; leads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ContractError
from features.identity.leads import lead_records
from features.identity.matching import AccountMatcher, write_review
from features.identity.parents import Families, ultimate_parents
from features.identity.resolving import Identities, read_decisions, resolve

NUMBER, OTHER_NUMBER = "9144030071526726XG", "91110000802100433B"


def accounts(*rows: dict[str, object]) -> pd.DataFrame:
    crowd = [
        {"account_id": f"z{n}", "origin": "crm", "name": f"Crowd{n} Foods Energy Ltd"} for n in range(12)
    ]
    return pd.DataFrame([*rows, *crowd])


def identities(frame: pd.DataFrame, **options: Any) -> dict[str, str]:
    found = resolve(frame, origins=("crm", "list"), **options).identity.set_index("account_id")["identity"]
    return {str(one): str(identity) for one, identity in found.items() if not str(one).startswith("z")}


def row(account_id: str, origin: str, **facts: object) -> dict[str, object]:
    return {"account_id": account_id, "origin": origin} | facts


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ({"salesforce_id": "001A0000006Vm9u"}, {"salesforce_id": "001A0000006Vm9uIAC"}, "salesforce_id"),
        ({"registration_number": NUMBER}, {"registration_number": NUMBER.lower()}, "registration_number"),
        ({"domain": "zephyr.com"}, {"domain": "www.Zephyr.com", "name": "Zephyr"}, "domain"),
        ({"name": "Zephyr Foods Inc"}, {"name": "ZEPHYR FOODS"}, "name"),
        (
            {"name": "Zephyr Foods Inc", "domain": "zephyr.com"},
            {"name": "Zephyr Foods", "domain": "x@gmail.com"},
            "name",
        ),
    ],
)
def test_two_sources_of_one_company_merge(
    one: dict[str, object], other: dict[str, object], rule: str
) -> None:
    found = resolve(accounts(row("b", "crm", **one), row("a", "list", **other)), origins=("crm", "list"))
    joined = found.identity.set_index("account_id").loc[["a", "b"]]
    assert joined["identity"].tolist() == ["b", "b"]
    assert joined["rule"].tolist() == [rule, rule]
    assert found.review.empty


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (
            {"name": "Zephyr Foods", "domain": "zephyr.com"},
            {"name": "Zephyr Foods", "domain": "zephyr.de"},
            "domain",
        ),
        ({"name": "Zephyr Foods", "country": "US"}, {"name": "Zephyr Foods", "country": "DE"}, "country"),
        ({"name": "Zephyr", "domain": "hub.com"}, {"name": "Boreas", "domain": "hub.com"}, "other name"),
        (
            {"name": "Zephyr", "registration_number": NUMBER},
            {"name": "Zephyr", "registration_number": OTHER_NUMBER},
            "registration number",
        ),
    ],
)
def test_what_contradicts_itself_goes_to_review(
    one: dict[str, object], other: dict[str, object], reason: str
) -> None:
    found = resolve(accounts(row("a", "crm", **one), row("b", "list", **other)))
    assert (found.identity["account_id"] == found.identity["identity"]).all()
    assert found.review[["record_id", "account_id"]].to_numpy().tolist() == [["a", "b"]]
    assert reason in found.review["reason"].iloc[0]


def test_accounts_of_one_source_merge_only_when_asked() -> None:
    frame = accounts(row("a", "crm", name="Zephyr Foods"), row("b", "crm", name="Zephyr Foods Inc"))
    assert identities(frame) == {"a": "a", "b": "b"}
    assert identities(frame, within_origin=True) == {"a": "a", "b": "a"}


def test_the_same_name_twice_in_one_source_is_no_identity_for_another() -> None:
    twins = [row(name, "list", name="Zephyr Foods") for name in ("b", "c")]
    found = resolve(accounts(row("a", "crm", name="Zephyr Foods"), *twins))
    assert (found.identity["account_id"] == found.identity["identity"]).all()
    assert len(found.review) == 3


def test_the_identity_is_of_the_first_source_then_of_the_first_known() -> None:
    same = {"domain": "zephyr.com", "known_at": pd.Timestamp("2020-01-01")}
    early = same | {"known_at": pd.Timestamp("2019-01-01")}
    frame = accounts(row("a", "list", **early), row("b", "list", **same), row("c", "crm", **same))
    assert identities(frame, within_origin=True) == {"a": "c", "b": "c", "c": "c"}
    assert identities(frame[frame["account_id"] != "c"], within_origin=True) == {"a": "a", "b": "a"}


def test_a_person_decides(tmp_path: Path) -> None:
    frame = accounts(
        row("a", "crm", name="Zephyr Foods", country="US"),
        row("b", "list", name="Zephyr Foods", country="DE"),
    )
    write_review(resolve(frame).review, tmp_path / "review.csv")
    written = pd.read_csv(tmp_path / "review.csv")
    for decision, expected in (("same", "a"), ("different", "b"), ("", "b")):
        written.assign(decision=decision).to_csv(tmp_path / "decided.csv", index=False)
        decided = read_decisions(tmp_path / "decided.csv")
        assert identities(frame, decisions=decided)["b"] == expected
    written.assign(decision="perhaps").to_csv(tmp_path / "decided.csv", index=False)
    with pytest.raises(ContractError, match=r"line 2.*perhaps"):
        read_decisions(tmp_path / "decided.csv")


NAMES = [
    "Zephyr Foods",
    "Zephyr Foods Inc",
    "Zephir Foods",
    "Boreas Energy",
    "Boreas Energie AG",
    "Notus",
    None,
]
DOMAINS = ["zephyr.com", "www.zephyr.com", "boreas.de", "a@gmail.com", None, None]
NUMBERS = [NUMBER, OTHER_NUMBER, None, None, None]
ROW = st.fixed_dictionaries(
    {
        "origin": st.sampled_from(["crm", "list", "register"]),
        "name": st.sampled_from(NAMES),
        "domain": st.sampled_from(DOMAINS),
        "registration_number": st.sampled_from(NUMBERS),
        "known_at": st.sampled_from([pd.Timestamp("2020-01-01"), pd.Timestamp("2021-01-01")]),
    }
)


def sorted_review(found: Identities) -> list[list[object]]:
    return sorted(found.review[["record_id", "account_id", "rule", "score", "reason"]].to_numpy().tolist())


@settings(deadline=None, max_examples=30)
@given(rows=st.lists(ROW, min_size=4, max_size=16), data=st.data(), within=st.booleans())
def test_any_order_and_any_split_of_the_rows_gives_the_same_identities(
    rows: list[dict[str, object]], data: st.DataObject, within: bool
) -> None:
    frame = pd.DataFrame([{"account_id": f"a{n:02d}"} | one for n, one in enumerate(rows)])
    order = data.draw(st.permutations(range(len(frame))))
    cut = data.draw(st.integers(0, len(frame)))
    shuffled = frame.iloc[order]
    again = pd.concat([shuffled.iloc[cut:], shuffled.iloc[:cut]])
    first, second = (resolve(one, origins=("crm",), within_origin=within) for one in (frame, again))
    pd.testing.assert_frame_equal(first.identity, second.identity)
    assert sorted_review(first) == sorted_review(second)
    groups = first.identity.merge(frame, on="account_id").groupby("identity")
    assert all(identity in set(group["account_id"]) for identity, group in groups)
    assert (groups["registration_number"].nunique() <= 1).all()


@pytest.mark.parametrize(
    ("parents", "top"),
    [
        ({"a": None}, {"a": "a"}),
        ({"a": "b", "b": "c", "c": None, "d": "b"}, {"a": "c", "b": "c", "c": "c", "d": "c"}),
        ({"a": "gone"}, {"a": "a"}),
        (
            {"child": "001A0000006Vm9u", "001A0000006Vm9uIAC": None},
            {"child": "001A0000006Vm9uIAC", "001A0000006Vm9uIAC": "001A0000006Vm9uIAC"},
        ),
    ],
)
def test_subsidiaries_roll_up(parents: dict[str, str | None], top: dict[str, str]) -> None:
    assert ultimate_parents(parents) == Families(top)


def test_a_long_family_is_no_deep_recursion() -> None:
    parents = {f"p{n}": f"p{n + 1}" if n < 50_000 else None for n in range(50_001)}
    assert set(ultimate_parents(parents).top.values()) == {"p50000"}


@pytest.mark.parametrize(
    ("parents", "cycles", "top"),
    [
        ({"a": "a"}, (("a",),), {"a": "a"}),
        (
            {"x": "c", "c": "a", "a": "b", "b": "c"},
            (("a", "b", "c"),),
            {"x": "c", "c": "c", "a": "a", "b": "b"},
        ),
        (
            {"b": "a", "z": "y", "a": "b", "y": "z", "q": "p", "p": None},
            (("a", "b"), ("y", "z")),
            {"a": "a", "b": "b", "y": "y", "z": "z", "q": "p", "p": "p"},
        ),
    ],
)
def test_who_is_its_own_ancestor_stands_for_itself_and_is_named(
    parents: dict[str, str | None], cycles: tuple[tuple[str, ...], ...], top: dict[str, str]
) -> None:
    assert ultimate_parents(parents) == Families(top, cycles)
    turned = dict(reversed(list(parents.items())))
    assert ultimate_parents(turned) == Families(top, cycles)


def test_leads_find_their_account_by_address_web_site_and_company() -> None:
    crm = accounts(
        row("a", "crm", name="Zephyr Foods", domain="zephyr.com"), row("b", "crm", name="Boreas Energy")
    )
    leads = pd.DataFrame(
        {
            "lead_id": ["l1", "l2", "l3", "l4"],
            "email": ["ann@mail.zephyr.com", "bob@gmail.com", "carl@gmail.com", "dora@gmail.com"],
            "website": [None, "https://zephyr.com", None, None],
            "company": [None, None, "BOREAS ENERGY AG", None],
        }
    )
    records = lead_records(leads)
    assert "@" not in records.to_csv()
    found = AccountMatcher(crm).match(records).matched
    assert dict(zip(found["record_id"], found["account_id"], strict=True)) == {
        "l1": "a",
        "l2": "a",
        "l3": "b",
    }
