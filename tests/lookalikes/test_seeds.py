"""Lists of companies as people have them: matched, ambiguous, repeated or told why not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from features.errors import ConfigError, ContractError, InputError, SpearfishError
from features.tables import Attribute
from features.universe import Universe
from models.lookalikes.seed_files import MOST_BYTES, read_seed_file, read_seed_lines
from models.lookalikes.seeds import MatchedSeed, match_seeds

ACCOUNTS = pd.DataFrame(
    [
        ("0001", "Acme Solar GmbH", "acme-solar.de"),
        ("0002", "Borealis Shipping AS", "borealis-shipping.no"),
        ("0003", "Cobalt Mining Ltd", "cobalt.co.uk"),
        ("0004", "Cobalt Mining Ltd", "cobalt.com"),
        ("0005", "Delta Foods", "delta-foods.com"),
        ("0006", "Delta Foods Spain", "delta-foods.com"),
        ("0007", "上海阳光电子有限公司", "yangguang.cn"),
    ],
    columns=["account_id", "name", "domain"],
)
UNIVERSE = Universe.from_frame(ACCOUNTS, attributes=[Attribute("industry", "category", "industry")])


def matched(text: str) -> MatchedSeed:
    (one,) = match_seeds(UNIVERSE, read_seed_lines(text)).rows
    return one


@pytest.mark.parametrize(
    ("text", "account_id"),
    [
        ("0001", "0001"),
        ("acme-solar.de", "0001"),
        ("HTTPS://www.Acme-Solar.de/about?x=1", "0001"),
        ("Ann Lee <ann@acme-solar.de>", "0001"),
        ("info@shop.borealis-shipping.no", "0002"),
        ("Borealis Shipping", "0002"),
        ("ACME SOLAR", "0001"),
        ("cobalt.co.uk", "0003"),
        ("上海阳光电子", "0007"),
    ],
)
def test_every_way_to_name_a_company_is_understood(text: str, account_id: str) -> None:
    assert (matched(text).status, matched(text).account_id) == ("matched", account_id)


@pytest.mark.parametrize(
    ("text", "status", "possible", "said"),
    [
        ("delta-foods.com", "ambiguous", ("0005", "0006"), "2 accounts have the domain"),
        ("acme-solr.de", "ambiguous", ("0001",), "did you mean acme-solar.de?"),
        ("Cobalt Mining", "ambiguous", ("0003", "0004"), "several accounts are named like"),
        ("ann@gmail.com", "unmatched", (), "mail provider"),
        ("nowhere-at-all.io", "unmatched", (), "no account has the domain"),
        ("Zebra Quarries of Nowhere", "unmatched", (), "no account is named like"),
    ],
)
def test_what_is_not_sure_is_told(text: str, status: str, possible: tuple[str, ...], said: str) -> None:
    one = matched(text)
    assert (one.status, one.possible, one.account_id) == (status, possible, None)
    assert said in one.words.en
    assert one.words.zh


def test_repeats_count_once_and_say_of_which_row() -> None:
    found = match_seeds(UNIVERSE, read_seed_lines("0001\nacme-solar.de\n\n0002\nann@acme-solar.de\n"))
    assert found.account_ids == ("0001", "0002")
    assert found.counts == {"matched": 2, "ambiguous": 0, "repeated": 2, "unmatched": 0}
    assert found.rows[1].words.en == "the same account as in row 1"


def of_file(folder: Path, content: bytes, **options: str) -> dict[str, int]:
    file = folder / "seeds.csv"
    file.write_bytes(content)
    return match_seeds(UNIVERSE, read_seed_file(file, **options)).counts


MATCHED_TWO = {"matched": 2, "ambiguous": 0, "repeated": 0, "unmatched": 0}


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"acme-solar.de\r\nborealis-shipping.no\r\n", {}),
        (b"company\nacme-solar.de\nBorealis Shipping AS\n", {}),
        (b"Id,Company\n0001,Acme\n,Borealis Shipping AS\n", {}),
        (b"Account;Website\nAcme Solar;acme-solar.de\nBorealis;http://borealis-shipping.no\n", {}),
        ("公司\n上海阳光电子有限公司\nacme-solar.de\n".encode("gb18030"), {"encoding": "gb18030"}),
        ("name\n上海阳光电子有限公司\nAcme Solar\n".encode("utf-16"), {}),
        (b"who,why\nacme-solar.de,nice\n0002,big\n", {"column": "who"}),
    ],
    ids=["no header", "one column", "ids and names", "semicolons", "gb18030", "utf-16", "named column"],
)
def test_files_as_people_have_them(tmp_path: Path, content: bytes, options: dict[str, str]) -> None:
    assert of_file(tmp_path, content, **options) == MATCHED_TWO


def test_a_workbook_is_read(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["Company", "Website"], ["Acme", "acme-solar.de"], ["Borealis", "borealis-shipping.no"]):
        book.active.append(row)
    book.save(tmp_path / "seeds.xlsx")
    assert match_seeds(UNIVERSE, read_seed_file(tmp_path / "seeds.xlsx")).counts == MATCHED_TWO


@pytest.mark.parametrize(
    ("content", "options", "error", "said"),
    [
        (b"", {}, ContractError, "is empty"),
        (b"\n\n\n", {}, ContractError, "is empty"),
        (b"company\n\n\n", {}, ContractError, "names no company"),
        (b"reason,colour\nnice,red\n", {}, ContractError, "no column says which companies"),
        (b"company\nacme\n", {"column": "compny"}, ContractError, "no column 'compny'"),
        ("公司\n上海阳光\n".encode("gb18030"), {}, ConfigError, "--encoding gb18030"),
        (b"company\nacme\n", {"encoding": "utf-9"}, ConfigError, "no such encoding"),
        (b'company\n"acme\n', {}, ConfigError, "ends inside a quoted cell"),
    ],
    ids=["empty", "blank", "header", "other columns", "typo", "other encoding", "no encoding", "quote"],
)
def test_files_that_cannot_be_used_are_refused_in_a_sentence(
    tmp_path: Path, content: bytes, options: dict[str, str], error: type[SpearfishError], said: str
) -> None:
    with pytest.raises(error, match=said):
        of_file(tmp_path, content, **options)


def test_a_file_that_is_not_there_or_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no file"):
        read_seed_file(tmp_path / "absent.csv")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError, match="too large"):
        read_seed_file(tmp_path / "large.csv")


def test_a_name_that_many_accounts_have_is_not_a_name_that_nobody_has() -> None:
    accounts = pd.DataFrame(
        [(f"{n:04d}", "Ember Bridge" if n % 10 == 0 else f"Quarry {n}", f"c{n}.com") for n in range(50)],
        columns=["account_id", "name", "domain"],
    )
    universe = Universe.from_frame(accounts, attributes=[Attribute("industry", "category", "industry")])
    (one,) = match_seeds(universe, read_seed_lines("ember bridge")).rows
    assert (one.status, one.possible) == ("ambiguous", ("0000", "0010", "0020"))
