"""Loads a company's own tables into the workspace.

Turns what a mapping names into canonical tables in a new snapshot, everything in SQL and bounded in memory.
A row that breaks the contract is set aside with its reason; identical rows become one; of rows that
disagree under one key the most complete stays. Any order and any split of the files gives the same
tables. Time rule: whole seconds, UTC; the clock of the ingest only tells what lies in the future. Null
rule: an empty cell stays empty, except `quantity`, which is 1.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from features.contract import TABLES
from features.engine import run_sql
from features.errors import ContractError, SpearfishError, WorkspaceError
from features.mapping import Config
from features.report import IngestReport, TableReport
from features.settling import create_quarantine, examples, quarantine_counts, settle, write_quarantine
from features.snapshot import describe
from features.staging import canonical_columns, create_staging, stage
from features.tables import open_engine
from features.validation import literal
from features.workspace import Manifest, Workspace

__all__ = ["ingest"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


def ingest(
    config: Config,
    *,
    workspace: Workspace,
    progress: Progress | None = None,
    now: datetime | None = None,
    memory_limit: str = "2GB",
) -> IngestReport:
    """Read every source of `config` and make the result the workspace's current snapshot.

    now: naive UTC; rows that happened or were known later are set aside. Default: the clock.
    memory_limit: what DuckDB may use before it spills into the workspace folder.
    Raises ConfigError or ContractError (nothing is changed) for a missing file or column, SQL that fails,
    or a table of accounts without a single good row; WorkspaceError when another ingest is running.
    """
    moment = now or datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    reports: list[TableReport] = []

    def fill(folder: Path) -> Manifest:
        engine = folder / "engine"
        engine.mkdir()
        connection = open_engine()
        try:
            _bound(connection, folder=engine, memory_limit=memory_limit)
            load = _Load(connection, config=config, folder=folder, now=moment, progress=progress or _silent)
            reports.extend(load.run())
            return load.describe(reports)
        finally:
            connection.close()
            shutil.rmtree(engine)

    try:
        manifest = workspace.replace(fill)
    except OSError as error:
        raise WorkspaceError(
            f"the workspace {workspace.home} cannot be written",
            got=error,
            fix="make room, or check its rights",
        ) from error
    return IngestReport(
        workspace=str(workspace.home),
        snapshot=manifest.snapshot,
        fingerprint=manifest.fingerprint,
        tables=tuple(reports),
        current_value_only=dict(manifest.current_value_only),
    )


def _silent(what: str, done: int, total: int) -> None:
    """No progress is shown."""


def _bound(connection: duckdb.DuckDBPyConnection, *, folder: Path, memory_limit: str) -> None:
    """Tables go to a file in `folder`, and so does what does not fit into memory."""
    run_sql(connection, "SET memory_limit = ?", parameters=[memory_limit])
    run_sql(connection, "SET temp_directory = ?", parameters=[str(folder / "spill")])
    run_sql(connection, f"ATTACH {literal(str(folder / 'rows.duckdb'))} AS work")
    run_sql(connection, "USE work")


class _Load:
    """One ingest under way: stage every source, then settle table after table."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        config: Config,
        folder: Path,
        now: datetime,
        progress: Progress,
    ) -> None:
        self.connection, self.config, self.folder, self.now = connection, config, folder, now
        self.names = [name for name in TABLES if any(source.table == name for source in config.sources)]
        self.progress, self.done = progress, 0
        self.steps = len(config.sources) + len(self.names) + 1

    def run(self) -> list[TableReport]:
        create_quarantine(self.connection)
        read = self._stage()
        settled = {name: self._settle(name) for name in self.names}
        self.counts = quarantine_counts(self.connection)
        for name in self.counts:
            write_quarantine(self.connection, name=name, folder=self.folder / "quarantine")
        return [self._report(name, read=read[name], settled=settled[name]) for name in self.names]

    def _step(self, what: str) -> None:
        self.progress("ingest", self.done, self.steps)
        self.done += 1

    def _stage(self) -> dict[str, int]:
        """Rows read by table."""
        attributes = self.config.attributes
        for name in self.names:
            create_staging(self.connection, table=TABLES[name], attributes=attributes)
        read = dict.fromkeys(self.names, 0)
        for position, source in enumerate(self.config.sources, start=1):
            self._step(source.table)
            read[source.table] += stage(
                self.connection, source=source, position=position, attributes=attributes, now=self.now
            )
        return read

    def _settle(self, name: str) -> tuple[int, int]:
        self._step(name)
        columns = canonical_columns(TABLES[name], attributes=self.config.attributes)
        file = self.folder / f"{name}.parquet"
        return settle(self.connection, table=TABLES[name], columns=columns, file=file)

    def _report(self, name: str, *, read: int, settled: tuple[int, int]) -> TableReport:
        report = TableReport(
            name=name,
            read=read,
            loaded=settled[0],
            collapsed=settled[1],
            quarantined=self.counts.get(name, {}),
            examples=examples(self.connection, name=name),
        )
        if not report.balanced():
            raise SpearfishError(
                f"{name}: rows were lost while loading", got=report, fix="please report this"
            )
        if name == "accounts" and not report.loaded:
            raise _no_accounts(report)
        return report

    def describe(self, reports: list[TableReport]) -> Manifest:
        self._step("manifest")
        rows = {report.name: report.loaded for report in reports}
        manifest = describe(
            self.connection, self.config, folder=self.folder, rows=rows, quarantine=self.counts
        )
        self.progress("ingest", self.steps, self.steps)
        return manifest


def _no_accounts(report: TableReport) -> ContractError:
    if not report.read:
        return ContractError("accounts is empty", got="0 rows", fix="give a file with at least one company")
    reasons = ", ".join(f"{rows} x {reason}" for reason, rows in report.quarantined.items())
    example = report.examples[0].sentence()
    return ContractError(
        "accounts: not one row fits the contract",
        got=f"{report.read} rows: {reasons}; for example {example}",
        fix="correct the mapping of these columns",
    )
