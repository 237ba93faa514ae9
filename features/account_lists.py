"""Lists of accounts that a mapping names by a file.

Turns `file = "..."` of an exclusion into the identifiers and domains in it, one a line; what follows a comma
or a tab is not read. Time rule: none. Null rule: empty lines and lines that start with # are no accounts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import ConfigError
from features.locations import allowed_folders, locate_files, require_within

__all__ = ["with_listed_accounts"]

_END_OF_CELL = re.compile(r"[,;\t]")


def with_listed_accounts(labels: Any, *, parameters: Mapping[str, str], file: Path) -> Any:
    """[labels] with what the files of its exclusions list in their place.

    file: the mapping; a list lies beside it, or in a folder that a parameter names. Raises ConfigError for a
    file that is not there, lies elsewhere, is no text or lists nothing.
    """
    if not isinstance(labels, dict):
        return labels
    folders = [str(folder) for folder in allowed_folders(parameters, file=file)]
    found = {
        name: with_listed_accounts(part, parameters=parameters, file=file)
        for name, part in labels.items()
        if name in ("fit", "intent")
    }
    if isinstance(labels.get("exclude"), list):
        found["exclude"] = [_read_in(one, folders=folders, file=file) for one in labels["exclude"]]
    return labels | found


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
