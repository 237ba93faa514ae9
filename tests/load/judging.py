"""After the load: what was acknowledged is in the store, once, and every answer is the right one.

Turns a ledger and a store into findings; a sound run has none. An answer about an account without activities
of the run, and one about a record, is computed again without a server; one about an account with such
activities is replayed, with those that counted then. Time rule: every answer is of its own `as_of`. Null
rule: an answer that nobody received is not judged: it was not acknowledged.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ledger import Ledger, digest
from sqlalchemy import select
from traffic import Traffic
from truth import Truth

from features.workspace import Workspace
from serving.log.replay import Replayer
from serving.store import Store, predictions
from serving.store.predictions import Prediction
from serving.store.schema import activities, feedback

__all__ = ["judged"]


def judged(workspace: Workspace, traffic: Traffic, *, quiet: int, known: int, most: int) -> dict[str, Any]:
    """Findings, and how much was looked at.

    quiet, known: how many of the requests name accounts without activities of the run, and accounts at all.
    most: answers that are computed again one by one; further ones are compared with the store alone.
    """
    ledger, findings, looked = traffic.ledger, list(traffic.ledger.failures), Counter[str]()
    with Store.open(workspace.store_url) as store, Truth(workspace) as truth:
        fingerprints = {one.id: one.fingerprints for one in store.history()}
        with Replayer(workspace, many=True) as replayer:
            for kept in _rows(store, ledger, findings):
                place, told = ledger.answers[kept.request_id].request, json.loads(kept.answer)
                findings += _mixed(told, fingerprints)
                looked["in the store"] += 1
                if looked["computed again"] + looked["replayed"] >= most:
                    continue
                if place < quiet or place >= known:
                    findings += _computed_again(truth, traffic.requests[place], told)
                    looked["computed again"] += 1
                else:
                    findings += _replayed(replayer, kept)
                    looked["replayed"] += 1
        findings += _lost(store, ledger)
    return {"looked_at": dict(looked), "findings": len(findings), "first_findings": findings[:20]}


def _rows(store: Store, ledger: Ledger, findings: list[str]) -> Iterator[Prediction]:
    """The row of each answer that was received, where it is that answer."""
    for name, received in ledger.answers.items():
        with store.reading() as connection:
            kept = predictions.find(connection, request_id=name)
        if kept is None:
            findings.append(f"answer {name} was acknowledged and is lost")
        elif digest(json.loads(kept.answer)) != received.content:
            findings.append(f"answer {name} is not kept as it was given")
        else:
            yield kept


def _mixed(told: Mapping[str, Any], fingerprints: Mapping[int, Mapping[str, str]]) -> Iterator[str]:
    """Whether models of another release than the one that is named had a part in an answer."""
    own = fingerprints[told["release"]["id"]]
    for kind in ("fit", "intent"):
        half = told[kind]
        if half is not None and half["model"]["fingerprint"] != own.get(kind):
            yield f"answer {told['request_id']} mixes releases"


def _computed_again(truth: Truth, request: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    wrong = truth.wrong(request, told)
    if wrong:
        yield f"answer {told['request_id']} to {request.get('account_id', 'a record')} is wrong: {wrong}"


def _replayed(replayer: Replayer, kept: Prediction) -> Iterator[str]:
    found = replayer.replay(kept)
    if not found.equal or found.features is None:
        yield f"answer {kept.request_id} is not what its replay gives: {found.to_json()}"


def _lost(store: Store, ledger: Ledger) -> Iterator[str]:
    """Writes that were acknowledged and are not stored, or twice."""
    with store.reading() as connection:
        kept = Counter(connection.execute(select(activities.c.activity_id)).scalars())
        said = Counter(connection.execute(select(feedback.c.given_by)).scalars())
    for what, names, found in (("activity", ledger.activities, kept), ("feedback", ledger.feedback, said)):
        for name in names:
            if found[name] != 1:
                yield f"{what} {name} was acknowledged and is stored {found[name]} times"
