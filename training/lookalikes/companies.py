"""The check of real companies: clusters of a country and an industry, found from what companies say.

Turns the universe of listed companies into seeds of each cluster, and asks for the others of it, who are
told by descriptions and size buckets alone. Everything was chosen on other clusters: those of a country and
a group of industries none of whose companies is in a reported cluster, and those of 35 to 59 companies.
Time rule: none, the universe is of one moment. Null rule: a company without an industry is in no cluster.

    python -m training.lookalikes.companies --out results/lookalike_companies.json
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from features.tables import Attribute
from features.universe import Universe
from models.lookalikes import Prepared, prepare, rank_universe
from training.checks.results import ROOT, write_result
from training.console import Output

__all__ = ["Draw", "clusters_of", "company_universe", "draws_of", "r_precision", "summarise"]

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

_ATTRIBUTES: Final = (
    Attribute("summary", "text", "description", "公司简介"),
    Attribute("market_cap", "category", "size by market value", "市值规模"),
)
_SEEDS: Final = 20
_BOUNDS: Final = (60, 400)
_SMALL: Final = (35, 59)
_RESAMPLES: Final = 2_000
_PUBLISHED: Final = 0.37
"""R-precision of the TF-IDF cosine that the floor and the aim are told by."""


@dataclass(frozen=True)
class Draw:
    """One draw of seeds of a cluster. members: rows of all its companies; seeds: some of them."""

    cluster: str
    number: int
    members: Integers
    seeds: Integers


def company_universe(frame: pd.DataFrame) -> Universe:
    """The companies with what may be looked at. frame: domain, name, summary, market_cap."""
    return Universe.from_frame(frame.assign(account_id=frame["domain"]), attributes=_ATTRIBUTES)


def clusters_of(frame: pd.DataFrame, *, development: bool = False) -> dict[str, Integers]:
    """Rows of each cluster, by name. frame: sorted by domain, with country, industry_group and industry.

    development: those that choices were made on, of which no company is in a reported one.
    """
    fine = (frame["country"] + " | " + frame["industry"]).where(frame["industry"].notna())
    size = fine.map(fine.value_counts())
    reported = size.between(*_BOUNDS)
    if not development:
        return _rows(fine[reported])
    coarse = (frame["country"] + " | " + frame["industry_group"]).where(frame["industry"].notna())
    apart = ~coarse.isin(set(coarse[reported]))
    fits = coarse.map(coarse[apart].value_counts()).between(*_BOUNDS)
    return _rows(fine[size.between(*_SMALL)]) | _rows(coarse[apart & fits])


def _rows(names: pd.Series[str]) -> dict[str, Integers]:
    return {str(name): np.sort(np.asarray(part.index, dtype=np.int64)) for name, part in names.groupby(names)}


def draws_of(clusters: Mapping[str, Integers], *, draws: int, seed: int) -> Iterator[Draw]:
    """Seeds of every cluster, several times."""
    for place, (name, members) in enumerate(sorted(clusters.items())):
        for number in range(draws):
            generator = np.random.default_rng([seed, place, number])
            yield Draw(name, number, members, np.sort(generator.choice(members, _SEEDS, replace=False)))


def r_precision(scores: Doubles, draw: Draw) -> float:
    """The share of the cluster among as many of the first companies as it has beside the seeds."""
    told = scores.copy()
    told[draw.seeds] = -np.inf
    first = np.lexsort((np.arange(len(told)), -told))[: len(draw.members) - len(draw.seeds)]
    return float(np.isin(first, draw.members).mean())


def _judge(prepared: Prepared, words: Any, draw: Draw) -> dict[str, Any]:
    ids = np.array(prepared.universe.account_ids)
    ranking = rank_universe(prepared, ids[draw.seeds].tolist())
    columns = prepared.view("similarity", names=[one.name for one in _ATTRIBUTES], emptiness=[])
    points = normalize(prepared.rows(np.arange(len(ids)))[:, columns])
    cosine = np.asarray(words @ np.asarray(words[draw.seeds].mean(axis=0)).ravel())
    return {
        "cluster": draw.cluster,
        "draw": draw.number,
        "companies": len(draw.members),
        "ranker": ranking.choice.ranker,
        "spearfish": r_precision(ranking.scores, draw),
        "cosine_of_embedding": r_precision(np.asarray(points @ points[draw.seeds].mean(axis=0)), draw),
        "tfidf_cosine": r_precision(cosine, draw),
    }


def summarise(found: pd.DataFrame, *, seed: int = 0) -> dict[str, Any]:
    """Means over clusters with 95 % intervals by drawing clusters again, and the quotients of them."""
    rankers = ["spearfish", "cosine_of_embedding", "tfidf_cosine"]
    means = found.groupby("cluster")[rankers].mean()
    again = np.random.default_rng(seed).integers(0, len(means), (_RESAMPLES, len(means)))
    drawn = {name: means[name].to_numpy()[again].mean(axis=1) for name in rankers}
    own = drawn["spearfish"]
    mean = float(means["spearfish"].mean())
    told = {name: _interval(float(means[name].mean()), drawn[name]) for name in rankers}
    quotients = {
        f"spearfish_over_{name}": _interval(mean / float(means[name].mean()), own / drawn[name])
        for name in rankers[1:]
    }
    lead = float((means["spearfish"] - means["cosine_of_embedding"]).mean())
    return {
        **told,
        **quotients,
        "spearfish_over_published_tfidf_cosine": _interval(mean / _PUBLISHED, own / _PUBLISHED),
        "spearfish_less_cosine_of_embedding": _interval(lead, own - drawn["cosine_of_embedding"]),
        "served_by": found["ranker"].value_counts().to_dict(),
    }


def _interval(value: float, drawn: Doubles) -> dict[str, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"mean": value, "low": float(low), "high": float(high)}


def main() -> None:
    """The command: draw seeds of every cluster, look for the others, and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.lookalikes.companies", description=__doc__)
    parser.add_argument("--draws", type=int, default=5, help="how often seeds of a cluster are drawn")
    parser.add_argument("--clusters", type=int, help="at most so many; default: all")
    parser.add_argument("--development", action="store_true", help="clusters that choices are made on")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output, started = Output(as_json=True), time.monotonic()
    shared = os.environ.get("SPEARFISH_SHARED_DATA") or ROOT.parent / "shared" / "data"
    frame = pd.read_parquet(Path(shared) / "company_universe" / "companies.parquet")
    frame = frame.sort_values("domain", ignore_index=True)
    prepared = prepare(company_universe(frame))
    words = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=3, max_df=0.5)
    told = words.fit_transform(frame["summary"].fillna("")).astype(np.float32)
    clusters = clusters_of(frame, development=given.development)
    clusters = dict(sorted(clusters.items())[: given.clusters])
    found = []
    with output.progress() as progress:
        for draw in draws_of(clusters, draws=given.draws, seed=100 if given.development else 0):
            found.append(_judge(prepared, told, draw))
            progress("find the others of a cluster", len(found), len(clusters) * given.draws)
    document = {
        "clusters": len(clusters),
        "development": given.development,
        "draws": given.draws,
        "seeds": _SEEDS,
        "companies": len(frame),
        "minutes": round((time.monotonic() - started) / 60, 1),
        **summarise(pd.DataFrame(found)),
        "by_draw": found,
    }
    output.result(write_result(document, out=given.out))


if __name__ == "__main__":
    main()
