"""The question: an account, two moments and perhaps two releases in, the change of each model's score out.

Turns a workspace's tables and releases into what `splitting` needs. Time rule: nothing known at or after a
moment is read for it. Null rule: a model that one of the releases lacks, or that does not speak of the
account at one of the moments, has no change to split, and the reason is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from features.errors import InputError, UnknownAccountError
from features.label_rules import rule_against
from features.settings import ServingSettings
from features.tables import Tables
from features.workspace import Workspace
from models.bundle import Bundle
from models.card import NAMES, Kind
from models.choice import first_that_speaks, in_order, labels_of
from models.grades import GradeCuts
from serving.store import Event, Release, Store
from training.changes.rows import AccountHistory
from training.changes.splitting import Change, Judge, split
from training.labels import intent_population, next_cutoff

__all__ = ["ChangeReport", "explain_change"]


@dataclass(frozen=True)
class ChangeReport:
    """Why the scores of an account changed.

    changes: by kind, split; absent: by kind, why there is nothing to split. notes: what a reader should mind.
    """

    account_id: str
    start: datetime
    end: datetime
    old_release: int
    new_release: int
    changes: Mapping[Kind, Change]
    absent: Mapping[Kind, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Release:
    """A release with its models, in the order in which they are asked."""

    release: Release
    bundles: tuple[Bundle, ...]

    @classmethod
    def load(cls, store: Store, release: Release) -> _Release:
        read = (Bundle.from_bytes(store.bundle_bytes(one)) for one in release.fingerprints.values())
        return cls(release, tuple(in_order(read, settings=release.settings)))

    def of_kind(self, kind: Kind) -> list[Bundle]:
        return [bundle for bundle in self.bundles if bundle.kind == kind]

    def judge(self, bundle: Bundle) -> Judge:
        serving = ServingSettings.model_validate(self.release.settings.get("serving", {}))
        cuts = GradeCuts.of_release(serving) or bundle.cuts
        return Judge(bundle, cuts)


def explain_change(
    workspace: Workspace,
    *,
    account_id: str,
    start: datetime,
    end: datetime,
    now: datetime,
    old_release: int | None = None,
    new_release: int | None = None,
) -> ChangeReport:
    """Split the change of an account's scores between two moments into decay, data and model.

    start, end, now: naive UTC. old_release, new_release: by number; None takes the one that answered at that
    moment; before the first release: that of the later moment, or the one that answers now.
    Raises InputError for moments in the wrong order and releases that are not there, UnknownAccountError
    where the account was not known at both moments.
    """
    old, new = _releases(workspace, asked=((old_release, start), (new_release, end)), now=now)
    _require_order(start, end, same_release=old.release.id == new.release.id)
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        history = AccountHistory.of(tables, account_id=account_id)
        first_known_at = _require_known(history, start=start, end=end)
        changes: dict[Kind, Change] = {}
        absent: dict[Kind, str] = {}
        notes: list[str] = []
        for kind in NAMES:
            asked = _Asked(kind, history, tables, first_known_at)
            before, reason = asked.answering("--from", old, start)
            after, later = asked.answering("--to", new, end)
            if before is None or after is None:
                absent[kind] = reason or later or ""
            else:
                judges = old.judge(before), new.judge(after)
                changes[kind] = _change(*judges, history=history, start=start, end=end)
                notes += asked.notes(before, after, old=old, end=end)
        notes += _notes(next_cutoff(tables), start=start, end=end)
    return ChangeReport(account_id, start, end, old.release.id, new.release.id, changes, absent, tuple(notes))


def _releases(
    workspace: Workspace, *, asked: Sequence[tuple[int | None, datetime]], now: datetime
) -> tuple[_Release, ...]:
    """asked: by number, or None and the moment of a score."""
    with Store.open(workspace.store_url, create=False) as store:
        current = store.current(now=now)
        if current is None:
            raise InputError("no release is current", fix="train the models, then run `spearfish promote`")
        moves = [event for event in store.events() if event.activate_at <= now]
        first, second = asked
        last = _number(second, moves=moves, otherwise=current.id)
        numbers = (_number(first, moves=moves, otherwise=last), last)
        return tuple(_Release.load(store, store.release(number)) for number in numbers)


def _number(asked: tuple[int | None, datetime], *, moves: Sequence[Event], otherwise: int) -> int:
    """The release that was asked for, or that answered at the moment. moves: of the pointer, newest first."""
    number, moment = asked
    answered = (move.release_id for move in moves if move.activate_at <= moment)
    return next(answered, otherwise) if number is None else number


def _require_order(start: datetime, end: datetime, *, same_release: bool) -> None:
    if start < end or (start == end and not same_release):
        return
    raise InputError(
        "--from is not before --to",
        got=f"{_iso(start)} and {_iso(end)}",
        allowed="an earlier moment, then a later one; the same one for two releases",
        fix="swap them" if start > end else "choose two moments, or another release with --from-release",
    )


_VERSIONS = "SELECT min(known_at), max(withdrawn_at), bool_or(withdrawn_at IS NULL) FROM accounts"


def _require_known(history: AccountHistory, *, start: datetime, end: datetime) -> datetime:
    """When the account was first known, which is before both moments."""
    with history.tables.connect() as connection:
        found = connection.execute(_VERSIONS).fetchone()
    first, withdrawn, present = found or (None, None, None)
    if first is None:
        raise UnknownAccountError("no such account", got=history.account_id, fix="check the identifier")
    if first >= start:
        raise UnknownAccountError(
            "the account was not known yet at --from: there was no score to change",
            got=_iso(start),
            allowed=f"after {_iso(first)}",
            fix="choose a later --from",
        )
    if not present and withdrawn < end:
        raise UnknownAccountError(
            "the account was deleted in its source before --to",
            got=_iso(end),
            allowed=f"up to {_iso(withdrawn)}",
            fix="choose an earlier --to",
        )
    known_at: datetime = first
    return known_at


@dataclass(frozen=True)
class _Asked:
    """One account, asked which model of a kind speaks of it."""

    kind: Kind
    history: AccountHistory
    tables: Tables
    first_known_at: datetime

    def answering(self, side: str, release: _Release, moment: datetime) -> tuple[Bundle | None, str | None]:
        """The model that answers at a moment, as when it is served, or None and why none does."""
        bundles = release.of_kind(self.kind)
        if not bundles:
            return None, f"release {release.release.id} of {side} holds no {self.kind} model"

        def silence(bundle: Bundle) -> str | None:
            return self._silence(bundle, release, moment)

        answer = first_that_speaks(bundles, silence=silence)
        found, reason = answer
        silent = f"the {bundles[-1].key} model does not speak of the account at {side} ({_iso(moment)})"
        return found, None if reason is None else f"{silent}: {reason}"

    def notes(self, before: Bundle, after: Bundle, *, old: _Release, end: datetime) -> Iterator[str]:
        """Why another of several models answers. By the old release at the later moment, facts and time alone
        have changed."""
        if before.name == after.name:
            return
        moved, _ = self.answering("--to", old, end)
        same = moved is not None and moved.name == after.name
        why = "the account's population changed" if same else "the releases hold other models or populations"
        yield f"{before.name} answered at the earlier moment, {after.name} at the later one, as {why}"

    def _silence(self, bundle: Bundle, release: _Release, moment: datetime) -> str | None:
        labels = labels_of(release.release.settings, key=bundle.key)
        rule = rule_against(
            self.history.account_id,
            as_of=moment,
            first_known_at=self.first_known_at,
            settings=labels.of(self.kind),
            connect=self.tables.connect,
        )
        if rule is not None:
            return f"its labels leave out: {rule}"
        intent = self.kind == "intent"
        if intent and intent_population(self.history.tables, as_of=moment, settings=labels.intent).empty:
            return "it has an open opportunity or is a customer"
        return None


def _change(
    first: Judge, second: Judge, *, history: AccountHistory, start: datetime, end: datetime
) -> Change:
    old, new = first.bundle.catalogue, second.bundle.catalogue
    before, aged = history.rows(old, known_before=start, moments=(start, end))
    (fresh,) = history.rows(old, known_before=end, moments=(end,))
    after = fresh
    if old.fingerprint != new.fingerprint:
        (after,) = history.rows(new, known_before=end, moments=(end,))
    return split(first, second, before=before, aged=aged, fresh=fresh, after=after)


def _notes(newest: datetime, *, start: datetime, end: datetime) -> list[str]:
    """newest: just after the newest fact of the tables."""
    if end <= newest:
        return []
    if start >= newest:
        return [
            f"the data end {_iso(newest)}, before --from: nothing but time passed between the two moments"
        ]
    return [f"the data end {_iso(newest)}: after it only time passes"]


def _iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
