"""The identity check: how often records find their company, and how often a company that only looks alike.

Turns a list of real companies into the labelled set of `training.checks.identity_set` and matches it three
ways: by the name alone, by name and country, and with web domains. Everything was chosen on the part "choose"
of the companies, seed 1; what is reported is the part "report", seed 2, whose companies nobody looked at.
Precision is the share of right ones among the matches, recall the share of spoiled copies that found their
account. Time rule: none. Null rule: a record without a match is no match, whether or not it goes to review.

    python -m training.checks.identity --out results/identity.json
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from features.errors import InputError
from features.identity.matching import AccountMatcher, Matches, write_review
from training.checks.identity_set import LabelledSet, Part, labelled_set, read_companies
from training.checks.results import ROOT, write_result
from training.console import Output

__all__ = ["FLOOR", "WAYS", "check", "judge"]

WAYS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name",),
    "name_and_country": ("name", "country"),
    "name_country_and_domain": ("name", "country", "domain"),
}
"""The columns that the matcher sees."""

FLOOR: Final = {"precision": 0.98, "recall": 0.85}
"""What is asked for without domains."""

_PARTS: Final[dict[Part, int]] = {"choose": 1, "report": 2}
"""The seed of each part."""


def check(
    companies: pd.DataFrame, *, part: Part = "report", copies: int = 5_000, look_alikes: int = 5_000
) -> tuple[dict[str, Any], Matches]:
    """The figures of every way, and the matches of the last one."""
    made = labelled_set(companies, part=part, seed=_PARTS[part], copies=copies, look_alikes=look_alikes)
    found: dict[str, Any] = {}
    for way, columns in WAYS.items():
        started = time.monotonic()
        matcher = AccountMatcher(made.accounts[["account_id", *columns]])
        matches = matcher.match(made.records[["record_id", *columns]])
        found[way] = judge(made, matches) | {"seconds": round(time.monotonic() - started, 1)}
    document = {
        "part": part,
        "seed": _PARTS[part],
        "accounts": len(made.accounts),
        "copies": int(made.records["account_id"].notna().sum()),
        "look_alikes": int(made.records["account_id"].isna().sum()),
        "settings": asdict(matcher.settings),
        "ways": found,
    }
    return document, matches


def judge(made: LabelledSet, matches: Matches) -> dict[str, Any]:
    """Precision and recall with 95 % intervals (Wilson), recall by kind of noise, false matches by change."""
    truth = made.records.set_index("record_id")
    matched = matches.matched.set_index("record_id")["account_id"]
    joined = truth.assign(found=matched.reindex(truth.index))
    joined["right"] = joined["found"].notna() & (joined["found"] == joined["account_id"])
    copy = joined["account_id"].notna()
    by_rule = matches.matched.assign(right=matches.matched["record_id"].map(joined["right"]))
    return {
        "precision": _share(int(joined["right"].sum()), int(joined["found"].notna().sum())),
        "recall": _share(int(joined["right"].sum()), int(copy.sum())),
        "in_review": int(matches.review["record_id"].nunique()),
        "precision_by_rule": {
            str(rule): _share(int(rows["right"].sum()), len(rows)) for rule, rows in by_rule.groupby("rule")
        },
        "recall_by_noise": _by_noise(joined[copy]),
        "false_matches_by_look_alike": {
            str(kind): _share(int(rows["found"].notna().sum()), len(rows))
            for kind, rows in joined[~copy].groupby("kind")
        },
    }


def _by_noise(copies: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Recall among the copies that bear this noise, alone or with others."""
    kinds = copies.assign(kind=copies["kind"].replace("", "blanks").str.split("+")).explode("kind")
    return {str(kind): _share(int(rows["right"].sum()), len(rows)) for kind, rows in kinds.groupby("kind")}


def _share(successes: int, total: int) -> dict[str, float]:
    from scipy.stats import binomtest

    if not total:
        return {"value": float("nan"), "low": 0.0, "high": 1.0, "of": 0}
    interval = binomtest(successes, total).proportion_ci(method="wilson")
    return {
        "value": round(successes / total, 4),
        "low": round(float(interval.low), 4),
        "high": round(float(interval.high), 4),
        "of": total,
    }


def _default_file() -> Path:
    shared = os.environ.get("SPEARFISH_SHARED_DATA") or ROOT.parent / "shared" / "data"
    return Path(shared) / "company_universe" / "companies.parquet"


def main() -> None:
    """The command: make the set, match it and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.identity", description=__doc__)
    parser.add_argument("--companies", type=Path, default=_default_file(), help="the list of companies")
    parser.add_argument("--part", choices=tuple(_PARTS), default="report", help='"choose" is for choosing')
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    parser.add_argument("--review", type=Path, help="write the pairs to look at here, as CSV")
    given = parser.parse_args()
    if not given.companies.is_file():
        raise InputError("no list of companies", got=given.companies, fix="give one with --companies")
    output = Output(as_json=True)
    document, matches = check(read_companies(given.companies), part=given.part)
    output.table(["seen", "precision", "recall", "in review", "seconds"], list(_lines(document["ways"])))
    if given.review:
        write_review(matches.review, given.review)
    output.result(write_result(document, out=given.out))


def _lines(ways: dict[str, Any]) -> list[tuple[object, ...]]:
    return [
        (
            way.replace("_", " "),
            _words(row["precision"]),
            _words(row["recall"]),
            row["in_review"],
            row["seconds"],
        )
        for way, row in ways.items()
    ]


def _words(share: dict[str, float]) -> str:
    return f"{share['value']:.4f} ({share['low']:.4f} to {share['high']:.4f})"


if __name__ == "__main__":
    main()
