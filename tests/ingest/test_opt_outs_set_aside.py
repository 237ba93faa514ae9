"""Opt-outs of rows that are set aside count; of a row about people nothing is shown that may be a name."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from loading import KNOWN_ACCOUNTS, NOW, VISITS, load
from small_sources import write_csv

from features.catalogue import learn_catalogue
from features.point_in_time import FeatureEngine, build_features
from features.privacy.forgetting import Request, erase, plan, remember
from features.tables import Tables

MAPPING = f"""{KNOWN_ACCOUNTS}
[[sources]]
table = "contacts"
path = "contacts*.csv"
known_at = "Since"
consent = {{ opted_out = "Out" }}
columns = {{ contact_id = "Person", account_id = "Account", title = "Job", email = "Mail" }}
{VISITS}activity_id = "Id"
seconds = "Seconds"
"""
PEOPLE = ("Person", "Account", "Job", "Mail", "Out", "Since")
VISITS = ("Id", "Account", "Person", "Kind", "When", "Seconds")
ANN = {
    "Person": "p1",
    "Account": "a1",
    "Job": "Angler",
    "Mail": "Ann@x.example",
    "Out": "",
    "Since": "2023-01-01T00:00:00Z",
}
BOB = ANN | {"Person": "p2", "Mail": "bob@x.example"}
OUT = ANN | {"Out": "yes", "Since": "2023-02-10T00:00:00Z"}
LOOK = ("web_visit", "2023-02-02T00:00:00Z", "60")
SEEN = [("v1", "a1", "p1", *LOOK), ("v2", "a1", "p2", *LOOK), ("v3", "a1", "ann@x.example", *LOOK)]
BEFORE, AFTER = "2023-02-05", "2023-02-20"

Person = dict[str, str]


def write(
    folder: Path, people: list[Person], *, visits: Sequence[tuple[str, ...]] = SEEN, part: str = ""
) -> Path:
    folder.mkdir(exist_ok=True)
    write_csv(folder / "accounts.csv", ["Id"], [["a1"]])
    write_csv(folder / f"contacts{part}.csv", PEOPLE, [[row[name] for name in PEOPLE] for row in people])
    write_csv(folder / f"visits{part}.csv", VISITS, visits)
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    return folder / "mapping.toml"


def counted(tables: Tables, moment: str) -> float:
    """How many of the three visits the features count."""
    catalogue = learn_catalogue(tables, cutoff=NOW)
    keys = pd.DataFrame({"account_id": ["a1"], "as_of": pd.to_datetime([moment])})
    row = build_features(tables, keys, catalogue=catalogue)
    with FeatureEngine(tables, catalogue, threads=1, resident=True) as engine:
        assert (
            engine.build_one("a1", pd.Timestamp(moment).to_pydatetime()).tobytes() == row.to_numpy().tobytes()
        )
    # Where nobody may be counted, there is no kind of activity to count.
    return float(row["engagement_count_30d"].iloc[0]) if len(row.columns) else 0


@pytest.mark.parametrize(
    ("row", "before", "after"),
    [
        ({"Account": "nobody's"}, 3, 2),
        ({"Job": "=Angler()"}, 3, 2),
        # Since when cannot be read: since ever.
        ({"Since": "yesterday"}, 2, 2),
        # The opt-out itself cannot be read: better one too many than one too few.
        ({"Out": "opted"}, 3, 2),
        # By the address alone: whoever has it, under whatever identifier.
        ({"Person": ""}, 3, 1),
        ({"Person": "ANN@x.example", "Account": "nobody's"}, 3, 1),
    ],
)
def test_an_opt_out_counts_whatever_else_is_wrong_with_its_row(
    tmp_path: Path, row: Person, before: int, after: int
) -> None:
    report, workspace = load(write(tmp_path, [ANN, BOB, OUT | row]))
    assert sum(report.table("contacts").quarantined.values()) == 1
    assert (report.consent.opted_out, report.consent.set_aside, report.consent.nameless) == (1, 1, 0)
    assert "they hold all the same" in str(report)
    tables = workspace.tables()
    assert (counted(tables, BEFORE), counted(tables, AFTER)) == (before, after)
    assert counted(tables.known_before(pd.Timestamp(AFTER).to_pydatetime()), AFTER) == after
    assert tables.known_before(pd.Timestamp("2023-01-02").to_pydatetime()).opt_outs is not None


def test_a_later_row_brings_the_person_back_and_nobody_is_told_of_who_cannot_be_read(tmp_path: Path) -> None:
    back = ANN | {"Out": "no", "Since": "2023-02-15T00:00:00Z"}
    nobody = OUT | {"Person": "", "Mail": "", "Account": "a1"}
    report, workspace = load(write(tmp_path, [ANN, BOB, OUT | {"Job": "=A"}, back, nobody]))
    told = report.consent
    assert (told.opted_out, told.set_aside, told.nameless) == (0, 2, 1)
    assert "opt-outs in rows without a readable contact_id or email: 1" in " ".join(str(report).split())
    moments = (BEFORE, "2023-02-12", AFTER)
    assert [counted(workspace.tables(), moment) for moment in moments] == [3, 2, 3]


def test_no_order_of_files_and_no_secret_changes_it_and_forgetting_takes_it_along(tmp_path: Path) -> None:
    lost = [OUT | {"Account": "b9"}, OUT | {"Job": "=A"}, BOB | {"Person": "", "Out": "yes"}]
    people = [ANN, BOB, *lost]
    whole, first = load(write(tmp_path / "whole", people))
    random.Random(3).shuffle(people)
    for number, (some, seen) in enumerate([(people[:2], SEEN[2:]), (people[2:], SEEN[:2])]):
        write(tmp_path / "parts", some, visits=seen, part=str(number))
        parts, second = load(tmp_path / "parts" / "mapping.toml")
    assert parts.fingerprint == whole.fingerprint
    # What was done under the address alone is nobody's who is known to have opted out.
    assert counted(first.tables(), AFTER) == counted(second.tables(), AFTER) == 1
    found = plan(second, Request(emails=("ann@x.example",)))
    remember(second, found.people)
    erase(second)
    _, never = load(write(tmp_path / "never", [BOB, lost[2]], visits=SEEN[1:2]))
    assert second.manifest().fingerprint == never.manifest().fingerprint


NAMES = ("Lee", "030 1234567", "4930123456789", "Chief", "Ann")


def test_no_cell_of_a_row_about_people_is_shown_that_may_be_a_name(tmp_path: Path) -> None:
    people = [ANN, OUT | {"Account": "Ann Lee", "Out": "Lee, Ann"}, OUT | {"Since": "Chief Ann Lee"}]
    visits = [
        *SEEN,
        ("w1", "a1", "p1", "Ann Lee", "2023-02-02T00:00:00Z", "60"),
        ("w2", "a1", "p1", "web_visit", "Ann Lee", "60"),
        ("w3", "a1", "p1", "web_visit", "2023-02-02T00:00:00Z", "4930123456789"),
        ("w4", "a1", "p1", "web_visit", "2023-02-02T00:00:00Z", "030 1234567"),
        ("w5", "Ann Lee", "p1", "web_visit", "2023-02-02T00:00:00Z", "60"),
        ("w6", "a1", "p1", "web_visit", "2023-02-02T00:00:00Z", "-5"),
        ("w7", "a1", "p1", "web_visit", "31/12/2023", "60"),
    ]
    report, workspace = load(write(tmp_path, people, visits=visits))
    set_aside = pd.concat(
        pd.read_parquet(file).astype(str) for file in (workspace.home / "snapshots").rglob("quarantine/*")
    )
    shown = f"{report}{report.to_dict()}{set_aside.to_csv()}".replace("Wall", "")
    assert [name for name in NAMES if name in shown] == []
    # What is no name still tells what is wrong: the number, the time, and whose row it is.
    got = {example.got for example in report.table("activities").examples}
    assert {"-5", "31/12/2023", "[text, 7 characters]", "[number, 13 characters]"} <= got
    assert '"p1"' in set_aside["row"].iloc[-1].replace(": ", ":")
