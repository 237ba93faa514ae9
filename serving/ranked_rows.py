"""A part of the accounts, scored together.

Turns accounts with their moments into one row of scores for each, by the same SQL, the same models and the
same rules as a single answer, but without a document for each. Time rule: each account stands at its own
`as_of`; feedback counts that was given before a moment. Null rule: a half that no model speaks of is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.feature import Language
from features.label_rules import any_rule, left_out
from features.settings import SALES_PRIORITIES, Grade
from models.card import kind_of
from models.choice import speakers
from models.explanation import MOST_REASONS
from models.scoring import Scorer
from serving.answers import Priority
from serving.desk import Desk
from serving.flat_reasons import Half, Reasoned, flat_reasons
from serving.jobs.telling import Teller
from serving.population import Deal, intent_obstacle
from serving.releases import ServedModel
from serving.store.activities import Activity
from serving.working import working

__all__ = ["Newer", "Telling", "scored_rows"]

Newer = Mapping[str, tuple[Activity, ...]]
Deals = Mapping[str, list[Deal]]
Matrix = NDArray[np.float64]

_HALVES: tuple[Half, ...] = ("fit", "intent")
_NUMBERS, _WORDS = ("probability", "score"), ("grade", "model")


@dataclass(frozen=True)
class Telling:
    """How rows are told. before: feedback given earlier counts. reasons: how many for, and against."""

    before: datetime
    reasons: int = 0
    language: Language = "en"


@dataclass(frozen=True)
class _Half:
    """One half of n accounts: its columns, and by place what speaks for and against an account."""

    columns: dict[str, NDArray[Any]]
    supporting: MutableMapping[int, list[Reasoned]]
    opposing: MutableMapping[int, list[Reasoned]]


def scored_rows(
    desk: Desk, accounts: pd.DataFrame, *, newer: Newer, deals: Deals, telling: Telling
) -> pd.DataFrame:
    """The rows of these accounts, in their order; columns as of `serving.ranking.rank_accounts`.

    accounts: account_id, name, domain, as_of. newer: by account, what came after the tables.
    """
    halves = {
        kind: _half(
            desk, accounts.reset_index(drop=True), kind=kind, newer=newer, deals=deals, telling=telling
        )
        for kind in _HALVES
    }
    columns = {f"{kind}_{name}": told for kind in _HALVES for name, told in halves[kind].columns.items()}
    rows: pd.DataFrame = accounts.assign(**columns)
    rows["priority"] = [
        desk.release.priorities.priority(fit=_grade(fit), intent=_grade(intent))
        for fit, intent in zip(rows["fit_grade"], rows["intent_grade"], strict=True)
    ]
    rows = rows.assign(**_worked(desk, rows, telling=telling))
    return rows.assign(**_texts(halves, len(rows), telling=telling)) if telling.reasons else rows


def _spoken_of(desk: Desk, accounts: pd.DataFrame, *, model: ServedModel, deals: Deals) -> NDArray[np.bool_]:
    """Whether a model speaks of each account: no rule of its labels, and no deal, keeps it out."""
    stays = np.ones(len(accounts), dtype=bool)
    if any_rule(model.rows):
        with desk.snapshot.tables.connect() as connection:
            stays = left_out(connection, accounts, settings=model.rows).isna().to_numpy()
    return stays if kind_of(model.key) == "fit" else stays & _free(accounts, model=model, deals=deals)


def _free(accounts: pd.DataFrame, *, model: ServedModel, deals: Deals) -> NDArray[np.bool_]:
    """Whether an account has no deal that keeps it out of the population of an intent model."""
    labels = model.labels.intent
    found = [
        intent_obstacle(
            deals.get(account_id, ()), as_of=moment, product=labels.product, population=labels.population
        )
        for account_id, moment in zip(accounts["account_id"], accounts["as_of"], strict=True)
    ]
    return np.array([deal is None for deal in found], dtype=bool)


def _half(
    desk: Desk, accounts: pd.DataFrame, *, kind: Half, newer: Newer, deals: Deals, telling: Telling
) -> _Half:
    """Each account scored by the model that answers for it."""
    count, models = len(accounts), desk.release.of_kind(kind)
    numbers = {name: np.full(count, np.nan) for name in _NUMBERS}
    words = {name: np.full(count, None, dtype=object) for name in _WORDS}
    half = _Half({**numbers, **words}, {}, {})
    speaks = [_spoken_of(desk, accounts, model=model, deals=deals) for model in models]
    answering = speakers(speaks) if speaks else np.full(count, -1)
    for place, model in enumerate(models):
        own = np.flatnonzero(answering == place)
        if len(own):
            matrix = _matrix(desk, model, keys=accounts.iloc[own], newer=newer)
            _fill(half, model.scorer, matrix, places=own, kind=kind, telling=telling)
    return half


def _matrix(desk: Desk, model: ServedModel, *, keys: pd.DataFrame, newer: Newer) -> Matrix:
    """The features of these accounts for a model; of those with newer activities from their own rows."""
    keys = keys[["account_id", "as_of"]]
    matrix = np.empty((len(keys), len(model.scorer.bundle.catalogue.names)))
    fresh = keys["account_id"].isin(newer.keys()).to_numpy()
    if not fresh.all():
        matrix[~fresh] = desk.engine(model.scorer.bundle.catalogue).build(keys[~fresh]).to_numpy()
    if fresh.any():
        names, moments = list(keys.loc[fresh, "account_id"]), keys.loc[fresh, "as_of"].to_numpy()
        rows = sorted({row for name in names for row in newer[name]}, key=lambda row: row.sequence)
        tables = desk.snapshot.own_rows.tables(names, newer=rows)
        matrix[fresh] = desk.record_matrices(tables, names, [model.key], moments=moments)[model.key]
    return matrix


def _fill(
    half: _Half,
    scorer: Scorer,
    matrix: Matrix,
    *,
    places: NDArray[np.intp],
    kind: Half,
    telling: Telling,
) -> None:
    half.columns["model"][places] = scorer.bundle.name
    if not telling.reasons:
        scores = scorer.score(matrix, contributions=False)
        for name in (*_NUMBERS, "grade"):
            half.columns[name][places] = getattr(scores, name)
        return
    told = Teller(scorer).told(matrix, language=telling.language)
    for name in (*_NUMBERS, "grade"):
        half.columns[name][places] = told.column(name).to_pylist()
    for side, sides in (("for", half.supporting), ("against", half.opposing)):
        for place, reasons in zip(places, _reasons(told, side, kind=kind, most=telling.reasons), strict=True):
            sides[place] = reasons


def _reasons(told: pa.Table, side: str, *, kind: Half, most: int) -> Iterator[list[Reasoned]]:
    """Of each row the strongest reasons of one side."""
    slots = [f"{side}_{number}" for number in range(1, min(most, MOST_REASONS) + 1)]
    columns = [(told.column(f"{slot}_contribution"), told.column(slot)) for slot in slots]
    pairs = [zip(shares.to_pylist(), said.to_pylist(), strict=True) for shares, said in columns]
    for row in zip(*pairs, strict=True):
        yield [(kind, share, sentence) for share, sentence in row if sentence is not None]


def _worked(desk: Desk, rows: pd.DataFrame, *, telling: Telling) -> dict[str, Any]:
    """What is left of each score after feedback of sales."""
    fit, intent = rows["fit_score"].to_numpy(), rows["intent_score"].to_numpy()
    both = np.where(np.isnan(fit), intent, np.where(np.isnan(intent), fit, (fit + intent) / 2))
    adjustment, left, words = np.zeros(len(rows)), both.copy(), list(rows["priority"])
    for place, name in enumerate(rows["account_id"]):
        rejection = desk.verdicts.rejection(name, before=telling.before)
        if rejection is not None:
            score = None if np.isnan(both[place]) else float(both[place])
            held = working(
                score, rejection=rejection, priority=_priority(words[place]), language=telling.language
            )
            adjustment[place] = held.adjustment
            left[place] = np.nan if held.working_score is None else held.working_score
            words[place] = held.priority.action or None
    return {
        "machine_score": both,
        "adjustment": adjustment,
        "working_score": left,
        "working_priority": words,
    }


def _priority(word: str | None) -> Priority:
    return Priority(action=word or "", to_sales=word in SALES_PRIORITIES, why="")


def _texts(halves: Mapping[Half, _Half], count: int, *, telling: Telling) -> dict[str, Any]:
    """The columns reason_1 ... and against_1 ..."""
    columns: dict[str, Any] = {}
    for name, side in (("reason", "supporting"), ("against", "opposing")):
        told = [
            flat_reasons(
                [one for half in _HALVES for one in getattr(halves[half], side).get(place, ())],
                most=telling.reasons,
                language=telling.language,
            )
            for place in range(count)
        ]
        for number in range(telling.reasons):
            columns[f"{name}_{number + 1}"] = [texts[number] for texts in told]
    return columns


def _grade(value: object) -> Grade | None:
    return cast("Grade", value) if isinstance(value, str) else None
