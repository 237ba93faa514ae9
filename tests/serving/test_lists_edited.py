"""Rules that name what the tables do not have, and edits of what people have approved."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from in_process import ask, open_to_everybody

from features.workspace import Workspace
from serving.holder import DeskHolder
from serving.lists.requests import ListRequest
from serving.scoring import utc_now
from serving.store import Store, lists

GIVEN = {"owner": "Ann", "purpose": "try it", "pilot": False, "size": 5}
LOST = {"where": [{"name": "rivals", "attribute": "relatoin", "values": ["Competitor"]}]}
_numbers = count(1)


@pytest.fixture(scope="module")
def home(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    copy = Workspace(tmp_path_factory.mktemp("edited") / "workspace")
    shutil.copytree(company.home, copy.home)
    return copy


@pytest.fixture(scope="module")
def app(home: Workspace) -> Iterator[Any]:
    holder = DeskHolder(home)
    holder.start()
    yield open_to_everybody(holder)
    holder.stop()


def named() -> str:
    return f"Few {next(_numbers)}"


def new_list(app: Any, **told: Any) -> str:
    made = ask(app, "POST", "/v1/lists", json={"name": named(), **GIVEN, **told})
    assert made.status_code == 201, made.text
    return f"/v1/lists/{made.json()['id']}"


def of(app: Any, at: str) -> Any:
    return ask(app, "GET", at).json()["target_list"]


def edited(app: Any, at: str, **values: Any) -> httpx.Response:
    return ask(app, "PATCH", at, json={"revision": of(app, at)["revision"], **values})


def pinned(app: Any, at: str, account_id: str, **headers: str) -> httpx.Response:
    body = {"account_id": account_id, "kind": "pin", "reason": "asked for us"}
    return ask(app, "POST", f"{at}/decisions", json=body, headers=headers)


def require_told(answer: httpx.Response, *, field: str, got: str) -> None:
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["what"]) == (field, "the accounts have no such column")
    assert error["got"] == repr(got)
    assert "industry, " in error["allowed"]
    assert error["fix"]


def test_rules_of_columns_that_are_not_there_are_refused_where_they_are_set(app: Any) -> None:
    made = ask(app, "POST", "/v1/lists", json={"name": named(), **GIVEN, "rules": LOST})
    require_told(made, field="rules.where[0].attribute", got="relatoin")
    at = new_list(app, rules={"parent_column": "industry"})
    require_told(edited(app, at, rules={"owner_column": "ovner"}), field="rules.owner_column", got="ovner")
    assert of(app, at)["revision"] == 1
    body = {"kind": "first", "why": "new", "revision": 1, "suggestions": [{"account_id": "acc-00"}]}
    assert ask(app, "POST", f"{at}/draws", json=body).status_code == 201
    market = body | {
        "kind": "redraw",
        "revision": of(app, at)["revision"],
        "rules": {"territory_column": "x"},
    }
    require_told(ask(app, "POST", f"{at}/draws", json=market), field="rules.territory_column", got="x")


@pytest.fixture
def lost(home: Workspace) -> str:
    """A list with a rule of a column that the tables had once."""
    draft = ListRequest.model_validate({"name": named(), **GIVEN, "rules": LOST}).draft()
    with Store.open(home.store_url) as store, store.writing() as connection:
        return f"/v1/lists/{lists.add(connection, draft, who='Ann', now=utc_now()).id}"


def test_a_list_whose_rules_name_what_is_lost_can_be_worked_on_and_says_so(app: Any, lost: str) -> None:
    made = pinned(app, lost, "acc-05")
    assert made.status_code == 201, made.text
    (note,) = made.json()["notes"]
    assert "the column relatoin, which the accounts do not have: edit the rules" in note
    (chinese,) = pinned(app, lost, "acc-06", **{"Accept-Language": "zh"}).json()["notes"]
    assert "relatoin" in chinese
    assert "edit" not in chinese
    told = ask(app, "GET", f"{lost}/accounts/acc-05")
    assert (told.status_code, told.json()["account"]["name"]) == (200, "Company 5")
    ended = f"{lost}/decisions/{made.json()['decision']['id']}/end"
    assert ask(app, "POST", ended, json={"why": "it took place"}).json()["notes"] == [note]
    # Whoever edits something else sends the rules as they are.
    assert edited(app, lost, purpose="another", rules=of(app, lost)["rules"]).status_code == 200
    body = {"kind": "first", "why": "new", "revision": of(app, lost)["revision"]}
    refused = ask(app, "POST", f"{lost}/draws", json={**body, "suggestions": [{"account_id": "acc-00"}]})
    require_told(refused, field="rules.where[0].attribute", got="relatoin")
    assert edited(app, lost, rules={}).status_code == 200
    assert pinned(app, lost, "acc-08").json()["notes"] == []
