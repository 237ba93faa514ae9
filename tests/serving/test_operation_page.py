"""The page about operation names every metric and every setting that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import REGISTRY

import serving
from serving import metrics
from serving.jobs.settings import JobSettings
from serving.log.settings import LogSettings

SERVING = Path(serving.__file__).parent
PAGE = (SERVING / "docs" / "operation.md").read_text(encoding="utf-8")
VARIABLE = r"SPEARFISH_[A-Z_]+"


def defaults(page: str) -> dict[str, str]:
    """What a table of settings says of each, by its last column."""
    rows = re.findall(rf"^\| `({VARIABLE})` \|.*\| ([^|]*) \|$", page, re.MULTILINE)
    return {name: default.strip() for name, default in rows}


def test_every_metric_is_told() -> None:
    assert metrics.MEDIA_TYPE
    found = [one for one in REGISTRY.collect() if one.name.startswith("spearfish_")]
    names = {f"{one.name}_total" if one.type == "counter" else one.name for one in found}
    assert set(re.findall(r"`(spearfish_\w+)`", PAGE)) == names


def test_every_setting_is_told() -> None:
    files = [*SERVING.rglob("*.py"), SERVING.parent / "features" / "workspace.py"]
    read = {name for file in files for name in re.findall(rf'"({VARIABLE})"', file.read_text())}
    assert set(re.findall(f"`({VARIABLE})`", PAGE)) == read


def test_defaults_are_those_of_the_code() -> None:
    log, jobs = LogSettings(), JobSettings()
    told = defaults(PAGE)
    assert told["SPEARFISH_LOG"] == log.mode
    numbers = {"QUEUE": log.longest, "PATIENCE": log.patience, "DAYS": log.days}
    assert {name: told[f"SPEARFISH_LOG_{name}"] for name in numbers} == {
        name: str(number) for name, number in numbers.items()
    }
    files = defaults((SERVING / "docs" / "jobs.md").read_text(encoding="utf-8"))
    assert files == {
        "SPEARFISH_JOB_MEGABYTES": str(jobs.megabytes),
        "SPEARFISH_JOB_ROWS": str(jobs.rows),
        "SPEARFISH_JOB_DAYS": str(jobs.days),
        "SPEARFISH_JOB_RUNNER": "yes" if jobs.runner else "no",
    }
