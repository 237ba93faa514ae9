"""An account is found by any spelling of its domain and by every identifier that it has had."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.errors import UnknownAccountError
from features.tables import Tables
from serving.accounts import AccountIndex
from serving.problems import AmbiguousDomainError

DOMAINS = {"a": "shop.acme.co.uk", "b": "beta.com", "c": "gmail.com", "d": "de.beta.com", "e": None}


@pytest.fixture(scope="module")
def index() -> AccountIndex:
    frame = pd.DataFrame({"account_id": DOMAINS.keys(), "domain": DOMAINS.values()})
    return AccountIndex(Tables.from_frames({"accounts": frame.assign(known_at=pd.Timestamp("2020-01-01"))}))


@pytest.mark.parametrize(
    ("asked", "account_id"),
    [
        ("acme.co.uk", "a"),
        ("https://www.acme.co.uk/about", "a"),
        ("ann@shop.acme.co.uk", "a"),
        ("beta.com", "b"),
        ("de.beta.com", "d"),
    ],
)
def test_a_spelling_of_a_domain_finds_its_account(index: AccountIndex, asked: str, account_id: str) -> None:
    assert index.by_domain(asked).account_id == account_id


def test_a_subdomain_that_several_accounts_could_own_is_ambiguous(index: AccountIndex) -> None:
    with pytest.raises(AmbiguousDomainError, match="b, d"):
        index.by_domain("fr.beta.com")


@pytest.mark.parametrize("asked", ["gmail.com", "ann@gmail.com", "nobody.com", "acme"])
def test_mail_providers_and_strangers_find_nobody(index: AccountIndex, asked: str) -> None:
    with pytest.raises(UnknownAccountError, match=asked):
        index.by_domain(asked)


def test_an_account_that_another_one_stands_for_leads_to_it(tmp_path: Path) -> None:
    accounts = pd.DataFrame({"account_id": ["001A0000006Vm9uIAC", "list-7"], "name": ["Zephyr", "ZEPHYR"]})
    tables = Tables.from_frames({"accounts": accounts.assign(known_at=pd.Timestamp("2020-01-01"))})
    stands_for = {"account_id": "list-7", "identity": "001A0000006Vm9uIAC", "place": 1, "rule": "name"}
    pd.DataFrame([stands_for | {"score": 1.0}]).to_parquet(tmp_path / "identity.parquet")
    index = AccountIndex(Tables(tables.sources, merged=tmp_path / "identity.parquet"))
    assert index.count == 1
    for asked in ("001A0000006Vm9uIAC", "001A0000006Vm9u", "list-7"):
        assert index.by_id(asked).name == "Zephyr"
    with pytest.raises(UnknownAccountError, match="list-8"):
        index.by_id("list-8")


MERGED_DOMAINS = {
    "crm": "zephyr.com",
    "list": "shop.zephyr-foods.co.uk",
    "plant": "zephyr-plant.de",
    "b": "boreas.com",
}


@pytest.fixture(scope="module")
def merged_index(tmp_path_factory: pytest.TempPathFactory) -> AccountIndex:
    """The list's company and the plant are the CRM's; the plant was at aeolus.com before."""
    frame = pd.DataFrame({"account_id": MERGED_DOMAINS.keys(), "domain": MERGED_DOMAINS.values()})
    frame["known_at"] = pd.Timestamp("2020-01-01")
    earlier = pd.DataFrame(
        [{"account_id": "plant", "domain": "aeolus.com", "known_at": pd.Timestamp("2019-01-01")}]
    )
    tables = Tables.from_frames({"accounts": pd.concat([frame, earlier], ignore_index=True)})
    file = tmp_path_factory.mktemp("merged") / "identity.parquet"
    pd.DataFrame(
        {
            "account_id": ["list", "plant"],
            "identity": "crm",
            "place": [1, 2],
            "rule": ["name", "parent"],
            "score": 1.0,
        }
    ).to_parquet(file)
    return AccountIndex(Tables(tables.sources, merged=file))


@pytest.mark.parametrize(
    ("asked", "account_id"),
    [
        ("zephyr.com", "crm"),
        ("shop.zephyr-foods.co.uk", "crm"),
        ("zephyr-foods.co.uk", "crm"),
        ("ann@zephyr-plant.de", "crm"),
        ("zephyr-plant.de", "crm"),
        ("boreas.com", "b"),
    ],
)
def test_the_domain_of_an_account_finds_the_one_that_stands_for_it(
    merged_index: AccountIndex, asked: str, account_id: str
) -> None:
    assert merged_index.by_domain(asked).account_id == account_id


def test_a_domain_that_nobody_has_any_more_finds_nobody(merged_index: AccountIndex) -> None:
    with pytest.raises(UnknownAccountError, match=r"aeolus\.com"):
        merged_index.by_domain("aeolus.com")
