"""Labels of fit against the universe: wins in, wins and accounts drawn for comparison out.

Nobody knows whether an account that was not won would be: it has no label. For each win, accounts are drawn
that were known when its opportunity was opened and had not been won by then, at that very date, so that the
date cannot tell wins from others. Who was won later may be among them, as nobody could know; otherwise having
been drawn before would tell that an account is not won. Time rule: a drawn row is known when its win is.
Null rule: a date at which too few accounts were known to compare with is left out with its wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.label_rules import left_out
from features.label_settings import FitLabelSettings
from features.tables import Tables
from training.labels.reading import STATE, frame

__all__ = ["Universe", "against_universe", "distinct_accounts"]

_ACCOUNTS = f"""
    SELECT account_id, min(account.known_at) AS first_known, any_value(won.known_at) AS won_known
    FROM accounts AS account LEFT JOIN (
        SELECT account_id, min(outcome_known_at) AS known_at FROM ({STATE})
        WHERE outcome = 'won' GROUP BY account_id
    ) AS won USING (account_id)
    WHERE account.known_at < $known_before
      AND (account.withdrawn_at IS NULL OR account.withdrawn_at >= $known_before)
    GROUP BY account_id
    ORDER BY first_known, account_id
"""

_USABLE = 0.9
"""Fewer accounts are drawn per win where otherwise more than a tenth of the wins had too few to compare."""

_SPARE = 3
"""How many times as many are drawn at first: some were won by then, or are left out."""

_LEAST_SHARE = 0.01
"""The fewer accounts rules keep at the cutoff the more are drawn, as if they kept at least this share."""


@dataclass(frozen=True)
class Universe:
    """The accounts at the cutoff, which drawn ones stand for. won: those won by then; unlabelled: the others;
    per_win: how many were drawn per win."""

    won: int
    unlabelled: int
    per_win: int


def against_universe(
    tables: Tables, *, wins: pd.DataFrame, cutoff: datetime, settings: FitLabelSettings, seed: int
) -> tuple[pd.DataFrame, Universe, dict[str, int]]:
    """Each account's first win and the accounts drawn for it; what they stand for; counts.

    wins: account_id, as_of, label, opportunity_id, label_known_at. The rows have the same columns and
    `won_later`; oldest first, the win before those drawn for it.
    """
    with tables.connect() as connection:
        known = frame(connection, _ACCOUNTS, known_before=cutoff, product=settings.product)
        moment = known[["account_id"]].assign(as_of=pd.Timestamp(cutoff))
        stays = left_out(connection, moment, settings=settings).isna()
        accounts = known[stays].reset_index(drop=True)
        first = wins.sort_values(["as_of", "opportunity_id"]).drop_duplicates("account_id")
        # Rules speak of an account as it was at the date: who is a partner today may have been none by then.
        more = 1.0 / max(_LEAST_SHARE, stays.mean()) if len(known) else 1.0
        candidates = _candidates(known, first, wanted=settings.unlabelled_per_win, more=more, seed=seed)
        ruled_out = left_out(connection, candidates, settings=settings).notna()
    candidates = candidates[~ruled_out].reset_index(drop=True)
    per_win = _per_win(first, candidates, wanted=settings.unlabelled_per_win)
    rows = _matched(first, candidates, per_win=per_win)
    compared = int((rows["label"] == 1).sum())
    won = int(accounts["won_known"].notna().sum())
    counts = {
        "first_wins": len(first),
        "too_few_to_compare": len(first) - compared,
        "drawn": len(rows) - compared,
        "universe": len(accounts),
    }
    return rows, Universe(won, len(accounts) - won, per_win), counts


def _candidates(
    accounts: pd.DataFrame, wins: pd.DataFrame, *, wanted: int, more: float, seed: int
) -> pd.DataFrame:
    """Accounts known and not won by each date of wins, in random order: account_id, as_of, won_later."""
    generator = np.random.default_rng(seed)
    first_known = accounts["first_known"].to_numpy(dtype="datetime64[us]")
    dates, counts = np.unique(wins["as_of"].to_numpy(dtype="datetime64[us]"), return_counts=True)
    there = np.searchsorted(first_known, dates, side="left")
    drawn = [
        generator.choice(known, size=min(known, int(more * (_SPARE * wanted * count + 20))), replace=False)
        for known, count in zip(there.tolist(), counts.tolist(), strict=True)
    ]
    positions = np.concatenate([*drawn, np.empty(0, dtype=np.int64)]).astype(np.int64)
    found = accounts.iloc[positions].reset_index(drop=True)
    found["as_of"] = np.repeat(dates, [len(some) for some in drawn])
    won_by_then = found["won_known"] < found["as_of"]
    own = pd.MultiIndex.from_frame(wins[["account_id", "as_of"]])
    is_win = pd.MultiIndex.from_frame(found[["account_id", "as_of"]]).isin(own)
    kept = found[~won_by_then & ~is_win]
    return kept[["account_id", "as_of"]].assign(won_later=kept["won_known"].notna()).reset_index(drop=True)


def _per_win(wins: pd.DataFrame, candidates: pd.DataFrame, *, wanted: int) -> int:
    """The most accounts per win, up to those wanted, that nearly every date has."""
    needed = wins.groupby("as_of").size()
    there = candidates.groupby("as_of").size().reindex(needed.index, fill_value=0)
    for count in range(wanted, 1, -1):
        if needed[there >= count * needed].sum() >= _USABLE * needed.sum():
            return count
    return 1


def _matched(wins: pd.DataFrame, candidates: pd.DataFrame, *, per_win: int) -> pd.DataFrame:
    """Wins with exactly `per_win` accounts each; a date at which there are fewer is left out."""
    needed = per_win * wins.groupby("as_of")["as_of"].transform("size")
    there = wins["as_of"].map(candidates.groupby("as_of").size()).fillna(0)
    kept = wins[there.to_numpy() >= needed.to_numpy()]
    kept = kept.assign(place=kept.groupby("as_of").cumcount(), won_later=False)
    place = candidates.groupby("as_of").cumcount() // per_win
    drawn = candidates.assign(place=place).merge(
        kept[["as_of", "place", "label_known_at"]], on=["as_of", "place"], how="inner"
    )
    rows = pd.concat([kept, drawn.assign(label=0, opportunity_id=None)], ignore_index=True)
    columns = ["account_id", "as_of", "label", "opportunity_id", "label_known_at", "won_later"]
    ordered = rows.sort_values(["as_of", "place", "label", "account_id"], ascending=[True, True, False, True])
    return ordered[columns].astype({"label": "int64", "won_later": "bool"}).reset_index(drop=True)


def distinct_accounts(rows: pd.DataFrame, *, seed: int) -> NDArray[np.int64]:
    """Positions of one row per account, wins first; who was won later is no account without a label.

    rows: as of `against_universe`.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = rows.iloc[order].sort_values("label", ascending=False, kind="stable")
    kept = shuffled[~shuffled["won_later"]].drop_duplicates("account_id")
    positions: NDArray[np.int64] = np.sort(kept.index.to_numpy(dtype=np.int64))
    return positions
