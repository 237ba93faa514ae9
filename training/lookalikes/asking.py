"""A list of lookalikes as the command tells it: what became of a file of seeds, and how good the list is.

Turns tables, a file of seeds and a question into an expansion with what became of the seeds. Time rule:
accounts and customers are those known before `as_of`. Null rule: without a file, all customers are seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import NotEnoughDataError
from features.tables import Tables
from features.universe import read_universe
from models.lookalikes.asking import Question, answer
from models.lookalikes.documents import document_of, write_suggestions
from models.lookalikes.expansion import Expansion
from models.lookalikes.seed_files import read_seed_file
from models.lookalikes.seeds import SeedMatches, match_seeds
from training.lookalikes.evaluation import Evaluation, evaluate_seeds

__all__ = ["Asked", "expand_workspace"]


@dataclass(frozen=True)
class Asked:
    """matches: what became of a file of seeds; None where all customers are seeds."""

    expansion: Expansion
    matches: SeedMatches | None
    evaluation: Evaluation | None = None

    def write(self, out: Path, *, language: str = "en") -> None:
        """One row for each suggestion, for a spreadsheet. Raises ConfigError where it cannot be written."""
        write_suggestions(map(document_of, self.expansion.suggestions), out, language=language)

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
    question: Question,
    *,
    as_of: datetime,
    seeds: Path | None = None,
    column: str | None = None,
    encoding: str | None = None,
    intent: Mapping[str, float] | None = None,
    evaluate: bool = False,
) -> Asked:
    """The accounts of a workspace that are most like the seeds of a file, or like those of the question.

    intent: see `blend`. Raises ContractError and InputError for a file that cannot be used,
    NotEnoughDataError without seeds.
    """
    universe = read_universe(tables, as_of=as_of)
    matches = None
    if seeds is not None:
        matches = match_seeds(universe, read_seed_file(seeds, encoding=encoding, column=column))
        if not matches.account_ids:
            first = next(one for one in matches.rows)
            raise NotEnoughDataError(
                f"{seeds}: no row is an account of the workspace",
                got=f"{len(matches.rows):,} rows, such as row {first.row}: {first.words.en}",
                allowed="account ids, domains, e-mail addresses or names of accounts",
                fix="ingest these accounts, or name the right column with --column",
            )
        question = replace(question, seeds=matches.account_ids)
    found = answer(tables, question, as_of=as_of, universe=universe, intent=intent)
    judged = evaluate_seeds(found.prepared, found.seeds, size=question.size) if evaluate else None
    return Asked(found.expansion, matches, judged)
