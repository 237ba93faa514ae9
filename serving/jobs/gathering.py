"""The features of every account that a large job names, in the order of the tables.

Turns the rows of a job into matrices on disk, from which each part takes its own. Parts name accounts from
all over the tables, so that the SQL would read all of them for every part; in their order, a stretch of
accounts reads its own rows alone. It is the SQL over own rows that answers with newer activities, too: the
same bits. Time rule: each row stands at the moment at which it will be answered. Null rule: a row that is not
gathered is computed when it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from models.card import ModelKey
from serving.desk import Desk, Row
from serving.jobs.asking import Asked
from serving.looking import LookedUp
from serving.requests import ScoreRequest
from serving.subjects import default_as_of

__all__ = ["JobDesk", "Named", "named_in"]

_STRETCH, _THREADS = 5_000, 2
"""Accounts whose rows are in memory at once, in each thread."""


class Named(NamedTuple):
    """A row of a job that names an account. row: in the file, from 1. at: seconds since 1970."""

    account_id: str
    at: int
    row: int


def named_in(desk: Desk, asked: Sequence[Asked], *, first_row: int, now: datetime) -> Iterator[Named]:
    """The rows that name accounts which the tables know. now: naive UTC, whole seconds."""
    requests = [row for row in asked if isinstance(row, ScoreRequest)]
    accounts = LookedUp(
        desk.snapshot.accounts,
        account_ids=[one.account_id for one in requests if one.account_id],
        domains=[one.domain for one in requests if one.domain],
    )
    for row, request in enumerate(asked, start=first_row):
        if isinstance(request, ScoreRequest) and (request.account_id or request.domain):
            try:
                account = (
                    accounts.by_id(request.account_id)
                    if request.account_id
                    else accounts.by_domain(request.domain or "")
                )
            except InputError:
                continue
            at = request.as_of or default_as_of(account.newest_known_at, now=now, time_zone=desk.time_zone)
            yield Named(account.account_id or "", _seconds(at), row)


def _seconds(moment: datetime) -> int:
    return int(np.datetime64(moment, "s").astype(np.int64))


class JobDesk(Desk):
    """A desk that takes the features of known accounts from what was gathered. For one thread that looks."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._files: dict[ModelKey, Path] = {}
        self._height = 0
        self._part: dict[ModelKey, Row] = {}
        self._places: dict[tuple[str, int], int] = {}
        models = self.release.models
        self._widths = {model.key: len(model.scorer.bundle.catalogue.names) for model in models}

    def gather(self, named: Iterable[Named], *, folder: Path, require: Callable[[], None]) -> None:
        """Compute the features of these rows, if there are any. folder: empty. Raises OSError, EngineError.

        require: raises where there is no use in going on.
        """
        rows = sorted(named)
        self._height = max((row.row for row in rows), default=0) + 1
        files = _files(folder, height=self._height, widths=self._widths)
        stretches = [rows[start : start + _STRETCH] for start in range(0, len(rows), _STRETCH)]
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="gather") as threads:
            for _ in threads.map(partial(self._gather, files=files, require=require), stretches):
                pass
        # Only now: a file that is not full holds zeros.
        self._files = files

    def _gather(
        self, rows: Sequence[Named], *, files: Mapping[ModelKey, Path], require: Callable[[], None]
    ) -> None:
        require()
        names, seconds, places = zip(*rows, strict=True)
        moments = np.array(seconds, dtype="datetime64[s]")
        tables = self.snapshot.own_rows.tables(set(names), newer=())
        for key, matrix in self.record_matrices(tables, names, files.keys(), moments=moments).items():
            self._mapped(key, files[key])[list(places)] = matrix

    def _mapped(self, key: ModelKey, file: Path) -> NDArray[np.float64]:
        """The rows of a model: what is touched of them stays in memory only while this is held."""
        return np.memmap(file, dtype=np.float64, mode="r+", shape=(self._height, self._widths[key]))

    def turn_to(self, named: Sequence[Named]) -> None:
        """Have the gathered rows of a part at hand. named: of the part, in its order."""
        first, last = (named[0].row, named[-1].row + 1) if named else (0, 0)
        self._part = {key: np.array(self._mapped(key, file)[first:last]) for key, file in self._files.items()}
        self._places = {(row.account_id, row.at): row.row - first for row in named} if self._files else {}

    def matrices(self, keys: pd.DataFrame, models: Collection[ModelKey]) -> dict[ModelKey, Row]:
        """As of any desk."""
        seconds = keys["as_of"].to_numpy().astype("datetime64[s]").astype(np.int64).tolist()
        pairs = zip(keys["account_id"].tolist(), seconds, strict=True)
        places = np.array([self._places.get(pair, -1) for pair in pairs], dtype=np.intp)
        missing = places < 0
        if missing.all():
            return super().matrices(keys, models)
        found = {key: self._part[key][places] for key in models}
        if missing.any():
            for key, matrix in super().matrices(keys[missing], models).items():
                found[key][missing] = matrix
        return found


def _files(folder: Path, *, height: int, widths: Mapping[ModelKey, int]) -> dict[ModelKey, Path]:
    """A file for each model, with all the room that it needs."""
    files = {key: folder / str(number) for number, key in enumerate(widths)}
    for key, file in files.items():
        with file.open("wb") as made:
            os.posix_fallocate(made.fileno(), 0, height * widths[key] * np.dtype(np.float64).itemsize)
    return files
