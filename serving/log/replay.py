"""Replay: a logged answer is computed again and compared, number by number.

Turns a row of the log into a report: the scores from the features that were kept and the models of that
release, and the features from what was asked, where the tables are still those. Under the LightGBM version
and on the type of machine of the answer every bit must be the same, elsewhere numbers to 1e-12; the report
says which of the two was asked for. Words are compared apart: another version of Spearfish may say the same
thing better. Time rule: everything is of the answer's `as_of`. Null rule: what was erased, or is no longer
there, is not compared, and the report says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.workspace import Workspace
from serving.activities.waiting import Waiting
from serving.answers import iso
from serving.desk import Desk, Snapshot
from serving.log.again import differences, scores_again, unlike_features
from serving.log.evidence import Evidence, versions_here
from serving.releases import LoadedRelease, load_release
from serving.requests import parse_request
from serving.rows import rows_of
from serving.store import Store, predictions
from serving.store.door import StoreDoor
from serving.store.predictions import Prediction
from serving.subjects import Subject, find_subject

__all__ = ["Replay", "Replayer"]

_ERASED = {
    "account": "who it was about was forgotten: the request is erased",
    "people": "somebody in the request was forgotten: what they did is erased",
}

Row = NDArray[np.float64]


@dataclass(frozen=True)
class Replay:
    """What became of an answer when it was computed again.

    exact: whether every bit was to be the same, or numbers to 1e-12.
    scores, features: what differs, by place; features is None where they could not be compared, and
        `unchecked` says why.
    wording: whether the words are the same. then, here: versions of LightGBM, of the machine and ours.
    """

    request_id: str
    at: str
    release_id: int
    exact: bool
    scores: tuple[str, ...]
    features: tuple[str, ...] | None
    unchecked: str | None
    wording: bool
    erased: str | None
    then: Mapping[str, str]
    here: Mapping[str, str]

    @property
    def equal(self) -> bool:
        """Whether all that could be compared is the same."""
        return not self.scores and not self.features

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "equal": self.equal, "then": dict(self.then), "here": dict(self.here)}


class Replayer:
    """Replays answers of one workspace; what they share is loaded once. Use it in one thread.

    many: whether hundreds are to come, so that copying the tables into memory pays.
    """

    def __init__(self, workspace: Workspace, *, many: bool = False) -> None:
        self._workspace, self._many = workspace, many
        self._store = Store.open(workspace.store_url, create=False)
        self._waiting = Waiting(StoreDoor(workspace.store_url))
        self._snapshot: Snapshot | None = None
        self._releases: dict[int, LoadedRelease] = {}
        self._desks: dict[int, Desk] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for desk in self._desks.values():
            desk.close()
        self._waiting.close()
        self._store.close()

    def of(self, request_id: str) -> Replay:
        """The replay of the answer to a request. Raises InputError when it is not in the log."""
        with self._store.reading() as connection:
            found = predictions.find(connection, request_id=request_id)
        if found is None:
            raise InputError(
                "the log holds no answer to this request", got=request_id, fix="see GET /v1/accounts/{id}"
            )
        return self.replay(found)

    def last(self, count: int) -> Iterator[Replay]:
        """The replays of the answers given last."""
        with self._store.reading() as connection:
            found = predictions.newest(connection, limit=count)
        yield from map(self.replay, found)

    def replay(self, kept: Prediction) -> Replay:
        """The replay of one row. Raises WorkspaceError or BundleError when its models cannot be had."""
        evidence, here = Evidence.from_bytes(kept.evidence), versions_here()
        exact = all(here[name] == evidence.versions.get(name) for name in ("lightgbm", "machine"))
        release = self._release(kept.release_id)
        then, again = scores_again(release, told=json.loads(kept.answer), evidence=evidence)
        found = list(differences(then, again, exact=exact))
        features, unchecked = self._features(kept, evidence=evidence)
        return Replay(
            request_id=kept.request_id,
            at=iso(kept.at),
            release_id=kept.release_id,
            exact=exact,
            scores=tuple(place for place, is_word in found if not is_word),
            features=features,
            unchecked=unchecked,
            wording=not any(is_word for _, is_word in found),
            erased=kept.erased,
            then=evidence.versions,
            here=here,
        )

    def _release(self, release_id: int) -> LoadedRelease:
        if release_id not in self._releases:
            self._releases[release_id] = load_release(self._store, release=self._store.release(release_id))
        return self._releases[release_id]

    def _features(self, kept: Prediction, *, evidence: Evidence) -> tuple[tuple[str, ...] | None, str | None]:
        """The features that differ when they are computed again, or None and why they are not."""
        if kept.erased or kept.inputs is None:
            return None, _ERASED[kept.erased or "account"]
        current = self._workspace.manifest().snapshot
        if evidence.snapshot != current:
            return None, f"the tables have changed since (then {evidence.snapshot}, now {current})"
        desk = self._desk(kept.release_id)
        self._waiting.refresh()
        subject = _subject_again(desk, kept)
        counted, last = evidence.newer
        newer = tuple(row for row in subject.newer if row.sequence <= last)
        if len(newer) != counted:
            return None, "activities that counted then were erased since"
        (rows,) = rows_of(desk, [(replace(subject, newer=newer), tuple(evidence.rows))])
        return tuple(unlike_features(desk.release, kept=evidence.rows, again=rows)), None

    def _desk(self, release_id: int) -> Desk:
        if self._snapshot is None:
            self._snapshot = Snapshot(self._workspace)
            self._waiting.cover(self._snapshot.moved_through)
        if release_id not in self._desks:
            release = self._release(release_id)
            self._desks[release_id] = Desk(
                self._snapshot, release=release, waiting=self._waiting, resident=self._many
            )
        return self._desks[release_id]


def _subject_again(desk: Desk, kept: Prediction) -> Subject:
    """Whom the answer was about, at its moment."""
    asked = json.loads(kept.inputs or "") if kept.account_id is None else {"account_id": kept.account_id}
    body = json.dumps(asked | {"as_of": iso(kept.as_of)}).encode()
    request = parse_request(body, attributes=desk.snapshot.manifest.attributes)
    # Just after an account's newest fact may be a second ahead of the clock.
    return find_subject(desk, request=request, now=max(kept.at, kept.as_of), language="en")
