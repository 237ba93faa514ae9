"""What several sources tell of one account at one time becomes one row, unless they contradict each other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from small_sources import ADA, MAPPING, run, write_csv, write_sources

SECOND = """[[sources]]
table = "accounts"
name = "{name}"
path = "{{folder}}/{name}.csv"
optional = true
{zone}known_at = "Updated"
deleted = "Gone"
columns = {{ account_id = "Id", name = "Name", employees = "Staff", city = "City" }}

"""
BEFORE = '[[sources]]\ntable = "activities"'
BOUGHT = SECOND.format(name="bought", zone="")
ASKED = SECOND.format(name="asked", zone='time_zone = "UTC"\n')  # sources that are bound alike are one
MANY = MAPPING.replace(BEFORE, BOUGHT + ASKED + BEFORE)
COLUMNS = ("Id", "Name", "Staff", "City", "Updated", "Gone")
NONE, AT = "", ADA[5]


def _frame(
    tmp_path: Path, **files: list[tuple[str, ...]]
) -> tuple[pd.DataFrame, dict[str, int], tuple[int, ...]]:
    for name, rows in files.items():
        write_csv(tmp_path / f"{name}.csv", COLUMNS, rows)
    report, workspace = run(write_sources(tmp_path, mapping=MANY))
    table = report.table("accounts")
    assert table.balanced()
    frame = workspace.tables().read("accounts").sort_values("known_at", ignore_index=True)
    assert len(frame) == table.rows
    return frame, table.quarantined, (table.read, table.loaded, table.collapsed)


@pytest.mark.parametrize(
    ("bought", "asked", "city", "conflicts"),
    [
        (("a1", NONE, NONE, "Bonn", AT, NONE), None, "Bonn", 0),
        (("a1", "Ada", "10", "Bonn", AT, NONE), None, "Bonn", 0),
        (("a1", NONE, "11", "Bonn", AT, NONE), None, None, 1),
        (("a1", NONE, NONE, "Bonn", AT, NONE), ("a1", NONE, "10", NONE, AT, NONE), "Bonn", 0),
        # Who tells more goes first; the other one then contradicts what was told.
        (("a1", NONE, NONE, "Rome", AT, NONE), ("a1", NONE, "10", "Bonn", AT, NONE), "Bonn", 1),
    ],
)
def test_cells_of_rows_that_do_not_contradict_are_in_one_row(
    tmp_path: Path, bought: tuple[str, ...], asked: tuple[str, ...] | None, city: str | None, conflicts: int
) -> None:
    files = {"bought": [bought]} | ({"asked": [asked]} if asked else {})
    frame, quarantined, (read, loaded, collapsed) = _frame(tmp_path, **files)
    (row,) = frame.to_dict("records")
    assert (row["name"], row["industry"], row["employees"], row["score"]) == ("Ada", "Software", 10, 1.5)
    assert (None if pd.isna(row["city"]) else row["city"]) == city
    assert quarantined.get("conflicting duplicate", 0) == conflicts
    assert (read, loaded) == (1 + len(files), 1)
    assert collapsed == len(files) - conflicts


def test_rows_of_one_source_are_resolved_as_before(tmp_path: Path) -> None:
    rows = [(*ADA[:4], NONE, AT), ("a1", NONE, NONE, NONE, "2", AT)]
    report, workspace = run(write_sources(tmp_path, accounts=rows))
    assert report.table("accounts").quarantined == {"conflicting duplicate": 1}
    assert workspace.tables().read("accounts")["score"].isna().all()


def test_what_is_told_in_a_later_ingest_joins_too_and_can_be_taken_back(tmp_path: Path) -> None:
    path = write_sources(tmp_path, mapping=MANY)
    run(path)
    write_csv(tmp_path / "bought.csv", COLUMNS, [("a1", NONE, NONE, "Bonn", AT, NONE)])
    report, workspace = run(path)
    assert (report.table("accounts").loaded, report.table("accounts").collapsed) == (0, 1)
    assert workspace.tables().read("accounts")["city"].tolist() == ["Bonn"]
    write_csv(tmp_path / "bought.csv", COLUMNS, [("a1", NONE, NONE, NONE, "2023-03-01T00:00:00Z", "yes")])
    (row,) = run(path)[1].tables().read("accounts").to_dict("records")
    # What the other source said ends; what the first one said does not.
    assert (row["industry"], pd.isna(row["withdrawn_at"]), pd.isna(row["city"])) == ("Software", True, True)


def test_a_row_joins_one_that_repeats_what_its_source_said(tmp_path: Path) -> None:
    later = "2023-02-01T00:00:00Z"
    write_csv(tmp_path / "bought.csv", COLUMNS, [("a1", NONE, NONE, "Bonn", later, NONE)])
    path = write_sources(tmp_path, accounts=[ADA, (*ADA[:5], later)], mapping=MANY)
    report, workspace = run(path)
    frame = workspace.tables().read("accounts").sort_values("known_at")
    assert frame["city"].fillna("").tolist() == ["", "Bonn"]
    assert (report.table("accounts").rows, report.table("accounts").quarantined) == (2, {})
    assert report.table("accounts").balanced()
