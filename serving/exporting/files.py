"""The export itself: every account, part by part, into one file that appears whole or not at all.

Turns a desk into a CSV file of scores, and says what became of the accounts. Time rule: each account stands
at the moment of its single answer. Null rule: an account that cannot be found in the CRM is left out and
counted.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import numpy as np
import pandas as pd

from features.errors import ConfigError
from features.feature import Language
from features.settings import SALES_PRIORITIES
from features.workspace import Workspace
from serving.desk import Desk
from serving.exporting.cells import columns_of, found_by
from serving.exporting.earlier import NOTHING, Digester, Earlier, Written, keep_export
from serving.exporting.layout import FIELDS, REASONS, Crm, Layout, Match, layout_of
from serving.flat_reasons import two_grades
from serving.ranking import known_accounts, scored_parts

__all__ = ["Exported", "appearing", "export"]

_PART = 20_000
_UNCHANGING = [place for place, field in enumerate(FIELDS) if field.kind != "moment"]


@dataclass(frozen=True)
class Exported:
    """What an export did. unfound: accounts that the CRM cannot find, left out. gone: accounts of the export
    before that are no longer there: their fields in the CRM stay as they are."""

    crm: Crm
    match: Match
    identifier: str
    accounts: int
    written: int
    unchanged: int
    unfound: int
    gone: int


def export(
    workspace: Workspace,
    desk: Desk,
    *,
    crm: Crm,
    out: Path,
    now: datetime,
    match: Match | None = None,
    earlier: Earlier | None = None,
    language: Language = "en",
    progress: Callable[[int, int], None] | None = None,
    rows: int = _PART,
) -> Exported:
    """Write the scores of every account. Of what `earlier` wrote only what has changed.

    match: None takes record ids where any account has one. Raises ConfigError for a file that cannot be
    written, NotEnoughDataError where there is no account.
    """
    known = known_accounts(desk, now=now)
    pairs = zip(known.accounts["account_id"], known.accounts["domain"], strict=True)
    accounts = [(name, domain if isinstance(domain, str) else None) for name, domain in pairs]
    found = found_by(accounts, crm=crm, match=match)
    layout = layout_of(crm, match=found.match)
    run = _Run(layout, Digester(workspace, header=layout.header), earlier.written() if earlier else NOTHING)
    parts = scored_parts(desk, known, reasons=REASONS, language=language, rows=rows)
    with appearing(out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(layout.header)
        for start, part in enumerate(parts):
            own = found.of[start * rows : start * rows + len(part)]
            writer.writerows(run.changed(_told(desk, part, now=now), own))
            if progress is not None:
                progress(start * rows + len(part), len(known.accounts))
    written = run.written
    keep_export(workspace, crm=crm, at=now, release=desk.release.release.id, written=written)
    return Exported(
        *(crm, found.match, layout.identifier, len(known.accounts), run.rows),
        unchanged=len(written.keys) - run.rows,
        unfound=len(known.accounts) - len(written.keys),
        gone=run.before.gone(written.keys),
    )


class _Run:
    """The rows of one export, as they go by."""

    def __init__(self, layout: Layout, digester: Digester, before: Written) -> None:
        self._crm, self._digester, self.before = layout.crm, digester, before
        self._keys = [NOTHING.keys]
        self._cells = [NOTHING.cells]
        self.rows = 0

    def changed(self, part: pd.DataFrame, identifiers: Sequence[str | None]) -> Iterator[list[str]]:
        """The lines of a part that are to be written."""
        own = [place for place, one in enumerate(identifiers) if one is not None]
        names = [one for one in identifiers if one is not None]
        columns = columns_of(part.iloc[own], crm=self._crm)
        lasting = zip(*(columns[place] for place in _UNCHANGING), strict=True)
        keys = self._digester.keys(names)
        cells = self._digester.cells(["\x1f".join(row) for row in lasting])
        self._keys.append(keys)
        self._cells.append(cells)
        lines = list(zip(names, *columns, strict=True))
        for place in np.flatnonzero(self.before.changed(keys, cells)):
            self.rows += 1
            yield list(lines[place])

    @property
    def written(self) -> Written:
        """What the CRM holds once the file is in it."""
        return Written(np.concatenate(self._keys), np.concatenate(self._cells))


def _told(desk: Desk, part: pd.DataFrame, *, now: datetime) -> pd.DataFrame:
    """The columns that only a file has."""
    versions = {model.scorer.bundle.name: model.scorer.bundle.version for model in desk.release.models}

    def model(*names: Any) -> str | None:
        told = [f"{name} {versions[name]}" for name in names if isinstance(name, str)]
        return ", ".join(told) or None

    grades = zip(part["fit_grade"], part["intent_grade"], strict=True)
    models = zip(part["fit_model"], part["intent_model"], strict=True)
    return part.assign(
        grade=[two_grades(_word(fit), _word(intent)) for fit, intent in grades],
        to_sales=part["working_priority"].isin(SALES_PRIORITIES),
        model=pd.Series([model(*names) for names in models], index=part.index, dtype=object),
        scored_at=now,
    )


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


@contextmanager
def appearing(out: Path, *, text: bool = True) -> Iterator[IO[Any]]:
    """A file that is there once it is whole. Raises ConfigError where it cannot be written."""
    made = out.with_name(f".{out.name}.{uuid4().hex}")
    try:
        with made.open("w", encoding="utf-8", newline="") if text else made.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        made.replace(out)
    except OSError as error:
        raise ConfigError("cannot write the file", got=error, fix="name another one") from error
    finally:
        made.unlink(missing_ok=True)
