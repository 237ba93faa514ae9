"""What was measured of lookalikes: hidden customers found, companies of a cluster found, and what it costs.

Turns `lookalike_markets`, `lookalike_companies` and `lookalike_speed` into lines of the yardsticks and into
tables. Time rule: none. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from training.publishing.shown import interval, least, most, table

__all__ = ["LOOKALIKES", "company_figures", "hidden_customer_figures", "lookalike_speed_figures"]

Found = Mapping[str, Any]

_MINUTES_FLOOR, _MINUTES_AIM = 3, 1
_GIGABYTES_FLOOR, _GIGABYTES_AIM = 6, 3


def _share(found: Found) -> str:
    cosine = interval(found["more_than"]["cosine on firmographics"], sign=True)
    return f"{interval(found['share_of_best']['spearfish'])}; recall less that of cosine {cosine}"


def _share_misses(found: Found) -> str:
    if found["more_than"]["cosine on firmographics"]["low"] <= 0:
        return "floor"
    return least(found["share_of_best"]["spearfish"]["mean"], floor=0.75, aim=0.9)


def _by_chance(found: Found) -> str:
    among = found["by_seed"][0]["accounts"] - (
        found["by_seed"][0]["customers"] - found["by_seed"][0]["hidden"]
    )
    return f"recall in any order {found['length'] / among:.3f}"


def _companies(found: Found) -> str:
    over, above = found["spearfish_over_tfidf_cosine"], found["spearfish_over_cosine_of_embedding"]
    published = interval(found["spearfish_over_published_tfidf_cosine"], digits=2)
    told, beside = interval(over, digits=2), interval(above, digits=2)
    return f"{told} and {published} times; over cosine on the same embedding {beside}"


def _companies_miss(found: Found) -> str:
    if found["spearfish_over_cosine_of_embedding"]["low"] < 1:
        return "floor"
    names = ("spearfish_over_tfidf_cosine", "spearfish_over_published_tfidf_cosine")
    return least(min(found[name]["mean"] for name in names), floor=1.2, aim=1.5)


def _speed(found: Found) -> str:
    return f"{found['seconds'] / 60:.1f} min, {found['peak_gigabytes']:.1f} GB"


def _speed_misses(found: Found) -> str:
    parts = (
        most(found["seconds"] / 60, floor=_MINUTES_FLOOR, aim=_MINUTES_AIM),
        most(found["peak_gigabytes"], floor=_GIGABYTES_FLOOR, aim=_GIGABYTES_AIM),
    )
    return "floor" if "floor" in parts else "aim" if "aim" in parts else ""


def _first_page(found: Found) -> str:
    seen = found["in_the_browser"]
    median, longest = 1_000 * seen["median_seconds"], 1_000 * seen["longest_seconds"]
    return f"{median:.0f} ms, at most {longest:.0f} ms of {seen['times']} times"


LOOKALIKES: tuple[
    tuple[str, str, str, Callable[[Found], str], Callable[[Found], str], Callable[[Found], str]], ...
] = (
    (
        "markets, half of the customers hidden: recall in the first 1,000, share of the best ranker's",
        ".75 and surely above cosine similarity, aim .9",
        "lookalike_markets",
        _share,
        _share_misses,
        _by_chance,
    ),
    (
        "companies of a country and an industry from 20 of them, R-precision over TF-IDF cosine",
        "1.2 times, and not below cosine on the same embedding; aim 1.5 times",
        "lookalike_companies",
        _companies,
        _companies_miss,
        lambda found: f"TF-IDF cosine {interval(found['tfidf_cosine'])}, and .37 when this was asked",
    ),
    (
        "lookalikes of 1,000 seeds among 1,000,000 accounts, 10,000 with reasons and nearest seeds",
        "3 min, 6 GB; aim 1 min, 3 GB",
        "lookalike_speed",
        _speed,
        _speed_misses,
        lambda found: "",
    ),
    (
        "first page of a list of 100,000 in the browser",
        "1 s, aim .3 s",
        "list_page",
        _first_page,
        lambda found: most(found["in_the_browser"]["longest_seconds"], floor=1, aim=0.3),
        lambda found: "",
    ),
)
"""What, asked, result, how it is told, what is missed, base rate, for `training.publishing.yardsticks`."""


def hidden_customer_figures(found: Found) -> Iterator[str]:
    """A line per ranker."""
    seeds = found["seeds"]
    served = sorted({one["ranker"] for one in found["by_seed"]})
    yield (
        f"**Lookalikes in simulated markets**: half of the customers are the seeds, the other half is hidden "
        f"among {found['accounts']:,} accounts; {len(seeds)} markets (seeds {seeds[0]} to {seeds[-1]}), "
        f"recall in the first {found['length']:,} with 95 % intervals; {_by_chance(found)}; ranked by "
        f"{', '.join(served)}, chosen by hiding seeds."
    )
    yield ""
    shares = found["share_of_best"]
    yield from table(
        ("ranker", "recall", "share of the best ranker's"),
        (
            (name, interval(recall), interval(shares[name]) if name in shares else "-")
            for name, recall in found["recall"].items()
        ),
    )


def company_figures(found: Found) -> Iterator[str]:
    """A line per ranker."""
    kind = "development clusters" if found["development"] else "clusters"
    yield (
        f"**Lookalikes among {found['companies']:,} companies**: {found['clusters']} {kind} of a country and "
        f"an industry, {found['draws']} draws of {found['seeds']} seeds each, told by description and size "
        f"alone; R-precision, 95 % intervals by drawing clusters again."
    )
    yield ""
    yield from table(
        ("ranker", "R-precision", "Spearfish over it"),
        (
            ("Spearfish", interval(found["spearfish"]), "-"),
            *(
                (words, interval(found[name]), f"{interval(found[f'spearfish_over_{name}'], digits=2)} times")
                for name, words in (
                    ("cosine_of_embedding", "cosine on the same embedding"),
                    ("tfidf_cosine", "cosine on TF-IDF of the descriptions"),
                )
            ),
            (
                "the .37 that cosine on TF-IDF reached when this was asked",
                "0.37",
                f"{interval(found['spearfish_over_published_tfidf_cosine'], digits=2)} times",
            ),
        ),
    )


def lookalike_speed_figures(found: Found) -> Iterator[str]:
    """Where the time goes."""
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["stages"].items())
    yield (
        f"**A search for lookalikes**: {found['seeds']:,} seeds among {found['accounts']:,} accounts, "
        f"{found['explained']:,} explained: {found['seconds']:.0f} s ({stages}), at most "
        f"{found['peak_gigabytes']:.1f} GB."
    )
