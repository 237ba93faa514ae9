"""The TOML file that binds a company's own tables to the data contract.

Turns `configs/*.toml` into one frozen `Config`. Time rule: every source says how `known_at` follows from
its data; nothing is taken from the clock. Null rule: a cell is empty when it is blank or listed in
`empty`; what a source does not bind stays empty. Unknown keys are errors with a suggestion.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from features.config_errors import config_error
from features.contract import TABLES, AttributeType, Table
from features.errors import ConfigError, suggestion
from features.settings import BacktestSettings, LabelSettings, ModelSettings, Section, ServingSettings
from features.tables import Attribute

__all__ = [
    "EVENT_TIME",
    "AttributeBinding",
    "Binding",
    "Config",
    "Source",
    "WorkspaceSettings",
    "load_config",
]

EVENT_TIME = {
    "activities": ("occurred_at",),
    "intent_topics": ("occurred_at",),
    "stage_changes": ("occurred_at",),
    "opportunities": ("closed_at", "created_at"),
}
"""Columns that say when a row happened, first the one that counts when it is filled."""

_DERIVED = {"activities": {"activity_id"}}


def _text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(
            f"no such time zone: {name!r}; use a name such as 'UTC' or 'Europe/Berlin'"
        ) from error
    return name


_DELAY = re.compile(
    r"\s*(?:(?P<weeks>\d+) weeks?)?\s*(?:(?P<days>\d+) days?)?"
    r"\s*(?:(?P<hours>\d+):(?P<minutes>\d\d)(?::(?P<seconds>\d\d))?)?\s*"
)


def _delay(text: object) -> object:
    match = _DELAY.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise ValueError("write a delay as '6 days 23:59:59', '1 day' or '02:00:00'")
    return timedelta(**{unit: int(number) for unit, number in match.groupdict(default="0").items()})


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("extracted_at needs a zone, as in 2026-01-01T00:00:00Z")
    return moment


Text = Annotated[str, BeforeValidator(_text)]
Zone = Annotated[str, AfterValidator(_zone)]


class WorkspaceSettings(Section):
    """[workspace]: what the workspace is called, and the zone whose midnights are the default `as_of`."""

    name: str = Field(min_length=1)
    time_zone: Zone = "UTC"


class Binding(Section):
    """Where a canonical column comes from: a source column or a constant, and how cells are read.

    Cells are trimmed; then `empty` says which of them hold nothing; then `case` and `values` apply.
    column: the source's own name.             value: a constant, the same for every row.
    case: "lower", "upper" or "words" (REAL_ESTATE becomes real estate).
    values: canonical value by source value, looked up after `case`; a value not listed stays as it is.
    scale: what a number is multiplied with (60 turns minutes into seconds).
    separator: what parts the members of a set.
    format: how a date is written, as in strptime ("%d/%m/%Y"); without it, ISO 8601.
    """

    column: str | None = None
    value: Text | None = None
    empty: tuple[Text, ...] = ()
    case: Literal["lower", "upper", "words"] | None = None
    values: dict[str, Text] = Field(default_factory=dict)
    scale: float | None = Field(default=None, gt=0)
    separator: str = Field(default=";", min_length=1)
    format: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Binding:
        if (self.column is None) == (self.value is None):
            raise ValueError("give exactly one of 'column' (a source column) and 'value' (a constant)")
        return self


class AttributeBinding(Binding):
    """A further account column: it becomes a versioned fact and a feature under its own name."""

    type: AttributeType
    label: str | None = None
    label_zh: str | None = None
    unit: str | None = None


class Source(Section):
    """[[sources]]: rows of one canonical table, from files, from a SQL query, or from a query on files.

    path: a file, a pattern such as "usage/*.csv", or a list of them; CSV (UTF-8, with a header) or Parquet.
    query: a SELECT in DuckDB's SQL. When `path` is given too, its rows are the view `files`.
    time_zone: the zone of times that are written without one.
    current_value_only: the source knows today's value only, so that its past is not to be trusted.
    Exactly one of these says when a row could be known:
    known_at: a source column with that time.
    known_immediately: the moment it happened (occurred_at; closed_at or else created_at of a deal).
    known_at_delay: so long after it happened.
    extracted_at: the time of the extract that the files came from.
    known = "start_of_time": undated facts, known since ever.
    """

    table: str
    name: str | None = None
    path: tuple[str, ...] = ()
    query: str | None = None
    format: Literal["csv", "parquet"] | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    time_zone: Zone | None = None
    known_at: Binding | None = None
    known_immediately: Literal[True] | None = None
    known_at_delay: Annotated[timedelta | None, BeforeValidator(_delay)] = None
    extracted_at: Annotated[datetime | None, AfterValidator(_with_zone)] = None
    known: Literal["start_of_time"] | None = None
    current_value_only: bool = False
    columns: dict[str, Binding]
    attributes: dict[str, AttributeBinding] = Field(default_factory=dict)

    @property
    def label(self) -> str:
        """What reports call the source: its name, else the names of its files, else 'query'."""
        return self.name or ", ".join(Path(path).name for path in self.path) or "query"

    @model_validator(mode="after")
    def _check(self) -> Source:
        if self.table not in TABLES:
            raise ValueError(_unknown("table", self.table, tuple(TABLES)))
        if not self.path and self.query is None:
            raise ValueError("give 'path' (files), 'query' (SQL), or both: then the query reads `files`")
        _check_columns(self, TABLES[self.table])
        _check_known(self)
        _check_attributes(self)
        return self


def _unknown(kind: str, got: str, allowed: tuple[str, ...]) -> str:
    hint = suggestion(got, allowed)
    return f"unknown {kind} {got!r}; allowed: {', '.join(allowed)}" + (f"; {hint}" if hint else "")


def _check_columns(source: Source, table: Table) -> None:
    names = tuple(name for name in table.column_names if name != "known_at")
    for name in source.columns:
        if name == "known_at":
            raise ValueError("write known_at = \"COLUMN\" beside 'table', not among the columns")
        if name not in names:
            raise ValueError(_unknown(f"column of {table.name}", name, names))
    for column in table.columns:
        given = column.name in source.columns or column.name in _DERIVED.get(table.name, set())
        if not (given or column.nullable or column.default is not None or column.name == "known_at"):
            raise ValueError(f"nothing is bound to the required column {column.name!r} of {table.name}")


def _check_known(source: Source) -> None:
    ways = ("known_at", "known_immediately", "known_at_delay", "extracted_at", "known")
    given = [way for way in ways if getattr(source, way) is not None]
    if len(given) != 1:
        raise ValueError(
            f"say when its rows could be known with exactly one of {', '.join(ways)}"
            f" (got {', '.join(given) or 'none'})"
        )
    if given[0] in ("known_immediately", "known_at_delay") and source.table not in EVENT_TIME:
        raise ValueError(
            f"rows of {source.table} do not happen at a time; use known_at, extracted_at or known"
        )


def _check_attributes(source: Source) -> None:
    if source.attributes and source.table != "accounts":
        raise ValueError(f"attributes belong to accounts, not to {source.table}")
    for name in source.attributes:
        if not re.fullmatch("[a-z][a-z0-9_]{0,59}", name):
            raise ValueError(f"attribute {name!r}: use lower case letters, digits and _ only")
        if name in TABLES["accounts"].column_names:
            raise ValueError(f"attribute {name!r} is a column of the contract; bind it under columns")


class Config(Section):
    """The whole file. `file` is where it was read from; `parameters` are already put in."""

    file: Path
    workspace: WorkspaceSettings
    parameters: dict[str, str] = Field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    labels: LabelSettings = LabelSettings()
    model: ModelSettings = ModelSettings()
    backtest: BacktestSettings = BacktestSettings()
    serving: ServingSettings = ServingSettings()

    @model_validator(mode="after")
    def _check(self) -> Config:
        if not any(source.table == "accounts" for source in self.sources):
            raise ValueError('no [[sources]] with table = "accounts"; there is nothing to score')
        for name in {name for source in self.sources for name in source.attributes}:
            if len({binding.type for _, binding in self._declared(name)}) > 1:
                raise ValueError(f"attribute {name!r} is declared with different types")
        return self

    def _declared(self, name: str) -> list[tuple[Source, AttributeBinding]]:
        return [(source, source.attributes[name]) for source in self.sources if name in source.attributes]

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The declared account attributes, sorted by name; the first declaration gives the labels."""
        names = sorted({name for source in self.sources for name in source.attributes})
        return tuple(self._attribute(name) for name in names)

    def _attribute(self, name: str) -> Attribute:
        declared = self._declared(name)
        first = declared[0][1]
        return Attribute(
            name=name,
            type=first.type,
            label=first.label or name.replace("_", " "),
            label_zh=first.label_zh,
            unit=first.unit,
            current_value_only=any(source.current_value_only for source, _ in declared),
        )


def load_config(path: Path | str, *, overrides: Mapping[str, str] | None = None) -> Config:
    """Read and check a TOML file.

    overrides: values for names in [parameters], as `--set folder=...` gives them.
    A parameter whose name ends in `folder` is a folder: relative ones are looked for in the current
    folder, then (for the file's own default) beside the file and one above it.
    Raises ConfigError that names the file, the key, what was got and what is allowed.
    """
    file = Path(path)
    raw = _read_toml(file)
    parameters = _parameters(raw.get("parameters", {}), overrides=overrides or {}, file=file)
    if isinstance(raw.get("sources"), list):
        raw["sources"] = [_written_out(source, parameters, file=file) for source in raw["sources"]]
    document = json.dumps(raw | {"parameters": parameters, "file": str(file)}, default=_json_value)
    try:
        return Config.model_validate_json(document, strict=True)
    except ValidationError as error:
        raise config_error(error, file=file, model=Config) from error


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ConfigError(
            f"no such file: {file}", fix="give the path of a TOML file with --config"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML", got=str(error), fix="mend that line") from error
    if "file" in raw:
        raise ConfigError(f"{file}: unknown key", got="'file'", fix="remove it")
    return raw


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value.isoformat()}T00:00:00" if isinstance(value, date) else str(value)


def _parameters(declared: object, *, overrides: Mapping[str, str], file: Path) -> dict[str, str]:
    if not isinstance(declared, dict) or not all(isinstance(value, str) for value in declared.values()):
        raise ConfigError(
            f"{file}: [parameters] holds names with texts", got=declared, fix="quote the values"
        )
    for name in overrides:
        if name not in declared:
            raise ConfigError(
                f"{file} has no parameter {name!r}",
                allowed=", ".join(declared) or "none: the file declares no [parameters]",
                fix=suggestion(name, declared),
            )
    places = _places(file)
    found = {
        name: _locate(value, places=places) if _is_folder(name) else value for name, value in declared.items()
    }
    given = {
        name: _locate(value, places=places[:1]) if _is_folder(name) else value
        for name, value in overrides.items()
    }
    return found | given


def _is_folder(name: str) -> bool:
    return name.endswith("folder")


def _locate(value: str, *, places: list[Path]) -> str:
    """The absolute path of a folder: the first place where it exists, else the first place."""
    candidates = [(place / Path(value).expanduser()).absolute() for place in places]
    return str(next((candidate for candidate in candidates if candidate.is_dir()), candidates[0]))


def _locate_files(pattern: object, *, file: Path) -> object:
    """The absolute pattern, from the first place where it finds a file, else from the current folder."""
    if not isinstance(pattern, str):
        return pattern
    expanded = Path(pattern).expanduser()
    candidates = [str((place / expanded).absolute()) for place in _places(file)]
    return next((candidate for candidate in candidates if matching_files(candidate)), candidates[0])


def matching_files(pattern: str) -> list[Path]:
    """The files that an absolute path or pattern names, in order of their names."""
    path = Path(pattern)
    # A name may hold brackets: what exists is no pattern.
    found = [path] if path.exists() else Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    return sorted(match for match in found if match.is_file())


def _places(file: Path) -> list[Path]:
    return [Path(), file.parent, file.parent.parent]


_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _written_out(source: object, parameters: Mapping[str, str], *, file: Path) -> object:
    """A source with short forms written out and `{name}` in its path and query replaced."""
    if not isinstance(source, dict):
        return source
    full = dict(source)
    if isinstance(full.get("path"), str):
        full["path"] = [full["path"]]
    if isinstance(full.get("path"), list):
        full["path"] = [
            _locate_files(_put_in(path, parameters, file=file), file=file) for path in full["path"]
        ]
    if "query" in full:
        quoted = {name: value.replace("'", "''") for name, value in parameters.items()}
        full["query"] = _put_in(full["query"], quoted, file=file)
    if "known_at" in full:
        full["known_at"] = _as_binding(full["known_at"])
    if isinstance(full.get("columns"), dict):
        full["columns"] = {name: _as_binding(value) for name, value in full["columns"].items()}
    return full


def _as_binding(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


def _put_in(text: object, parameters: Mapping[str, str], *, file: Path) -> object:
    def value(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            raise ConfigError(
                f"{file}: unknown parameter {match[0]}",
                allowed=", ".join(parameters) or "none: the file declares no [parameters]",
                fix=suggestion(match[1], parameters),
            )
        return parameters[match[1]]

    return _PLACEHOLDER.sub(value, text) if isinstance(text, str) else text
