"""Where the files of a mapping lie, and where they may lie.

Turns the paths of a TOML file into absolute ones. A path that is written in the file is looked for beside
it and may not leave its folder; whatever lies elsewhere has to be named by a parameter (its name ends in
`folder` or `file`), which stands at the top of the file and can be replaced with --set. Links are followed
before the check. Time rule: none. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from features.errors import ConfigError

__all__ = ["allowed_folders", "locate_files", "locate_parameters", "matching_files", "require_within"]

_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ENDINGS = (*_TABLES, ".csv.gz", ".tsv.gz", ".txt.gz")


def locate_parameters(
    declared: Mapping[str, str], *, overrides: Mapping[str, str], file: Path
) -> dict[str, str]:
    """Every parameter with its value; those that name a folder or a file as absolute paths.

    Relative ones are looked for in the current folder, then (for the file's own default) beside the file
    and one above it.
    """
    places = [Path(), file.parent, file.parent.parent]
    found = {
        name: _locate(value, places=places) if _is_place(name) else value for name, value in declared.items()
    }
    given = {
        name: _locate(value, places=places[:1]) if _is_place(name) else value
        for name, value in overrides.items()
    }
    return found | given


def _is_place(name: str) -> bool:
    return name.endswith(("folder", "file"))


def _locate(value: str, *, places: list[Path]) -> str:
    """The absolute path: in the first place where it exists, else in the first place."""
    candidates = [(place / Path(value).expanduser()).absolute() for place in places]
    return str(next((candidate for candidate in candidates if candidate.exists()), candidates[0]))


def allowed_folders(parameters: Mapping[str, str], *, file: Path) -> list[Path]:
    """Where files may lie: the mapping's folder, and what parameters name."""
    return [file.parent.absolute(), *(Path(value) for name, value in parameters.items() if _is_place(name))]


def locate_files(pattern: object, *, file: Path) -> object:
    """The absolute path or pattern; relative to the mapping's folder."""
    if not isinstance(pattern, str):
        return pattern
    return str((file.parent / Path(pattern).expanduser()).absolute())


def matching_files(pattern: str) -> list[Path]:
    """The files that an absolute path, folder or pattern names, in order of their names.

    A folder stands for the tables in it; what is hidden or open in an office program is left out.
    """
    path = Path(pattern)
    # A name may hold brackets: what exists is no pattern.
    found = [path] if path.exists() else list(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    inside = [entry for match in found if match.is_dir() for entry in match.iterdir()]
    shown = [entry for entry in inside if entry.name.lower().endswith(_ENDINGS) and entry.name[0] not in ".~"]
    return sorted(match for match in [*found, *shown] if match.is_file())


def require_within(path: Path, *, folders: Iterable[str], place: str) -> None:
    """Refuse a file outside of the folders. Raises ConfigError that says how to allow it."""
    resolved, allowed = path.resolve(), [Path(folder).resolve() for folder in folders]
    if not any(resolved == folder or folder in resolved.parents for folder in allowed):
        raise ConfigError(
            f"{place}: a file outside of the mapping's folder",
            got=path if path == resolved else f"{path}, which is {resolved}",
            allowed=", ".join(map(str, dict.fromkeys(allowed))),
            fix='name its folder by a parameter: [parameters] folder = "...", then path = "{folder}/..."',
        )
