"""A mapping to start from, fitted to the export that lies in a folder.

Turns the name of a system into a commented TOML file: the preset whose files are there, with the folder, the
order of dates and the encoding filled in where the files tell them. Time rule: none. Null rule: what the
files do not tell stays as the preset has it, and is to be checked.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from features.errors import ConfigError, suggestion
from features.locations import matching_files
from features.presets import preset_text
from training.starting.guessing import guessed_mapping

__all__ = ["SYSTEMS", "Started", "start_mapping"]

SYSTEMS = ("salesforce", "hubspot", "csv")
_SHAPES = {"replication": "", "reports": "_reports"}
_YEAR_LAST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2\d{4}\b")
_YEAR_FIRST = re.compile(r"\d{4}([./-])\d{1,2}\1\d{1,2}\b")
_SAMPLE = 1 << 18


@dataclass(frozen=True)
class Started:
    """The file that was written, the preset it came from, and what was told by the files."""

    file: Path
    preset: str
    told: str

    def to_json(self) -> dict[str, str]:
        return {"file": str(self.file), "preset": self.preset, "told": self.told}


def start_mapping(
    system: str,
    *,
    folder: Path | None = None,
    out: Path | None = None,
    shape: str | None = None,
    force: bool = False,
) -> Started:
    """Write a mapping for the exports of a system.

    folder: where they lie. shape: "replication" or "reports"; by default that of the files in the folder.
    Raises ConfigError for an unknown system or shape, a folder without a file that the preset knows, or a
    file that is there already.
    """
    _require_known("system", system, allowed=SYSTEMS)
    target = out or Path(f"{system}.toml")
    if target.exists() and not force:
        raise ConfigError(
            "the file is there already", got=target, fix="give another one with --out, or --force"
        )
    if folder is not None and not folder.is_dir():
        raise ConfigError("--folder is not a folder", got=folder, fix="name the folder of the export")
    if system == "csv":
        text, preset = _csv_text(folder), "csv"
        told = _csv_told(text, folder=folder)
    else:
        preset = _preset(system, folder=folder, shape=shape)
        text, told = _fitted(preset_text(preset), folder=folder)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError("cannot write the file", got=error, fix="name another one with --out") from error
    return Started(target, preset, told)


def _require_known(what: str, got: str, *, allowed: tuple[str, ...]) -> None:
    if got not in allowed:
        raise ConfigError(
            f"no such {what}", got=repr(got), allowed=", ".join(allowed), fix=suggestion(got, allowed)
        )


def _csv_text(folder: Path | None) -> str:
    return preset_text("csv") if folder is None else guessed_mapping(folder)


def _csv_told(text: str, *, folder: Path | None) -> str:
    if folder is None:
        return "the tables in the file; replace what does not fit"
    asked = "; say in it on what basis people may be addressed" if "\n# consent = " in text else ""
    return f"what the names tell{asked}"


def _preset(system: str, *, folder: Path | None, shape: str | None) -> str:
    if shape is not None:
        _require_known("shape", shape, allowed=tuple(_SHAPES))
        return system + _SHAPES[shape]
    if folder is None:
        return system
    candidates = [system + ending for ending in _SHAPES.values()]
    counts = {name: len(_files(preset_text(name), folder=folder)) for name in candidates}
    best = max(candidates, key=lambda name: counts[name])
    if not counts[best]:
        raise ConfigError(
            f"{folder} holds no file that the presets for {system} know",
            got=", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "an empty folder",
            allowed=", ".join(_names(preset_text(candidates[0]))) + "; or "
            f"{', '.join(_names(preset_text(candidates[1])))}",
            fix="rename the files, or start with `spearfish init csv`",
        )
    return best


def _patterns(text: str) -> Iterator[str]:
    for source in tomllib.loads(text)["sources"]:
        yield from source.get("path", ())
        for given in source.get("files", {}).values():
            yield from given["path"]


def _files(text: str, *, folder: Path) -> list[Path]:
    found = {
        file
        for pattern in _patterns(text)
        for file in matching_files(str(Path(pattern.replace("{folder}", str(folder))).absolute()))
    }
    return sorted(found)


def _names(text: str) -> list[str]:
    first = (pattern for pattern in _patterns(text) if "sf_" not in pattern and "hubspot" not in pattern)
    names = (Path(pattern).name.replace(".*", ".csv") for pattern in first)
    return list(dict.fromkeys(name for name in names if "_data" not in name and name.islower()))


def _fitted(text: str, *, folder: Path | None) -> tuple[str, str]:
    """The preset with what the files tell, and that in words."""
    if folder is None:
        return text, "an export of that system; give its folder with --set folder=..."
    files = _files(text, folder=folder)
    changes = {"folder": folder.absolute().as_posix()}
    told = [f"{len(files)} files of {folder}"]
    if "date_format =" in text:
        encodings = {_encoding(file) for file in files if file.suffix == ".csv"} - {"utf-8"}
        if len(encodings) == 1:
            changes["encoding"] = encodings.pop()
        layout = _date_format(files, encoding=changes.get("encoding", "utf-8"))
        if layout is not None:
            changes["date_format"] = layout
        told.append(f"dates as {layout or 'the preset has them, which no file proves'}; check time_zone")
    for name, value in changes.items():
        before, _, after = text.partition(f"\n{name} = ")
        text = f"{before}\n{name} = {_quoted(value)}\n{after.partition(chr(10))[2]}"
    return text, ", ".join(told)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _encoding(file: Path) -> str:
    sample = _start(file)
    for name in ("utf-8", "gb18030"):
        # The sample may end within a character.
        if any(_decodes(sample[: len(sample) - cut], encoding=name) for cut in range(4)):
            return name
    return "latin-1"


def _decodes(sample: bytes, *, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _start(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(_SAMPLE)


def _date_format(files: list[Path], *, encoding: str) -> str | None:
    """How days are written in the columns whose names speak of dates; None when that is not certain."""
    found = {
        layout for file in files if file.suffix == ".csv" for layout in _layouts(file, encoding=encoding)
    }
    certain = {layout for layout in found if layout is not None}
    return certain.pop() if len(certain) == 1 else None


def _layouts(file: Path, *, encoding: str) -> Iterator[str | None]:
    lines = _start(file).decode(encoding, errors="replace").splitlines()
    rows = csv.DictReader(
        lines, delimiter=";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    )
    for row in rows:
        for name, cell in row.items():
            if isinstance(name, str) and isinstance(cell, str) and "date" in name.lower():
                yield _layout(cell)


def _layout(cell: str) -> str | None:
    """The order of day and month where the numbers give it away.

    >>> _layout("31.1.2024"), _layout("1/31/2024"), _layout("1/2/2024"), _layout("2024/1/2")
    ('%d.%m.%Y', '%m/%d/%Y', None, '%Y/%m/%d')
    """
    if match := _YEAR_FIRST.match(cell):
        return f"%Y{match[1]}%m{match[1]}%d"
    match = _YEAR_LAST.match(cell)
    if match is None:
        return None
    if int(match[1]) > 12 or match[2] == ".":
        return f"%d{match[2]}%m{match[2]}%Y"
    return f"%m{match[2]}%d{match[2]}%Y" if int(match[3]) > 12 else None
