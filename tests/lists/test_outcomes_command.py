"""The command on what became of lists: of one list and of all, for people and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from followed_lists import approved_at, new_list
from typer.testing import CliRunner

from features.errors import InputError, SpearfishError, WorkspaceError
from features.workspace import Workspace
from serving.store import Store
from training.cli.app import app


def run(workspace: Workspace, *arguments: str) -> Any:
    told = ["lists", "outcomes", *arguments, "--workspace", str(workspace.home)]
    done = CliRunner().invoke(app, told, catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def followed(workspace: Workspace) -> Workspace:
    """Data until 2026-02-01: of the banks the deal of one is lost, and the customer wins within days."""
    with Store.open(workspace.store_url) as store:
        first, other = new_list(store, "Banks"), new_list(store, "All")
        approved_at(store, first, "2025-12-01T00:00:00", suggested=["bank-1", "cust-1"], pinned=["soft-1"])
        approved_at(store, other, "2026-01-15T00:00:00", suggested=["bank-1", "deal-1", "soft-2"])
    return workspace


def test_a_list_tells_its_groups_and_what_the_difference_is_of(followed: Workspace) -> None:
    told = json.loads(run(followed, "Banks", "--days", "60", "--json").stdout)
    assert told["until"] == "2026-02-01T00:00:01Z"
    assert (told["accepted"]["accounts"], told["accepted"]["ripe"], told["accepted"]["won"]) == (2, 2, 0)
    assert (told["accepted"]["opened"], told["added"]["accounts"]) == (1, 1)
    # deal-1 opened a deal on 2026-01-01, and the other list took it up after that.
    assert (told["comparable"]["opened"], told["comparable"]["taken_up_later"]) == (1, 2)
    shown = run(followed, "Banks", "--days", "60").stdout
    assert "not enough evidence yet" in shown
    assert "who was chosen, and that sales then worked them" in shown


def test_all_lists_together_count_an_account_once(followed: Workspace) -> None:
    told = json.loads(run(followed, "--days", "60", "--json").stdout)
    assert told["list_id"] is None
    assert (told["accepted"]["accounts"], told["added"]["accounts"], told["moments"]) == (4, 1, 2)
    # deal-1 was in a deal when the other list took it up; soft-2 has not had its days.
    assert (told["accepted"]["open_deals"], told["accepted"]["too_early"]) == (1, 1)
    shown = run(followed, "--days", "60").stdout
    assert "the next accepted accounts are ripe on 2026-03-16" in shown


def test_as_of_a_moment_only_what_was_known_counts(followed: Workspace) -> None:
    told = json.loads(run(followed, "--days", "20", "--as-of", "2026-01-10", "--json").stdout)
    assert (told["accepted"]["accounts"], told["moments"], told["until"]) == (2, 1, "2026-01-10T00:00:00Z")


def test_accounts_are_followed_for_a_year_unless_days_are_given(followed: Workspace) -> None:
    assert json.loads(run(followed, "Banks", "--json").stdout)["days"] == 365
    assert json.loads(run(followed, "Banks", "--days", "3660", "--json").stdout)["days"] == 3_660
    with pytest.raises(InputError, match=r"for so many days \(got 3661; allowed 1 to 3,660\)") as refused:
        run(followed, "Banks", "--days", "3661")
    assert refused.value.exit_code == 2


def test_what_is_not_there_is_said(workspace: Workspace) -> None:
    with Store.open(workspace.store_url) as store:
        new_list(store, "Draft")
    for name, why in (("Drafts", "there is no such list"), ("Draft", "no version of the list was approved")):
        with pytest.raises(SpearfishError, match=why):
            run(workspace, name)
    with pytest.raises(WorkspaceError, match="no tables in the workspace"):
        run(Workspace(workspace.home / "nowhere"), "Draft")
