"""The file of an export is the same, byte for byte, whatever becomes of its list and of others; the flags of
who left stay true by the next export; a draft that has changed since is refused."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from openpyxl import load_workbook
from sqlalchemy import create_engine, text

from serving.lists.deciding import approve, decide, move_state
from serving.lists.drawing import Suggestion, draw
from serving.lists.editing import edit
from serving.lists.facts import Facts
from serving.lists.files import write
from serving.lists.handing_over import FORMATS, current, hand_over, lines
from serving.lists.proposing import accept, discard, open_proposal
from serving.lists.requests import ListRequest
from serving.store import Store, engine, list_exports, lists
from serving.store.list_exports import Export
from serving.store.lists import ListChangedError, TargetList

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
FACTS = {name: Facts(name, name.upper(), f"{name}.example", "software") for name in "abcdef"}


@pytest.fixture
def store(listless_store: Store) -> Store:
    return listless_store


def new_list(store: Store) -> TargetList:
    told = {"name": f"list {uuid4().hex}", "owner": "Ann", "purpose": "try it", "pilot": False, "size": 5}
    with store.writing() as connection:
        return lists.add(connection, ListRequest.model_validate(told).draft(), who="Ann", now=NOW)


def drawn(store: Store, found: TargetList, scores: Mapping[str, float], **told: Any) -> None:
    suggestions = [Suggestion(name, score, segment="s") for name, score in scores.items()]
    given = {"facts": FACTS, "kind": "refresh", "why": "due", "who": "Ann", "now": NOW, **told}
    with store.writing() as connection:
        draw(connection, list_id=found.id, suggestions=suggestions, **given)


def revision(store: Store, found: TargetList) -> int:
    with store.reading() as connection:
        return lists.find(connection, list_id=found.id).revision


def state(store: Store, found: TargetList, action: Any) -> None:
    seen = revision(store, found)
    with store.writing() as connection:
        move_state(connection, list_id=found.id, action=action, seen=seen, who="Ann", now=NOW)


def approved(store: Store, found: TargetList, scores: Mapping[str, float], **told: Any) -> None:
    """A draw that both sides have approved."""
    drawn(store, found, scores, **told)
    with store.writing() as connection:
        known = lists.find(connection, list_id=found.id)
        if open_proposal(connection, known) is not None:
            accept(connection, list_id=found.id, seen=known.revision, who="Ann", now=NOW)
    state(store, found, "submit")
    seen = revision(store, found)
    with store.writing() as connection:
        for side, who in (("marketing", "Ann"), ("sales", "Ben")):
            given: dict[str, Any] = {"side": side, "decision": "approved", "approver": who, "comment": ""}
            approve(connection, list_id=found.id, seen=seen, now=NOW, **given)


def renamed(store: Store, found: TargetList) -> None:
    seen, values = revision(store, found), {"name": f"new {uuid4().hex}"}
    with store.writing() as connection:
        edit(connection, list_id=found.id, values=values, seen=seen, who="Ann", now=NOW)


def exported(store: Store, found: TargetList, file_format: Any, **told: Any) -> Export:
    given = {"file_format": file_format, "who": "Ann", "now": NOW, **told}
    with store.writing() as connection:
        return hand_over(connection, list_id=found.id, **given).export


def file_of(store: Store, export: Export) -> bytes:
    """As it is read by whoever asks for it later."""
    file = io.BytesIO()
    with store.reading() as connection:
        kept = list_exports.find(connection, list_id=export.list_id, export_id=export.id)
        write(file, lines(connection, kept), file_format=kept.format, at=kept.at)
    return file.getvalue()


def told_in(file: bytes) -> dict[str, tuple[str, str]]:
    """Of a file for Salesforce: by identifier, the list and the flag."""
    rows = csv.reader(io.StringIO(file.decode()))
    next(rows)
    return {row[0]: (row[1], row[3]) for row in rows}


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_is_the_same_whatever_becomes_of_the_list(
    store: Store, file_format: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, other = new_list(store), new_list(store)
    approved(store, found, {"a": 5, "b": 4, "c": 3})
    exported(store, found, file_format)
    approved(store, found, {"b": 4, "d": 3})
    export = exported(store, found, file_format)
    whole = file_of(store, export)
    steps: list[Callable[[], Any]] = [
        lambda: approved(store, other, {"a": 1}),
        lambda: state(store, found, "archive"),
        lambda: renamed(store, other),
        lambda: state(store, found, "restore"),
        lambda: renamed(store, found),
        lambda: drawn(store, found, {"a": 9}, facts={"a": Facts("a", "Other", "other.example", "mining")}),
        lambda: exported(store, found, file_format, match=None),
        lambda: approved(store, found, {"a": 9, "c": 8}),
        lambda: exported(store, found, file_format),
        lambda: state(store, other, "archive"),
    ]
    for number, step in enumerate(steps):
        step()
        # A workbook does not tell when it was written either.
        monkeypatch.setattr(time, "time", lambda number=number: 2e9 + 1000 * number)
        assert file_of(store, export) == whole, number
        monkeypatch.undo()


def test_the_next_file_takes_back_what_no_longer_holds(store: Store) -> None:
    found, other = new_list(store), new_list(store)
    approved(store, found, {"a": 5, "b": 4})
    first = exported(store, found, "salesforce")
    state(store, found, "archive")
    approved(store, other, {"b": 4})
    second = exported(store, found, "salesforce")
    expected = {"a": (found.name, "false"), "b": (other.name, "true")}
    assert told_in(file_of(store, second)) == expected
    state(store, other, "archive")
    # Whichever of the two was read last: what the third says holds.
    assert told_in(file_of(store, second)) == expected
    assert told_in(file_of(store, first)) == dict.fromkeys("ab", (found.name, "true"))
    third = exported(store, found, "salesforce")
    assert told_in(file_of(store, third)) == dict.fromkeys("ab", (found.name, "false"))


def test_a_file_is_current_until_the_list_is_another_or_is_handed_over_again(store: Store) -> None:
    found = new_list(store)
    approved(store, found, {"a": 5})

    def newest() -> set[int]:
        with store.reading() as connection:
            made = list_exports.of_list(connection, list_id=found.id)
            return set(current(lists.find(connection, list_id=found.id), made))

    first, crm = (exported(store, found, name).id for name in ("csv", "salesforce"))
    assert newest() == {first, crm}
    again = exported(store, found, "csv").id
    assert newest() == {again, crm}
    drawn(store, found, {"b": 5})
    draft = exported(store, found, "csv", draft=True).id
    # What nobody has approved takes nothing from what was.
    assert newest() == {again, crm, draft}
    approved(store, found, {"b": 5})
    assert newest() == set()
    crm = exported(store, found, "salesforce").id
    assert newest() == {crm}
    state(store, found, "archive")
    assert newest() == set()
    state(store, found, "restore")
    assert newest() == {crm}
    renamed(store, found)
    assert newest() == set()


def test_a_draft_that_has_changed_since_is_refused(store: Store) -> None:
    found = new_list(store)
    drawn(store, found, {"a": 5, "b": 4})
    export = exported(store, found, "csv", draft=True)
    whole = file_of(store, export)
    renamed(store, found)
    assert file_of(store, export) == whole
    state(store, found, "submit")
    assert file_of(store, export) == whole
    with store.writing() as connection:
        given: dict[str, Any] = {"reason": "known", "who": "Ben", "now": NOW, "facts": FACTS["c"]}
        decide(connection, list_id=found.id, account_ids=["c"], kind="pin", **given)
    with pytest.raises(ListChangedError, match=r"draft was changed .*Ben at .*pin c.*hand the draft out"):
        file_of(store, export)


def test_a_proposal_that_was_discarded_is_handed_out_no_more(store: Store) -> None:
    found = new_list(store)
    approved(store, found, {"a": 5})
    drawn(store, found, {"b": 5})
    export = exported(store, found, "csv", draft=True)
    assert b"\nb,B," in file_of(store, export)
    seen = revision(store, found)
    with store.writing() as connection:
        discard(connection, list_id=found.id, seen=seen, who="Ann", now=NOW)
    with pytest.raises(ListChangedError, match="discard proposal"):
        file_of(store, export)


def test_a_file_for_people_begins_with_the_mark_that_excel_needs(store: Store) -> None:
    found = new_list(store)
    approved(store, found, {"a": 5}, facts={"a": Facts("a", "华为", "a.example", "软件")})
    begin = {name: file_of(store, exported(store, found, name))[:3] for name in FORMATS}
    mark = b"\xef\xbb\xbf"
    assert begin == {"csv": mark, "xlsx": b"PK\x03", "salesforce": b"Spe", "hubspot": b"dom"}
    content = file_of(store, exported(store, found, "csv")).decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(content)))["name"] == "华为"


def test_a_workbook_says_when_it_was_handed_over(store: Store) -> None:
    found = new_list(store)
    approved(store, found, {"a": 5})
    told = file_of(store, exported(store, found, "xlsx"))
    book = load_workbook(io.BytesIO(told), read_only=True)
    assert (book.properties.created, book.properties.modified) == (NOW, NOW)
    assert not re.search(rb"20(2[7-9]|3\d)-", told)


def test_no_cell_of_a_workbook_is_calculated_or_a_fault() -> None:
    file, line = io.BytesIO(), ["=1+1", "#N/A", "", "7", "a\x01b", "2026-05-01"]
    write(file, [line], file_format="xlsx", at=NOW)
    (cells,) = load_workbook(file).active.iter_rows()
    told = [("=1+1", "s"), ("#N/A", "s"), (None, "n"), ("7", "s"), ("ab", "s"), ("2026-05-01", "s")]
    assert [(one.value, one.data_type) for one in cells] == told


def test_exports_from_before_are_of_the_list_as_it_was_then(tmp_path: Path) -> None:
    url, config = f"sqlite:///{tmp_path}/store.db", Config()
    config.set_main_option("script_location", str(Path(engine.__file__).parent / "migrations"))
    made = create_engine(url)
    with made.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        of_list = {"owner": "Ann", "purpose": "p", "pilot": 0, "size": 5, "segments": "[]", "goals": "[]"}
        of_list |= {"rules": "{}", "version": 2, "created_at": NOW, "created_by": "Ann", "erased": 0}
        of_list |= {"changed_at": NOW, "changed_by": "Ann"}
        for number, name, state_, ready in (
            (1, "A", "archived", 2),
            (2, "B", "draft", 1),
            (3, "C", "draft", None),
        ):
            own = {"id": number, "name": name, "state": state_, "approved_version": ready, "revision": 7}
            fill(connection, "target_lists", of_list | own)
        told = {"id": 1, "list_id": 1, "version": 2, "format": "csv", "who": "Ann", "at": NOW}
        fill(connection, "list_exports", told | {"found_by": "", "draft": 0, "targets": 3, "leavers": 0})
    made.dispose()
    with Store.open(url) as store, store.reading() as connection:
        (one,) = list_exports.of_list(connection, list_id=1)
    assert (one.name, one.revision, one.in_use) == ("A", 7, False)
    assert one.others == (list_exports.Other(2, "B", 1),)


def fill(connection: Any, table: str, values: Mapping[str, Any]) -> None:
    columns, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"
    connection.execute(text(statement), dict(values))
