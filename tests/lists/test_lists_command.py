"""The commands on lists, from the first draw to a refresh that is discarded, and files that go round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from features.errors import ConfigError
from features.ingest import ingest
from features.mapping import load_config
from features.workspace import Workspace
from training.cli.app import app

BANKS = {"bank-1": 0.9, "bank-2": 0.8, "soft-1": 0.7, "soft-2": 0.6}


def run(workspace: Workspace, *arguments: str) -> Any:
    told = [*arguments, "--workspace", str(workspace.home), "--json"]
    done = CliRunner().invoke(app, ["lists", *told], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def suggested(folder: Path, scores: dict[str, float]) -> str:
    file = folder / "suggestions.csv"
    lines = ["account_id,score,reason_1", *(f"{name},{score},=1+1" for name, score in scores.items())]
    file.write_text("\n".join(lines), encoding="utf-8")
    return str(file)


@pytest.fixture
def drawn(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A list of three that was drawn once."""
    run(workspace, "create", "Few", "--owner", "Ann", "--purpose", "try it", "--size", "3")
    told = run(workspace, "draw", "Few", suggested(tmp_path, BANKS))
    assert (told["targets"], told["left_out"]) == (3, {"size": 1})
    return workspace


def approved(workspace: Workspace) -> None:
    run(workspace, "state", "Few", "submit")
    run(workspace, "approve", "Few", "--as", "marketing", "--by", "Ann")
    run(workspace, "approve", "Few", "--as", "sales", "--by", "Ben")


def test_a_proposal_is_compared_and_settled(drawn: Workspace, tmp_path: Path) -> None:
    approved(drawn)
    later = suggested(tmp_path, {"soft-3": 0.99, "bank-1": 0.5, "soft-2": 0.4, "bank-2": 0.1})
    # Who is on the list and is suggested still comes before the better newcomer but one.
    told = run(drawn, "draw", "Few", later, "--kind", "refresh", "--why", "the quarter")
    assert (told["added"], told["dropped"], told["version"]) == (1, 1, 2)
    compared = run(drawn, "diff", "Few")
    assert [(one["change"], one["account_id"]) for one in compared["changes"]] == [
        ("dropped", "soft-1"),
        ("added", "soft-3"),
    ]
    assert run(drawn, "discard", "Few", "--by", "Cat")["state"] == "approved"
    told = run(drawn, "draw", "Few", later, "--kind", "rebuild", "--why", "the year")
    # The number of what was discarded is not used again.
    assert (told["added"], told["dropped"], told["version"]) == (2, 2, 3)
    run(drawn, "accept", "Few")
    approved(drawn)
    kinds = [(one["number"], one["kind"]) for one in run(drawn, "versions", "Few")["versions"]]
    assert kinds == [(3, "rebuild"), (1, "first")]
    actions = [(one["action"], one["who"]) for one in run(drawn, "log", "Few")["changes"]]
    assert ("discard_proposal", "Cat") in actions
    with pytest.raises(ConfigError, match="allowed 1, 3"):
        run(drawn, "diff", "Few", "2", "3")


def test_a_redraw_brings_rules_of_its_own(drawn: Workspace, tmp_path: Path) -> None:
    settings = tmp_path / "market.toml"
    settings.write_text('[rules.filters]\ncountries = ["FR"]\n', encoding="utf-8")
    file = suggested(tmp_path, BANKS)
    told = run(drawn, "draw", "Few", file, "--kind", "redraw", "--why", "France", "--settings", str(settings))
    assert (told["targets"], told["left_out"]) == (1, {"country": 3})
    assert told["rules"]["filters"]["countries"] == ["FR"]
    back = run(drawn, "discard", "Few")
    assert (back["rules"]["filters"]["countries"], back["version"]) == (None, 1)


def test_a_file_keeps_accounts_and_domains_off(drawn: Workspace, tmp_path: Path) -> None:
    off = tmp_path / "off.txt"
    off.write_text("# rivals\nWWW.bank1.example\nbank-2\n", encoding="utf-8")
    assert run(drawn, "exclude", "Few", str(off))["excluded"] == 2
    told = run(drawn, "draw", "Few", suggested(tmp_path, BANKS), "--kind", "refresh", "--why", "again")
    assert told["left_out"] == {"listed": 2}


PEOPLE = {
    "account_id": "account_id",
    "domain": "domain",
    "list": "list",
    "target": "target",
    "reason": "reason_1",
}
SALESFORCE = {
    "account_id": "Spearfish_Account_Id__c",
    "list": "Spearfish_List__c",
    "target": "Spearfish_Target__c",
    "reason": "Spearfish_List_Reason__c",
}
HUBSPOT = {
    "account_id": "domain",
    "list": "spearfish_list",
    "target": "spearfish_target",
    "reason": "spearfish_list_reason",
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("file_format", "match", "columns"),
    [
        ("csv", None, PEOPLE),
        ("xlsx", None, PEOPLE),
        ("salesforce", "external", SALESFORCE),
        ("hubspot", "domain", HUBSPOT),
    ],
)
def test_what_is_handed_over_comes_back_without_a_warning(
    drawn: Workspace, tmp_path: Path, file_format: str, match: str | None, columns: dict[str, str]
) -> None:
    approved(drawn)
    out = tmp_path / ("list.xlsx" if file_format == "xlsx" else "list.csv")
    found_by = [] if match is None else ["--match-by", match]
    run(drawn, "export", "Few", "--format", file_format, "--out", str(out), *found_by)
    mapping = tmp_path / "back.toml"
    own = {name: columns[name] for name in ("account_id", "domain") if name in columns}
    mapping.write_text(
        f'[workspace]\nname = "back"\ntime_zone = "UTC"\n[[sources]]\ntable = "accounts"\npath = "{out}"\n'
        'known = "start_of_time"\n[sources.columns]\n'
        + "".join(f'{name} = "{column}"\n' for name, column in own.items())
        + "".join(
            f'[sources.attributes.{name}]\ncolumn = "{columns[name]}"\ntype = "{kind}"\nlabel = "{name}"\n'
            for name, kind in (("list", "category"), ("target", "boolean"), ("reason", "text"))
        ),
        encoding="utf-8",
    )
    back = Workspace(tmp_path / "back")
    report = ingest(load_config(mapping, overrides={}), workspace=back)
    assert not back.manifest().quarantine, report
    with back.tables().connect() as connection:
        rows = connection.execute(
            "SELECT account_id, list, target, reason FROM accounts ORDER BY account_id"
        ).fetchall()
    names = ["bank-1", "bank-2", "soft-1"]
    if match == "domain":
        names = [f"{name.replace('-', '')}.example" for name in names]
    # What was a formula in a reason is a text in the file.
    assert rows == [(name, "Few", True, "'=1+1") for name in names]
