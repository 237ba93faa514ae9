"""Columns of which only today's value is known: which of them a training rests on, and how.

Turns the marks of a workspace, a model's features and its label settings into warnings: a marked column need
be no feature to mislead, as it may feed one, decide whom the model is about, or say what happened. Time rule:
none; a mark says that no rule of time holds for the column. Null rule: a workspace without marks has no
warning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from features.catalogue import Catalogue
from features.contract import TABLES
from features.formulas import columns_read
from features.label_settings import FitLabelSettings, IntentLabelSettings, RowSettings
from features.tables import Attribute
from training.audit.finding import Finding

__all__ = ["MarkedColumn", "column_name", "marked_columns", "read_by_rules"]

_MARKED = "only today's value is known: a change after the record was made reads as if it had always been so"
_CHOSEN = "who is in the population follows it: past rows are those of accounts that have the value today"
_COUNTED = "which deals count follows it: past deals count by what is written in them today"
_HAPPENED = "what happened is read from it: what was corrected since reads as if it had always been so"
_HISTORY = "export the field's history, or bind extracts with their times"
_WITHOUT = "; or take the rule out of the config"


@dataclass(frozen=True)
class MarkedColumn:
    """A marked column that a training rests on.

    name: `table.column`. features: made of it. rules: what else follows it, in words.
    """

    name: str
    features: tuple[str, ...]
    rules: tuple[str, ...]

    def finding(self, *, among: int) -> Finding:
        """The warning. among: features of the model."""
        made = f"features made of it: {len(self.features):,} of {among:,}"
        told = f"{_MARKED} ({made}{self._made_from()})" + "".join(f"; {rule}" for rule in self.rules)
        # What says that something happened cannot be taken out.
        fix = _HISTORY + (_WITHOUT if {_CHOSEN, _COUNTED} & set(self.rules) else "")
        figures = {"features": len(self.features), "rules": len(self.rules)}
        return Finding("current_value_only", "warns", column_name(self.name), told, fix, figures)

    def _made_from(self) -> str:
        """What fills its empty cells, in words."""
        table, _, column = self.name.partition(".")
        contract = TABLES[table]
        made_from = contract.column(column).made_from if column in contract.column_names else ()
        return f"; where its source is silent, made from {' and '.join(made_from)}" if made_from else ""


def column_name(name: str) -> str:
    """What people call a column: those of accounts by themselves, others with their table."""
    return name.removeprefix("accounts.")


def marked_columns(
    catalogue: Catalogue,
    *,
    settings: RowSettings,
    marked: Collection[str],
    attributes: Sequence[Attribute] = (),
) -> Iterator[MarkedColumn]:
    """The marked columns that a model of these features and labels rests on, by name.

    marked: columns of which only today's value is known, as `Tables.current_value_only` has them.
    """
    fed: dict[str, list[str]] = {}
    for feature in catalogue.features:
        for name in columns_read(feature, attributes=attributes):
            fed.setdefault(name, []).append(feature.name)
    rules = read_by_rules(settings)
    for name in sorted({*marked} & {*fed, *rules}):
        yield MarkedColumn(name, tuple(fed.get(name, ())), tuple(rules.get(name, ())))


def read_by_rules(settings: RowSettings) -> dict[str, list[str]]:
    """By column, `table.column`, what the labels and their population make of it, in words."""
    found: dict[str, list[str]] = {}
    for name, what in _rules(settings):
        if what not in found.setdefault(name, []):
            found[name].append(what)
    return found


def _rules(settings: RowSettings) -> Iterator[tuple[str, str]]:
    for fact in settings.where:
        yield f"accounts.{fact}", _CHOSEN
    for one in settings.exclude:
        if one.attribute:
            yield f"accounts.{one.attribute}", _CHOSEN
        if one.channel:
            yield "activities.channel", _CHOSEN
        if one.deal_types:
            yield "opportunities.type", _COUNTED
    if settings.product is not None:
        yield "opportunities.product", _COUNTED
    if isinstance(settings, IntentLabelSettings):
        yield from _rules_of_intent(settings)
    elif isinstance(settings, FitLabelSettings):
        yield "opportunities.outcome", _HAPPENED


def _rules_of_intent(settings: IntentLabelSettings) -> Iterator[tuple[str, str]]:
    # The stages of deals have times of their own and cannot be marked.
    told_by = {"activity": "activities.channel", "won": "opportunities.outcome"}
    if settings.event in told_by:
        yield told_by[settings.event], _HAPPENED
    if "leave_out" in (settings.population.customers, settings.population.open_opportunities):
        yield "opportunities.outcome", _CHOSEN
