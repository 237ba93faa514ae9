"""Describes a finished snapshot: its manifest and its fingerprints.

Turns Parquet files into counts, hashes and the newest known time. Time rule: nothing comes from the clock;
`data_through` is the newest `known_at` of a dated fact. Null rule: an empty cell and an empty text hash
differently. The fingerprint is that of the cells in the tables' own order; what is kept beside them counts as
a sum over rows, blind to their order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.cells import content_sql
from features.changes import stored_changes
from features.comparable import compare_origins
from features.content_hash import hash_rows
from features.contract import CONTRACT_VERSION, START_OF_TIME, TABLES, WITHDRAWN_AT, ColumnType
from features.engine import run_sql
from features.history import Earlier, History, source_id
from features.identity.views import MERGED_FILE
from features.mapping import Config
from features.origins import CRM, NOTHING_COMPARED, ONE_ORIGIN, OriginRules, told_files
from features.quarantine import QUARANTINE_COLUMNS
from features.sources import identifier
from features.staging import canonical_columns
from features.tables import OPT_OUTS, Attribute, Tables
from features.unnamed import beside, completed
from features.validation import literal
from features.workspace import Manifest, TableFiles

__all__ = ["as_before", "describe", "describe_again", "joined_attributes"]

_MEMORY = "2GB"
"""What comparing the origins may use before it spills into the snapshot's folder."""

_MAY_BE_HASHES = ("contact_id", "activity_id")
_DATED = ("accounts", "activities", "intent_topics", "opportunities")


def describe(
    connection: duckdb.DuckDBPyConnection,
    config: Config,
    *,
    folder: Path,
    attributes: tuple[Attribute, ...],
    rows: Mapping[str, int],
    quarantine: Mapping[str, Mapping[str, int]],
    history: History,
    before: Manifest | None = None,
) -> Manifest:
    """The manifest of the tables in `folder`, one file each. rows: by table; quarantine: by table, reason.

    before: of the snapshot that was gone on from.
    """
    told = [name for name, (table, _) in history.sources.items() if table == "accounts"]
    declared = Manifest(
        contract_version=CONTRACT_VERSION,
        snapshot="",
        fingerprint="",
        workspace=config.workspace.name,
        time_zone=config.workspace.time_zone,
        tables={},
        attributes=attributes,
        current_value_only=_current_value_only(
            connection, config, folder=folder, before=before.current_value_only if before else {}
        ),
        data_through=None,
        quarantine=quarantine,
        channels=(),
        created_by=config.file.stem,
        undated=_undated(config),
        rules=config.counting_rules,
        assumed=_assumed(config, before=before.assumed if before else {}),
        emails=config.privacy.emails,
        origins=_origin_rules(config, sources=told, before=before.origins if before else ONE_ORIGIN),
    )
    return describe_again(connection, declared, folder=folder, rows=rows, history=history)


def describe_again(
    connection: duckdb.DuckDBPyConnection,
    declared: Manifest,
    *,
    folder: Path,
    rows: Mapping[str, int],
    history: History,
) -> Manifest:
    """The manifest of the tables in `folder`, with what `declared` says of the mapping and the quarantine."""
    files = {name: _table(folder / f"{name}.parquet") for name in rows}
    attributes = declared.attributes
    columns = {
        name: {**canonical_columns(TABLES[name], attributes=attributes), WITHDRAWN_AT.name: WITHDRAWN_AT.type}
        for name in rows
    }
    sums = {
        name: _sums(connection, folder / f"{name}.parquet", name=name, kinds=columns[name]) for name in rows
    }
    kinds = [[attribute.name, attribute.type] for attribute in attributes]
    tables = {name: sums[name] for name in sums if rows[name]} | _merged_sums(connection, folder)
    tables |= _opt_out_sums(connection, folder, masked=True)
    manifest = replace(
        declared,
        snapshot="",
        fingerprint=_digest({"contract": CONTRACT_VERSION, "attributes": kinds, "tables": tables}),
        tables={name: TableFiles(rows=count, files=(f"{name}.parquet",)) for name, count in rows.items()},
        data_through=_data_through(
            connection,
            [files[name] for name in _DATED if name in files],
            opt_outs=[one for one in (files.get("contacts"), _opt_outs(folder)) if one is not None],
        ),
        channels=_channels(connection, files.get("activities")),
    )
    manifest = _with_comparison(manifest, folder=folder)
    beside = _kept_sums(connection, folder)
    # Where a row stood in which file is no part of what it says.
    told: dict[str, ColumnType] = {
        name: "string" for name in QUARANTINE_COLUMNS if name not in ("file", "line")
    }
    beside.append(_row_sums(connection, "quarantine", columns=told))
    beside += [[OPT_OUTS, *sums] for sums in _opt_out_sums(connection, folder, masked=False).values()]
    beside += [_keyed_sums(folder / f"{name}.parquet", name=name) for name in rows]
    content = {"manifest": manifest.to_json(), "beside": beside, "sources": sorted(history.sources)}
    return replace(manifest, snapshot=_digest(content)[:16])


def as_before(
    connection: duckdb.DuckDBPyConnection,
    config: Config,
    *,
    manifest: Manifest,
    folder: Path,
    attributes: tuple[Attribute, ...],
) -> bool:
    """Whether the mapping says of the tables in `folder` what their manifest says of them."""
    return (
        manifest.time_zone == config.workspace.time_zone
        and manifest.created_by == config.file.stem
        and manifest.attributes == attributes
        and manifest.current_value_only
        == _current_value_only(connection, config, folder=folder, before=manifest.current_value_only)
        and manifest.rules == config.counting_rules
        and manifest.assumed == _assumed(config, before=manifest.assumed)
        and manifest.origins
        == _origin_rules(config, sources=manifest.origins.sources, before=manifest.origins)
    )


def _assumed(config: Config, *, before: Mapping[str, str]) -> dict[str, str]:
    """What is assumed of consent, also for sources that the mapping names no longer: their rows are there."""
    named = {source.label for source in config.sources}
    kept = {label: text for label, text in before.items() if label not in named}
    return dict(sorted((kept | config.assumptions).items()))


def _with_comparison(manifest: Manifest, *, folder: Path) -> Manifest:
    """The manifest with how well the origins of its accounts can be compared."""
    rules, merged = manifest.origins, folder / MERGED_FILE
    if not rules.several:
        return replace(manifest, comparison=NOTHING_COMPARED)
    tables = Tables(
        {"accounts": (folder / "accounts.parquet",)},
        manifest.attributes,
        merged if merged.is_file() else None,
        origins=rules,
        told=told_files(folder),
    )
    with tables.connect() as connection:
        run_sql(connection, "SET memory_limit = ?", parameters=[_MEMORY])
        run_sql(connection, "SET temp_directory = ?", parameters=[str(folder / "engine" / "origins")])
        comparison = compare_origins(connection, rules=rules, attributes=manifest.attributes)
    return replace(manifest, comparison=comparison)


def _origin_rules(config: Config, *, sources: Iterable[str], before: OriginRules) -> OriginRules:
    """[origins], and the origin of every source that the tables have rows of."""
    declared = {source_id(source): source.origin for source in config.sources if source.table == "accounts"}
    rules = OriginRules(
        {name: declared.get(name, before.sources.get(name, CRM)) for name in sorted({*sources, *declared})},
        worked=config.origins.worked,
        nearly_none=config.origins.nearly_none,
        shared_values=config.origins.shared_values,
        leads=tuple(sorted(source_id(one) for one in config.sources if one.label in config.identity.leads)),
    )
    return rules if rules.declared else ONE_ORIGIN


def joined_attributes(config: Config, *, earlier: Earlier | None) -> tuple[Attribute, ...]:
    """The attributes of the mapping, and those that earlier rows have; sorted by name."""
    before = {attribute.name: attribute for attribute in (earlier.attributes if earlier else ())}
    joined = before | {attribute.name: attribute for attribute in config.attributes}
    return tuple(joined[name] for name in sorted(joined))


def _told(name: str, columns: Iterable[str]) -> list[str]:
    """The columns that are the same in every workspace with the same data."""
    return sorted(set(columns) - TABLES[name].keyed)


def _sums(
    connection: duckdb.DuckDBPyConnection, file: Path, *, name: str, kinds: Mapping[str, ColumnType]
) -> list[str]:
    """What a table says, whatever the secret: hashes of its columns, or sums where people go by addresses."""
    told, hashes = _told(name, kinds), set[bool]()

    def look(column: str, cells: Any) -> None:
        if column in _MAY_BE_HASHES and _hold_a_hash(cells):
            hashes.add(True)

    sums = hash_rows(file, columns=told, look=look if "contact_id" in told else None)
    if not hashes:
        return sums
    return _sums_by_person(connection, file, kinds={column: kinds[column] for column in told})


def _is_hash(column: str) -> str:
    return f"coalesce(strlen({column}) = 64 AND regexp_full_match({column}, '[0-9a-f]{{64}}'), false)"


def _hold_a_hash(cells: Any) -> bool:
    """Whether an identifier of anybody, or of what they did, was an address, and is a hash now."""
    long = cells.filter(pc.equal(pc.binary_length(cells), 64))
    return bool(pc.any(pc.match_substring_regex(long, "^[0-9a-f]{64}$")).as_py())


def _sums_by_person(
    connection: duckdb.DuckDBPyConnection, file: Path, *, kinds: Mapping[str, ColumnType]
) -> list[str]:
    """Sums over people of the sums of their rows: blind to the order, and to the hashes that they go by."""
    # The identifier of an activity may be made from all that it says, the person included.
    hashed = " OR ".join(_is_hash(name) for name in _MAY_BE_HASHES if name in kinds)
    content = {
        f"CASE WHEN {hashed} THEN '' ELSE {identifier(name)} END"
        if name in _MAY_BE_HASHES
        else identifier(name): kind
        for name, kind in kinds.items()
    }
    halves = ", ".join(
        f"CAST(sum(CAST('0x' || substr(hashed, {start}, 15) AS BIGINT)) AS VARCHAR) AS half_{start}"
        for start in (1, 17)
    )
    rows = f"SELECT contact_id, md5({content_sql(content)}) AS hashed FROM {_table(file)}"
    people = f"(SELECT CAST(count(*) AS VARCHAR) AS many, {halves} FROM ({rows}) GROUP BY contact_id)"
    return _row_sums(connection, people, columns=dict.fromkeys(("many", "half_1", "half_17"), "string"))


def _keyed_sums(file: Path, *, name: str) -> list[str]:
    """The hashes of the others, and of what is stored beside: they tell one snapshot from the next."""
    return hash_rows(file, columns=sorted({*TABLES[name].keyed, *beside(name), *stored_changes(file)}))


def _parquet(file: Path) -> str:
    return f"read_parquet({literal(str(file))})"


def _table(file: Path) -> str:
    """The rows of a table, with the columns that are not stored where they are empty."""
    rows = _parquet(file)
    return completed(rows, present=pq.read_schema(file).names) if beside(file.stem) else rows


def _opt_outs(folder: Path) -> str | None:
    return _parquet(folder / OPT_OUTS) if (folder / OPT_OUTS).is_file() else None


def _merged_sums(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, list[str]]:
    """The sums of the file that says which account stands for which; nothing where none does."""
    if not (folder / MERGED_FILE).is_file():
        return {}
    relation = _parquet(folder / MERGED_FILE)
    return {"identity": _row_sums(connection, relation, columns=_kinds(connection, relation))}


def _opt_out_sums(
    connection: duckdb.DuckDBPyConnection, folder: Path, *, masked: bool
) -> dict[str, list[str]]:
    """The sums of the opt-outs that no table tells, where there are any. masked: without hashes."""
    if not (folder / OPT_OUTS).is_file():
        return {}
    person = f"CASE WHEN {_is_hash('contact_id')} THEN '' ELSE contact_id END" if masked else "contact_id"
    rows = f"(SELECT * REPLACE ({person} AS contact_id) FROM {_parquet(folder / OPT_OUTS)})"
    return {"opt_outs": _row_sums(connection, rows, columns=_kinds(connection, rows))}


def _kept_sums(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[list[str]]:
    """The sums of every file kept beside the tables, by name."""
    return [
        [file.name, *_row_sums(connection, _parquet(file), columns=_kinds(connection, _parquet(file)))]
        for file in sorted((folder / "kept").glob("*.parquet"))
    ]


def _kinds(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, ColumnType]:
    told: dict[str, ColumnType] = {"TIMESTAMP": "timestamp", "VARCHAR[]": "set"}
    described = run_sql(connection, f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {str(name): told.get(str(kind), "string") for name, kind, *_ in described}


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _row_sums(
    connection: duckdb.DuckDBPyConnection, relation: str, *, columns: Mapping[str, ColumnType]
) -> list[str]:
    """Rows, and the sums of the two halves of each row's hash: the same in any order."""
    content = content_sql({identifier(name): columns[name] for name in sorted(columns)})
    halves = ", ".join(
        f"CAST(coalesce(sum(CAST('0x' || substr(hashed, {start}, 15) AS BIGINT)), 0) AS VARCHAR)"
        for start in (1, 17)
    )
    sql = f"SELECT CAST(count(*) AS VARCHAR), {halves} FROM (SELECT md5({content}) AS hashed FROM {relation})"
    return [str(value) for value in run_sql(connection, sql).fetchone() or ()]


def _data_through(
    connection: duckdb.DuckDBPyConnection, files: Iterable[str], *, opt_outs: Iterable[str]
) -> datetime | None:
    """When the newest fact was known, opt-outs included: a score taken then has to leave these people out."""
    newest = [f"SELECT max(greatest(known_at, withdrawn_at)) AS newest FROM {file}" for file in files]
    newest += [
        f"SELECT max(greatest(known_at, opted_out_at)) FROM {file} WHERE opted_out_at IS NOT NULL"
        for file in opt_outs
    ]
    known = " UNION ALL ".join(newest)
    start = literal(START_OF_TIME.rstrip("Z"))
    sql = f"SELECT NULLIF(max(newest), CAST({start} AS TIMESTAMP)) FROM ({known})"
    found = run_sql(connection, sql).fetchone()
    return found[0] if found else None


def _channels(connection: duckdb.DuckDBPyConnection, file: str | None) -> tuple[str, ...]:
    if file is None:
        return ()
    return tuple(
        row[0] for row in run_sql(connection, f"SELECT DISTINCT channel FROM {file} ORDER BY ALL").fetchall()
    )


def _current_value_only(
    connection: duckdb.DuckDBPyConnection,
    config: Config,
    *,
    folder: Path,
    before: Mapping[str, Collection[str]],
) -> dict[str, tuple[str, ...]]:
    """By table, the columns that hold a value from a source that knows today's alone.

    What ingest fills from such a column is of today as well. Keys of rows are left out, and so are columns
    that are empty in the rows of such a source, as one's are whose objects have a history of their own.
    before: the columns that were marked; what sources told that the mapping names no longer stays so.
    """
    named = ", ".join(literal(source_id(source)) for source in config.sources)
    asked = [
        (source.table, {*source.columns, *source.attributes}, f"_source = {literal(source_id(source))}")
        for source in config.sources
        if source.current_value_only
    ]
    asked += [(name, set(columns), f"_source NOT IN ({named})") for name, columns in before.items()]
    marked: dict[str, set[str]] = {}
    for name, bound, told in asked:
        file = folder / f"{name}.parquet"
        columns = sorted(TABLES[name].with_made(bound) - set(TABLES[name].key))
        if columns and file.is_file():
            counts = ", ".join(f"count({identifier(column)})" for column in columns)
            filled = run_sql(connection, f"SELECT {counts} FROM {_table(file)} WHERE {told}").fetchone() or ()
            found = {column for column, count in zip(columns, filled, strict=True) if count}
            marked[name] = marked.get(name, set()) | found
    return {name: tuple(sorted(columns)) for name, columns in sorted(marked.items()) if columns}


def _undated(config: Config) -> dict[str, tuple[str, ...]]:
    """By table, the sources without times."""
    found: dict[str, list[str]] = {}
    for source in config.sources:
        if source.undated:
            found.setdefault(source.table, []).append(source.label)
    return {name: tuple(sources) for name, sources in found.items()}
