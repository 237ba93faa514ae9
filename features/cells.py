"""Turns a source's cells into typed canonical cells, as SQL.

One `Cell` per canonical column: the trimmed text (for messages) and the typed value. Time rule: times
become UTC and are floored to whole seconds; a time without a zone is read in the source's declared zone,
and is a fault where none is declared. Null rule: blank cells, cells listed in `empty` and NaN are NULL; a
cell that holds something which is not of its type is NULL too, and its text is not: that is the fault. Where
no column of people is filled, a text with a person's address or telephone number is NULL as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from features.bindings import Binding
from features.contract import TABLES, ColumnType
from features.normalisation.in_sql import normalise_sql
from features.plain_text import UNSEEN, Lacking
from features.privacy.consent import basis_sql
from features.privacy.identifiers import salesforce_person_sql
from features.privacy.in_sql import kept_address_sql, kept_identifier_sql, kept_key_sql
from features.privacy.masking import tells_of_a_person_sql
from features.sources import identifier
from features.validation import literal

__all__ = ["Cell", "content_sql", "raw_name", "read_cells", "typed_cell"]

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
    read: SQL over `text_name`, which is what the text is called, and over the source's columns: what the
        value is made of, worked out once. Called `read_name`; empty where it would be the text.
    value: SQL over these three.
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
    read: str = ""

    @property
    def read_name(self) -> str:
        return _read_name(self.name)

    @property
    def text_name(self) -> str:
        return _text_name(self.name)

    @property
    def naive_name(self) -> str:
        return identifier(f"naive {self.name}")


def _text_name(name: str) -> str:
    return identifier(f"text {name}")


def _read_name(name: str) -> str:
    return identifier(f"read {name}")


def raw_name(column: str) -> str:
    """What a source's column is called while it is read: apart from every canonical name."""
    return identifier(f"raw {column}")


def read_cells(cells: Collection[Cell], *, rows: str) -> str:
    """SQL of `rows` with the cells' texts, and with what their values are made of."""
    texts = [f"{cell.text} AS {cell.text_name}" for cell in cells]
    once = [f"{cell.read} AS {cell.read_name}" for cell in cells if cell.read]
    for layer in (texts, once):
        rows = f"SELECT *, {', '.join(layer)} FROM ({rows})" if layer else rows
    return rows


def typed_cell(
    name: str,
    *,
    kind: ColumnType,
    binding: Binding,
    source_type: str,
    zone: str | None,
    default: int | None,
    attribute: bool = False,
    lacking: Lacking = UNSEEN,
) -> Cell:
    """How a column is read from a binding whose source column has DuckDB's type `source_type`.

    attribute: whether it is one of the mapping's own and not of the contract.
    lacking: what no cell of the source holds, so that it need not be looked for in each.
    """
    if binding.column is None:
        raw, source_type = literal(binding.value or ""), "VARCHAR"
    else:
        raw = raw_name(binding.column)
    # What the mapping puts in place of a cell may hold anything.
    lacking = UNSEEN if binding.values or binding.column is None else lacking
    text = _text(raw, binding=binding, source_type=source_type, kind=kind, trimmed=lacking.blanks)
    alias, naive, read_once = _text_name(name), "false", ""
    # Of an address, the reader of domains keeps the domain alone.
    open_ended = binding.normalise != "domain" and (attribute or name not in _TAKES_ANYTHING)
    withheld = _withheld(alias, kind=kind, open_ended=open_ended and not lacking.addresses)
    read = alias if withheld == "false" else f"CASE WHEN {withheld} THEN NULL ELSE {alias} END"
    if binding.normalise is not None:
        text = _said(text, normaliser=binding.normalise)
        read = normalise_sql(read if kind == "string" else alias, name=binding.normalise)
    exact = ""
    match kind:
        case "string":
            kept = _KEPT | _KEPT_WITHOUT_ADDRESSES if lacking.addresses else _KEPT
            exact = read if attribute else kept.get(name, str)(read)
        case "integer":
            read_once = _double(read, binding=binding)
            exact = _integer(_read_name(name), text=alias, binding=binding)
        case "number":
            read_once = _double(read, binding=binding)
            exact = _finite(_read_name(name), text=alias, binding=binding)
        case "boolean":
            exact = _yes_or_no(alias)
        case "timestamp":
            read_once, naive = _time(raw, alias, binding=binding, source_type=source_type, zone=zone)
            exact = _read_name(name)
        case "set":
            exact = _members(raw, read, binding=binding, source_type=source_type, text=alias)
    value = _whole_second(exact) if kind == "timestamp" else exact
    if default is not None:
        value = f"CASE WHEN {alias} IS NULL THEN {default} ELSE {value} END"
    written = binding.column is not None and source_type == "VARCHAR"
    formula = _formula(alias) if written and not lacking.formulas else "false"
    return Cell(name, kind, text, value, exact, naive, formula, withheld, read_once)


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


def _text(raw: str, *, binding: Binding, source_type: str, kind: ColumnType, trimmed: bool) -> str:
    """The cell as text: trimmed, NULL when empty; except for sets, in its `case` and put through `values`."""
    if source_type in ("FLOAT", "DOUBLE"):
        whole = f"CAST(CAST({raw} AS BIGINT) AS VARCHAR)" if kind == "string" else f"CAST({raw} AS VARCHAR)"
        # Frames store whole identifiers as floats when a cell is missing.
        text = (
            f"CASE WHEN isnan({raw}) THEN NULL WHEN {raw} = trunc({raw}) AND abs({raw}) < 9e15 THEN {whole}"
            f" ELSE CAST({raw} AS VARCHAR) END"
        )
    elif source_type == "VARCHAR":
        text = raw if trimmed else _filled(raw)
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

_KEPT_WITHOUT_ADDRESSES: dict[str, Callable[[str], str]] = {
    "contact_id": salesforce_person_sql,
    "activity_id": str,
}
"""The same where no cell of the source can hold an address."""

_CHECKED = {
    column.name for table in TABLES.values() for column in table.columns if column.allowed or column.pattern
}
_TAKES_ANYTHING = (_CHECKED - {"consent_basis"}) | {"email", "contact_id", "activity_id"}
"""Columns that keep addresses as hashes, and those in which no address is allowed anyway."""


def _double(text: str, *, binding: Binding) -> str:
    digits = f"replace({text}, {literal(binding.thousands)}, '')" if binding.thousands else text
    return f"TRY_CAST({digits} AS DOUBLE)"


def _is_number(number: str, *, text: str) -> str:
    return f"isfinite({number}) AND NOT contains({text}, '_')"


def _scaled(number: str, *, binding: Binding) -> str:
    return number if binding.scale is None else f"({number} * CAST({binding.scale!r} AS DOUBLE))"


def _finite(number: str, *, text: str, binding: Binding) -> str:
    return f"CASE WHEN {_is_number(number, text=text)} THEN {_scaled(number, binding=binding)} END"


def _integer(number: str, *, text: str, binding: Binding) -> str:
    """A scaled number is rounded; another one has to be whole."""
    scaled, told = _scaled(number, binding=binding), _is_number(number, text=text)
    whole = number if binding.scale is None else f"round({scaled})"
    is_whole = f" AND {number} = round({number})" if binding.scale is None else ""
    return f"CASE WHEN {told}{is_whole} AND abs({whole}) < 9e15 THEN CAST({whole} AS BIGINT) END"


def _whole_second(time: str) -> str:
    """Most times are whole seconds, which is told faster than the rest is cut off."""
    return f"CASE WHEN epoch_us({time}) % 1000000 = 0 THEN {time} ELSE date_trunc('second', {time}) END"


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
