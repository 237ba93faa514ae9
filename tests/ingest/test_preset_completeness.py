"""A preset reads each object of a sample export or says why not, and marks what only today's records tell."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from loading import write_preset

from features.bindings import Source
from features.mapping import load_config
from features.presets import preset_text

VERSIONED = {
    "salesforce": {
        *("account history", "account field history", "contact history", "contact field history"),
        "opportunity history",
    },
    "salesforce_reports": set(),
    "hubspot": {"company property history", "contact property history", "deal amounts"},
    "hubspot_reports": {"property history"},
}
"""The sources whose rows are versions with times of their own."""


def _sources(folder: Path, preset: str) -> tuple[Source, ...]:
    return tuple(load_config(write_preset(preset, folder)).sources)


def _left_out(preset: str) -> list[str]:
    """Names and patterns under "left out on purpose"; `_sent` goes on from the name before it."""
    part = preset_text(preset).partition("left out on purpose\n")[2].partition("# ---")[0]
    found: list[str] = []
    for names in re.findall(r"^#   (\w[\w*, \n#]*):", part, re.MULTILINE):
        for name in re.split(r"[,\s#]+", names.strip()):
            found.append(f"{found[-1].rpartition('_')[0]}{name}" if name.startswith("_") else name)
    return found


@pytest.mark.parametrize("preset", ["salesforce", "hubspot"])
def test_each_object_of_a_sample_is_read_or_left_out_on_purpose(
    shared_data: Path, tmp_path: Path, preset: str
) -> None:
    read = {
        Path(path).name
        for source in _sources(tmp_path, preset)
        for path in (*source.path, *(one for given in source.files.values() for one in given.path))
    }
    left_out = _left_out(preset)
    files = sorted((shared_data / "crm_exports" / preset).glob("*.csv"))
    assert files
    for file in files:
        name = re.sub(r"^(idx_)?sf_|_data$", "", file.stem)
        bound = any(fnmatch(file.name, pattern) for pattern in read)
        named = any(fnmatch(name, pattern) for pattern in left_out)
        assert bound is not named, f"{file.name}: read {bound}, left out on purpose {named}"


@pytest.mark.parametrize("preset", list(VERSIONED))
def test_what_only_today_s_records_tell_is_marked(tmp_path: Path, preset: str) -> None:
    facts = [
        one for one in _sources(tmp_path, preset) if one.table in ("accounts", "contacts", "opportunities")
    ]
    assert {one.label for one in facts if not one.current_value_only} == VERSIONED[preset]
