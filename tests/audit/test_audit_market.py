"""Markets with dates: the proof of times, planted leaks by name, and nothing where nothing leaks."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.catalogue import learn_catalogue
from features.mapping import Config
from features.settings import NamedModel
from features.tables import Tables
from models.bundle import Kind
from training.audit import sources
from training.audit.columns import AuditTable, Column, rows_table
from training.audit.one_class import one_class
from training.audit.overlap import shared_rows
from training.audit.planting import PLANTED, planted
from training.audit.sources import audit_tables
from training.audit.time_proof import time_proof
from training.checks.market import market_tables
from training.fit import fit_rows, matrix, select_features
from training.labels import fit_labels
from training.learning.learn import Rows
from training.learning.splits import time_folds
from training.market.settings import MarketSettings
from training.market.write import simulate

KINDS: tuple[Kind, ...] = ("fit", "intent")


@pytest.fixture(scope="module")
def rows(market: Tables, config: Config, settings: MarketSettings) -> Rows:
    """What an intent model would see of the accounts of deals; every group of features is there."""
    catalogue = learn_catalogue(market, cutoff=settings.end)
    selected = select_features(catalogue, kind="intent", settings=config.model.intent)
    labels = fit_labels(market, cutoff=settings.end, settings=config.labels.fit)
    return fit_rows(market, labels=labels, catalogue=selected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_market_that_leaks_nothing_is_not_blocked(
    market: Tables, config: Config, settings: MarketSettings, kind: Kind
) -> None:
    audit = audit_tables(market, kind=kind, cutoff=settings.end, config=config)
    assert audit.blocking == ()
    assert audit.checked["time_proof"].endswith("200 rows, computed again to the last bit")


@pytest.mark.parametrize("kind", KINDS)
def test_every_planted_leak_is_named_and_nothing_else(
    market: Tables, config: Config, settings: MarketSettings, kind: Kind
) -> None:
    leaky = planted(market, kind=kind, cutoff=settings.end)
    audit = audit_tables(leaky, kind=kind, cutoff=settings.end, config=config)
    assert {finding.column for finding in audit.blocking} == set(PLANTED)
    kinds = {(finding.column, finding.kind) for finding in audit.blocking}
    assert {("position", "identifier"), ("verdict", "near_outcome"), ("handler", "one_class")} <= kinds


def test_a_field_that_leaks_though_every_version_tells_it_is_blocked(config: Config, tmp_path: Path) -> None:
    settings = MarketSettings(accounts=1_500, seed=820, hazard="leaking_field")
    simulate(settings, directory=tmp_path)
    leaky = market_tables(tmp_path, config=config)
    for kind in KINDS:
        audit = audit_tables(leaky, kind=kind, cutoff=settings.end, config=config)
        assert {finding.column for finding in audit.blocking} == {"is_subsidiary"}


@pytest.mark.parametrize("emptiness", [False, True])
@pytest.mark.parametrize(
    ("excluded", "column", "severity"),
    [
        (0, {"fact": True, "source": "tier"}, None),
        (99, {"fact": True, "source": "tier"}, "warns"),
        (100, {"fact": True, "source": "tier"}, "blocks"),
        (100, {"source": "tier"}, "warns"),
    ],
    ids=["nothing", "less", "a third", "no fact"],
)
def test_a_dated_fact_that_excludes_a_third_of_what_ends_without_the_event_blocks(
    excluded: int, column: dict[str, Any], severity: str | None, emptiness: bool
) -> None:
    label = np.repeat([1, 0], [200, 300])
    values = np.where(np.arange(500) >= 500 - excluded, np.nan if emptiness else 2.0, np.arange(500) % 2)
    table = AuditTable((Column("tier", values, **column),), label, np.arange(500), dated=True)
    assert [finding.severity for finding in one_class(table)] == ([severity] if severity else [])


@pytest.mark.parametrize("column", [{"levels": ("CN", "DE", "US")}, {"source": "countries"}])
def test_a_dated_word_that_excludes_is_a_warning(column: dict[str, Any]) -> None:
    """A country that is not served, as a word or as a flag of its own."""
    label = np.repeat([1, 0], [200, 300])
    values = np.where(np.arange(500) >= 300, 2.0, np.arange(500) % 2)
    table = AuditTable((Column("country", values, fact=True, **column),), label, np.arange(500), dated=True)
    assert [finding.severity for finding in one_class(table)] == ["warns"]


def test_marked_facts_are_warnings_with_the_column_of_the_source(
    market: Tables, config: Config, settings: MarketSettings
) -> None:
    marked = ("employees", "technologies")
    known = replace(market, marks={"accounts": marked})
    audit = audit_tables(known, kind="fit", cutoff=settings.end, config=config)
    told = {finding.column: finding.severity for finding in audit.findings}
    assert {name: told[name] for name in marked} == dict.fromkeys(marked, "warns")


def test_features_of_what_was_known_are_the_same_when_everything_later_is_gone(
    market: Tables, rows: Rows
) -> None:
    assert list(time_proof(market, rows=rows)) == []


@pytest.mark.parametrize("days", [1, 30])
def test_features_that_look_ahead_are_named(market: Tables, rows: Rows, days: int) -> None:
    later = rows.frame.assign(as_of=rows.frame["as_of"] + pd.Timedelta(days=days))
    ahead = matrix(market, later, catalogue=rows.catalogue)
    names = [finding.column for finding in time_proof(market, rows=replace(rows, X=ahead))]
    differ = ~((ahead == rows.X) | (np.isnan(ahead) & np.isnan(rows.X)))
    assert names
    assert set(names) <= {rows.catalogue.names[at] for at in np.flatnonzero(differ.any(axis=0))}


def test_one_feature_that_looks_ahead_in_one_row_is_enough(market: Tables, rows: Rows) -> None:
    column = rows.catalogue.index("employees")
    X = rows.X.copy()
    X[:, column] = np.nextafter(X[:, column], np.inf)
    assert [finding.column for finding in time_proof(market, rows=replace(rows, X=X))] == ["employees"]


@pytest.mark.parametrize(
    ("fault", "told"), [("twice", "learned from and judged on"), ("early", "before their")]
)
def test_rows_on_both_sides_of_a_split_block(rows: Rows, fault: str, told: str) -> None:
    (fold,) = time_folds(rows.frame, folds=1)
    assert list(shared_rows(rows.frame, folds=[fold])) == []
    if fault == "twice":
        wrong = replace(fold, later=np.append(fold.later, fold.earlier[:3]))
        (finding,) = shared_rows(rows.frame, folds=[wrong])
    else:
        late = rows.frame.assign(label_known_at=rows.frame["label_known_at"] + pd.Timedelta(days=3_000))
        (finding,) = shared_rows(late, folds=[fold])
    assert (finding.severity, told in finding.why) == ("blocks", True)


def test_of_many_rows_whole_accounts_are_drawn_and_those_with_events_first() -> None:
    class Empty:
        features = ()

    accounts = np.repeat(np.arange(5_000), 10)
    frame = pd.DataFrame({"account_id": accounts.astype(str), "label": (accounts % 50 == 0).astype(np.int64)})
    table = rows_table(Rows(frame, np.empty((50_000, 0)), Empty()))
    sizes = np.bincount(table.groups)
    assert set(sizes) <= {0, 10}
    assert table.events == frame["label"].sum()
    assert 5_000 <= table.rows <= 10_000


def test_every_model_of_the_config_is_audited_on_its_own_rows(
    market: Tables, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promotion asks for the audit of named models too; without fit labels only these are fit models."""
    seen: list[tuple[Kind, dict[str, tuple[str, ...]]]] = []

    def audited(_: Tables, *, kind: Kind, config: Config, **__: Any) -> None:
        seen.append((kind, config.labels.of(kind).where))

    monkeypatch.setattr(sources, "audit_tables", audited)
    named = (NamedModel(name="german", kind="fit", where={"country": ("DE",)}),)
    model = config.model.model_copy(update={"named": named})
    fit = config.labels.fit.model_copy(update={"enabled": False})
    labels = config.labels.model_copy(update={"fit": fit})
    manifest = SimpleNamespace(undated=False)
    workspace: Any = SimpleNamespace(lease=lambda: nullcontext(manifest), tables=lambda _: market)
    several = config.model_copy(update={"model": model, "labels": labels})
    found = sources.audit_workspace(workspace, config=several)
    assert list(found) == ["intent", "fit.german"]
    assert seen == [("intent", {}), ("fit", {"country": ("DE",)})]
    both = several.model_copy(update={"labels": config.labels})
    assert list(sources.audit_workspace(workspace, config=both)) == list(both.models)
