"""A dry run tells of every column what becomes of it, and leaves no trace."""

from __future__ import annotations

import json
from pathlib import Path

from small_sources import ACCOUNTS, ADA, MAPPING, VISIT, write_csv, write_sources

from features.dry_run import ColumnReport, DryRun, dry_run
from features.errors import ContractError
from features.mapping import load_config


def _tried(tmp_path: Path, mapping: str = MAPPING, **rows: list[tuple[str, ...]]) -> DryRun:
    path = write_sources(tmp_path, mapping=mapping, **rows)
    return dry_run(load_config(path, overrides={"folder": str(tmp_path)}))


def _column(report: DryRun, name: str, *, source: int = 0) -> ColumnReport:
    (found,) = [column for column in report.sources[source].columns if column.column == name]
    return found


def test_every_column_is_bound_coerced_ignored_or_missing(tmp_path: Path) -> None:
    mapping = MAPPING.replace('known_at = "Updated"', 'optional = true\nknown_at = "Updated"').replace(
        'name = "Name"', 'name = "Name"\ncity = "Town"\ndomain = "Web"'
    )
    path = write_sources(tmp_path, mapping=mapping)
    header = [*ACCOUNTS, "Web", "Phone"]
    rows = [(*ADA, "https://www.ada.example/", "1"), ("a2", "", "", "ten", "1.50", ADA[5], "", "")]
    write_csv(tmp_path / "accounts.csv", header, rows)
    report = dry_run(load_config(path, overrides={"folder": str(tmp_path)}))
    told = {column.column: (column.status, column.fills) for column in report.sources[0].columns}
    assert told == {
        "Id": ("bound", ("account_id",)),
        "Name": ("bound", ("name",)),
        "Town": ("missing", ("city",)),
        "Web": ("coerced", ("domain",)),
        "Industry": ("bound", ("industry",)),
        "Staff": ("bound", ("employees",)),
        "Score": ("bound", ("score",)),
        "Updated": ("bound", ("known_at",)),
        "Phone": ("ignored", ()),
    }
    assert _column(report, "Web").examples == ("https://www.ada.example/ -> ada.example",)
    assert _column(report, "Phone").examples == ("1",)
    assert (_column(report, "Staff").rows, _column(report, "Staff").unreadable) == (2, 1)
    assert (_column(report, "Name").rows, _column(report, "Name").examples) == (1, ("Ada",))
    assert "annual_revenue" in report.sources[0].unbound


def test_what_is_scaled_renamed_or_emptied_is_coerced(tmp_path: Path) -> None:
    mapping = MAPPING.replace('industry = "Industry"', 'industry = { column = "Industry", empty = ["n/a"] }')
    report = _tried(tmp_path, mapping, accounts=[(*ADA[:2], "n/a", *ADA[3:])])
    assert _column(report, "Industry").examples == ("n/a -> nothing",)
    assert _column(report, "Minutes", source=1).examples == ("2 -> 120",)


def test_nothing_is_changed_and_the_rows_are_counted(tmp_path: Path) -> None:
    report = _tried(tmp_path, activities=[VISIT, ("a9", *VISIT[1:])])
    assert report.tables is not None
    assert report.tables.table("activities").quarantined == {"unknown account": 1}
    assert not (tmp_path / "workspace").exists()
    told = report.to_dict()
    assert json.loads(json.dumps(told)) == json.loads(json.dumps(told))
    assert told["error"] is None


def test_columns_are_told_even_when_no_row_would_fit(tmp_path: Path) -> None:
    report = _tried(tmp_path, accounts=[("a1", "Ada", "", "", "", "yesterday")])
    assert report.tables is None
    assert isinstance(report.error, ContractError)
    assert _column(report, "Updated").unreadable == 1


def test_a_column_that_another_source_reads_is_not_ignored(tmp_path: Path) -> None:
    again = MAPPING.split("[[sources]]")[1].replace('name = "Name"\nindustry = "Industry"\n', "")
    mapping = MAPPING.replace('name = "Name"\n', "") + "\n[[sources]]" + again
    report = _tried(tmp_path, mapping)
    assert _column(report, "Name").status == "ignored"
    assert [
        column.status for column in report.sources[2].columns if column.column in ("Name", "Industry")
    ] == []


def test_a_source_without_rows_is_told(tmp_path: Path) -> None:
    report = _tried(tmp_path, activities=[])
    assert (_column(report, "Kind", source=1).rows, _column(report, "Kind", source=1).examples) == (0, ())


def test_an_optional_source_without_a_file_is_told(tmp_path: Path) -> None:
    mapping = MAPPING.replace("activities*.csv", "absent.csv").replace('time_zone = "UTC"', "optional = true")
    report = _tried(tmp_path, mapping)
    assert [source.found for source in report.sources] == [True, False]
