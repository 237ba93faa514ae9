"""Loads a company's own tables into the workspace, beside what earlier ingests have loaded.

Turns what a mapping names into canonical tables in a new snapshot, everything in SQL and bounded in memory.
A file that was read before is not read again. A row that breaks the contract is set aside with its reason;
identical rows become one; of rows that disagree under one key the most complete stays. Any order and any
split of the files, over any number of ingests, gives the same tables. Time rule: whole seconds, UTC; the
clock of the ingest only tells what lies in the future. Null rule: an empty cell stays empty, except
`quantity`, which is 1.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

import duckdb

from features.changes import untimed_sources
from features.contract import TABLES
from features.cycle_rows import located_cycles
from features.engine import run_sql
from features.errors import SpearfishError, WorkspaceError
from features.history import Earlier, FileRead, History, files_of, find_earlier, source_id, titles_mark
from features.identity.counts import IdentityCounts
from features.identity.decided import keep_decisions
from features.identity.merging import merge_accounts, merging_as_before
from features.locating import locate_rows
from features.mapping import Config, Source
from features.privacy.addresses import secret_mark
from features.privacy.counts import ConsentCounts, consent_counts
from features.privacy.in_sql import add_kept_address
from features.privacy.leaving_out import find_forgotten, leave_out
from features.privacy.purging import mentions_in_quarantine, purge_quarantine
from features.privacy.settings import kept_under
from features.privacy.suppression import Forgotten
from features.quarantine import (
    carry_over,
    collect_faults,
    create_quarantine,
    examples,
    quarantine_counts,
    write_quarantine,
)
from features.report import IngestReport, TableReport, no_accounts
from features.settling import Settled, settle
from features.snapshot import as_before, describe, joined_attributes
from features.sources import lacks_files, prepare_queries
from features.staging import canonical_columns, create_staging, stage, unread_cells, withheld_cells
from features.tables import open_engine
from features.titles.filling import TitleCounts, fill_contacts
from features.traffic import traffic_counts
from features.validation import Reason, literal
from features.workspace import Manifest, Workspace

__all__ = ["ingest"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


def ingest(
    config: Config,
    *,
    workspace: Workspace,
    rebuild: bool = False,
    progress: Progress | None = None,
    now: datetime | None = None,
    memory_limit: str = "2GB",
) -> IngestReport:
    """Read what is new in the sources of `config` and make the result the workspace's current snapshot.

    rebuild: start from nothing and read every file, instead of adding to what earlier ingests have read.
    now: naive UTC; rows that happened or were known later are set aside. Default: the clock.
    memory_limit: what DuckDB may use before it spills into the workspace folder.
    Raises ConfigError or ContractError (nothing is changed) for a missing file or column, SQL that fails,
    a source that was bound otherwise before, or a table of accounts without a single good row;
    WorkspaceError when another ingest is running or the workspace is damaged.
    """
    moment = now or datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    loads: list[_Load] = []

    def fill(folder: Path) -> Manifest:
        earlier = find_earlier(config, workspace=workspace, rebuild=rebuild)
        (engine := folder / "engine").mkdir()
        connection = open_engine()
        try:
            _bound(connection, folder=engine, memory_limit=memory_limit)
            add_kept_address(connection, secret=kept_under(config.privacy, workspace=workspace))
            prepare_queries(connection, config.sources, own=(workspace.snapshots,))
            load = _Load(
                connection,
                config=config,
                earlier=earlier,
                folder=folder,
                now=moment,
                progress=progress or _silent,
                people=Forgotten.read(workspace),
            )
            loads.append(load)
            return load.run(workspace)
        finally:
            connection.close()
            shutil.rmtree(engine)

    try:
        manifest = workspace.replace(fill)
        if loads[0].people is not None:
            loads[0].people.note_applied(workspace)
    except OSError as error:
        raise WorkspaceError(
            f"the workspace {workspace.home} cannot be written",
            got=error,
            fix="make room, or check its rights",
        ) from error
    return loads[0].told(workspace, manifest=manifest)


def _silent(what: str, done: int, total: int) -> None:
    """No progress is shown."""


def _bound(connection: duckdb.DuckDBPyConnection, *, folder: Path, memory_limit: str) -> None:
    """What does not fit into memory goes to `folder`. A database file would cost twice the time."""
    run_sql(connection, "SET memory_limit = ?", parameters=[memory_limit])
    run_sql(connection, "SET temp_directory = ?", parameters=[str(folder / "spill")])


class _Load:
    """One ingest under way: stage every source, then settle table after table."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        config: Config,
        earlier: Earlier | None,
        folder: Path,
        now: datetime,
        progress: Progress,
        people: Forgotten | None,
    ) -> None:
        self.connection, self.config, self.folder, self.now = connection, config, folder, now
        self.earlier = earlier
        self.attributes = joined_attributes(config, earlier=earlier)
        self.sources = {source_id(source): (source.table, source.label) for source in config.sources}
        if earlier is not None:
            self.sources = {**earlier.history.sources, **self.sources}
        deleting = {source_id(source) for source in config.sources if source.deletes}
        self.deleting = tuple(sorted(deleting.union(earlier.history.deleting if earlier is not None else ())))
        self.names = [name for name in TABLES if name in {table for table, _ in self.sources.values()}]
        self.files: list[FileRead] = list(earlier.history.files) if earlier is not None else []
        self.known_files, self.read_anything = 0, False
        self.titles, self.identity = TitleCounts(), IdentityCounts()
        self.traffic: dict[str, int] = {}
        self.consent = ConsentCounts()
        self.people, self.forgotten = people, Counter[str]()
        self.progress, self.done = progress, 0
        self.steps = len(config.sources) + len(self.names) + 1

    def run(self, workspace: Workspace) -> Manifest:
        create_quarantine(self.connection)
        self.secret = secret_mark(workspace)
        read = self._stage()
        forgetting = self._forget(workspace)
        if "contacts" in self.names:
            self.titles = fill_contacts(self.connection, settings=self.config.titles)
        if (
            self.earlier is not None
            and not self.read_anything
            and not forgetting
            and as_before(
                self.connection,
                self.config,
                manifest=self.earlier.manifest,
                folder=self.earlier.folder,
                attributes=self.attributes,
            )
            and merging_as_before(self.earlier.folder, self.config.identity_settings)
        ):
            return self._unchanged(self.earlier.manifest)
        settled = {name: self._settle(name, forgetting=forgetting) for name in self.names}
        locate_rows(self.connection)
        if self.people is not None:
            self.forgotten += purge_quarantine(self.connection, people=self.people).fresh
        self.counts = quarantine_counts(self.connection)
        fresh = quarantine_counts(self.connection, fresh=True)
        for name in self.counts:
            write_quarantine(self.connection, name=name, folder=self.folder / "quarantine")
        self.reports = tuple(
            self._report(name, read=read[name], settled=settled[name], fresh=fresh) for name in self.names
        )
        return self._describe(settled)

    def _unchanged(self, manifest: Manifest) -> Manifest:
        """Nothing was read: what is there stays."""
        rows = {name: manifest.tables[name].rows for name in self.names if name in manifest.tables}
        self.reports = tuple(
            TableReport(name=name, rows=count, read=0, loaded=0, collapsed=0) for name, count in rows.items()
        )
        self.progress("ingest", self.steps, self.steps)
        return manifest

    def _step(self, what: str) -> None:
        self.progress("ingest", self.done, self.steps)
        self.done += 1

    def _stage(self) -> dict[str, int]:
        """Rows read by table."""
        for name in self.names:
            create_staging(self.connection, table=TABLES[name], attributes=self.attributes)
        read = dict.fromkeys(self.names, 0)
        for position, source in enumerate(self.config.sources, start=1):
            self._step(source.table)
            read[source.table] += self._stage_source(source, position=position)
        return read

    def _forget(self, workspace: Workspace) -> bool:
        """Leave out who was forgotten. Returns whether the earlier snapshot may hold anything of them."""
        people, before = self.people, self.earlier
        clean = before is None or (people is not None and people.applied_to == before.manifest.snapshot)
        if people is None or (clean and not self.read_anything):
            return False
        folder = before.folder if before is not None else None
        leaving = find_forgotten(self.connection, people=people, names=self.names, earlier=folder)
        self.people = leaving.people
        if leaving.people is not people:
            # Before anything is left out for good: those who were found by it cannot be found again.
            leaving.people.write(workspace)
        self.forgotten = Counter({name: leave_out(self.connection, name=name) for name in self.names})
        if folder is None or leaving.earlier:
            return folder is not None
        return bool(mentions_in_quarantine(self.connection, folder=folder, people=leaving.people))

    def _stage_source(self, source: Source, *, position: int) -> int:
        """Rows read from the files of a source that were not read before."""
        files = files_of(source)
        new = [file for file in files if file not in self.files]
        if files and not new:
            self.known_files += len(files)
            return 0
        if not files and self._delivered_before(source):
            return 0
        # A query may join or sum over its files: it needs all of them.
        if source.query is None and new:
            self.known_files += len(files) - len(new)
            paths = tuple(file.path for file in new)
            source = source.model_copy(update={"path": paths, "name": source.label})
        rows = stage(
            self.connection, source=source, position=position, attributes=self.attributes, now=self.now
        )
        self._remember(source, files=new or files)
        return rows

    def _delivered_before(self, source: Source) -> bool:
        """Whether a pattern finds no file today, and found some before: there is nothing new."""
        before = [file.path for file in self.files if file.source == source_id(source)]
        return any(fnmatch(path, pattern) for path in before for pattern in source.path)

    def _remember(self, source: Source, *, files: list[FileRead]) -> None:
        """What was read, unless a row lay in the future: it may count when the file is read again."""
        self.read_anything = True
        paths = [None] if source.query else [file.path for file in files]
        run_sql(
            self.connection,
            "INSERT INTO files_read SELECT ?, ?, unnest(?::VARCHAR[])",
            parameters=[source.table, source.label, paths],
        )
        early = run_sql(
            self.connection,
            f"SELECT count(*) FROM staged_{source.table}"
            f" WHERE _source = ? AND _fault.reason = {literal(Reason.IN_THE_FUTURE)}",
            parameters=[source_id(source)],
        ).fetchone()
        if early == (0,):
            self.files += files

    def _settle(self, name: str, *, forgetting: bool) -> Settled:
        self._step(name)
        collect_faults(self.connection, name=name)
        if self.earlier is not None:
            carry_over(self.connection, name=name, folder=self.earlier.folder)
        return settle(
            self.connection,
            table=TABLES[name],
            columns=canonical_columns(TABLES[name], attributes=self.attributes),
            folder=self.folder,
            earlier=self.earlier.folder if self.earlier is not None else None,
            labels={source: label for source, (_, label) in self.sources.items()},
            deleting=self.deleting,
            naming=[source_id(one) for one in self.config.sources if "activity_id" in one.columns],
            forgetting=forgetting,
        )

    def _report(
        self, name: str, *, read: int, settled: Settled, fresh: dict[str, dict[str, int]]
    ) -> TableReport:
        report = TableReport(
            name=name,
            rows=settled.rows,
            read=read - self.forgotten[name],
            loaded=settled.loaded,
            collapsed=settled.repeated,
            deleted=settled.deleted,
            quarantined=fresh.get(name, {}),
            examples=examples(self.connection, name=name),
            unread=unread_cells(self.connection, name=name),
            withheld=withheld_cells(self.connection, name=name),
            untimed=untimed_sources(self.connection, self.config.sources, name=name),
        )
        if not report.balanced():
            raise SpearfishError(
                f"{name}: rows were lost while loading", got=report, fix="please report this"
            )
        if name == "accounts" and not report.rows:
            raise no_accounts(report)
        return report

    def _describe(self, settled: dict[str, Settled]) -> Manifest:
        self._step("manifest")
        history = History(
            sources=self.sources,
            files=tuple(sorted(set(self.files), key=lambda file: (file.source, file.path))),
            kept={name: done.kept for name, done in settled.items() if done.kept},
            ranks=self._ranks(),
            deleting=self.deleting,
            secret=self.secret,
            titles=titles_mark(self.config),
        )
        self.identity = self._merge()
        self.traffic = traffic_counts(self.connection, folder=self.folder)
        self.consent = consent_counts(self.connection, folder=self.folder)
        manifest = describe(
            self.connection,
            self.config,
            folder=self.folder,
            attributes=self.attributes,
            rows={name: done.rows for name, done in settled.items()},
            quarantine=self.counts,
            history=history,
            before=self.earlier.manifest if self.earlier is not None else None,
        )
        history.write(self.folder)
        self.progress("ingest", self.steps, self.steps)
        return manifest

    def _ranks(self) -> tuple[str, ...]:
        """The sources of accounts: those that the mapping names come first, in its order.

        A universe comes after what sales works, wherever it stands: a CRM's accounts keep their identity.
        """
        worked = self.config.origins.worked
        ordered = sorted(self.config.sources, key=lambda source: source.origin not in worked)
        own = [source_id(source) for source in ordered]
        known = sorted(self.sources, key=lambda one: (own.index(one) if one in own else len(own), one))
        return tuple(one for one in known if self.sources[one][0] == "accounts")

    def _merge(self) -> IdentityCounts:
        """Which accounts are one company."""
        settings = self.config.identity_settings
        counts = merge_accounts(
            self.connection,
            folder=self.folder,
            settings=settings,
            sources={one: self.sources[one][1] for one in self._ranks()},
            attributes=[attribute.name for attribute in self.attributes],
        )
        keep_decisions(self.connection, folder=self.folder, settings=settings)
        cycles = located_cycles(counts.cycles, config=self.config, folder=self.folder / "engine" / "cycles")
        return replace(counts, cycles=cycles)

    def told(self, workspace: Workspace, *, manifest: Manifest) -> IngestReport:
        """The report, once the manifest counts."""
        before = self.earlier.manifest if self.earlier is not None else None
        return IngestReport(
            workspace=str(workspace.home),
            snapshot=manifest.snapshot,
            fingerprint=manifest.fingerprint,
            tables=self.reports,
            current_value_only=dict(manifest.current_value_only),
            changed=before is None or before.snapshot != manifest.snapshot,
            known_files=self.known_files,
            left_out=tuple(source.label for source in self.config.sources if lacks_files(source)),
            titles=self.titles,
            identity=self.identity,
            traffic=self.traffic,
            consent=self.consent,
            assumed=dict(manifest.assumed),
            forgotten=dict(+self.forgotten),
            origins=manifest.origins,
            comparison=manifest.comparison,
        )
