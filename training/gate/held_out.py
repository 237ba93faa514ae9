"""Held-out rows: what a training predicted of rows that it had not learned from, kept for the gate.

Turns a training into its predictions on the later slices, and those of its rehearsal, and stored files of
them back into rows of accounts. They lie beside the bundle in MLflow, which may not name accounts: an account
is an HMAC under the workspace's secret, which is not stored with them, and comes back only while the
workspace's tables hold it, so that who was forgotten stays forgotten, and nobody else can look anyone up.
Time rule: each row was predicted by boosters that saw only rows whose label was known when its slice
starts. Null rule: none.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.lib
import pyarrow.parquet as pq

from features.errors import BundleError
from features.settings import GateSettings
from training.fit import Training

__all__ = ["HELD_OUT_ARTIFACT", "HeldOut", "held_out", "read_held_out"]

HELD_OUT_ARTIFACT = "held_out_keyed"
"""Not `held_out`, where older versions kept them under hashes that anybody could make: nobody reads those."""

_FILE = "rows.parquet"
_REHEARSED = "rehearsed.parquet"
_COLUMNS = ("key", "as_of", "label", "label_known_at", "slice", "probability")
_KEY_BYTES = 16


@dataclass(frozen=True)
class HeldOut:
    """The later slices of a training.

    rows: key, as_of, label (0 or 1), label_known_at, slice (0 the oldest), probability (calibrated).
    salt: the model's fingerprint. settings: [gate] of the training. secret: the workspace's, never stored
    here; under another one no account comes back. rehearsed: the rows of its rehearsal, as `rows` (slice 0),
    and the cutoff up to which that had learned; None where nothing was served, or too few.
    """

    rows: pd.DataFrame
    salt: str
    settings: GateSettings
    secret: bytes = field(repr=False)
    rehearsed: pd.DataFrame | None = None
    rehearsed_at: datetime | None = None

    def of(self, accounts: Iterable[str], *, rehearsed: bool = False) -> pd.DataFrame:
        """The rows of these accounts, with `account_id`; one per account and moment, the oldest first."""
        names = {_key(account, salt=self.salt, secret=self.secret): account for account in accounts}
        rows = (
            self.rows if not rehearsed else self.rows.iloc[:0] if self.rehearsed is None else self.rehearsed
        )
        found = rows.assign(account_id=rows["key"].map(names)).dropna(subset=["account_id"])
        once = found.drop_duplicates(["account_id", "as_of"]).sort_values(["as_of", "account_id"])
        return once.drop(columns="key").reset_index(drop=True)

    def save(self, folder: Path) -> Path:
        """Write it into a new folder, which is returned."""
        folder.mkdir(parents=True)
        _write(self.rows, folder / _FILE, salt=self.salt, gate=self.settings.model_dump_json())
        if self.rehearsed is not None and self.rehearsed_at is not None:
            _write(self.rehearsed, folder / _REHEARSED, cutoff=self.rehearsed_at.isoformat())
        return folder


def held_out(
    training: Training,
    *,
    settings: GateSettings,
    secret: bytes,
    rehearsed: pd.DataFrame | None = None,
    rehearsed_at: datetime | None = None,
) -> HeldOut:
    """What a training held out, ready to be stored.

    secret: the workspace's. rehearsed, rehearsed_at: see `training.gate.rehearsal`.
    """
    later, salt = training.learned.later, training.bundle.fingerprint
    known_at = training.rows.frame["label_known_at"].to_numpy()[later["position"].to_numpy()]
    rows = later.rename(columns={"fold": "slice"}).assign(label_known_at=known_at)
    again = None if rehearsed is None else _hashed(rehearsed.assign(slice=0), salt=salt, secret=secret)
    return HeldOut(_hashed(rows, salt=salt, secret=secret), salt, settings, secret, again, rehearsed_at)


def read_held_out(folder: Path, *, secret: bytes) -> HeldOut:
    """What `save` wrote. secret: the workspace's. Raises BundleError when it is damaged."""
    try:
        rows, noted = _read(folder / _FILE)
        settings = GateSettings.model_validate_json(noted[b"gate"])
        held = HeldOut(rows, noted[b"salt"].decode(), settings, secret)
        if not (folder / _REHEARSED).exists():
            return held
        again, said = _read(folder / _REHEARSED)
        cutoff = datetime.fromisoformat(said[b"cutoff"].decode())
        return replace(held, rehearsed=again, rehearsed_at=cutoff)
    except (OSError, pyarrow.lib.ArrowException, KeyError, TypeError, ValueError) as error:
        raise BundleError(
            "the held-out rows of a model cannot be read", got=error, fix="train again"
        ) from error


def _write(rows: pd.DataFrame, file: Path, **noted: str) -> None:
    table = pa.Table.from_pandas(rows[list(_COLUMNS)], preserve_index=False)
    pq.write_table(table.replace_schema_metadata(noted), file, compression="zstd")


def _read(file: Path) -> tuple[pd.DataFrame, dict[bytes, bytes]]:
    table = pq.read_table(file, columns=list(_COLUMNS))
    return table.to_pandas(), dict(table.schema.metadata)


def _hashed(rows: pd.DataFrame, *, salt: str, secret: bytes) -> pd.DataFrame:
    keys = {account: _key(account, salt=salt, secret=secret) for account in rows["account_id"].unique()}
    told = rows.assign(key=rows["account_id"].map(keys)).astype({"label": "int64", "slice": "int64"})
    return told[list(_COLUMNS)].sort_values(["as_of", "key"], ignore_index=True)


def _key(account: str, *, salt: str, secret: bytes) -> str:
    return hmac.digest(secret, f"held out:{salt}:{account}".encode(), "sha256").hex()[: 2 * _KEY_BYTES]
