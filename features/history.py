"""What earlier ingests left in the workspace, and whether a new one may go on from it.

Turns the current snapshot's `history.json` into `History`: the sources as they were bound, the files that
were read, the rows that are kept beside the tables. Time rule: the times in it are those of files, used
only to tell whether a file has changed; no table depends on them. Null rule: a workspace without
`history.json` has no history, and is read anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from features.bindings import Source
from features.errors import ConfigError, WorkspaceError
from features.locations import matching_files
from features.mapping import Config
from features.origins import CRM
from features.privacy.addresses import SECRET_FILE, secret_mark
from features.tables import Attribute
from features.workspace import Manifest, Workspace

__all__ = [
    "Earlier",
    "FileRead",
    "History",
    "files_of",
    "find_earlier",
    "read_earlier",
    "source_id",
    "titles_mark",
]

FILE = "history.json"
_NOT_ABOUT_ROWS = {
    *("path", "name", "database", "extracted_at", "format", "delimiter", "encoding", "optional"),
    "current_value_only",
}
"""Keys of a source that may change from one extract to the next without changing what a row means."""

_WORDS_ONLY = {"label", "label_zh", "unit"}
_REBUILD = "`--rebuild` starts again from the files of this mapping, and forgets the rest"


@dataclass(frozen=True)
class FileRead:
    """A file that was read for a source, as it was then: path, bytes, time of its last change in ns."""

    source: str
    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class History:
    """sources: by id, table and label. kept: by table, rows kept beside it. files: those read.

    ranks: ids of the sources of accounts, first those that identity prefers.
    deleting: ids of sources that may take back what they said.
    secret: the mark of the secret under which addresses were hashed.
    titles: the mark of the settings by which titles became roles; empty where nobody told.
    """

    sources: Mapping[str, tuple[str, str]]
    files: tuple[FileRead, ...] = ()
    kept: Mapping[str, int] = field(default_factory=dict)
    ranks: tuple[str, ...] = ()
    deleting: tuple[str, ...] = ()
    secret: str = ""
    titles: str = ""

    def write(self, folder: Path) -> None:
        """Store it in a snapshot's folder."""
        (folder / FILE).write_text(
            json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )

    @classmethod
    def read(cls, folder: Path) -> History | None:
        """The history of a snapshot; None when it has none. Raises WorkspaceError when it is damaged."""
        try:
            raw = json.loads((folder / FILE).read_text(encoding="utf-8"))
            return cls(
                sources={name: (table, label) for name, (table, label) in raw["sources"].items()},
                files=tuple(FileRead(**file) for file in raw["files"]),
                kept=raw["kept"],
                ranks=tuple(raw["ranks"]),
                deleting=tuple(raw["deleting"]),
                secret=raw.get("secret", ""),
                titles=raw.get("titles", ""),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise WorkspaceError(f"{folder / FILE} is damaged", got=repr(error), fix=_REBUILD) from error


@dataclass(frozen=True)
class Earlier:
    """The snapshot that an ingest goes on from."""

    folder: Path
    manifest: Manifest
    history: History

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        return self.manifest.attributes


def titles_mark(config: Config) -> str:
    """What tells the settings of titles from others: people who were read keep the roles they had then."""
    told = json.dumps(config.titles.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def source_id(source: Source) -> str:
    """What a source is known by from ingest to ingest: a hash of how its rows are read.

    One that is `complete` is known by its label, too: what it lacks is deleted, and another that is bound
    alike must never be taken for its next extract. The folder of its files may change.
    """
    told = source.model_dump(mode="json", exclude=_NOT_ABOUT_ROWS)
    if source.complete:
        told["label"] = source.label
    if source.origin == CRM:
        del told["origin"]
    if source.changed_at is None:
        del told["changed_at"]
    if source.system is None:
        del told["system"]
    told["consent"] = told["consent"] and told["consent"]["opted_out"]
    if told["consent"] is None:
        del told["consent"]
    for given in told["files"].values():
        del given["path"]
    for binding in told["attributes"].values():
        for word in _WORDS_ONLY:
            del binding[word]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def _require_told_apart(sources: Sequence[Source]) -> None:
    """Raise ConfigError where nobody can tell whether sources are two, or two extracts of one.

    The latter would delete what the former lacks.
    """
    alike: dict[str, list[tuple[int, Source]]] = {}
    for position, source in enumerate(sources, start=1):
        if source.complete:
            bound = source_id(source.model_copy(update={"name": "", "path": ()}))
            alike.setdefault(bound, []).append((position, source))
    for found in alike.values():
        if len(found) > 1 and any(source.name is None for _, source in found):
            places = [f"sources[{position}] ({source.label})" for position, source in found]
            raise ConfigError(
                f"{' and '.join(places)} are bound alike and `complete`: what one of them lacks would be"
                " deleted, were it a later extract of the other",
                allowed="a name for each of them",
                fix="give them different names where they are two sources, and the same one where they are"
                " extracts of one",
            )


def files_of(source: Source) -> list[FileRead]:
    """The files that a source names now. A file that vanishes meanwhile is left out."""
    name, found = source_id(source), []
    patterns = [*source.path, *(pattern for given in source.files.values() for pattern in given.path)]
    for path in dict.fromkeys(file for pattern in patterns for file in matching_files(pattern)):
        seen = _seen(name, path)
        if seen is not None:
            found.append(seen)
    return found


def _seen(source: str, path: Path) -> FileRead | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return FileRead(source, str(path), status.st_size, status.st_mtime_ns)


def find_earlier(config: Config, *, workspace: Workspace, rebuild: bool) -> Earlier | None:
    """What to go on from; None to start from nothing.

    Starting from nothing is taken for granted where it loses nothing: in a new workspace, or when every
    file that was read is still there as it was. Otherwise it has to be asked for.
    Raises ConfigError when a mapping has changed since, belongs to other data, or leaves open which of its
    sources are one; WorkspaceError when the workspace is damaged.
    """
    _require_told_apart(config.sources)
    if rebuild or not config.workspace.keep_history or not workspace.manifest_path.exists():
        return None
    try:
        manifest = workspace.manifest()
    except WorkspaceError as error:
        if error.http_status and _can_be_read_again(_any_history(workspace), config=config):
            return None
        raise WorkspaceError(
            f"earlier ingests cannot be gone on from: {error.what}", got=error.got, fix=_REBUILD
        ) from error
    folder = workspace.snapshots / manifest.snapshot
    history = History.read(folder)
    if history is None:
        return None
    change = (
        _damage(history, folder=folder)
        or _other_secret(history, workspace=workspace)
        or _change(config, manifest=manifest, history=history)
    )
    if change is None:
        return Earlier(folder, manifest, history)
    if _can_be_read_again(history, config=config if manifest.workspace == config.workspace.name else None):
        return None
    raise change


def read_earlier(workspace: Workspace) -> Earlier:
    """The current snapshot as what to go on from. Raises WorkspaceError when it is older or damaged."""
    manifest = workspace.manifest()
    folder = workspace.snapshots / manifest.snapshot
    history = History.read(folder)
    damage = history and (_damage(history, folder=folder) or _other_secret(history, workspace=workspace))
    if history is None or damage is not None:
        raise damage or WorkspaceError(f"the workspace lacks {folder / FILE}", fix=_REBUILD)
    return Earlier(folder, manifest, history)


def _damage(history: History, *, folder: Path) -> WorkspaceError | None:
    """Why what was kept beside the tables cannot be gone on from; None when it can."""
    for name in history.kept:
        if not (folder / "kept" / f"{name}.parquet").is_file():
            return WorkspaceError(f"the workspace lacks rows kept beside {name}", fix=_REBUILD)
    return None


def _other_secret(history: History, *, workspace: Workspace) -> WorkspaceError | None:
    """Why hashes made now would not be those of addresses that were read before; None when they would."""
    if history.secret in ("", secret_mark(workspace)):
        return None
    return WorkspaceError(
        f"{workspace.home / SECRET_FILE} is not the secret under which addresses were hashed",
        fix=f"restore it from a backup; {_REBUILD}",
    )


def _any_history(workspace: Workspace) -> History | None:
    """The history beside damaged tables, where exactly one snapshot is left."""
    folders = list(workspace.snapshots.glob("[!.]*")) if workspace.snapshots.is_dir() else []
    return History.read(folders[0]) if len(folders) == 1 else History({}) if not folders else None


def _can_be_read_again(history: History | None, *, config: Config | None) -> bool:
    """Whether every file that was read is there as it was and, given a mapping, is named by it."""
    if history is None or not history.files:
        return history is not None and not history.sources
    read = {(file.path, file.size, file.changed) for file in history.files}
    if config is None:
        now = {_identity(seen) for file in history.files if (seen := _seen("", Path(file.path)))}
    else:
        now = {_identity(file) for source in config.sources for file in files_of(source)}
    return read <= now and {file.source for file in history.files} >= set(history.sources)


def _identity(file: FileRead) -> tuple[str, int, int]:
    return file.path, file.size, file.changed


def _change(config: Config, *, manifest: Manifest, history: History) -> ConfigError | None:
    """Why rows read now would not fit those read before; None when they do."""
    if manifest.workspace != config.workspace.name:
        return ConfigError(
            f"{config.file}: the workspace holds other data",
            got=f"[workspace] name = {config.workspace.name!r}",
            allowed=repr(manifest.workspace),
            fix=f"set SPEARFISH_HOME to another folder; {_REBUILD}",
        )
    if manifest.emails != config.privacy.emails:
        return ConfigError(
            f"{config.file}: addresses were kept otherwise when earlier files were read",
            got=f"[privacy] emails = {config.privacy.emails!r}",
            allowed=repr(manifest.emails),
            fix=f"keep them as before; {_REBUILD}",
        )
    people = any(table == "contacts" for table, _ in history.sources.values())
    if people and history.titles not in ("", titles_mark(config)):
        return ConfigError(
            f"{config.file}: [titles] was otherwise when people were read, and people keep their roles",
            fix=f"leave it as before; {_REBUILD}",
        )
    now = {source_id(source): source for source in config.sources}
    lost = {name: told for name, told in history.sources.items() if name not in now}
    new = {source.table for name, source in now.items() if name not in history.sources}
    changed = sorted(label for table, label in lost.values() if table in new)
    if changed:
        complete = any(one.complete for name, one in now.items() if name not in history.sources)
        known_by = " (a `complete` source is known by its name or, without one, by its files' names)"
        return ConfigError(
            f"{config.file}: sources were bound otherwise when earlier files were read",
            got=", ".join(changed),
            fix=f"bind them as before{known_by if complete else ''}; {_REBUILD}",
        )
    return _other_types(config, earlier=manifest.attributes)


def _other_types(config: Config, *, earlier: Iterable[Attribute]) -> ConfigError | None:
    types = {attribute.name: attribute.type for attribute in earlier}
    for attribute in config.attributes:
        if types.get(attribute.name, attribute.type) != attribute.type:
            return ConfigError(
                f"{config.file}: attribute {attribute.name!r} had another type",
                got=attribute.type,
                allowed=types[attribute.name],
                fix=f"declare it as before; {_REBUILD}",
            )
    return None
