"""The events and facts of one block as rows of the canonical tables and of the truth.

Turns a simulated block into Arrow tables with the contract's columns. Time rule: nothing that is known at
or after the end of the market is written, as if the tables had been extracted then. Null rule: empty cells
are nulls; a set that is not known is null, never an empty list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contract import ROLES, SENIORITIES
from features.tables import Attribute, Tables
from training.market.block import Block
from training.market.firmographics import NEVER
from training.market.hazards import LEAKING_FIELD, leaked
from training.market.opportunities import STAGES
from training.market.settings import BLOCK_ACCOUNTS, MarketSettings
from training.market.truth import Flags, Floats, Integers
from training.market.vocabulary import (
    ATTRIBUTES,
    CERTIFICATIONS,
    CHANNELS,
    CITIES,
    COUNTRIES,
    DEPARTMENTS,
    DIRECTION_OF_CHANNEL,
    FISCAL_YEAR_ENDS,
    FUNDING_STAGES,
    INDUSTRIES,
    REGIONS,
    TECHNOLOGIES,
    TOPICS,
)

__all__ = ["PRODUCT", "SCHEMAS", "SECOND_PRODUCT", "TRUTH_SCHEMAS", "block_tables", "block_truth"]

PRODUCT: Final = "spearfish platform"
SECOND_PRODUCT: Final = "spearfish insights"

_DECLARED: Final = Tables(
    {},
    tuple(Attribute(name=name, type=kind, label=name) for name, kind in ATTRIBUTES.items()),
)
SCHEMAS: Final[dict[str, pa.Schema]] = {
    name: _DECLARED.schema(name)
    for name in (
        "accounts",
        "contacts",
        "activities",
        "intent_topics",
        "opportunities",
        "stage_changes",
    )
}
"""Arrow schema of each canonical table, with the market's further account columns."""

_MOMENT: Final = pa.timestamp("us")
TRUTH_SCHEMAS: Final[dict[str, pa.Schema]] = {
    "fit": pa.schema(
        [
            ("opportunity_id", pa.string()),
            ("account_id", pa.string()),
            ("created_at", _MOMENT),
            ("probability", pa.float64()),
        ]
    ),
    "intent": pa.schema(
        [
            ("account_id", pa.string()),
            ("as_of", _MOMENT),
            ("probability", pa.float64()),
            ("in_population", pa.bool_()),
        ]
    ),
    "accounts": pa.schema([("account_id", pa.string()), ("as_of", _MOMENT), ("probability", pa.float64())]),
}
"""Arrow schema of each table of the truth."""

_LEVELS: Final = {
    "industry": INDUSTRIES,
    "country": COUNTRIES,
    "region": REGIONS,
    "city": CITIES,
    "funding_stage": FUNDING_STAGES,
    "fiscal_year_end": FISCAL_YEAR_ENDS,
}
_MEMBERS: Final = {"technologies": TECHNOLOGIES, "certifications": CERTIFICATIONS}
_NAME_FIRST: Final = (
    *("Amber", "Alder", "Beacon", "Birch", "Cedar", "Cobalt", "Copper", "Crescent", "Delta", "Ember"),
    *("Falcon", "Fjord", "Granite", "Harbor", "Heron", "Indigo", "Juniper", "Keystone", "Lantern", "Maple"),
    *("Meridian", "Nimbus", "North", "Onyx", "Orchid", "Pioneer", "Quartz", "River", "Saffron", "Willow"),
)
_NAME_LAST: Final = (
    *("Analytics", "Bridge", "Collective", "Dynamics", "Forge", "Group", "Holdings", "Industries", "Labs"),
    *(
        "Logic",
        "Networks",
        "Partners",
        "Point",
        "Solutions",
        "Supply",
        "Systems",
        "Trading",
        "Union",
        "Works",
    ),
)


@dataclass(frozen=True)
class _Frame:
    """What all tables of a block share: which accounts are written, and until when."""

    settings: MarketSettings
    block: int

    @property
    def accounts(self) -> int:
        """How many accounts of the block are written."""
        return min(BLOCK_ACCOUNTS, self.settings.accounts - self.block * BLOCK_ACCOUNTS)

    def kept(self, *, account: Integers, known_at: Integers) -> npt.NDArray[np.intp]:
        return np.flatnonzero((account < self.accounts) & (known_at < self.settings.end_seconds))

    def number(self, account: Integers) -> Integers:
        return account + self.block * BLOCK_ACCOUNTS

    def account_id(self, account: Integers) -> pa.Array:
        return _labelled("account", self.number(account), digits=7)


def _labelled(prefix: str | pa.Array, number: Integers, *, digits: int) -> pa.Array:
    """Identifiers such as account-0000123."""
    padded = pc.utf8_lpad(pc.cast(pa.array(number), pa.string()), digits, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix) if isinstance(prefix, str) else prefix, padded, "-")


def _moments(seconds: Integers) -> pa.Array:
    return pa.array(seconds * 1_000_000).cast(_MOMENT)


def _coded(codes: Integers, *, levels: Sequence[str]) -> pa.Array:
    """Words for codes; null for -1."""
    return pa.array(levels, pa.string()).take(pa.array(codes, mask=codes < 0))


def _listed(flags: Flags, *, known: Flags, members: Sequence[str]) -> pa.Array:
    """A list of the members whose flag is set (m,); null where the set is not known."""
    counted = flags & known[:, None]
    offsets = np.concatenate([[0], np.cumsum(counted.sum(axis=1))]).astype(np.int32)
    values = _coded(np.nonzero(counted)[1], levels=members)
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(~known))


def _numbers(values: Floats, *, schema_type: pa.DataType) -> pa.Array:
    """Numbers, whole numbers, flags or moments; null for NaN."""
    empty = np.isnan(values)
    filled = np.where(empty, 0.0, values)
    if pa.types.is_timestamp(schema_type):
        return pa.array(filled.astype(np.int64) * 1_000_000, mask=empty).cast(schema_type)
    return pa.array(filled, mask=empty).cast(schema_type)


def _rank_within(account: Integers) -> Integers:
    """Position of each row within its account, for rows sorted by account."""
    starts = np.flatnonzero(np.diff(account, prepend=-1))
    sizes = np.diff(np.append(starts, len(account)))
    return np.arange(len(account)) - np.repeat(starts, sizes)


def _told_numbers(block: Block, *, frame: _Frame) -> dict[str, Floats]:
    """The numbers as the tables tell them: where a field leaks, with what sales filled in at any time."""
    numbers, deals, end = block.accounts.numbers, block.deals, frame.settings.end_seconds
    if frame.settings.hazard != "leaking_field":
        return numbers
    opened = deals.account[deals.created_at < end]
    won = deals.account[deals.won & (deals.closed_at < end)]
    return {**numbers, LEAKING_FIELD: leaked(numbers[LEAKING_FIELD], opened=opened, won=won)}


def _accounts(block: Block, *, frame: _Frame) -> dict[str, Any]:
    facts = block.accounts
    row, version = np.nonzero(facts.known_at < frame.settings.end_seconds)
    kept = row < frame.accounts
    row, version = row[kept], version[kept]
    number = frame.number(row)
    first = _coded(number * 7 % len(_NAME_FIRST), levels=_NAME_FIRST)
    last = _coded(number * 11 // 3 % len(_NAME_LAST), levels=_NAME_LAST)
    columns: dict[str, Any] = {
        "account_id": frame.account_id(row),
        "known_at": _moments(facts.known_at[row, version]),
        "name": pc.binary_join_element_wise(first, last, " "),
        "domain": pc.binary_join_element_wise(_labelled("company", number, digits=7), "example", "."),
    }
    for name, values in _told_numbers(block, frame=frame).items():
        cells = values[row, version]
        columns[name] = (
            _coded(np.nan_to_num(cells, nan=-1.0).astype(np.int64), levels=_LEVELS[name])
            if name in _LEVELS
            else _numbers(cells, schema_type=SCHEMAS["accounts"].field(name).type)
        )
    for name, flags in facts.sets.items():
        known = facts.set_known[name][row, version]
        columns[name] = _listed(flags[row, version], known=known, members=_MEMBERS[name])
    return columns


def _contact_id(frame: _Frame, *, account: Integers, person: Integers) -> pa.Array:
    named = _labelled(_labelled("contact", frame.number(account), digits=7), person, digits=1)
    return pc.if_else(pa.array(person >= 0), named, pa.scalar(None, pa.string()))


def _contacts(block: Block, *, frame: _Frame) -> dict[str, Any]:
    people = block.contacts
    account, person, version = np.nonzero(people.known_at < frame.settings.end_seconds)
    kept = account < frame.accounts
    account, person, version = account[kept], person[kept], version[kept]
    return {
        "contact_id": _contact_id(frame, account=account, person=person),
        "account_id": frame.account_id(account),
        "known_at": _moments(people.known_at[account, person, version]),
        "seniority": _coded(people.seniority[account, person, version], levels=SENIORITIES),
        "department": _coded(people.department[account, person], levels=DEPARTMENTS),
        "role": _coded(people.role[account, person, version], levels=ROLES),
    }


def _activities(block: Block, *, frame: _Frame) -> dict[str, Any]:
    events = block.activities
    kept = frame.kept(account=events.account, known_at=events.known_at)
    keys = (events.known_at, events.person, events.channel, events.occurred_at, events.account)
    kept = kept[np.lexsort([key[kept] for key in keys])]
    account, seconds = events.account[kept], events.seconds[kept]
    prefix = _labelled("activity", frame.number(account), digits=7)
    return {
        "activity_id": _labelled(prefix, _rank_within(account), digits=5),
        "account_id": frame.account_id(account),
        "contact_id": _contact_id(frame, account=account, person=events.person[kept]),
        "channel": _coded(events.channel[kept], levels=CHANNELS),
        "direction": _coded(events.channel[kept], levels=DIRECTION_OF_CHANNEL),
        "occurred_at": _moments(events.occurred_at[kept]),
        "known_at": _moments(events.known_at[kept]),
        "quantity": pa.array(np.ones(len(kept), dtype=np.int64)),
        "seconds": pa.array(seconds, mask=seconds < 0),
    }


def _intent_topics(block: Block, *, frame: _Frame) -> dict[str, Any]:
    events = block.topics
    kept = frame.kept(account=events.account, known_at=events.known_at)
    kept = kept[np.lexsort([events.topic[kept], events.occurred_at[kept], events.account[kept]])]
    return {
        "account_id": frame.account_id(events.account[kept]),
        "topic": _coded(events.topic[kept], levels=TOPICS),
        "occurred_at": _moments(events.occurred_at[kept]),
        "known_at": _moments(events.known_at[kept]),
        "score": pa.array(events.score[kept]),
    }


def _deal_order(block: Block, *, frame: _Frame) -> tuple[npt.NDArray[np.intp], pa.Array]:
    """The deals that are written, sorted, and their identifiers."""
    deals = block.deals
    kept = frame.kept(account=deals.account, known_at=deals.created_at)
    kept = kept[np.lexsort([deals.created_at[kept], deals.account[kept]])]
    account = deals.account[kept]
    prefix = _labelled("deal", frame.number(account), digits=7)
    return kept, _labelled(prefix, _rank_within(account), digits=2)


def _opportunities(block: Block, *, frame: _Frame) -> dict[str, Any]:
    """One version when the deal was opened, one when it was closed by the end of the market."""
    kept, identifier = _deal_order(block, frame=frame)
    deals = block.deals
    closed = np.flatnonzero(deals.closed_at[kept] < frame.settings.end_seconds)
    rows = np.concatenate([kept, kept[closed]])
    is_closed = np.arange(len(rows)) >= len(kept)
    created_at, closed_at = deals.created_at[rows], deals.closed_at[rows]
    return {
        "opportunity_id": pa.concat_arrays([identifier, identifier.take(pa.array(closed))]),
        "account_id": frame.account_id(deals.account[rows]),
        "known_at": _moments(np.where(is_closed, closed_at, created_at)),
        "product": _coded(deals.second[rows].astype(np.int64), levels=(PRODUCT, SECOND_PRODUCT)),
        "created_at": _moments(created_at),
        "closed_at": pa.array(closed_at * 1_000_000, mask=~is_closed).cast(_MOMENT),
        "outcome": _coded(np.where(is_closed, deals.won[rows], -1).astype(np.int64), levels=("lost", "won")),
        "amount": _numbers(
            np.where(is_closed, deals.amount[rows], deals.expected_amount[rows]),
            schema_type=pa.float64(),
        ),
    }


def _stage_changes(block: Block, *, frame: _Frame) -> dict[str, Any]:
    """Stages as they were entered, and the end of the deal as its last one."""
    kept, identifier = _deal_order(block, frame=frame)
    deals = block.deals
    entered = np.column_stack([deals.stage_at[kept], deals.closed_at[kept]])
    known_at = np.column_stack([deals.stage_known_at[kept], deals.closed_at[kept]])
    stage = np.tile(np.arange(len(STAGES) + 1), (len(kept), 1))
    stage[:, -1] += deals.won[kept]
    deal, position = np.nonzero((entered < NEVER) & (known_at < frame.settings.end_seconds))
    return {
        "opportunity_id": identifier.take(pa.array(deal)),
        "stage": _coded(stage[deal, position], levels=(*STAGES, "lost", "won")),
        "occurred_at": _moments(entered[deal, position]),
        "known_at": _moments(known_at[deal, position]),
    }


_BUILDERS: Final = {
    "accounts": _accounts,
    "contacts": _contacts,
    "activities": _activities,
    "intent_topics": _intent_topics,
    "opportunities": _opportunities,
    "stage_changes": _stage_changes,
}


def _table(columns: dict[str, Any], *, schema: pa.Schema) -> pa.Table:
    """A table with the schema's columns in its order; absent ones are null."""
    rows = len(next(iter(columns.values())))
    return pa.table(
        [columns[field.name] if field.name in columns else pa.nulls(rows, field.type) for field in schema],
        schema=schema,
    )


def block_tables(block: Block, *, settings: MarketSettings, number: int) -> dict[str, pa.Table]:
    """The canonical tables of block `number`, each sorted by account and time."""
    frame = _Frame(settings, number)
    return {
        name: _table(build(block, frame=frame), schema=SCHEMAS[name]) for name, build in _BUILDERS.items()
    }


def block_truth(block: Block, *, settings: MarketSettings, number: int) -> dict[str, pa.Table]:
    """The true chances of block `number`; the tables are described at `training.market.write.Truth`."""
    frame = _Frame(settings, number)
    kept, identifier = _deal_order(block, frame=frame)
    every = np.arange(frame.accounts)
    step, account = np.nonzero(block.accounts.first_known[: frame.accounts] < block.step_dates[:, None])
    columns: dict[str, dict[str, Any]] = {
        "fit": {
            "opportunity_id": identifier,
            "account_id": frame.account_id(block.deals.account[kept]),
            "created_at": _moments(block.deals.created_at[kept]),
            "probability": pa.array(block.deals.probability[kept]),
        },
        "intent": {
            "account_id": frame.account_id(account),
            "as_of": _moments(block.step_dates[step]),
            "probability": pa.array(block.opening_chance[step, account]),
            "in_population": pa.array(block.in_population[step, account]),
        },
        "accounts": {
            "account_id": frame.account_id(every),
            "as_of": _moments(np.full(len(every), settings.end_seconds)),
            "probability": pa.array(block.win_chance_at_end[every]),
        },
    }
    return {name: _table(columns[name], schema=schema) for name, schema in TRUTH_SCHEMAS.items()}
