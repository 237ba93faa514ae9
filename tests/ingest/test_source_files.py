"""Files of any encoding, delimiter and kind are read alike; what cannot be read is refused by name."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest
from small_sources import ACCOUNTS, ADA, MAPPING, run, write_csv, write_sources

from features import text_files
from features.errors import ConfigError, ContractError, InputError
from features.validation import Reason
from features.workbooks import UNPACKED_LIMIT

SINCE = ADA[5]
ROWS = [("a1", "Müller, Söhne", "化学", "10", "1.5", SINCE), ("a2", "x\ny", "", "", "", SINCE)]
LATIN = [("a1", "Müller & Söhne", "Café", "10", "1.5", SINCE)]


def _text(rows: list[tuple[str, ...]], *, delimiter: str = ",") -> str:
    return pd.DataFrame(rows, columns=list(ACCOUNTS)).to_csv(index=False, sep=delimiter)


def _names(tmp_path: Path, content: bytes, *, keys: str = "", name: str = "accounts.csv") -> dict[str, str]:
    """Names by account of a source that holds `content`."""
    mapping = MAPPING.replace('accounts*.csv"', f'{name}"\n{keys}')
    path = write_sources(tmp_path, mapping=mapping)
    (tmp_path / name).write_bytes(content)
    report, workspace = run(path)
    assert report.table("accounts").quarantined == {}
    frame = workspace.tables().read("accounts").set_index("account_id")
    return dict(frame["name"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "keys"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-16-le", 'encoding = "utf-16-le"'),
        ("gb18030", 'encoding = "GB18030"'),
    ],
)
def test_every_encoding_and_delimiter_gives_the_same_cells(
    tmp_path: Path, encoding: str, keys: str, delimiter: str
) -> None:
    names = _names(tmp_path, _text(ROWS, delimiter=delimiter).encode(encoding), keys=keys)
    assert names == {"a1": "Müller, Söhne", "a2": "x\ny"}


def test_latin_1_a_separator_line_and_compression_are_read(tmp_path: Path) -> None:
    content = ("sep=;\r\n" + _text(LATIN, delimiter=";")).encode("latin-1")
    keys, expected = 'encoding = "latin-1"', {"a1": "Müller & Söhne"}
    assert _names(tmp_path, content, keys=keys) == expected
    assert _names(tmp_path, gzip.compress(content), keys=keys, name="accounts.csv.gz") == expected


def test_a_declared_delimiter_counts_and_a_column_without_a_name_is_no_fault(tmp_path: Path) -> None:
    header, *rows = _text([ADA], delimiter="|").splitlines()
    content = "\n".join([f" {header.replace('Name', 'Name ')}|;;;;;;;", *(f"{row}|" for row in rows)])
    assert _names(tmp_path, content.encode(), keys='delimiter = "|"') == {"a1": "Ada"}


@pytest.mark.parametrize(
    ("content", "keys", "message"),
    [
        (_text(ROWS).encode("gb18030"), "", 'encoding = "gb18030"'),
        (_text(LATIN).encode("latin-1"), "", "is not text in utf-8 (got line 2: b'\\xfc"),
        (_text(ROWS).encode("utf-8"), 'encoding = "latin-1"', "got text in UTF-8"),
        (_text(ROWS).encode("utf-16"), 'encoding = "gb18030"', "got a byte-order mark of utf-16"),
        (_text(LATIN).encode("latin-1") + b"\xff", 'encoding = "gb18030"', "is not text in gb18030"),
        (_text(ROWS).encode(), 'encoding = "klingon"', "no such encoding: 'klingon'"),
        (_text(ROWS).encode(), 'encoding = "rot13"', "no such encoding: 'rot13'"),
        (_text([ADA]).encode() + b'a2,"half', "", "the row that begins in line 3"),
        (gzip.compress(_text([ADA]).encode(), mtime=0)[:-12], 'format = "csv"', "cannot be read"),
    ],
)
def test_what_is_not_what_it_should_be_is_refused(
    tmp_path: Path, content: bytes, keys: str, message: str
) -> None:
    name = "accounts.csv.gz" if content.startswith(b"\x1f\x8b") else "accounts.csv"
    with pytest.raises(InputError) as raised:
        _names(tmp_path, content, keys=keys, name=name)
    assert message in str(raised.value)
    assert not (tmp_path / "workspace" / "manifest.json").exists()


def test_rows_that_end_in_different_ways_are_read(tmp_path: Path) -> None:
    lines = _text([*ROWS, ("a3", "Bob", "", "", "", SINCE)]).splitlines(keepends=True)
    mixed = "".join(line.replace("\n", "\r\n") if k % 3 == 0 else line for k, line in enumerate(lines))
    assert _names(tmp_path, mixed.encode())["a3"] == "Bob"
    assert _names(tmp_path, gzip.compress(mixed.encode()), name="accounts.csv.gz")["a3"] == "Bob"


def test_one_damaged_line_among_good_ones_is_set_aside(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    content = (
        _text([*ROWS, ("a3", "Zoë", "", "", "", ADA[5])]).encode() + b"a4,\xff,,,,2023-01-01T00:00:00Z\n"
    )
    (tmp_path / "accounts.csv").write_bytes(content)
    report, _ = run(path)
    assert (report.table("accounts").loaded, report.table("accounts").quarantined) == (
        3,
        {"malformed line": 1},
    )


def _workbook(path: Path, *, formula: str = "=5*2") -> None:
    book = openpyxl.Workbook()
    book.active.append(["not", "this", "one"])
    sheet = book.create_sheet("companies")
    sheet.append(list(ACCOUNTS))
    sheet.append(["001", "Ada", "Software", 10, 1.5, datetime.fromisoformat("2023-01-01T12:30")])
    sheet.append(["a2", "line\nbreak", None, None, 2, date(2023, 1, 2)])
    sheet.append(["a3", "Bob", None, formula, None, date(2023, 1, 2)])
    book.save(path)


EXCEL = MAPPING.replace('accounts*.csv"', 'accounts*.xlsx"\nsheet = "companies"\ntime_zone = "UTC"')


def test_a_workbook_is_read_by_sheet_and_an_uncomputed_formula_is_set_aside(tmp_path: Path) -> None:
    path = write_sources(tmp_path, mapping=EXCEL)
    _workbook(tmp_path / "accounts.xlsx")
    report, workspace = run(path)
    frame = workspace.tables().read("accounts").set_index("account_id").sort_index()
    assert list(frame.index) == ["001", "a2"]
    assert (frame.loc["001", "employees"], frame.loc["a2", "name"]) == (10, "line\nbreak")
    assert frame.loc["001", "known_at"] == pd.Timestamp(2023, 1, 1, 12, 30)
    (example,) = report.table("accounts").examples
    assert (example.column, example.got) == ("employees", "=5*2")


@pytest.mark.parametrize("cell", ["=1+1", "=cmd|' /C calc'!A0", "#REF!"])
def test_a_formula_in_a_cell_is_set_aside_by_name(tmp_path: Path, cell: str) -> None:
    report, _ = run(write_sources(tmp_path, accounts=[ADA, ("a2", cell, *ADA[2:])]))
    (example,) = report.table("accounts").examples
    assert (example.reason, example.column, example.got) == (Reason.FORMULA, "name", cell)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:2000]), "cannot be read as a workbook"),
        (lambda path: path.write_bytes(b"PK no workbook"), "cannot be read as a workbook"),
        (lambda path: openpyxl.Workbook().save(path), "has no such sheet (got 'companies'; allowed Sheet)"),
    ],
)
def test_a_file_that_is_no_such_workbook_is_refused(
    tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    path = write_sources(tmp_path, mapping=EXCEL)
    _workbook(tmp_path / "accounts.xlsx")
    change(tmp_path / "accounts.xlsx")
    with pytest.raises(ConfigError) as raised:
        run(path)
    assert message in str(raised.value)


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = write_sources(tmp_path, mapping=EXCEL)
    with (
        zipfile.ZipFile(tmp_path / "accounts.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb,
        bomb.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(UNPACKED_LIMIT // (1 << 24) + 1):
            part.write(bytes(1 << 24))
    with pytest.raises(ConfigError, match="unpacks to too much"):
        run(path)


def test_a_packed_text_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "_UNPACKED_LIMIT", 1 << 20)
    packed = gzip.compress(_text([ADA]).encode() + bytes(1 << 22))
    with pytest.raises(ConfigError, match="unpacks to too much"):
        _names(tmp_path, packed, name="accounts.csv.gz")


def test_a_folder_is_all_of_its_files_whatever_their_kind(tmp_path: Path) -> None:
    folder = tmp_path / "companies"
    folder.mkdir()
    write_csv(folder / "a.csv", ACCOUNTS, [ADA])
    write_csv(folder / "b.csv", reversed(ACCOUNTS), [tuple(reversed(("a2", *ADA[1:])))])
    columns = ", ".join(
        f"'{cell}' AS \"{name}\"" for name, cell in zip(ACCOUNTS, ("a3", *ADA[1:]), strict=True)
    )
    duckdb.sql(f"SELECT {columns}").write_parquet(str(folder / "c.parquet"))
    (folder / ".hidden.csv").write_text("nothing", encoding="utf-8")
    (folder / "notes.md").write_text("nothing", encoding="utf-8")
    report, workspace = run(write_sources(tmp_path, mapping=MAPPING.replace("accounts*.csv", "companies")))
    assert report.table("accounts").read == 3
    assert sorted(workspace.tables().read("accounts")["account_id"]) == ["a1", "a2", "a3"]


@pytest.mark.parametrize(
    "written", ["{outside}/a.csv", "../outside/a.csv", "{folder}/../outside/a.csv", "link.csv"]
)
def test_a_path_out_of_the_mappings_folder_is_refused(tmp_path: Path, written: str) -> None:
    outside, home = tmp_path / "outside", tmp_path / "home"
    for folder in (outside, home):
        folder.mkdir()
    write_csv(outside / "a.csv", ACCOUNTS, [ADA])
    (home / "link.csv").symlink_to(outside / "a.csv")
    mapping = MAPPING.replace("{folder}/accounts*.csv", written.replace("{outside}", str(outside)))
    with pytest.raises(ConfigError, match="a file outside of the mapping's folder"):
        run(write_sources(home, mapping=mapping))


@pytest.mark.parametrize("reading", ["read_csv('{outside}/a.csv')", "read_text('/etc/hostname')"])
def test_a_query_reads_no_file_out_of_the_mappings_folder(tmp_path: Path, reading: str) -> None:
    outside, home = tmp_path / "outside", tmp_path / "home"
    for folder in (outside, home):
        folder.mkdir()
    write_csv(outside / "a.csv", ACCOUNTS, [ADA])
    query = f'query = "SELECT * FROM {reading.replace("{outside}", str(outside))}"'
    mapping = MAPPING.replace('path = "{folder}/accounts*.csv"', query)
    with pytest.raises(ConfigError, match=r"the query cannot be read .*Permission Error"):
        run(write_sources(home, mapping=mapping))


def test_a_folder_elsewhere_may_be_given_by_a_parameter(tmp_path: Path) -> None:
    outside, home = tmp_path / "outside", tmp_path / "home"
    for folder in (outside, home):
        folder.mkdir()
    write_csv(outside / "a.csv", ACCOUNTS, [ADA])
    mapping = MAPPING.replace('folder = "."', 'folder = "."\nbought_folder = "nowhere"')
    path = write_sources(home, mapping=mapping.replace("{folder}/accounts*.csv", "{bought_folder}/a.csv"))
    assert run(path, overrides={"bought_folder": str(outside)})[0].table("accounts").loaded == 1


def test_a_query_joins_further_files_and_does_without_optional_ones(tmp_path: Path) -> None:
    mapping = MAPPING.replace(
        'path = "{folder}/accounts*.csv"',
        'query = "SELECT c.*, s.Score FROM companies AS c LEFT JOIN scores AS s ON s.Id = c.Id"',
    ).replace(
        '[[sources]]\ntable = "activities"',
        '[sources.files.companies]\npath = "{folder}/accounts*.csv"\n'
        'columns = ["Id", "Name", "Industry", "Staff", "Updated"]\n'
        '[sources.files.scores]\npath = "{folder}/scores.csv"\ncolumns = ["Id", "Score"]\noptional = true\n\n'
        '[[sources]]\ntable = "activities"',
    )
    path = write_sources(tmp_path, mapping=mapping)
    assert run(path)[1].tables().read("accounts")["score"].isna().all()
    write_csv(tmp_path / "scores.csv", ("Id", "Score"), [("a1", "7")])
    assert run(path)[1].tables().read("accounts")["score"].tolist() == [7]


def test_an_optional_source_does_without_its_file_and_without_columns(tmp_path: Path) -> None:
    mapping = MAPPING.replace('time_zone = "UTC"', 'time_zone = "UTC"\noptional = true')
    path = write_sources(tmp_path, mapping=mapping)
    write_csv(
        tmp_path / "activities.csv", ("Account", "Kind", "When"), [("a1", "call", "2023-02-01 9:05:00")]
    )
    _, workspace = run(path)
    activity = workspace.tables().read("activities").iloc[0]
    assert activity["occurred_at"] == pd.Timestamp(2023, 2, 1, 9, 5)
    assert pd.isna(activity["seconds"])
    write_csv(tmp_path / "activities.csv", ("Account", "When"), [])
    with pytest.raises(ContractError, match="no column 'Kind'"):
        run(path)
    (tmp_path / "activities.csv").unlink()
    assert run(path)[0].table("activities").read == 0


def test_dates_of_several_layouts_are_read_and_others_are_set_aside(tmp_path: Path) -> None:
    mapping = MAPPING.replace(
        'occurred_at = "When"',
        'occurred_at = { column = "When", format = ["%m/%d/%Y %H:%M", "{layout}"] }',
    ).replace("[parameters]", '[parameters]\nlayout = "%m/%d/%Y"')
    times = ["1/31/2023 14:05", "1/31/2023", "31/1/2023", "2023-01-31"]
    path = write_sources(tmp_path, mapping=mapping, activities=[("a1", "call", time, "") for time in times])
    report, workspace = run(path)
    found = set(workspace.tables().read("activities")["occurred_at"])
    assert found == {pd.Timestamp(2023, 1, 31, 14, 5), pd.Timestamp(2023, 1, 31)}
    assert {example.got for example in report.table("activities").examples} == {"31/1/2023", "2023-01-31"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a\r\nb\r\n", (0, {b"\r\n"})),
        (b"a\rb\r", (0, {b"\r"})),
        (b'a\r\n"b\nc"\r\n', (2, {b"\r\n"})),
        (b'"b\r\nc"\n', (2, {b"\n"})),
        (b"a\r\nb\n", (0, {b"\r\n", b"\n"})),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_line_ends_are_told_wherever_the_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, content: bytes, told: tuple[int, set[bytes]]
) -> None:
    (tmp_path / "cut.csv").write_bytes(content)
    monkeypatch.setattr(text_files, "_PIECE", size)
    assert text_files.quotes_and_line_ends(tmp_path / "cut.csv") == told
