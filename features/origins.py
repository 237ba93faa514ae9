"""Where accounts come from: our own CRM, where sales works them, or a universe that nobody has worked.

Turns what a mapping declares (the `origin` of each source of accounts, and [origins]) into rules, and the
rows of all accounts into who came from where. An account that several sources call one company has the
origins of all of them. Where an account comes from is never a feature. Time rule: an account has an origin
from the first moment a source of that origin told of it; ask for a moment, and rows with `known_at` before
it count. Null rule: a source that declares no origin is of the CRM; a row without a time is as old as can be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import Field

from features.contract import START_OF_TIME
from features.errors import suggestion
from features.identity.views import NAMED_BY_LEAD, ROLLED_UP
from features.settings import Section
from features.validation import literal

if TYPE_CHECKING:
    from features.tables import Tables

__all__ = [
    "BY_ORIGIN",
    "CRM",
    "EMPTY_ELSEWHERE",
    "NOTHING_COMPARED",
    "ONE_ORIGIN",
    "OTHER_VALUES",
    "ColumnComparison",
    "Comparison",
    "OriginRules",
    "OriginSettings",
    "account_origins",
    "by_origin_sql",
    "check_origins",
    "told_files",
]

CRM = "crm"
"""The origin of a source that declares none."""

BY_ORIGIN = "accounts_by_origin"
"""The relation of accounts as each origin tells of them."""

EMPTY_ELSEWHERE = "one origin only"
OTHER_VALUES = "other values"
"""Why a column is not comparable: an origin leaves it empty, or has words in it that no other has."""


class OriginSettings(Section):
    """[origins]

    worked: origins whose accounts sales works; the others are universe that nobody has worked with.
    keep: features (names with *) to learn from although they are not comparable between the origins.
    nearly_none: a column is not comparable when one origin fills it this many times as often as another, or
        less. shared_values: nor when less than this share of what is filled, in every origin, are values that
        the others know.
    """

    worked: tuple[str, ...] = (CRM,)
    keep: tuple[str, ...] = ()
    nearly_none: float = Field(default=0.1, ge=0.0, lt=1.0)
    shared_values: float = Field(default=0.5, ge=0.0, lt=1.0)


def check_origins(settings: OriginSettings, declared: Collection[str]) -> None:
    """ValueError unless [origins] names origins that sources of accounts declare."""
    names = sorted(set(declared))
    chosen = "worked" in settings.model_fields_set
    odd = [name for name in settings.worked if name not in names] if chosen else []
    if odd:
        hint = suggestion(odd[0], names)
        raise ValueError(
            f"[origins] worked names {odd[0]!r}, and no source of accounts has this origin; allowed: "
            + ", ".join(names)
            + (f"; {hint}" if hint else "")
        )
    if len(names) > 1 and not set(names) & set(settings.worked):
        raise ValueError(
            f"accounts come from {', '.join(names)}: say where sales works with [origins] worked = [...]"
        )


@dataclass(frozen=True)
class OriginRules:
    """sources: the origin by source of accounts, as its rows carry it. The rest as in `OriginSettings`.

    leads: sources that are only what leads say of their companies ([identity] leads). They give an account
        their origin; what they lack says nothing of the origin, and is not compared.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    worked: tuple[str, ...] = (CRM,)
    nearly_none: float = 0.1
    shared_values: float = 0.5
    leads: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The origins, those that sales works first."""
        found = set(self.sources.values())
        return tuple(sorted(found, key=lambda name: (name not in self.worked, name)))

    @property
    def several(self) -> bool:
        """Whether there is anything to tell apart."""
        return len(self.names) > 1

    @property
    def declared(self) -> bool:
        """Whether any source of accounts is of another origin than the CRM."""
        return any(origin != CRM for origin in self.sources.values())

    def to_dict(self) -> dict[str, Any]:
        """For JSON: `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> OriginRules:
        """What `to_dict` wrote. TypeError for another shape."""
        lists = {name: tuple(stored[name]) for name in ("worked", "leads")}
        return cls(**(dict(stored) | lists))


ONE_ORIGIN = OriginRules()
"""The rules of a workspace whose accounts are all of the CRM."""


@dataclass(frozen=True)
class ColumnComparison:
    """A column of accounts in each origin.

    filled: by origin, accounts of which it tells a value. shared: by origin, the share of these whose value
        another origin tells of some account, too; only of columns whose values are words.
    reason: why it is not comparable; empty when it is.
    """

    name: str
    filled: Mapping[str, int]
    shared: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """accounts: by origin; one of several origins counts in each. several: accounts of several origins."""

    accounts: Mapping[str, int] = field(default_factory=dict)
    several: int = 0
    columns: tuple[ColumnComparison, ...] = ()

    @property
    def not_comparable(self) -> dict[str, str]:
        """Why, by the name of each column that is not comparable."""
        return {column.name: column.reason for column in self.columns if column.reason}

    def coverage(self, column: ColumnComparison) -> dict[str, float]:
        """The share of an origin's accounts of which it tells a value, by origin."""
        return {name: column.filled.get(name, 0) / count for name, count in self.accounts.items()}

    def to_dict(self) -> dict[str, Any]:
        """For JSON: `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Comparison:
        """What `to_dict` wrote. TypeError for another shape."""
        return cls(
            **(dict(stored) | {"columns": tuple(ColumnComparison(**one) for one in stored["columns"])})
        )


NOTHING_COMPARED = Comparison()
"""The comparison of a workspace whose accounts all come from one place."""


def told_files(folder: Path) -> tuple[Path, ...]:
    """The files of a snapshot that hold what each source told of accounts.

    Of two sources that say the same of one moment, one row is in the table, and the other is kept beside it.
    """
    files = (folder / "accounts.parquet", folder / "kept" / "accounts.parquet")
    return tuple(file for file in files if file.is_file())


def by_origin_sql(rules: OriginRules, *, stored: str, columns: Collection[str]) -> str:
    """SQL of accounts as each origin tells of them, under merged identifiers: origin, compared, `columns`.

    stored: a SELECT of `columns` and `_source`. merged_accounts and accounts must be there: rows of accounts
    that are not are left out. compared: whether the facts are the account's own. A subsidiary that rolled up
    gives its parent its origin, and none of its facts; so does the company of a lead.
    """
    rule = "coalesce(merged.rule, '')"
    own = f"{rule} <> {literal(ROLLED_UP)} AND NOT starts_with({rule}, {literal(NAMED_BY_LEAD)})"
    if rules.leads:
        own += f" AND stored._source NOT IN ({', '.join(map(literal, rules.leads))})"
    origin = " ".join(
        f"WHEN {literal(source)} THEN {literal(name)}" for source, name in rules.sources.items()
    )
    known = f"coalesce(stored.known_at, TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))}) AS known_at"
    facts = ", ".join(
        f'stored."{name}"' for name in columns if name not in ("account_id", "known_at", "withdrawn_at")
    )
    return (
        f"SELECT coalesce(merged.identity, stored.account_id) AS account_id, {known}, stored.withdrawn_at,"
        f" CASE stored._source {origin} ELSE {literal(CRM)} END AS origin, {own} AS compared, {facts}"
        f" FROM ({stored}) AS stored LEFT JOIN merged_accounts AS merged USING (account_id)"
        " WHERE coalesce(merged.identity, stored.account_id) IN (SELECT account_id FROM accounts)"
    )


_ORIGINS = """
    SELECT account_id, list(DISTINCT origin ORDER BY origin) AS origins, bool_or(compared) AS compared
    FROM {rows}
    WHERE $1 IS NULL OR (known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1))
    GROUP BY account_id ORDER BY account_id
"""


def account_origins(tables: Tables, *, as_of: datetime | None = None) -> pd.DataFrame:
    """Who comes from where: account_id, origins (a sorted tuple), compared (whether more is known of it than
    what leads say), worked (whether sales works it).

    as_of: naive UTC; only what was known before it counts. Default: all that is known.
    """
    only = (tables.origins.names or (CRM,))[0]
    rows = (
        BY_ORIGIN
        if tables.origins.several
        else f"(SELECT *, {literal(only)} AS origin, true AS compared FROM accounts)"
    )
    with tables.connect() as connection:
        found = connection.execute(_ORIGINS.format(rows=rows), [as_of])
        frame: pd.DataFrame = found.to_arrow_table().to_pandas()
    worked = set(tables.origins.worked)
    frame["origins"] = [tuple(origins) for origins in frame["origins"]]
    frame["worked"] = [bool(worked & set(origins)) for origins in frame["origins"]]
    return frame
