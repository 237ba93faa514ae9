"""A list of lookalikes from a workspace: seeds of a file, or all customers, and the file that is written.

Turns tables and what somebody asks for into an expansion with what became of the seeds. Time rule: accounts
and customers are those known before `as_of`. Null rule: an account without a name or a domain has an empty
cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import ConfigError, NotEnoughDataError
from features.spreadsheets import write_csv
from features.tables import Tables
from features.universe import customers, read_universe, won_amounts
from models.lookalikes import Estimate, Expansion, Suggestion, Weights, expand, prepare
from models.lookalikes.seed_files import read_seed_file
from models.lookalikes.seeds import SeedMatches, match_seeds
from training.lookalikes.evaluation import Evaluation, evaluate_seeds

__all__ = ["Asked", "expand_workspace", "frame_of"]

_CUSTOMERS = "customers that are no seeds"


@dataclass(frozen=True)
class Asked:
    """matches: what became of a file of seeds; None where all customers are seeds."""

    expansion: Expansion
    matches: SeedMatches | None
    evaluation: Evaluation | None = None

    def write(self, out: Path, *, language: str = "en") -> None:
        """One row for each suggestion, for a spreadsheet. Raises ConfigError where it cannot be written."""
        try:
            write_csv(frame_of(self.expansion, language=language), out)
        except OSError as error:
            raise ConfigError("cannot write the file", got=error, fix="name another one") from error

    def document(self, *, language: str = "en") -> dict[str, Any]:
        """For JSON."""
        choice = self.expansion.ranking.choice
        told: dict[str, Any] = {
            "ranker": choice.ranker,
            "tried": {trial.ranker: trial.credit for trial in choice.trials},
            "seeds": len(self.expansion.ranking.seeds),
            "accounts": len(self.expansion.ranking.universe),
            "suggestions": len(self.expansion.suggestions),
            "left_out": dict(self.expansion.left_out),
            "notes": [getattr(words, language) for words in self.expansion.notes],
            "not_used": {
                one.name: one.sentence("zh" if language == "zh" else "en") for one in self.expansion.not_used
            },
        }
        if self.matches is not None:
            told["seed_rows"] = self.matches.counts
            told["not_matched"] = [
                {"row": one.row, "text": one.text, "status": one.status, "why": getattr(one.words, language)}
                | {"possible": list(one.possible)}
                for one in self.matches.rows
                if one.status in ("ambiguous", "unmatched")
            ]
        if self.evaluation is not None:
            told["evaluation"] = self.evaluation.to_json()
        return told


def expand_workspace(
    tables: Tables,
    *,
    seeds: Path | None,
    as_of: datetime,
    size: int = 500,
    column: str | None = None,
    encoding: str | None = None,
    leave_customers_out: bool = True,
    product: str | None = None,
    weights: Weights | None = None,
    intent: Mapping[str, float] | None = None,
    label_rate: float | None = None,
    evaluate: bool = False,
) -> Asked:
    """The accounts of a workspace that are most like the seeds of a file, or like all customers.

    product: a product line to sell more widely: its owners are the seeds where no file is given, and they
    alone are left out, so that customers of other lines are candidates. weights, intent: see `expand`.
    Raises ContractError and InputError for a file that cannot be used, NotEnoughDataError without seeds.
    """
    universe = read_universe(tables, as_of=as_of)
    owners = customers(tables, as_of=as_of, product=product)
    matches = None
    if seeds is None:
        chosen = tuple(universe.rows.column("account_id").take(universe.positions(owners)).to_pylist())
        if not chosen:
            raise NotEnoughDataError("there is no customer to look for others like", fix="give --seeds FILE")
    else:
        matches = match_seeds(universe, read_seed_file(seeds, encoding=encoding, column=column))
        chosen = matches.account_ids
        if not chosen:
            first = next(one for one in matches.rows)
            raise NotEnoughDataError(
                f"{seeds}: no row is an account of the workspace",
                got=f"{len(matches.rows):,} rows, such as row {first.row}: {first.words.en}",
                allowed="account ids, domains, e-mail addresses or names of accounts",
                fix="ingest these accounts, or name the right column with --column",
            )
    prepared = prepare(universe)
    reason = _CUSTOMERS if product is None else f"owners of {product} that are no seeds"
    others: Mapping[str, list[str]] = {reason: owners} if leave_customers_out and owners else {}
    found = expand(
        prepared,
        chosen,
        size=size,
        leave_out=others,
        label_rate=label_rate,
        weights=weights,
        intent=intent,
        amounts=won_amounts(tables, as_of=as_of) if weights is not None and weights.value else None,
    )
    judged = evaluate_seeds(prepared, chosen, size=size) if evaluate else None
    return Asked(found, matches, judged)


def frame_of(expansion: Expansion, *, language: str = "en") -> pd.DataFrame:
    """One row for each suggestion, columns for people: place, account, score, reasons, nearest seeds."""
    rows = [_row(one, language=language) for one in expansion.suggestions]
    parts = expansion.suggestions[0].parts if expansion.suggestions else {}
    blended = ["blended", *(f"{name}_part" for name in parts)] if parts else []
    return pd.DataFrame(rows, columns=[*_COLUMNS[:5], *blended, *_COLUMNS[5:]])


_COLUMNS = [
    *("place", "account_id", "name", "domain", "score"),
    *("times_as_dense", "times_as_dense_low", "times_as_dense_high"),
    *("chance", "chance_low", "chance_high"),
    *(f"reason_{number}" for number in range(1, 5)),
    *(f"against_{number}" for number in range(1, 4)),
    *(f"nearest_seed_{number}" for number in range(1, 4)),
    *(f"shared_with_{number}" for number in range(1, 4)),
]


def _row(one: Suggestion, *, language: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "place": one.place,
        "account_id": one.account_id,
        "name": one.name,
        "domain": one.domain,
        "score": round(one.score, 6),
    }
    told |= {"blended": one.blended} | {f"{name}_part": share for name, share in one.parts.items()}
    told |= _estimate("times_as_dense", one.lift) | _estimate("chance", one.chance)
    told |= {f"reason_{n}": getattr(r.words, language) for n, r in enumerate(one.reasons_for, 1)}
    told |= {f"against_{n}": getattr(r.words, language) for n, r in enumerate(one.reasons_against, 1)}
    for number, seed in enumerate(one.nearest, 1):
        told[f"nearest_seed_{number}"] = seed.name or seed.account_id
        told[f"shared_with_{number}"] = "; ".join(getattr(words, language) for words in seed.shared)
    return told


def _estimate(name: str, told: Estimate) -> dict[str, float | None]:
    finite = told.high if told.high < float("inf") else None
    return {name: told.value, f"{name}_low": told.low, f"{name}_high": finite}
