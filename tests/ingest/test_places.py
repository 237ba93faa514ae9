"""A row that is set aside is found again: file, row number, column, what it held, what is allowed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest
from small_sources import ACCOUNTS, ADA, MAPPING, VISIT, run, write_csv, write_sources

from features.report import Example

BAD = ("b", "Bob", "", "many", "", ADA[5])


def _examples(path: Path, table: str = "accounts") -> list[Example]:
    return sorted(run(path)[0].table(table).examples, key=lambda example: example.line or 0)


def test_the_row_number_is_the_one_that_an_editor_shows(tmp_path: Path) -> None:
    path = write_sources(tmp_path, accounts=[ADA, ("a2", "two\nlines", *ADA[2:]), BAD])
    (example,) = _examples(path)
    assert (example.file, example.line) == ("accounts.csv", 4)
    assert (example.column, example.got, example.allowed) == ("employees", "many", "a whole number")
    assert example.sentence() == "employees: got 'many', allowed a whole number (row 4 of accounts.csv)"


def test_lines_that_are_no_rows_are_counted_and_named_too(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    good, bad = ",".join(ADA), ",".join(BAD)
    lines = [",".join(ACCOUNTS), good, "broken", bad, "broken,again", "x,y", good.replace("a1", "a2"), bad]
    (tmp_path / "accounts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = [(example.line, example.reason) for example in _examples(path)]
    assert found == [
        (3, "malformed line"),
        (4, "wrong type"),
        (5, "malformed line"),
        (6, "malformed line"),
        (8, "wrong type"),
    ]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "xlsx", "parquet"])
def test_every_kind_of_file_tells_the_row(tmp_path: Path, kind: str) -> None:
    mapping = MAPPING.replace("accounts*.csv", "rows/*")
    path = write_sources(tmp_path, mapping=mapping)
    folder = tmp_path / "rows"
    folder.mkdir()
    frame = pd.DataFrame([ADA, ("a2", *ADA[1:]), BAD], columns=list(ACCOUNTS))
    file = folder / f"accounts.{kind}"
    match kind:
        case "parquet":
            frame.to_parquet(file)
        case "xlsx":
            frame.to_excel(file, index=False)
        case "csv.gz":
            file.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
        case _:
            frame.to_csv(file, index=False)
    (example,) = _examples(path)
    # A Parquet file has no header.
    assert (example.file, example.line) == (file.name, 3 if kind == "parquet" else 4)


def test_each_of_several_files_counts_for_itself(tmp_path: Path) -> None:
    path = write_sources(tmp_path, accounts=[ADA, BAD])
    write_csv(tmp_path / "accounts_2.csv", tuple(reversed(ACCOUNTS)), [tuple(reversed(("c", *BAD[1:])))])
    found = {(example.file, example.line) for example in _examples(path)}
    assert found == {("accounts.csv", 3), ("accounts_2.csv", 2)}


_DEALS = """
[[sources]]
table = "opportunities"
name = "deals"
query = '''
SELECT deal.*, coalesce(of.account, 'nobody') AS account FROM deal LEFT JOIN of ON of.deal = deal."Deal / Id"
'''
time_zone = "UTC"
known_at = "seen"
[sources.files.deal]
path = "{folder}/deals*.csv"
columns = ["Deal / Id", "opened", "seen"]
[sources.files.of]
path = "{folder}/of.csv"
columns = ["deal", "account"]
[sources.columns]
opportunity_id = "Deal / Id"
account_id = "account"
created_at = "opened"
"""


def test_a_row_that_a_query_made_is_found_where_one_line_holds_its_identifier(tmp_path: Path) -> None:
    path = write_sources(tmp_path, mapping=MAPPING + _DEALS)
    header = ("Deal / Id", "opened", "seen")
    many = [
        ("d1", "2023-01-01", "2023-01-01"),
        ("d2", "soon", "2023-01-01"),
        ("d3", "2023-01-01", "2023-01-01"),
        ("d4", "late", "2023-01-01"),
        ("d4", "2023-01-01", "2023-01-02"),
        ("d5", "never", "2023-01-01"),
        ("d5", "never", "2023-01-01"),
    ]
    write_csv(tmp_path / "deals.csv", header, many[:3])
    write_csv(tmp_path / "deals_2.csv", header, many[3:])
    write_csv(tmp_path / "of.csv", ("deal", "account"), [(f"d{k}", "a1") for k in (1, 2, 4, 5)])
    found = {(one.reason, one.got, one.file, one.line) for one in _examples(path, "opportunities")}
    assert found == {
        ("wrong type", "soon", "deals.csv", 3),
        ("unknown account", "nobody", "deals.csv", 4),
        # Of two versions, the one that became known then; what stands twice is not guessed at.
        ("wrong type", "late", "deals_2.csv", 2),
        ("wrong type", "never", "deals_2.csv", None),
    }


def test_one_bad_row_in_the_middle_of_many_is_found(tmp_path: Path) -> None:
    rows = [(f"a{k}", *ADA[1:]) for k in range(50_000)]
    rows[31_234] = ("b", *BAD[1:])
    report, _ = run(write_sources(tmp_path, accounts=rows, activities=[]))
    (example,) = report.table("accounts").examples
    assert (report.table("accounts").loaded, example.line) == (49_999, 31_236)


@pytest.mark.parametrize(
    ("row", "allowed"),
    [
        (("a1", "Web Visit", "2023-02-01 10:00", "2"), "[a-z][a-z0-9_]{0,39}"),
        (("a1", "call", "01/02/2023", "2"), "a time such as 2026-01-31 or 2026-01-31T12:00:00Z"),
        (("a1", "call", "2023-02-01 10:00", "-1"), "0 to 100,000,000"),
        (("a1", "call", "2031-02-01 10:00", "1"), "a time that has passed"),
        (("a9", "call", "2023-02-01 10:00", "1"), "an account_id of accounts"),
    ],
)
def test_what_is_allowed_is_said(tmp_path: Path, row: tuple[str, ...], allowed: str) -> None:
    (example,) = _examples(write_sources(tmp_path, activities=[row]), "activities")
    assert example.allowed == allowed


def test_a_row_without_an_identifier_is_found_by_what_it_says(tmp_path: Path) -> None:
    lines = [
        VISIT,
        ("a9", *VISIT[1:]),
        ("a9", "call", "2023-02-01 10:00:00.5", "2"),
        ("a9", *VISIT[1:3], "3"),
    ]
    twice = ("a8", *VISIT[1:])
    path = write_sources(tmp_path, activities=[*lines, twice, twice])
    found = {(one.reason, one.got, one.file, one.line) for one in _examples(path, "activities")}
    stray = "unknown account"
    file = "activities.csv"
    assert found == {(stray, "a9", file, line) for line in (3, 4, 5)} | {(stray, "a8", None, None)}
