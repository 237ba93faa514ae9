"""What is answered about seeds: which accounts are meant, which may be, and why others are not.

Turns matches into answers, in one language. Time rule: none. Null rule: a row that means no account has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from features.feature import Language
from features.universe import Universe
from models.lookalikes.seeds import MatchedSeed, SeedMatches
from serving.answers import Answer

__all__ = ["MOST_DETAILS", "SeedFile", "SeedsAnswer", "seeds_answer"]

MOST_DETAILS = 5_000
"""Rows that are told of one by one; where there are more, those that need somebody come first."""


class SeedFile(BaseModel):
    """A form with the file."""

    file: bytes = Field(description="CSV, text or a workbook of Excel, known by the ending of its name.")


class NamedAccount(Answer):
    """An account by what people call it."""

    account_id: str
    name: str | None
    domain: str | None


class SeedRow(Answer):
    """What one row means."""

    row: int
    text: str
    status: str = Field(description="matched, ambiguous, repeated or unmatched.")
    reason: str
    account: NamedAccount | None = Field(description="Where it is matched or repeated.")
    candidates: list[NamedAccount] = Field(description="Accounts that it may mean.")


class SeedsAnswer(Answer):
    """Which accounts a list of companies means."""

    rows: int
    matched: int
    ambiguous: int
    repeated: int = Field(description="Rows that mean an account that an earlier row has named.")
    unmatched: int
    account_ids: list[str] = Field(description="The seeds, each once: for POST /v1/jobs/expand.")
    details: list[SeedRow] = Field(description="Row by row, in their order.")
    details_cut: bool = Field(description=f"Whether there were more than {MOST_DETAILS:,} rows to tell of.")


def seeds_answer(matches: SeedMatches, *, universe: Universe, language: Language) -> SeedsAnswer:
    """Matches as they are answered."""
    cut = len(matches.rows) > MOST_DETAILS
    shown: Sequence[MatchedSeed] = matches.rows
    if cut:
        odd = [one for one in matches.rows if one.status in ("ambiguous", "unmatched")]
        even = [one for one in matches.rows if one.status in ("matched", "repeated")]
        shown = sorted([*odd, *even][:MOST_DETAILS], key=lambda one: one.row)
    named = _named(universe, shown)
    return SeedsAnswer(
        rows=len(matches.rows),
        **matches.counts,
        account_ids=list(matches.account_ids),
        details=[_row(one, named=named, language=language) for one in shown],
        details_cut=cut,
    )


def _named(universe: Universe, shown: Sequence[MatchedSeed]) -> dict[str, NamedAccount]:
    wanted = {name for one in shown for name in (one.account_id, *one.possible) if name is not None}
    rows = universe.rows.take(universe.positions(wanted)).select(["account_id", "name", "domain"])
    return {row["account_id"]: NamedAccount(**row) for row in rows.to_pylist()}


def _row(one: MatchedSeed, *, named: Mapping[str, NamedAccount], language: Language) -> SeedRow:
    return SeedRow(
        row=one.row,
        text=one.text[:200],
        status=one.status,
        reason=getattr(one.words, language),
        account=None if one.account_id is None else named[one.account_id],
        candidates=[named[name] for name in one.possible if name in named],
    )
