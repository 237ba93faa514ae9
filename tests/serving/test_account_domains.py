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
