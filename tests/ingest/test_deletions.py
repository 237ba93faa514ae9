"""What its source deleted counts up to then and no longer; what returns counts again."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest
from loading import NOW
from small_sources import ACCOUNTS, ACTIVITIES, ADA, MAPPING, VISIT, run, write_csv, write_sources

from features.errors import ConfigError, ContractError
from features.validation import Reason
from features.workspace import Workspace
from training.labels import known_accounts

DAY = pd.Timedelta(days=1)


def _lives(workspace: Workspace, *, table: str, key: str) -> list[tuple[str, str, str]]:
    """Key, first and last day of every row in order; an open end is empty."""
    frame = workspace.tables().read(table).sort_values([key, "known_at"])
    return [
        (
            row[key],
            str(row["known_at"])[:10],
            "" if pd.isna(row["withdrawn_at"]) else str(row["withdrawn_at"])[:10],
        )
        for _, row in frame.iterrows()
    ]


MARKED = MAPPING.replace('known_at = "Updated"', 'known_at = "Updated"\ndeleted = "Gone"')


def test_a_marked_row_ends_what_its_source_said_before(tmp_path: Path) -> None:
    path = write_sources(tmp_path, mapping=MARKED)
    rows = [
        ("a1", "Ada", "", "10", "", "2023-01-01T00:00:00Z", "false"),
        ("a1", "Ada", "", "20", "", "2023-02-01T00:00:00Z", "false"),
        ("a1", "", "", "", "", "2023-03-01T00:00:00Z", "true"),
        ("a2", "Bob", "", "5", "", "2023-01-01T00:00:00Z", ""),
        ("a3", "Eve", "", "5", "", "2023-01-01T00:00:00Z", "true"),
    ]
    write_csv(tmp_path / "accounts.csv", (*ACCOUNTS, "Gone"), rows)
    report, workspace = run(path)
    assert _lives(workspace, table="accounts", key="account_id") == [
        ("a1", "2023-01-01", "2023-03-01"),
        ("a1", "2023-02-01", "2023-03-01"),
        ("a2", "2023-01-01", ""),
    ]
    told = report.table("accounts")
    assert (told.read, told.loaded, told.collapsed, told.deleted) == (5, 3, 0, 2)
    back = ("a1", "Ada", "", "20", "", "2023-05-01T00:00:00Z", "false")
    write_csv(tmp_path / "accounts_later.csv", (*ACCOUNTS, "Gone"), [back])
    run(path)
    assert _lives(workspace, table="accounts", key="account_id")[2] == ("a1", "2023-05-01", "")


def test_an_account_is_known_between_its_first_row_and_its_deletion(tmp_path: Path) -> None:
    path = write_sources(tmp_path, mapping=MARKED)
    rows = [(*ADA, "no"), (*ADA[:5], "2023-03-01T00:00:00Z", "yes")]
    write_csv(tmp_path / "accounts.csv", (*ACCOUNTS, "Gone"), rows)
    tables = run(path)[1].tables()
    known = {
        str(day)[:10]: len(known_accounts(tables, as_of=day.to_pydatetime()))
        for day in pd.to_datetime(["2023-01-01", "2023-01-02", "2023-03-01", "2023-03-02"])
    }
    assert list(known.values()) == [0, 1, 1, 0]
    end = pd.Timestamp(2023, 3, 1).to_pydatetime()
    assert tables.known_before(end).read("accounts")["withdrawn_at"].isna().all()


def test_a_deletion_has_its_own_time(tmp_path: Path) -> None:
    mapping = MAPPING.replace("known_immediately = true", 'known_immediately = true\ndeleted_at = "Removed"')
    path = write_sources(tmp_path, mapping=mapping)
    rows = [
        (*VISIT, "2023-06-01"),
        (*VISIT[:2], "2023-03-01", "1", ""),
        (*VISIT[:2], "2023-04-01", "1", "2031-01-01"),
    ]
    write_csv(tmp_path / "activities.csv", (*ACTIVITIES, "Removed"), rows)
    report, workspace = run(path)
    assert sorted(life[1:] for life in _lives(workspace, table="activities", key="activity_id")) == [
        ("2023-02-01", "2023-06-01"),
        ("2023-03-01", ""),
    ]
    assert report.table("activities").quarantined == {Reason.IN_THE_FUTURE: 1}


def test_the_message_that_a_row_is_gone_needs_nothing_but_its_key(tmp_path: Path) -> None:
    mapping = MAPPING.replace('account_id = "Account"', 'activity_id = "Id"\naccount_id = "Account"')
    mapping = mapping.replace("known_immediately = true", 'known_at = "Seen"\ndeleted = "Gone"')
    path = write_sources(tmp_path, mapping=mapping)
    rows = [("v1", *VISIT, "2023-02-02", "no"), ("v1", "", "", "", "", "2023-05-01", "yes")]
    write_csv(tmp_path / "activities.csv", ("Id", *ACTIVITIES, "Seen", "Gone"), rows)
    _, workspace = run(path)
    assert _lives(workspace, table="activities", key="activity_id") == [("v1", "2023-02-02", "2023-05-01")]


COMPLETE = MAPPING.replace('known_at = "Updated"', "extracted_at = {day}T00:00:00Z\ncomplete = true")
EXTRACTS = {
    "2023-01-01": ["a1", "a2", "a3"],
    "2023-02-01": ["a1", "a3"],
    "2023-03-01": ["a1"],
    "2023-04-01": ["a1", "a3"],
}


def _extract(folder: Path, *, day: str, accounts: list[str]) -> Workspace:
    path = write_sources(
        folder,
        accounts=[(account, "Ada", "", "10", "", "") for account in accounts],
        mapping=COMPLETE.replace("{day}", day),
    )
    return run(path)[1]


def test_what_a_complete_extract_lacks_was_deleted_by_then_in_any_order(tmp_path: Path) -> None:
    """A source for each order: an ingest takes nearly as long for one source as for many."""
    orders = list(permutations(EXTRACTS))[::5]
    head, of_accounts, of_activities = COMPLETE.split("[[sources]]")
    head += '[origins]\nworked = ["list_0"]\n'
    for days in zip(*orders, strict=True):
        parts = [head]
        for number, day in enumerate(days):
            told = of_accounts.replace("{day}", day).replace("accounts*.csv", f"accounts{number}.csv")
            parts.append(told.replace('table = "accounts"', f'table = "accounts"\norigin = "list_{number}"'))
            rows = [(f"{number}-{account}", "", "", "10", "", "") for account in EXTRACTS[day]]
            write_csv(tmp_path / f"accounts{number}.csv", ACCOUNTS, rows)
        write_csv(tmp_path / "activities.csv", ACTIVITIES, [VISIT])
        (tmp_path / "mapping.toml").write_text("[[sources]]".join([*parts, of_activities]), encoding="utf-8")
        _, workspace = run(tmp_path / "mapping.toml")
    assert _lives(workspace, table="accounts", key="account_id") == [
        (f"{number}-{account}", *life)
        for number in range(len(orders))
        for account, *life in (
            ("a1", "2023-01-01", ""),
            ("a2", "2023-01-01", "2023-02-01"),
            ("a3", "2023-01-01", "2023-03-01"),
            ("a3", "2023-04-01", ""),
        )
    ]


def test_a_faulty_row_is_not_missed(tmp_path: Path) -> None:
    _extract(tmp_path, day="2023-01-01", accounts=["a1", "a2"])
    path = write_sources(
        tmp_path,
        accounts=[("a1", "", "", "10", "", ""), ("a2", "", "", "many", "", "")],
        mapping=COMPLETE.replace("{day}", "2023-02-01"),
    )
    _, workspace = run(path)
    assert {life[2] for life in _lives(workspace, table="accounts", key="account_id")} == {""}


def test_nothing_is_missed_in_an_extract_that_was_cut_off(tmp_path: Path) -> None:
    _extract(tmp_path, day="2023-01-01", accounts=["a1", "a2"])
    path = write_sources(tmp_path, mapping=COMPLETE.replace("{day}", "2023-02-01"))
    with (tmp_path / "accounts.csv").open("a", encoding="utf-8") as file:
        file.write("a2,Ad")
    _, workspace = run(path)
    assert {life[2] for life in _lives(workspace, table="accounts", key="account_id")} == {""}


def test_an_empty_extract_does_not_delete_everything(tmp_path: Path) -> None:
    workspace = _extract(tmp_path, day="2023-01-01", accounts=["a1"])
    before = workspace.manifest()
    with pytest.raises(ContractError, match=r"the extract is empty, and as `complete` it would delete"):
        _extract(tmp_path, day="2023-02-01", accounts=[])
    assert workspace.manifest() == before


def test_another_source_still_speaks_of_what_one_has_deleted(tmp_path: Path) -> None:
    vendor = (
        '\n[[sources]]\ntable = "accounts"\npath = "{folder}/vendor.csv"\ntime_zone = "UTC"\n'
        'known_at = "Seen"\n[sources.columns]\naccount_id = "Id"\nindustry = "Trade"\n'
    )
    path = write_sources(tmp_path, mapping=MARKED + vendor)
    rows = [(*ADA, "no"), (*ADA[:5], "2023-03-01T00:00:00Z", "yes")]
    write_csv(tmp_path / "accounts.csv", (*ACCOUNTS, "Gone"), rows)
    write_csv(tmp_path / "vendor.csv", ("Id", "Trade", "Seen"), [("a1", "Mining", "2023-02-01")])
    _, workspace = run(path)
    assert [life[2] for life in _lives(workspace, table="accounts", key="account_id")] == ["2023-03-01", ""]
    assert len(known_accounts(workspace.tables(), as_of=NOW)) == 1


def test_ingesting_deletions_again_changes_nothing(tmp_path: Path) -> None:
    for day in ("2023-01-01", "2023-03-01"):
        workspace = _extract(tmp_path, day=day, accounts=EXTRACTS[day])
    before = workspace.manifest()
    _extract(tmp_path, day="2023-01-01", accounts=EXTRACTS["2023-01-01"])
    assert workspace.manifest() == before
    assert before.data_through == pd.Timestamp(2023, 3, 1)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('known_at = "Updated"\ncomplete = true', "give the time of the extract with extracted_at"),
        ('undated = true\ndeleted_at = "Gone"', "an undated source has no times, but 'deleted_at' is bound"),
    ],
)
def test_a_mapping_that_deletes_without_a_time_is_refused(tmp_path: Path, written: str, message: str) -> None:
    path = write_sources(tmp_path, mapping=MAPPING.replace('known_at = "Updated"', written))
    with pytest.raises(ConfigError) as raised:
        run(path)
    assert message in str(raised.value)


def test_the_time_of_an_extract_can_be_given_with_the_command(tmp_path: Path) -> None:
    mapping = COMPLETE.replace("{day}T00:00:00Z", '"{extracted}"').replace(
        'folder = "."', 'folder = "."\nextracted = "2023-01-01T00:00:00Z"'
    )
    path = write_sources(tmp_path, mapping=mapping)
    _, workspace = run(path, overrides={"extracted": "2023-05-01T00:00:00Z"})
    assert workspace.tables().read("accounts")["known_at"].tolist() == [pd.Timestamp(2023, 5, 1)]


_HEAD, _ACCOUNTS, _ACTIVITIES = COMPLETE.split("[[sources]]")


def _regions(folder: Path, *, named: bool, **regions: tuple[str, str, list[str]]) -> Workspace:
    """One ingest of a complete list per region: its folder, the day of the extract, the accounts in it."""
    parts = [_HEAD]
    for region, (place, day, accounts) in regions.items():
        (folder / place).mkdir(exist_ok=True)
        file = f"{place}/accounts_{region}.csv"
        rows = [(account, "", "", "10", "", "") for account in accounts]
        write_csv(folder / file, ACCOUNTS, rows)
        told = _ACCOUNTS.replace("{day}", day).replace("accounts*.csv", file)
        name = f'table = "accounts"\nname = "{region}"' if named else 'table = "accounts"'
        parts.append(told.replace('table = "accounts"', name))
    write_csv(folder / "activities.csv", ACTIVITIES, [])
    (folder / "mapping.toml").write_text("[[sources]]".join([*parts, _ACTIVITIES]), encoding="utf-8")
    return run(folder / "mapping.toml")[1]


def test_what_one_complete_source_lacks_takes_nothing_from_another_that_is_bound_alike(
    tmp_path: Path,
) -> None:
    first = ("a", "2023-01-01", ["e1", "e2"])
    _regions(tmp_path, named=True, emea=first, apac=("a", "2023-02-01", ["p1", "p2"]))
    # The file was moved, and is another extract of the same source.
    workspace = _regions(
        tmp_path, named=True, emea=("b", "2023-03-01", ["e1"]), apac=("a", "2023-02-01", ["p1", "p2"])
    )
    assert _lives(workspace, table="accounts", key="account_id") == [
        ("e1", "2023-01-01", ""),
        ("e2", "2023-01-01", "2023-03-01"),
        ("p1", "2023-02-01", ""),
        ("p2", "2023-02-01", ""),
    ]


def test_complete_sources_that_nobody_can_tell_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"bound alike and `complete`.*give them different names"):
        _regions(tmp_path, named=False, emea=("a", "2023-01-01", ["e"]), apac=("a", "2023-02-01", ["p"]))


def test_a_complete_source_is_not_taken_for_another_that_was_there_before(tmp_path: Path) -> None:
    _regions(tmp_path, named=False, emea=("a", "2023-01-01", ["e1"]))
    with pytest.raises(ConfigError, match=r"bound otherwise .* known by its name .*--rebuild"):
        _regions(tmp_path, named=False, apac=("a", "2023-02-01", ["p1"]))
