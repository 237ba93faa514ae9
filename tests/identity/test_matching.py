"""Records find their account by id, number, domain, then name; what is doubtful goes to review."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from features.identity.matching import AccountMatcher, Matches, MatchSettings, write_review

NUMBER = "9144030071526726XG"
ACCOUNTS = pd.DataFrame(
    [
        {"account_id": "a1", "name": "Zephyr Foods Inc.", "domain": "zephyr.com", "country": "USA"},
        {
            "account_id": "a2",
            "name": "Zephyr Shipping Ltd",
            "domain": "zephyrship.co.uk",
            "country": "UK",
        },
        {"account_id": "a3", "name": "Boreas Energy AG", "domain": "boreas.de", "country": "Germany"},
        {"account_id": "a4", "name": "Boreas Energie France", "domain": "boreas.de", "country": "France"},
        {"account_id": "a5", "name": "Tencent", "registration_number": NUMBER, "country": "CN"},
        {
            "account_id": "a6",
            "name": "Notus Media",
            "salesforce_id": "001A0000006Vm9u",
            "domain": "gmail.com",
        },
        {"account_id": "a7", "name": "Eurus Minerals Ltd", "country": "Australia"},
        {"account_id": "a8", "name": "Eurus Minerals Inc", "country": "Canada"},
        *({"account_id": f"b{n}", "name": f"Number{n} Foods Energy Media Ltd"} for n in range(20)),
    ]
)


def match(**record: object) -> Matches:
    return AccountMatcher(ACCOUNTS).match(pd.DataFrame([{"record_id": "r"} | record]))


@pytest.mark.parametrize(
    ("record", "account_id", "rule"),
    [
        ({"domain": "https://www.zephyr.com/contact"}, "a1", "domain"),
        ({"domain": "ann@zephyrship.co.uk", "name": "Something Else"}, "a2", "domain"),
        ({"domain": "boreas.de", "name": "Boreas Energy"}, "a3", "domain"),
        ({"name": "ZEPHYR FOODS", "domain": "ann@gmail.com"}, "a1", "name"),
        ({"name": "Zephyr Foods Corp.", "domain": "zephyr-foods.net"}, "a1", "name"),
        ({"name": "腾讯", "registration_number": "91440300-71526726XG"}, "a5", "registration_number"),
        ({"salesforce_id": "001A0000006Vm9uIAC", "domain": "zephyr.com"}, "a6", "salesforce_id"),
        ({"name": "Eurus Minerals", "country": "加拿大"}, "a8", "name"),
    ],
)
def test_a_record_finds_its_account(record: dict[str, object], account_id: str, rule: str) -> None:
    found = match(**record).matched
    assert found[["account_id", "rule"]].to_numpy().tolist() == [[account_id, rule]]


@pytest.mark.parametrize(
    ("name", "accounts"),
    [("华为", {"c1"}), ("騰訊計算機系統有限公司", {"c2"}), ("华美", set()), ("技", set())],
)
def test_a_part_of_a_chinese_name_goes_to_review(name: str, accounts: set[str]) -> None:
    known = {"c1": "华为技术有限公司", "c2": "深圳市腾讯计算机系统有限公司"}
    frame = pd.DataFrame([{"account_id": one, "name": written} for one, written in known.items()])
    found = AccountMatcher(frame).match(pd.DataFrame([{"record_id": "r", "name": name}]))
    assert found.matched.empty
    assert set(found.review["account_id"]) == accounts


@pytest.mark.parametrize(
    ("record", "accounts", "reason"),
    [
        ({"domain": "boreas.de"}, {"a3", "a4"}, "2 accounts have this domain"),
        ({"name": "Eurus Minerals"}, {"a7", "a8"}, "several accounts have such a name"),
        ({"name": "Zephyr Food", "country": "France"}, {"a1"}, "other country"),
    ],
)
def test_a_doubtful_record_goes_to_review(record: dict[str, object], accounts: set[str], reason: str) -> None:
    found = match(**record)
    assert found.matched.empty
    assert set(found.review["account_id"]) == accounts
    assert set(found.review["reason"]) == {reason}


@pytest.mark.parametrize(
    "record",
    [{}, {"name": None}, {"name": "Auster Chemicals"}, {"domain": "gmail.com"}, {"name": "有限公司"}],
)
def test_a_stranger_is_nobody(record: dict[str, object]) -> None:
    found = match(**record)
    assert found.matched.empty
    assert found.review.empty


def test_numbers_of_a_declared_register_match() -> None:
    first = ACCOUNTS["account_id"] == "a1"
    accounts = ACCOUNTS.assign(registration_number=first.map({True: "7010401022924", False: None}))
    record = pd.DataFrame([{"record_id": "r", "registration_number": "7-0104-0102-2924"}])
    found = AccountMatcher(accounts, settings=MatchSettings(register="jp.cn")).match(record)
    assert found.matched["account_id"].tolist() == ["a1"]
    assert AccountMatcher(accounts).match(record).matched.empty


def test_another_registration_number_contradicts_the_domain_and_the_name() -> None:
    other = "91110000802100433B"
    accounts = ACCOUNTS.assign(domain=ACCOUNTS["domain"].where(ACCOUNTS["account_id"] != "a5", "tencent.com"))
    record = pd.DataFrame(
        [
            {"record_id": "r", "name": "Tencent", "registration_number": other},
            {"record_id": "s", "domain": "tencent.com", "registration_number": other},
        ]
    )
    found = AccountMatcher(accounts).match(record)
    assert found.matched.empty
    assert found.review["account_id"].tolist() == ["a5", "a5"]
    assert found.review["reason"].str.contains("registration number").all()


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    records = ACCOUNTS.rename(columns={"account_id": "record_id"}).drop(columns="salesforce_id")
    first = AccountMatcher(ACCOUNTS).match(records)
    shuffled = ACCOUNTS.iloc[rng.permutation(len(ACCOUNTS))]
    second = AccountMatcher(shuffled).match(records.iloc[rng.permutation(len(records))])
    for one, other in ((first.matched, second.matched), (first.review, second.review)):
        keys = ["record_id", "account_id"]
        pd.testing.assert_frame_equal(
            one.sort_values(keys, ignore_index=True), other.sort_values(keys, ignore_index=True)
        )


def test_the_review_file_opens_in_a_spreadsheet_without_running_formulas(tmp_path: Path) -> None:
    found = match(name="=Zephyr Food()", country="France")
    write_review(found.review, tmp_path / "review.csv")
    text = (tmp_path / "review.csv").read_text(encoding="utf-8-sig")
    assert "'=Zephyr Food()" in text
    assert "decision" in text.splitlines()[0]


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None]])
def test_accounts_without_an_identity_of_their_own_are_refused(ids: list[str | None]) -> None:
    with pytest.raises(ContractError, match="account_id must be filled and unique"):
        AccountMatcher(pd.DataFrame({"account_id": ids, "name": ["x", "y"]}))
