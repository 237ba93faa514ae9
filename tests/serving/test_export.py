"""Exports to CRMs hold the numbers of single answers, in what imports take, and only what changed."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_workspace import ACCOUNTS, NOW, account_id

from features.errors import ConfigError
from features.workspace import Workspace
from serving.adapters.told import flat
from serving.desk import Desk
from serving.exporting.cells import identifier_of, safe_text
from serving.exporting.earlier import KEPT, NOTHING, Earlier, Written, earlier_exports, keep_export, since
from serving.exporting.fields import field_definitions
from serving.exporting.files import Exported, export
from serving.exporting.layout import FIELDS, REASONS, layout_of
from serving.requests import ScoreRequest
from serving.scoring import score_account
from serving.store.feedback import Feedback
from serving.working import HELD_AT, Verdicts
from training.cli.export import export as export_command

LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def told(desk: Desk) -> Desk:
    """The desk, with feedback of its own."""
    return Desk(desk.snapshot, release=desk.release, verdicts=Verdicts())


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def written(desk: Desk, folder: Path, **options: Any) -> tuple[Exported, list[dict[str, str]]]:
    out = folder / "out.csv"
    given: dict[str, Any] = {"crm": "salesforce", "now": NOW, "rows": 50} | options
    done = export(Workspace(folder / "home"), desk, out=out, **given)
    assert {file.name for file in folder.iterdir()} == {"out.csv", "home"}
    return done, rows_of(out)


def test_a_row_holds_what_the_single_answer_says(told: Desk, tmp_path: Path) -> None:
    told.verdicts.note(Feedback(NOW, account_id(7), "rejected", reason="no", machine_score=1e3, id=1))
    done, rows = written(told, tmp_path)
    assert (done.written, done.unchanged, done.unfound) == (ACCOUNTS, 0, 0)
    assert list(rows[0]) == layout_of("salesforce", match="external").header
    for number in (3, 4, 5, 7, 60):
        row = rows[number]
        request = ScoreRequest.model_validate({"account_id": row["Spearfish_Account_Id__c"]})
        answer = flat(score_account(told, request=request, now=NOW), language="en")
        numbers = {"Score": answer.score, "Working_Score": answer.working_score}
        numbers |= {"Fit_Score": answer.fit_score, "Intent_Score": answer.intent_score}
        texts = {"Grade": answer.grade, "Priority": answer.priority, "Fit_Grade": answer.fit_grade}
        texts |= {f"Reason_{n}": getattr(answer, f"reason_{n}") for n in range(1, REASONS + 1)}
        texts |= {f"Against_{n}": getattr(answer, f"against_{n}") for n in range(1, REASONS + 1)}
        expected = {name: "#N/A" if value is None else f"{value:.2f}" for name, value in numbers.items()}
        expected |= {name: "#N/A" if value is None else safe_text(value) for name, value in texts.items()}
        assert {name: row[f"Spearfish_{name}__c"] for name in expected} == expected
        models = [name for name in (answer.fit_model, answer.intent_model) if name]
        assert row["Spearfish_Model__c"] == ", ".join(models)
        assert row["Spearfish_Scored_At__c"] == "2026-03-15T10:30:00Z"
    assert rows[4]["Spearfish_Intent_Grade__c"] == "#N/A"


def test_hubspot_finds_by_domain_and_clears_by_words(told: Desk, tmp_path: Path) -> None:
    """acc-01 and acc-02 share a domain, acc-05 has none."""
    done, rows = written(told, tmp_path, crm="hubspot")
    assert (done.match, done.identifier, done.unfound) == ("domain", "domain", 3)
    by_domain = {row["domain"]: row for row in rows}
    assert set(by_domain) == {f"company{n}.example" for n in range(ACCOUNTS)} - {
        *("company1.example", "company2.example", "company5.example")
    }
    open_deal = by_domain["company4.example"]
    assert (open_deal["spearfish_intent_score"], open_deal["spearfish_intent_grade"]) == ("", "none")
    assert open_deal["spearfish_scored_at"] == str(int(NOW.replace(tzinfo=UTC).timestamp() * 1000))


def test_only_what_changed_is_written(told: Desk, tmp_path: Path) -> None:
    home = Workspace(tmp_path / "home")
    rows = written(told, tmp_path)[1]
    (first,) = earlier_exports(home, crm="salesforce")
    good = [row for row in rows if float(row["Spearfish_Score__c"]) > HELD_AT]
    held = [row["Spearfish_Account_Id__c"] for row in good][:3]
    for number, name in enumerate(held):
        told.verdicts.note(Feedback(NOW, name, "rejected", reason="no", machine_score=1e3, id=number))
    done, rows = written(told, tmp_path, now=LATER, earlier=first)
    changed = {row["Spearfish_Account_Id__c"] for row in rows}
    assert changed == set(held)
    assert done.unchanged == ACCOUNTS - len(rows)
    second, _ = earlier_exports(home, crm="salesforce")
    assert [done.written for done, _ in [written(told, tmp_path, now=LATER, earlier=second)]] == [0]
    # Since the first one, the same as before.
    assert {row["Spearfish_Account_Id__c"] for row in written(told, tmp_path, earlier=first)[1]} == changed
    assert earlier_exports(home, crm="hubspot") == []
    kept = b"".join(file.read_bytes() for file in (tmp_path / "home" / "exports").rglob("*.parquet"))
    assert not [n for n in range(ACCOUNTS) if account_id(n).encode() in kept]


def test_an_export_that_fails_leaves_the_file_before(told: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before", encoding="utf-8")

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(Workspace(tmp_path), told, crm="salesforce", out=out, now=NOW, progress=stop, rows=50)
    assert out.read_text(encoding="utf-8") == "before"
    assert earlier_exports(Workspace(tmp_path), crm="salesforce") == []
    assert {file.name for file in tmp_path.iterdir()} == {"out.csv", "privacy.key"}


@pytest.mark.parametrize(
    ("asked", "release"),
    [({}, 2), ({"moment": NOW}, 1), ({"moment": LATER}, 2), ({"release": 1}, 1), ({"release": 2}, 2)],
)
def test_which_export_is_meant(asked: Any, release: int) -> None:
    exports = [Earlier(Path("b"), LATER, 2), Earlier(Path("a"), NOW, 1)]
    found = since(exports, **asked)
    assert found is not None
    assert found.release == release


@pytest.mark.parametrize("asked", [{"moment": NOW - timedelta(1)}, {"release": 7}])
def test_an_export_that_nobody_remembers_is_refused(asked: Any) -> None:
    with pytest.raises(ConfigError, match=r"no export is remembered.*release 1\)"):
        since([Earlier(Path("a"), NOW, 1)], **asked)
    assert since([]) is None


def test_old_exports_are_forgotten(tmp_path: Path) -> None:
    home = Workspace(tmp_path)
    for day in range(KEPT + 2):
        keep_export(home, crm="hubspot", at=NOW + timedelta(days=day // 2), release=1, written=NOTHING)
    found = earlier_exports(home, crm="hubspot")
    assert len(found) == KEPT
    assert found[0].at == NOW + timedelta(days=(KEPT + 1) // 2)


def test_what_changed_and_what_is_gone() -> None:
    before = Written(np.array([1, 3, 5], dtype=np.uint64), np.array([10, 30, 50], dtype=np.uint64))
    keys, cells = (np.array(some, dtype=np.uint64) for some in ([5, 1, 9, 0], [50, 11, 90, 0]))
    assert before.changed(keys, cells).tolist() == [False, True, True, True]
    assert before.gone(keys) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [("=1+1", "'=1+1"), ("+a", "'+a"), ("-a", "'-a"), ("@a", "'@a"), (" \t=x", "'=x"), ('a,\n"b"', 'a, "b"')],
)
def test_no_cell_is_a_formula(given: str, expected: str) -> None:
    assert safe_text(given) == expected


@pytest.mark.parametrize(
    ("match", "crm", "account", "expected"),
    [
        ("id", "salesforce", "001A0000006Vm9u", "001A0000006Vm9uIAC"),
        ("id", "salesforce", "003A0000006Vm9u", None),
        ("id", "hubspot", "2182162682", "2182162682"),
        ("id", "hubspot", "acc-1", None),
        ("external", "hubspot", "acc-1", "acc-1"),
        ("external", "salesforce", "=acc-1", None),
    ],
)
def test_what_an_account_is_found_by(match: Any, crm: Any, account: str, expected: str | None) -> None:
    assert identifier_of(match, crm=crm, account_id=account, domain=None) == expected


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_every_field_can_be_made_in_the_crm(crm: Any) -> None:
    made = field_definitions(crm)
    fields = made["fields"] if crm == "salesforce" else made["inputs"]
    key = "FullName" if crm == "salesforce" else "name"
    names = [field[key].removeprefix("Account.") for field in fields]
    assert names == layout_of(crm, match="external").header
    assert all(len(name) <= 43 for name in names)


def test_the_command_writes_the_file_and_remembers(
    company: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(company.home, home)
    out, fields = tmp_path / "scores.csv", tmp_path / "fields.json"
    options: dict[str, Any] = {"crm": "salesforce", "out": out, "workspace": home, "as_json": True}
    export_command(**options, changed_since="last", fields=fields)
    first = json.loads(capsys.readouterr().out)
    assert (first["written"], first["changed_since"]) == (ACCOUNTS, None)
    assert len(json.loads(fields.read_text(encoding="utf-8"))["fields"]) == len(FIELDS) + 1
    export_command(**options, changed_since="last")
    again = json.loads(capsys.readouterr().out)
    assert (again["written"], again["unchanged"]) == (0, ACCOUNTS)
    assert rows_of(out) == []
    export_command(**options, changed_since="1")
    with pytest.raises(ConfigError, match="no export is remembered"):
        export_command(**options, changed_since="2020-01-01")
    for wrong in ({"crm": "sap"}, {"match_by": "domain"}, {"out": tmp_path / "a.xlsx"}, {"language": "fr"}):
        with pytest.raises(ConfigError):
            export_command(**(options | wrong))
