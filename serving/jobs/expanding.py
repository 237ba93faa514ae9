"""The work on a job that expands: an expansion, step by step, of which nothing that was stored is done again.

Turns a question in the hands of a runner into suggestions with their reasons. The same tables and seeds give
the same list to the last bit: whoever takes the job over after a death computes it again, compares nothing
and stores what is left; where the tables are others by then, the list begins anew, so that none mixes two.
Time rule: accounts are taken as they were known when the job was sent. Null rule: none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from features.errors import BundleError, NotEnoughDataError
from features.privacy.known_people import KnownPeople
from features.tables import Tables
from features.universe import Universe, read_universe
from features.workspace import Workspace
from models.lookalikes import Expansion
from models.lookalikes.asking import Question, Stage, answer
from models.lookalikes.blending import Weights
from models.lookalikes.documents import document_of
from serving.jobs.desks import job_desk
from serving.jobs.expansion_parts import AT_ONCE, FIRST, STEPS, content_of, parts_of, told_in
from serving.jobs.runner import Hold, LostError
from serving.lists.constraints import constrain
from serving.lists.facts import facts_of
from serving.lists.forgotten import gone_from, nearest_without, remembered_in
from serving.lists.settings import Filters, Rules
from serving.ranking import rank_accounts
from serving.store import jobs
from serving.store.jobs import MOST_ATTEMPTS, Part
from serving.store.turns import wait_for_erasing

__all__ = ["ForgottenError", "expand_job"]

_logger = logging.getLogger("spearfish.jobs")


def expand_job(hold: Hold, *, workspace: Workspace) -> None:
    """Do what is left of a job. Raises StoppedError, LostError, ForgottenError, SpearfishError."""
    if hold.job.attempts > MOST_ATTEMPTS:
        raise BundleError("the job was begun again and again without coming on", fix="ask for a smaller list")
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        people = KnownPeople(workspace, manifest=manifest, tables=tables)
        # Before anything is read: whoever is forgotten meanwhile makes this another one.
        listed = people.listed()
        waiting = _Waiting(hold, people=people, listed=listed)
        asked = _begun(hold, waiting, snapshot=str(manifest.snapshot))
        found, notes = _answered(hold, asked, tables, workspace=workspace, waiting=waiting)
        documents = [document_of(one) for one in found.suggestions]
        waiting.finish("ranking", [_told(found, notes=notes)])
        while (part := waiting.next()) is not None:
            start = (part.number - FIRST) * AT_ONCE
            waiting.keep(part, content_of(waiting.remembered(documents[start : start + AT_ONCE])))
    hold.write(partial(jobs.finish, job_id=hold.job.id, now=hold.clock()))


class ForgottenError(Exception):
    """Somebody was forgotten while an expansion was made: it is made again, without them."""


class _Waiting:
    """The parts of a job that have no answer yet.

    listed: who was forgotten when the tables and the question were read.
    """

    def __init__(self, hold: Hold, *, people: KnownPeople, listed: object) -> None:
        self._hold, self._people, self._listed = hold, people, listed
        self.gone = gone_from(people)

    def next(self) -> Part | None:
        self._hold.require()
        return self._hold.read(partial(jobs.next_part, job_id=self._hold.job.id))

    def remembered(self, some: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Suggestions without the forgotten: the tables may hold them still, while the store was searched."""
        return [nearest_without(one, gone=self.gone) for one in some if not self.gone(one["account_id"])]

    def finish(self, step: Stage, told: list[Mapping[str, Any]]) -> None:
        """Store that a step is done, where it was not before."""
        part = self.next()
        if part is not None and part.number == STEPS.index(step):
            self.keep(part, content_of(told))

    def keep(self, part: Part, content: bytes) -> None:
        """Store the answer of a part."""
        self._write(partial(jobs.finish_part, number=part.number, content=content, failed=0))

    def begin_again(self, parts: list[Part]) -> None:
        """Put other parts in the place of all."""
        self._write(partial(jobs.begin_again, parts=parts))

    def _write(self, work: Callable[..., bool]) -> None:
        def change(connection: Connection, *, lease: str) -> bool:
            wait_for_erasing(connection)
            if self._people.listed() != self._listed:
                # Whoever looks for their rows has looked already.
                raise ForgottenError
            return work(connection, job_id=self._hold.job.id, lease=lease)

        self._hold.write(change)


def _begun(hold: Hold, waiting: _Waiting, *, snapshot: str) -> Mapping[str, Any]:
    """What is asked. Where other tables answered the parts that are done, none of them counts."""
    first = waiting.next()
    if first is not None and first.number == 0:
        (told,) = told_in(first.content)
        asked = remembered_in(told, gone=waiting.gone)
        waiting.keep(first, content_of([asked | {"snapshot": snapshot}]))
        return asked
    stored = hold.read(partial(jobs.result, job_id=hold.job.id, number=0))
    if stored is None:
        raise LostError
    (told,) = told_in(stored)
    asked = remembered_in(told, gone=waiting.gone)
    if first is not None and asked["snapshot"] != snapshot:
        _logger.info("job %s begins anew, as the tables have changed", hold.job.id)
        waiting.begin_again(parts_of({**asked, "snapshot": snapshot}, size=asked["size"]))
        return _begun(hold, waiting, snapshot=snapshot)
    return asked


def _answered(
    hold: Hold, asked: Mapping[str, Any], tables: Tables, *, workspace: Workspace, waiting: _Waiting
) -> tuple[Expansion, list[dict[str, str]]]:
    """The expansion, and what there is to say of its seeds."""
    as_of = hold.job.as_of
    assert as_of is not None
    weights = None if asked["weights"] is None else Weights(**asked["weights"])
    universe = read_universe(tables, as_of=as_of)
    seeds, notes = _seeds(asked, tables, universe=universe)
    question = Question(
        seeds=seeds,
        size=asked["size"],
        leave_customers_out=asked["leave_customers_out"],
        product=asked["product"],
        weights=weights,
        label_rate=asked["label_rate"],
    )

    def reached(stage: Stage) -> None:
        if stage == "ranking":
            waiting.finish("learning", [])
        hold.require()

    intent = _intent(hold, workspace, as_of=as_of) if weights is not None and weights.intent else None
    found = answer(tables, question, as_of=as_of, universe=universe, intent=intent, reached=reached)
    return found.expansion, notes


def _seeds(
    asked: Mapping[str, Any], tables: Tables, *, universe: Universe
) -> tuple[list[str] | None, list[dict[str, str]]]:
    """Who the seeds are; None for all customers. Accounts that are gone by now are said to be."""
    named = asked["account_ids"]
    if asked["filters"] is not None:
        rules = Rules(
            customers=False,
            open_opportunities=False,
            opted_out=False,
            filters=Filters.model_validate(asked["filters"]),
        )
        facts = facts_of(tables, rules=rules)
        found = constrain((one.candidate(score=0.0, segment=None) for one in facts.values()), rules=rules)
        named = [one.account_id for one in found.kept]
    if named is None:
        return None, []
    known: list[str] = universe.rows.column("account_id").take(universe.positions(named)).to_pylist()
    gone = len(set(named)) - len(known)
    if not known:
        raise NotEnoughDataError(
            "no seed is an account of the workspace",
            got=f"{len(named):,} seeds",
            fix="match them to accounts first, or ask by another filter",
        )
    told = {
        "sentence": f"{gone:,} seeds are no accounts of the workspace, and are left out",
        "sentence_zh": f"{gone:,}个种子不是工作区中的客户，已略去",
    }
    return known, [told] if gone else []


def _intent(hold: Hold, workspace: Workspace, *, as_of: datetime) -> dict[str, float]:
    """By account, the chance of the event that the released model of buying intent speaks of."""
    with job_desk(workspace, hold.door, release_id=hold.job.release_id, now=as_of) as desk:
        if hold.job.release_id is None:
            told, release = desk.release.release.fingerprints, desk.release.release.id
            begin = partial(jobs.begin, job_id=hold.job.id, release_id=release, fingerprints=told)
            hold.write(begin)
        ranked = rank_accounts(desk, now=as_of)[["account_id", "intent_probability"]].dropna()
    return dict(zip(ranked["account_id"], ranked["intent_probability"].astype(float), strict=True))


def _told(found: Expansion, *, notes: list[dict[str, str]]) -> dict[str, Any]:
    """What is said of the list as a whole."""
    return {
        "accounts": len(found.suggestions),
        "universe": len(found.ranking.universe),
        "seeds": len(found.ranking.seeds),
        "ranker": found.ranker,
        "notes": [*notes, *({"sentence": one.en, "sentence_zh": one.zh} for one in found.notes)],
        "left_out": [{"reason": reason, "accounts": count} for reason, count in found.left_out.items()],
        "not_used": [
            {"attribute": one.name, "sentence": one.sentence("en"), "sentence_zh": one.sentence("zh")}
            for one in found.not_used
        ],
    }
