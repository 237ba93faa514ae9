"""Turns a source's cells into typed canonical cells, as SQL.

One `Cell` per canonical column: the trimmed text (for messages) and the typed value. Time rule: times
become UTC and are floored to whole seconds; a time without a zone is read in the source's declared zone,
and is a fault where none is declared. Null rule: blank cells, cells listed in `empty` and NaN are NULL; a
cell that holds something which is not of its type is NULL too, and its text is not: that is the fault. Where
no column of people is filled, a text with a person's address or telephone number is NULL as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from features.bindings import Binding
from features.contract import TABLES, ColumnType
from features.normalisation.in_sql import normalise_sql
from features.privacy.consent import basis_sql
from features.privacy.in_sql import kept_address_sql, kept_identifier_sql, kept_key_sql
from features.privacy.masking import tells_of_a_person_sql
from features.sources import identifier
from features.validation import literal

__all__ = ["Cell", "content_sql", "raw_name", "typed_cell"]

_BLANKS = r"^[\s\x{A0}]+|[\s\x{A0}]+$"
_SPREADSHEET_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")
_BLANK_CODES = (9, 10, 12, 13, 32, 160)
"""The same as code points: tab, line feed, form feed, carriage return, space, no-break space."""

_TIME_TYPES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE")
_ZONED = r"\d\d:\d\d.*(Z|z|[+-]\d\d(:?\d\d)?)$"


@dataclass(frozen=True)
class Cell:
    """How one canonical column is read.

    text: SQL over the source's columns, which are called `raw_name(column)`.
    value: SQL over `text_name`, which is what the text is called, and over the source's columns.
    exact: like value but, for times, with fractions of a second.
    naive: SQL that is true where the cell is a time without a zone though the source declares none.
    formula: SQL that is true where the cell holds what a spreadsheet was to compute, or failed to.
    withheld: SQL that is true where the cell says how to reach a person, which is not kept.
    """

    name: str
    type: ColumnType
    text: str
    value: str
    exact: str
    naive: str = "false"
    formula: str = "false"
    withheld: str = "false"

    @property
    def text_name(self) -> str:
        return _text_name(self.name)

    @property
    def naive_name(self) -> str:
        return identifier(f"naive {self.name}")


def _text_name(name: str) -> str:
    return identifier(f"text {name}")


def raw_name(column: str) -> str:
    """What a source's column is called while it is read: apart from every canonical name."""
    return identifier(f"raw {column}")


def typed_cell(
    name: str,
    *,
    kind: ColumnType,
    binding: Binding,
    source_type: str,
    zone: str | None,
    default: int | None,
    attribute: bool = False,
) -> Cell:
    """How a column is read from a binding whose source column has DuckDB's type `source_type`.

    attribute: whether it is one of the mapping's own and not of the contract.
    """
    if binding.column is None:
        raw, source_type = literal(binding.value or ""), "VARCHAR"
    else:
        raw = raw_name(binding.column)
    text = _text(raw, binding=binding, source_type=source_type, kind=kind)
    alias, naive = _text_name(name), "false"
    # Of an address, the reader of domains keeps the domain alone.
    open_ended = binding.normalise != "domain" and (attribute or name not in _TAKES_ANYTHING)
    withheld = _withheld(alias, kind=kind, open_ended=open_ended)
    read = alias if withheld == "false" else f"CASE WHEN {withheld} THEN NULL ELSE {alias} END"
    if binding.normalise is not None:
        text = _said(text, normaliser=binding.normalise)
        read = normalise_sql(read if kind == "string" else alias, name=binding.normalise)
    exact = ""
    match kind:
        case "string":
            exact = read if attribute else _KEPT.get(name, str)(read)
        case "integer":
            exact = _integer(_number(read, binding=binding), rounded=binding.scale is not None)
        case "number":
            exact = _number(read, binding=binding)
        case "boolean":
            exact = _yes_or_no(alias)
        case "timestamp":
            exact, naive = _time(raw, alias, binding=binding, source_type=source_type, zone=zone)
        case "set":
            exact = _members(raw, read, binding=binding, source_type=source_type, text=alias)
    value = f"date_trunc('second', {exact})" if kind == "timestamp" else exact
    if default is not None:
        value = f"CASE WHEN {alias} IS NULL THEN {default} ELSE {value} END"
    written = binding.column is not None and source_type == "VARCHAR"
    formula = _formula(alias) if written else "false"
    return Cell(name, kind, text, value, exact, naive, formula, withheld)


def _withheld(text: str, *, kind: ColumnType, open_ended: bool) -> str:
    return tells_of_a_person_sql(text) if open_ended and kind in ("string", "set") else "false"


def _yes_or_no(text: str) -> str:
    return (
        f"CASE WHEN lower({text}) IN ('true', 't', 'yes', 'y', '1') THEN true"
        f" WHEN lower({text}) IN ('false', 'f', 'no', 'n', '0') THEN false END"
    )


def _members(raw: str, read: str, *, binding: Binding, source_type: str, text: str) -> str:
    """The members of a set. read: what a normaliser made of its text, where there is one."""
    if binding.normalise is None:
        return _set(raw, text, binding=binding, source_type=source_type)
    listed = binding.model_copy(update={"separator": ";"})
    return _set(raw, read, binding=listed, source_type="VARCHAR")


def _said(text: str, *, normaliser: str) -> str:
    """The text, or NULL where it says "unknown" in one of the ways that the normaliser knows."""
    return f"CASE WHEN {normalise_sql(text, name=normaliser)} = '' THEN NULL ELSE {text} END"


def _formula(text: str) -> str:
    errors = ", ".join(map(literal, _SPREADSHEET_ERRORS))
    return f"({text} LIKE '=%' OR ({text} LIKE '#%' AND {text} IN ({errors})))"


def _text(raw: str, *, binding: Binding, source_type: str, kind: ColumnType) -> str:
    """The cell as text: trimmed, NULL when empty; except for sets, in its `case` and put through `values`."""
    if source_type in ("FLOAT", "DOUBLE"):
        whole = f"CAST(CAST({raw} AS BIGINT) AS VARCHAR)" if kind == "string" else f"CAST({raw} AS VARCHAR)"
        # Frames store whole identifiers as floats when a cell is missing.
        text = (
            f"CASE WHEN isnan({raw}) THEN NULL WHEN {raw} = trunc({raw}) AND abs({raw}) < 9e15 THEN {whole}"
            f" ELSE CAST({raw} AS VARCHAR) END"
        )
    elif source_type == "VARCHAR":
        text = _filled(raw)
    elif source_type == "VARCHAR[]" and binding.normalise is not None:
        text = f"NULLIF(array_to_string({raw}, ';'), '')"
    else:
        text = f"CAST({raw} AS VARCHAR)"
    if binding.empty:
        listed = ", ".join(literal(marker.strip()) for marker in binding.empty)
        text = f"CASE WHEN {text} IN ({listed}) THEN NULL ELSE {text} END"
    return text if kind == "set" else _put(_cased(text, binding=binding), binding=binding)


def _filled(text: str) -> str:
    """Without blanks at the ends; NULL where nothing else is there."""
    return f"CASE WHEN {_is_trimmed(text)} THEN {text} ELSE NULLIF({_without_blanks(text)}, '') END"


def _trimmed(text: str) -> str:
    """Without blanks at the ends."""
    return f"CASE WHEN {_is_trimmed(text)} THEN {text} ELSE {_without_blanks(text)} END"


def _is_trimmed(text: str) -> str:
    """Most cells have no blanks at the ends, which is told by tests cheaper than the change."""
    ends = " AND ".join(f"NOT suffix({text}, chr({code}))" for code in _BLANK_CODES)
    return f"{text} >= '!' AND NOT prefix({text}, chr(160)) AND {ends}"


def _without_blanks(text: str) -> str:
    return f"regexp_replace({text}, '{_BLANKS}', '', 'g')"


def _cased(text: str, *, binding: Binding) -> str:
    match binding.case:
        case "lower":
            return f"lower({text})"
        case "upper":
            return f"upper({text})"
        case "words":
            return f"lower(replace({text}, '_', ' '))"
        case None:
            return text


def _put(text: str, *, binding: Binding) -> str:
    if not binding.values:
        return text
    cases = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in binding.values.items())
    return f"CASE {text} {cases} ELSE {text} END"


def _domain(text: str) -> str:
    bare = f"regexp_replace(lower({text}), '^([a-z]+://)?(www[.])?', '')"
    return f"NULLIF(split_part({bare}, '/', 1), '')"


_KEPT: dict[str, Callable[[str], str]] = {
    "domain": _domain,
    "email": kept_address_sql,
    "contact_id": kept_identifier_sql,
    "activity_id": kept_key_sql,
    "consent_basis": basis_sql,
}
"""What is made of a text in columns that do not keep it as it is."""

_CHECKED = {
    column.name for table in TABLES.values() for column in table.columns if column.allowed or column.pattern
}
_TAKES_ANYTHING = (_CHECKED - {"consent_basis"}) | {"email", "contact_id", "activity_id"}
"""Columns that keep addresses as hashes, and those in which no address is allowed anyway."""


def _number(text: str, *, binding: Binding) -> str:
    digits = f"replace({text}, {literal(binding.thousands)}, '')" if binding.thousands else text
    number = f"TRY_CAST({digits} AS DOUBLE)"
    plain = f"CASE WHEN isfinite({number}) AND NOT contains({text}, '_') THEN {number} END"
    return plain if binding.scale is None else f"({plain}) * CAST({binding.scale!r} AS DOUBLE)"


def _integer(number: str, *, rounded: bool) -> str:
    number = f"round({number})" if rounded else f"({number})"
    return f"CASE WHEN {number} = round({number}) AND abs({number}) < 9e15 THEN CAST({number} AS BIGINT) END"


def _time(raw: str, text: str, *, binding: Binding, source_type: str, zone: str | None) -> tuple[str, str]:
    """The time in UTC, and the condition under which a zone is lacking."""
    if source_type == "TIMESTAMP WITH TIME ZONE" and not binding.values:
        return f"CASE WHEN {text} IS NOT NULL THEN {raw} AT TIME ZONE 'UTC' END", "false"
    if source_type in _TIME_TYPES and not binding.values:
        local = f"CASE WHEN {text} IS NOT NULL THEN CAST({raw} AS TIMESTAMP) END"
        return _in_utc(local, zone=zone), _lacking(f"{text} IS NOT NULL", zone=zone)
    if binding.format is not None:
        local = f"try_strptime({text}, [{', '.join(map(literal, binding.format))}])"
        return _in_utc(local, zone=zone), _lacking(f"{local} IS NOT NULL", zone=zone)
    dated, zoned = f"{text} LIKE '____-__-__%'", f"regexp_matches({text}, '{_ZONED}')"
    local = f"TRY_CAST({text} AS TIMESTAMP)"
    # With a zone, the engine insists on seconds; ISO 8601 does not.
    full = f"regexp_replace({text}, '^(.{{10}}[T ]..:..)([Zz+-])', '\\1:00\\2')"
    # Most times are written so, and none of these has a zone: that is told in half the time.
    plain = f"{text} LIKE '____-__-_____:__:__' AND NOT suffix({text}, 'Z') AND NOT suffix({text}, 'z')"
    value = (
        f"CASE WHEN {plain} THEN {_in_utc(local, zone=zone)} WHEN NOT {dated} THEN NULL"
        f" WHEN {zoned} THEN TRY_CAST({full} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
        f" ELSE {_in_utc(local, zone=zone)} END"
    )
    return value, _lacking(f"{dated} AND NOT {zoned} AND {local} IS NOT NULL", zone=zone)


def _in_utc(local: str, *, zone: str | None) -> str:
    if zone is None:
        return "CAST(NULL AS TIMESTAMP)"
    return local if zone == "UTC" else f"(({local}) AT TIME ZONE {literal(zone)}) AT TIME ZONE 'UTC'"


def _lacking(naive: str, *, zone: str | None) -> str:
    return naive if zone is None else "false"


def _set(raw: str, text: str, *, binding: Binding, source_type: str) -> str:
    """Distinct members in order, each trimmed and put through `case` and `values`; blanks are left out."""
    members = raw if source_type == "VARCHAR[]" else f"string_split({text}, {literal(binding.separator)})"
    member = _put(_cased(_trimmed("member"), binding=binding), binding=binding)
    cleaned = f"list_transform({members}, lambda member: {member})"
    kept = f"list_filter({cleaned}, lambda member: member <> '' AND NOT {tells_of_a_person_sql('member')})"
    return f"CASE WHEN {text} IS NOT NULL THEN list_sort(list_distinct({kept})) END"


def content_sql(columns: Mapping[str, ColumnType]) -> str:
    """One text per row that tells different rows apart. columns: type by SQL expression.

    The cells are parted by a control character; the lengths of those that may hold it follow at the end, so
    that the text can be taken apart in one way only. An empty text and a cell that holds nothing differ.
    """
    parts = [_part(expression, kind=kind) for expression, kind in columns.items()]
    open_ended = [_text_of(name, kind=kind) for name, kind in columns.items() if kind in ("string", "set")]
    lengths = [f"coalesce(strlen({text}), -1)" for text in open_ended]
    return f"concat_ws(chr(31), {', '.join([*parts, *lengths])})"


def _part(expression: str, *, kind: ColumnType) -> str:
    text = _text_of(expression, kind=kind)
    return f"coalesce({text}, '')" if kind in ("string", "set") else f"coalesce(CAST({text} AS VARCHAR), '')"


def _text_of(expression: str, *, kind: ColumnType) -> str:
    match kind:
        case "set":
            members = f"list_transform({expression}, lambda member: strlen(member) || ':' || member)"
            return f"array_to_string({members}, '')"
        case "timestamp":
            return f"epoch_us({expression})"
        case "string":
            return f"CAST({expression} AS VARCHAR)"
        case _:
            return expression
