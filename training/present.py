"""How scores look in a terminal.

Turns answers (the service's JSON documents) and rankings into tables. Time rule: none. Null rule: what is
not there is shown as a dash, or by the sentence that says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from training.console import Output

__all__ = ["ranking_document", "show_answer", "show_ranking", "show_reasons"]

_HALVES = (("fit", "ICP fit"), ("intent", "buying intent"))


def show_ranking(ranked: pd.DataFrame, *, output: Output, top: int) -> None:
    """The first `top` rows of a ranking (see serving.ranking.rank_accounts)."""
    output.table(
        ["#", "account", "domain", "fit", "intent", "chance to win", "chance of the event", "priority"],
        [
            (
                position,
                row["account_id"],
                row["domain"] if isinstance(row["domain"], str) else "-",
                _grade(row, "fit"),
                _grade(row, "intent"),
                _percent(row["fit_probability"]),
                _percent(row["intent_probability"]),
                row["priority"] or "-",
            )
            for position, (_, row) in enumerate(ranked.head(top).iterrows(), start=1)
        ],
        title=f"The {min(top, len(ranked)):,} most promising of {len(ranked):,} accounts, {_when(ranked)}",
    )


def _when(ranked: pd.DataFrame) -> str:
    common = ranked["as_of"].min()
    newer = int((ranked["as_of"] > common).sum())
    rest = f"; {newer:,} with newer facts just after their newest" if newer else ""
    return f"as of {common.isoformat()}Z{rest}"


def ranking_document(ranked: pd.DataFrame) -> list[dict[str, Any]]:
    """A ranking as JSON objects: full precision, times with Z, null for what is not there."""
    cells = (
        ranked.astype(object)
        .where(ranked.notna(), None)
        .assign(as_of=[f"{moment.isoformat()}Z" for moment in ranked["as_of"]])
    )
    return [dict(zip(cells.columns, row, strict=True)) for row in cells.itertuples(index=False)]


def show_answer(answer: dict[str, Any], *, output: Output) -> None:
    """Fit, intent, FIRE and priority of one account."""
    _show_heading(answer, output=output)
    output.table(["", "grade", "score", "probability", "what it means"], _summary(answer))
    fire, priority = answer["fire"], answer["priority"]
    views = ", ".join(f"{view} {_number(fire[view])}" for view in ("fit", "intent", "recency", "engagement"))
    output.note(f"FIRE (0 to 100): {views}")
    output.note(f"Priority: {priority['action']} ({priority['why']})")
    told = [answer[half]["inputs"]["sentence"] for half, _ in _HALVES if answer[half] is not None]
    for warning in (*answer["warnings"], *filter(None, told)):
        output.note(f"Mind: {warning}")


def show_reasons(answer: dict[str, Any], *, output: Output) -> None:
    """Reasons for and against, with the sum that gives the probability."""
    show_answer(answer, output=output)
    for half, title in _HALVES:
        if answer[half] is not None:
            output.table(["", "why", "log-odds"], _sum(answer[half]), title=f"\n{title}: how it adds up")


def _show_heading(answer: dict[str, Any], *, output: Output) -> None:
    account = answer["account"]
    names = [part for part in (account["account_id"], account["name"], account["domain"]) if part]
    output.heading(" · ".join(names) or "the record")
    output.note(f"as of {answer['as_of']}, data through {answer['data_through'] or '-'}")


def _summary(answer: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for half, title in _HALVES:
        found = answer[half]
        if found is None:
            yield title, "-", "-", "-", answer[f"{half}_unavailable_reason"]
        else:
            yield (
                title,
                found["grade"],
                _number(found["score"]),
                _percent(found["probability"]),
                found["meaning"],
            )


def _sum(half: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield "", "baseline, before anything is known", f"{half['baseline']:+.3f}"
    for reason in half["reasons_for"]:
        yield "for", reason["sentence"], f"{reason['contribution']:+.3f}"
    for reason in half["reasons_against"]:
        yield "against", reason["sentence"], f"{reason['contribution']:+.3f}"
    yield "", "everything else", f"{half['other']:+.3f}"
    yield "", f"logit, that is a probability of {_percent(half['probability'])}", f"{half['logit']:+.3f}"


def _grade(row: pd.Series[Any], half: str) -> str:
    grade, score = row[f"{half}_grade"], row[f"{half}_score"]
    return f"{grade} {score:.1f}" if isinstance(grade, str) else "-"


def _percent(value: float | None) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
