"""A list on its way to a CRM or to people: who is a target, and who is one no more.

Turns the approved version of a list into rows with list, segment and target = true, and every account that an
earlier export called a target, and that has left, into one with target = false, for good: nobody knows
whether a file was ever read. Who has left this list and is a target of another one in use gets that list's
name, so that no order of exports leaves a flag that is wrong.

An export is what the list said at its moment, and its file is the same, byte for byte, whenever it is asked
for: it rests on the version, which changes no more, on what earlier exports flagged, and on what is kept with
the export, never on what the list or another one is called or holds today. What became of the list since is
for the next export, which takes back every flag that any file before it has set, whichever of them was read
last. A draft does change: once it has, its file is refused. Only who is forgotten is missing from files made
before. Time rule: a list hands over what was approved last; an archived list has no targets. Null rule: an
account that the CRM cannot find is left out and counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection

from features.errors import InputError
from serving.exporting.cells import cells_of, found_by, identifier_of, safe_text
from serving.exporting.layout import CRMS, MATCHES, Crm, Field, Match, field_name, layout_of
from serving.store import list_approved, list_exports, list_members, lists
from serving.store.list_exports import Export, Flag, Other
from serving.store.list_members import Member
from serving.store.lists import ListChangedError, ListStateError, TargetList

__all__ = ["COLUMNS", "FORMATS", "LIST_FIELDS", "Format", "Handed", "current", "hand_over", "lines"]

Format = Literal["csv", "xlsx", "salesforce", "hubspot"]
FORMATS: tuple[Format, ...] = get_args(Format)

LIST_FIELDS = (
    Field("list", "text", "List", "Target account list that the account is on, or was."),
    Field("segment", "text", "Segment", "Segment of the list."),
    Field("target", "flag", "Target", "Whether the account is a target: false once it has left its list."),
    Field("list_reason", "text", "List reason", "What speaks for the account most."),
    Field("nearest_seed", "text", "Nearest seed", "The account that it is most like."),
)
"""What a CRM is told of an account on a list."""

REASONS, NEAREST = 3, 3
COLUMNS = (
    *("account_id", "name", "domain", "industry", "country", "account_owner", "list", "segment", "target"),
    *("score", "probability", "probability_low", "probability_high", "why"),
    *(f"reason_{number}" for number in range(1, REASONS + 1)),
    *(f"against_{number}" for number in range(1, REASONS + 1)),
    *(f"nearest_{number}" for number in range(1, NEAREST + 1)),
    *(f"nearest_name_{number}" for number in range(1, NEAREST + 1)),
)
"""The columns of a file for people, CSV or Excel."""

_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Row:
    """One account of an export. member: as the list knows it, or last knew it. identifier: None where the CRM
    cannot find it."""

    member: Member
    list: str
    segment: str | None
    target: bool
    identifier: str | None


@dataclass(frozen=True)
class Handed:
    """An export of a list. unfound: accounts that the CRM cannot find, left out."""

    export: Export
    list: TargetList
    unfound: int


def hand_over(
    connection: Connection,
    *,
    list_id: int,
    file_format: Format,
    who: str,
    now: datetime,
    match: Match | None = None,
    draft: bool = False,
) -> Handed:
    """Begin an export, and remember whom it calls targets; `lines` tells its content.

    match: what a CRM finds accounts by; None for what the list's exports did before, or else the first way by
    which any of them is found. draft: what is being worked on, for people alone; nobody is remembered.
    Raises UnknownListError, ListStateError, and InputError for a way that the format does not know.
    """
    _require_way(match, file_format=file_format)
    found = lists.lock(connection, list_id=list_id)
    version = _version(found, file_format=file_format, draft=draft)
    way = match or _way_before(connection, found, file_format=file_format)
    export = Export(
        *(found.id, version, file_format, who, now, way, draft),
        name=found.name if draft else str(list_approved.approved_facts(connection, found)["name"]),
        revision=found.revision,
        in_use=found.state != "archived",
        others=list_exports.in_use(connection, but=found.id),
    )
    content = _content(connection, found, export)
    told = [row for row in content.rows if row.identifier is not None]
    targets = sum(row.target for row in told)
    counted = replace(export, targets=targets, leavers=len(told) - targets)
    export = list_exports.add(connection, replace(counted, found_by=content.match, others=content.others))
    if not draft:
        flagged = [
            Flag(row.member.account_id, content.match, str(row.identifier)) for row in told if row.target
        ]
        list_exports.flag(connection, export=export, some=flagged)
        note = f"{file_format}, {targets} targets, {export.leavers} that are none any more"
        lists.note(connection, found, area="state", action="export", who=who, now=now, detail=note)
    return Handed(export, found, unfound=len(content.rows) - len(told))


def lines(connection: Connection, export: Export) -> Iterator[list[str]]:
    """The lines of an export, its header first; the same ones whenever it is asked for, but for accounts that
    were forgotten. Raises ListChangedError for a draft that has changed since."""
    found = lists.find(connection, list_id=export.list_id)
    if export.draft:
        _require_unchanged(connection, export)
    rows = [row for row in _content(connection, found, export).rows if row.identifier is not None]
    if export.format in CRMS:
        crm = _crm(export.format)
        match: Any = export.found_by
        yield [layout_of(crm, match=match).identifier, *(field_name(one, crm=crm) for one in LIST_FIELDS)]
        for part in _parts(rows):
            yield from _for_crm(part, crm=crm, words=_words(connection, found, part))
    else:
        yield list(COLUMNS)
        for part in _parts(rows):
            yield from _for_people(part, words=_words(connection, found, part))


def current(found: TargetList, exports: Sequence[Export]) -> frozenset[int]:
    """The exports, by id, whose files are the newest in their format and of the list as it is.

    exports: of the list, the latest first. A draft is as it was until the list's revision rises.
    """
    seen, told = set[tuple[str, bool]](), set[int]()
    version = {False: found.approved_version, True: found.version}
    for one in exports:
        as_it_is = (found.name, found.state != "archived", version[one.draft])
        same = (one.name, one.in_use, one.version) == as_it_is
        untouched = not one.draft or one.revision == found.revision
        if same and untouched and (one.format, one.draft) not in seen:
            told.add(one.id)
        seen.add((one.format, one.draft))
    return frozenset(told)


def _require_unchanged(connection: Connection, export: Export) -> None:
    later = lists.changes(connection, list_id=export.list_id, after=export.revision)
    told = [one for one in later if one.area == "members" or one.action == "discard_proposal"]
    if told:
        raise ListChangedError(
            f"the draft was changed since it was handed out: {told[-1].sentence()}",
            got=f"revision {export.revision}",
            allowed=f"revision {told[0].revision}",
            fix="hand the draft out anew",
        )


def _require_way(match: Match | None, *, file_format: Format) -> None:
    ways = MATCHES[_crm(file_format)] if file_format in CRMS else ()
    if match is not None and match not in ways:
        raise InputError(
            "match_by: is no way by which such a file finds accounts",
            got=f"{match} for {file_format}",
            allowed=", ".join(ways) or "none: the file is for people",
            fix="leave it out, or choose one of these",
        )


def _way_before(connection: Connection, found: TargetList, *, file_format: Format) -> str:
    """What the latest export in a format found accounts by; nothing for the first one."""
    made = list_exports.of_list(connection, list_id=found.id)
    return next((one.found_by for one in made if one.format == file_format), "")


def _crm(file_format: str) -> Crm:
    return "salesforce" if file_format == "salesforce" else "hubspot"


def _version(found: TargetList, *, file_format: Format, draft: bool) -> int:
    if draft and file_format in CRMS:
        raise ListStateError(
            "a draft is for people alone", got=file_format, allowed="csv, xlsx", fix="have it approved first"
        )
    if draft:
        return found.version
    if found.approved_version is None:
        raise ListStateError(
            "nobody has approved the list yet",
            got=found.state,
            allowed="approved",
            fix="have it approved; its draft is handed out as csv or xlsx",
        )
    return found.approved_version


@dataclass(frozen=True)
class _Content:
    """The rows of an export, and what the CRM finds them by; for people: nothing. others: lists that have
    taken up who left."""

    match: str
    rows: list[Row]
    others: tuple[Other, ...]


def _content(connection: Connection, found: TargetList, export: Export) -> _Content:
    earlier = (
        {}
        if export.draft
        else list_exports.flags(
            connection, list_id=found.id, file_format=export.format, until_export=export.id or None
        )
    )
    targets = _targets(connection, found, export)
    gone = [name for name in earlier if name not in targets]
    taken = list_exports.elsewhere(connection, others=export.others, account_ids=gone)
    last = list_members.last_known(connection, list_id=found.id, account_ids=gone, version=export.version)
    here = [Row(one, export.name, one.segment, target=True, identifier=name) for name, one in targets.items()]
    left = []
    for name in gone:
        if name in taken:
            other, segment = taken[name]
            left.append(Row(last[name], other.name, segment or None, target=True, identifier=name))
        else:
            own = last[name].segment
            left.append(Row(last[name], export.name, own, target=False, identifier=name))
    taking = {other for other, _ in taken.values()}
    others = tuple(one for one in export.others if one in taking)
    if export.format not in CRMS:
        return _Content("", [*here, *left], others)
    return _found(here, left, export=export, earlier=earlier, others=others)


def _targets(connection: Connection, found: TargetList, export: Export) -> dict[str, Member]:
    if not export.in_use and not export.draft:
        return {}
    everybody = list_members.stream(
        connection, list_id=found.id, version=export.version, newest=found.version, status="target"
    )
    return {one.account_id: one for one in everybody}


def _found(
    here: Sequence[Row],
    left: Sequence[Row],
    *,
    export: Export,
    earlier: Mapping[str, Flag],
    others: tuple[Other, ...],
) -> _Content:
    """The rows with what the CRM finds them by.

    What was flagged is unflagged by what it was flagged by, and by what it is found by today. No record gets
    two rows: a target's own counts, whatever other account left with the same identifier.
    """
    crm, match = _crm(export.format), _match(export.found_by)
    named = [(row.member.account_id, row.member.domain) for row in here or left]
    found = found_by(named, crm=crm, match=match)
    told = [replace(row, identifier=one) for row, one in zip(here, found.of, strict=True)] if here else []
    # What two targets share is written for neither, and is no leaver's either.
    written = {_today(row, match=found.match, crm=crm) for row in here}
    moved = [(replace(row, target=False), True) for row in here]
    for row, is_here in (*moved, *((row, False) for row in left)):
        flag = earlier.get(row.member.account_id)
        flagged = None if flag is None or flag.found_by != found.match else flag.identifier
        today = None if is_here else _today(row, match=found.match, crm=crm)
        names = [name for name in (flagged, today) if name is not None]
        if not is_here and not names:
            told.append(replace(row, identifier=None))
        for name in dict.fromkeys(names):
            if name not in written:
                written.add(name)
                told.append(replace(row, identifier=name))
    return _Content(found.match, told, others)


def _today(row: Row, *, match: Match, crm: Crm) -> str | None:
    return identifier_of(match, crm=crm, account_id=row.member.account_id, domain=row.member.domain)


def _match(text: str) -> Match | None:
    """As it is stored with an export; None for the first one."""
    return next((one for ways in MATCHES.values() for one in ways if one == text), None)


@dataclass(frozen=True)
class _Words:
    """What the machine said of an account, in texts."""

    reasons: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def _words(connection: Connection, found: TargetList, rows: Sequence[Row]) -> list[_Words]:
    told = list_members.details(connection, list_id=found.id, some=[row.member for row in rows])
    return [_said(told.get(row.member.account_id)) for row in rows]


def _said(detail: str | None) -> _Words:
    told = {} if detail is None else json.loads(detail)
    return _Words(
        tuple(str(one["sentence"]) for one in told.get("reasons_for", ())),
        tuple(str(one["sentence"]) for one in told.get("reasons_against", ())),
        tuple(str(one["account_id"]) for one in told.get("nearest", ())),
        tuple(str(one.get("name") or one["account_id"]) for one in told.get("nearest", ())),
    )


def _for_crm(rows: Sequence[Row], *, crm: Crm, words: Sequence[_Words]) -> Iterator[list[str]]:
    values: dict[str, list[Any]] = {
        "list": [row.list for row in rows],
        "segment": [row.segment for row in rows],
        "target": [row.target for row in rows],
        "list_reason": _first(rows, [one.reasons for one in words]),
        "nearest_seed": _first(rows, [one.names for one in words]),
    }
    cells = [cells_of(values[field.column], kind=field.kind, crm=crm) for field in LIST_FIELDS]
    for row, *told in zip(rows, *cells, strict=True):
        yield [str(row.identifier), *told]


def _first(rows: Sequence[Row], texts: Sequence[tuple[str, ...]]) -> list[str | None]:
    """Of targets the first text; who is none any more has no reason to be one."""
    return [some[0] if some and row.target else None for row, some in zip(rows, texts, strict=True)]


def _for_people(rows: Sequence[Row], *, words: Sequence[_Words]) -> Iterator[list[str]]:
    for row, said in zip(rows, words, strict=True):
        one = row.member
        numbers = (one.score, one.probability, one.low, one.high)
        yield [
            *map(_text, (one.account_id, one.name, one.domain, one.industry, one.country, one.account_owner)),
            *(_text(row.list), _text(row.segment), "true" if row.target else "false"),
            *("" if number is None else repr(number) for number in numbers),
            one.why.replace("_", " ") if row.target else "left",
            *_some(said.reasons, most=REASONS),
            *_some(said.against, most=REASONS),
            *_some(said.nearest, most=NEAREST),
            *_some(said.names, most=NEAREST),
        ]


def _text(value: str | None) -> str:
    return "" if value is None else safe_text(value)


def _some(texts: Sequence[str], *, most: int) -> list[str]:
    told = [_text(text) for text in texts[:most]]
    return told + [""] * (most - len(told))


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
