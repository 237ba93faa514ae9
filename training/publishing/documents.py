"""Which page shows which figures, and where on it.

Turns a page's text and the folder of results into the same text with the present figures between its marks.
Time rule: none. Null rule: a result that is not there has no table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from training.publishing.audit import audit_figures
from training.publishing.backtests import hubspot_figures
from training.publishing.few_rows import both_few_rows_figures
from training.publishing.hidden import hidden_figures
from training.publishing.identity import identity_figures
from training.publishing.lookalikes import (
    company_figures,
    hidden_customer_figures,
    lookalike_speed_figures,
)
from training.publishing.markets import coverage_figures, hazard_figures, market_figures
from training.publishing.speed import load_figures, replay_figures, speed_figures
from training.publishing.titles import title_figures
from training.publishing.undated import small_figures, undated_figures
from training.publishing.yardsticks import missed_yardsticks, yardstick_table

__all__ = ["DOCUMENTS", "every_table", "published"]

START, END = "<!-- published: figures -->\n", "<!-- published: end -->"

_TABLES: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "hubspot_free_tier": hubspot_figures,
    "simulated_market": market_figures,
    "interval_coverage": coverage_figures,
    "hazards": hazard_figures,
    "few_rows": both_few_rows_figures,
    "hidden_positives": hidden_figures,
    "x_education_leads": partial(undated_figures, title="X Education"),
    "online_shoppers": partial(undated_figures, title="Online Shoppers"),
    "small_tables": small_figures,
    "audit": audit_figures,
    "identity": identity_figures,
    "job_titles": title_figures,
    "serving_speed": speed_figures,
    "serving_load": load_figures,
    "serving_replay": replay_figures,
    "lookalike_markets": hidden_customer_figures,
    "lookalike_companies": company_figures,
    "lookalike_speed": lookalike_speed_figures,
}


def every_table(results: Path) -> str:
    """What was missed, and the tables of all results that are there, in Markdown."""
    found = ((name, results / f"{name}.json") for name in _TABLES)
    tables = (_TABLES[name](read(path)) for name, path in found if path.is_file())
    texts = ("\n".join(lines).strip("\n") for lines in (missed_yardsticks(_all(results)), *tables))
    return "\n\n".join(text for text in texts if text) + "\n"


def yardsticks(results: Path) -> str:
    """A line per yardstick whose result is there, in Markdown."""
    return "\n".join(yardstick_table(_all(results))) + "\n"


def _all(results: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: read(path) for path in sorted(results.glob("*.json"))}


DOCUMENTS: dict[str, Callable[[Path], str]] = {"README.md": yardsticks, "results/README.md": every_table}
"""By page, what stands between its marks."""


def read(path: Path) -> dict[str, Any]:
    """A result file."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def published(page: str, *, results: Path, render: Callable[[Path], str]) -> str:
    """The page's text with the present figures between its marks."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{render(results)}{END}{after}"
