"""What labels leave out, as a mapping words it: for both kinds, and by lists of accounts in files.

Turns [[labels.exclude]] into the exclusions of [labels.fit] and [labels.intent], and `file = "..."` into the
identifiers and domains in it, one a line; what follows a comma or a tab is not read. Time rule: none. Null
rule: empty lines and lines that start with # are no accounts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import ConfigError
from features.locations import allowed_folders, locate_files, require_within

__all__ = ["with_exclusions"]

_END_OF_CELL = re.compile(r"[,;\t]")


def with_exclusions(labels: Any, *, parameters: Mapping[str, str], file: Path) -> Any:
    """[labels] with its exclusions in both kinds, and with what files list in their place.

    file: the mapping; a list lies beside it, or in a folder that a parameter names. Raises ConfigError for a
    file that is not there, lies elsewhere, is no text or lists nothing.
    """
    if not isinstance(labels, dict):
        return labels
    folders = [str(folder) for folder in allowed_folders(parameters, file=file)]
    shared, rest = (
        labels.get("exclude", []),
        {key: value for key, value in labels.items() if key != "exclude"},
    )
    if not isinstance(shared, list):
        raise ConfigError(
            f"{file}: labels.exclude holds tables", got=repr(shared), fix="write [[labels.exclude]]"
        )
    for kind in ("fit", "intent"):
        section = labels.get(kind, {})
        own = section.get("exclude", []) if isinstance(section, dict) else None
        if isinstance(own, list) and (shared or own):
            found = [_read_in(one, folders=folders, file=file) for one in (*shared, *own)]
            rest[kind] = section | {"exclude": found}
    return rest


def _read_in(exclusion: Any, *, folders: list[str], file: Path) -> Any:
    if not isinstance(exclusion, dict) or not isinstance(exclusion.get("file"), str):
        return exclusion
    place = f"{file}: labels.exclude {exclusion.get('name', '')}"
    path = Path(str(locate_files(exclusion["file"], file=file)))
    require_within(path, folders=folders, place=place)
    rest = {key: value for key, value in exclusion.items() if key != "file"}
    given = rest.get("accounts", [])
    return rest | {"accounts": [*([given] if isinstance(given, str) else given), *_lines(path, place=place)]}


def _lines(path: Path, *, place: str) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{place}: the list cannot be read",
            got=error,
            fix="name a text file in UTF-8, one account a line",
        ) from error
    cells = (_END_OF_CELL.split(line)[0].strip().strip('"') for line in text.splitlines())
    found = [cell for cell in cells if cell and not cell.startswith("#")]
    if not found:
        raise ConfigError(f"{place}: the list is empty", got=path.name, fix="name accounts, or remove it")
    return found
