"""Held-out rows: what a training predicted of rows that it had not learned from, kept for the gate.

Turns a training into its predictions on the later slices, and a stored file of them back into rows of
accounts. They lie beside the bundle in MLflow, which may not name accounts: an account is a hash salted with
the model's fingerprint, and comes back only while the workspace's tables hold it, so that who was forgotten
stays forgotten. Time rule: each row was predicted by boosters that saw only rows whose label was known when
its slice starts. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.lib
import pyarrow.parquet as pq

from features.errors import BundleError
from features.settings import GateSettings
from training.fit import Training

__all__ = ["HELD_OUT_ARTIFACT", "HeldOut", "held_out", "read_held_out"]

HELD_OUT_ARTIFACT = "held_out"
_FILE = "rows.parquet"
_COLUMNS = ("key", "as_of", "label", "label_known_at", "slice", "probability")
_KEY_BYTES = 16


@dataclass(frozen=True)
class HeldOut:
    """The later slices of a training.

    rows: key, as_of, label (0 or 1), label_known_at, slice (0 the oldest), probability (calibrated).
    salt: the model's fingerprint. settings: [gate] of the training.
    """

    rows: pd.DataFrame
    salt: str
    settings: GateSettings

    def of(self, accounts: Iterable[str]) -> pd.DataFrame:
        """The rows of these accounts, with `account_id`; one per account and moment, the oldest first."""
        names = {_key(account, salt=self.salt): account for account in accounts}
        found = self.rows.assign(account_id=self.rows["key"].map(names)).dropna(subset=["account_id"])
        once = found.drop_duplicates(["account_id", "as_of"]).sort_values(["as_of", "account_id"])
        return once.drop(columns="key").reset_index(drop=True)

    def save(self, folder: Path) -> Path:
        """Write it into a new folder, which is returned."""
        folder.mkdir(parents=True)
        noted = {"salt": self.salt, "gate": self.settings.model_dump_json()}
        table = pa.Table.from_pandas(self.rows[list(_COLUMNS)], preserve_index=False)
        pq.write_table(table.replace_schema_metadata(noted), folder / _FILE, compression="zstd")
        return folder


def held_out(training: Training, *, settings: GateSettings) -> HeldOut:
    """What a training held out, ready to be stored."""
    later, salt = training.learned.later, training.bundle.fingerprint
    known_at = training.rows.frame["label_known_at"].to_numpy()[later["position"].to_numpy()]
    keys = {account: _key(account, salt=salt) for account in later["account_id"].unique()}
    rows = pd.DataFrame(
        {
            "key": later["account_id"].map(keys),
            "as_of": later["as_of"],
            "label": later["label"].astype(np.int64),
            "label_known_at": pd.Series(known_at, index=later.index),
            "slice": later["fold"].astype(np.int64),
            "probability": later["probability"],
        }
    )
    return HeldOut(rows.sort_values(["as_of", "key"], ignore_index=True), salt, settings)


def read_held_out(folder: Path) -> HeldOut:
    """What `save` wrote. Raises BundleError when it is damaged."""
    try:
        table = pq.read_table(folder / _FILE, columns=list(_COLUMNS))
        noted = table.schema.metadata
        settings = GateSettings.model_validate_json(noted[b"gate"])
        return HeldOut(table.to_pandas(), noted[b"salt"].decode(), settings)
    except (OSError, pyarrow.lib.ArrowException, KeyError, TypeError, ValueError) as error:
        raise BundleError(
            "the held-out rows of a model cannot be read", got=error, fix="train again"
        ) from error


def _key(account: str, *, salt: str) -> str:
    return sha256(f"{salt}:{account}".encode()).hexdigest()[: 2 * _KEY_BYTES]
