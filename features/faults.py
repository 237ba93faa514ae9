"""What is wrong with a row of a source, and what is shown of it.

Turns the cells of a row into checks, and the first check that fails into the row's fault: the reason, the
column, what it held and the row's cells as JSON, as SQL. Time rule: a time without a zone is a fault where
none is declared. Null rule: a good row has no fault.
"""

from __future__ import annotations

from collections.abc import Mapping

from features.bindings import Source
from features.cells import Cell, raw_name
from features.contract import TABLES, Table
from features.identity.identifiers_in_sql import is_odd_salesforce_id_sql
from features.privacy.masking import cell_sql, filled_columns, row_sql
from features.salesforce_ids import IDENTIFIERS
from features.sources import identifier
from features.validation import Check, Reason, allowed_values, literal

__all__ = [
    "FAULT_FIELDS",
    "NO_DETAILS",
    "cell_checks",
    "fault_sql",
    "first_fault",
    "id_checks",
    "known_at_last",
]

FAULT_FIELDS = ("source", "reason", "column", "got", "row", "file", "line", "allowed")

_EMPTY = ", ".join(f'"{name}" := CAST(NULL AS VARCHAR)' for name in FAULT_FIELDS)
NO_DETAILS = f"struct_pack({_EMPTY})"
"""SQL for a fault of which nothing is told yet."""


def cell_checks(cells: list[Cell], *, table: Table) -> list[Check]:
    empty = {cell.name: f"{cell.text_name} IS NOT NULL AND {identifier(cell.name)} IS NULL" for cell in cells}
    formulas = [Check(Reason.FORMULA, cell.name, cell.formula) for cell in cells if cell.formula != "false"]
    without_zone = [
        Check(Reason.TIME_WITHOUT_ZONE, cell.name, cell.naive_name) for cell in cells if cell.naive != "false"
    ]
    wrong_type = [
        Check(Reason.WRONG_TYPE, cell.name, empty[cell.name]) for cell in cells if cell.type != "string"
    ]
    withheld = [
        Check(Reason.TELLS_OF_A_PERSON, cell.name, empty[cell.name])
        for cell in cells
        if cell.name in table.required and cell.withheld != "false"
    ]
    return formulas + without_zone + wrong_type + withheld


def id_checks(source: Source, *, cells: list[Cell]) -> list[Check]:
    """Of a source of Salesforce: an id has 18 characters, and the last three do not fit the others."""
    if source.system != "salesforce":
        return []
    return [
        Check(Reason.WRONG_CHECK_LETTERS, cell.name, is_odd_salesforce_id_sql(cell.text_name))
        for cell in cells
        if cell.name in IDENTIFIERS
    ]


def first_fault(checks: list[Check]) -> str:
    return "CASE " + " ".join(f"WHEN {check.fails} THEN {k}" for k, check in enumerate(checks)) + " END"


def fault_sql(
    checks: list[Check], *, cells: list[Cell], raw: list[str], source: Source, place: tuple[str, str]
) -> str:
    """What is wrong with the row; NULL for a good one. Its parts are worked out for faulty rows only.

    place: the row's file and its number in it, as SQL.
    """
    texts = {cell.name: cell.text_name for cell in cells}
    numbered = list(enumerate(checks))
    reasons = " ".join(f"WHEN {k} THEN {literal(check.reason)}" for k, check in numbered)
    names = " ".join(f"WHEN {k} THEN {literal(check.column)}" for k, check in numbered)
    got = " ".join(
        f"WHEN {k} THEN {_shown(check.column, texts=texts, table=source.table)}" for k, check in numbered
    )
    allowed = " ".join(
        f"WHEN {k} THEN {literal(_allowed(check, cells=cells, source=source))}" for k, check in numbered
    )
    held = row_sql({name: raw_name(name) for name in raw}, table=source.table, fills=filled_columns(source))
    parts = (
        literal(source.label),
        f"CASE fault {reasons} END",
        f"CASE fault {names} END",
        f"CASE fault {got} END",
        held,
        *place,
        f"CASE fault {allowed} END",
    )
    packed = ", ".join(f'"{name}" := {part}' for name, part in zip(FAULT_FIELDS, parts, strict=True))
    return f"CASE WHEN fault IS NOT NULL THEN struct_pack({packed}) END"


def _shown(column: str, *, texts: Mapping[str, str], table: str) -> str:
    """SQL for what a cell held, or of what kind that was."""
    text = texts.get(column, f"CAST({identifier(column)} AS VARCHAR)")
    return cell_sql(text, table=table, fills=(column,))


def _allowed(check: Check, *, cells: list[Cell], source: Source) -> str:
    kinds = {cell.name: cell.type for cell in cells}
    binding = source.read.get(check.column)
    layouts = binding.format if binding is not None else None
    return allowed_values(
        TABLES[source.table],
        reason=check.reason,
        column=check.column,
        kind=kinds.get(check.column, "string"),
        layouts=layouts or (),
        normalise=binding.normalise if binding is not None else None,
    )


def known_at_last(checks: list[Check]) -> list[Check]:
    """A derived `known_at` is missing because something else is: that something is to be named."""
    return sorted(
        checks, key=lambda check: (check.reason, check.column) == (Reason.MISSING_VALUE, "known_at")
    )
