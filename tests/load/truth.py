"""The answers that a server must give, computed without it.

Turns a workspace into the answer of each release to each request, by the code that the command line calls,
and compares what was served with it: every number to the bit (JSON carries a float whole), every word.
Time rule: an answer is of its own `as_of`, and is computed as of that. Null rule: the name of the request,
the release's moment and what follows from feedback given meanwhile are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from features.workspace import Workspace
from serving.answers import ScoreAnswer
from serving.desk import Desk, Snapshot
from serving.releases import load_release
from serving.requests import parse_request
from serving.scoring import score_account, utc_now
from serving.store import Store

__all__ = ["Truth"]

_COMPARED = (
    *("account", "as_of", "fit", "fit_unavailable_reason", "intent", "intent_unavailable_reason"),
    *("fire", "priority", "machine_score", "unseen_categories"),
)


class Truth:
    """The answers of one workspace as its tables are now. Use it in one thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._snapshot = Snapshot(workspace)
        self._store = Store.open(workspace.store_url)
        self._desks: dict[int, Desk] = {}
        self._told: dict[tuple[int, str, str], Mapping[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def names(self, count: int) -> list[str]:
        """So many accounts, evenly chosen."""
        names = self._snapshot.accounts.everyone()["account_id"]
        chosen: list[str] = names.iloc[:: max(1, len(names) // count)][:count].tolist()
        return chosen

    def desk(self, release_id: int) -> Desk:
        """What a release answers from."""
        if release_id not in self._desks:
            release = load_release(self._store, release=self._store.release(release_id))
            self._desks[release_id] = Desk(self._snapshot, release=release, resident=True)
        return self._desks[release_id]

    def wrong(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
        """The members in which a served answer is not the one that it should be."""
        expected = self._expected(request, answer)
        return [name for name in _COMPARED if answer[name] != expected[name]]

    def _expected(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Mapping[str, Any]:
        release, moment = answer["release"]["id"], answer["as_of"]
        key = release, moment, json.dumps(request)
        if key not in self._told:
            self._told[key] = json.loads(self._computed(release, {**request, "as_of": moment}))
        return self._told[key]

    def _computed(self, release: int, request: Mapping[str, Any]) -> str:
        desk = self.desk(release)
        checked = parse_request(json.dumps(request).encode(), attributes=desk.snapshot.manifest.attributes)
        # Just after an account's newest fact may be a second ahead of the clock.
        found: ScoreAnswer = score_account(desk, request=checked, now=utc_now() + timedelta(days=1))
        return found.model_dump_json()
