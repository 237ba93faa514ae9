"""What came of accounts after the tables, asked for together: each gets what it would get alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_process import ask, open_to_everybody
from small_workspace import account_id

from features.errors import WorkspaceError
from features.workspace import Workspace
from serving.answering import Question
from serving.holder import DeskHolder
from serving.log.entries import Answered


@pytest.fixture
def home(company: Workspace, tmp_path: Path) -> Workspace:
    """The company, for those who write into its store."""
    shutil.copytree(company.home, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def deaf(home: Workspace) -> Iterator[DeskHolder]:
    """A worker that learns nothing of what others take."""
    made = DeskHolder(home)
    made.look()
    yield made
    made.executor.shutdown()
    made.door.close()


first, second = pytest.fixture(deaf, name="first"), pytest.fixture(deaf, name="second")


def send(holder: DeskHolder, *names: tuple[str, int]) -> None:
    told = {"channel": "web_visit", "direction": "inbound", "occurred_at": "2026-03-01T10:00:00Z"}
    rows = [{"activity_id": name, "account_id": account_id(number), **told} for name, number in names]
    sent = ask(open_to_everybody(holder), "POST", "/v1/activities", json={"activities": rows})
    assert [one["status"] for one in sent.json()["results"]] == ["accepted"] * len(rows)


def test_company_brings_no_news_that_an_account_would_not_have_alone(
    first: DeskHolder, second: DeskHolder
) -> None:
    send(first, ("known", 7))
    send(second, ("unheard", 7), ("unheard too", 9))
    send(first, ("later", 8), ("later too", 9))
    desk, names = first.desk(), [account_id(number) for number in (6, 7, 8, 9)]
    alone = {name: tuple(one.activity_id for one in desk.newer(name)) for name in names}
    # What another worker took before one's own newest is seen with it.
    assert list(alone.values()) == [(), ("known",), ("later",), ("unheard too", "later too")]
    for some in (names, names[1:3], names[:2], names[::-1]):
        together = {
            name: tuple(one.activity_id for one in rows) for name, rows in desk.newer_of(some).items()
        }
        assert together == {name: alone[name] for name in some if alone[name]}


@pytest.fixture
def asked(first: DeskHolder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the store was asked for, which nobody can reach."""
    send(first, ("a", 7), ("b", 8))
    found: list[str] = []

    def unreachable() -> Any:
        found.append("asked")
        raise WorkspaceError("the store cannot be reached", fix="start it")

    monkeypatch.setattr(first.door, "open", unreachable)
    return found


def answers(holder: DeskHolder, *bodies: str) -> list[Answered | Exception]:
    return holder.answer_each(
        [Question(body.encode(), str(place), "en") for place, body in enumerate(bodies)]
    )


def of_account(number: int) -> str:
    return f'{{"account_id":"{account_id(number)}"}}'


def test_a_group_waits_once_for_a_store_out_of_reach(first: DeskHolder, asked: list[str]) -> None:
    found = answers(first, of_account(7), of_account(9), of_account(8), '{"account_id":"nobody"}')
    assert asked == ["asked"]
    alone = [
        *answers(first, of_account(7)),
        *answers(first, of_account(9)),
        *answers(first, of_account(8)),
        *answers(first, '{"account_id":"nobody"}'),
    ]
    assert len(asked) == 3
    assert [type(one).__name__ for one in found] == [
        *("WorkspaceError", "Answered", "WorkspaceError", "UnknownAccountError")
    ]
    for one, other in zip(found, alone, strict=True):
        if isinstance(one, Answered) and isinstance(other, Answered):
            assert one.text.partition(",")[2] == other.text.partition(",")[2]
        else:
            assert str(one) == str(other)


def test_who_is_looked_up_apart_waits_for_no_store_that_failed_the_others(
    first: DeskHolder, asked: list[str]
) -> None:
    """A domain with another spelling is no account's own, and is looked up by itself."""
    spelt = [
        f'{{"domain":"www.{first.desk().snapshot.accounts.by_id(account_id(number)).domain}"}}'
        for number in (7, 8)
    ]
    found = answers(first, *spelt)
    assert [type(one).__name__ for one in found] == ["WorkspaceError"] * 2
    assert asked == ["asked"]
    found = answers(first, spelt[0].replace("www.", "shop."), spelt[1].replace("www.", "shop."))
    assert [type(one).__name__ for one in found] == ["WorkspaceError"] * 2
    assert asked == ["asked"] * 2


def test_a_batch_that_needs_the_store_is_refused_as_a_whole(first: DeskHolder, asked: list[str]) -> None:
    batch = f'{{"accounts":[{of_account(7)},{of_account(9)}]}}'
    with pytest.raises(WorkspaceError):
        first.answer_batch(batch.encode(), language="en")
    assert asked == ["asked"]
