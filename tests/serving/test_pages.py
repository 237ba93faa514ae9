"""The samples of the pages do what the pages say, against a real server that asks for keys."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from server_process import Server

from serving.adapters.told import CrmScore, CrmScores

PAGES = sorted((Path(__file__).parents[2] / "serving" / "docs").glob("*.md"))
FENCE = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


class Sample(NamedTuple):
    """A block of code of a page. told: what stands behind its language."""

    page: str
    language: str
    told: str
    code: str


def samples() -> Iterator[Sample]:
    for page in PAGES:
        for _, language, told, code in FENCE.findall(page.read_text(encoding="utf-8")):
            yield Sample(page.stem, language, told.strip(), code)


def some(language: str, part: str = "") -> list[Sample]:
    found = [one for one in samples() if one.language == language and part in f"{one.told}\n{one.code}"]
    assert found
    return found


@pytest.fixture
def environment(keyed_server: Server, key: str) -> dict[str, str]:
    told = {"URL": keyed_server.url, "KEY": key, "SPEARFISH_URL": keyed_server.url, "SPEARFISH_KEY": key}
    return os.environ | told


def run(command: list[str], *, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("sample", some("sh", "curl -"), ids=lambda one: one.page)
def test_samples_of_curl(sample: Sample, environment: dict[str, str], tmp_path: Path) -> None:
    out = run(["bash", "-euo", "pipefail", "-c", sample.code], folder=tmp_path, environment=environment)
    for result in tmp_path.glob("scores.csv"):
        rows = csv.DictReader(result.read_text(encoding="utf-8").splitlines())
        assert [row["error"] for row in rows] == ["", "", "unknown-account"]
    for problem in tmp_path.glob("problem.json"):
        assert out.strip() == "422"
        assert "did you mean 'account_id'?" in problem.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("python", ["acc-07 ", "'nobody': None"]),
        ("jobs", ["1 ", "2 unknown-account account_id: no such account"]),
    ],
)
def test_samples_of_python_in_their_order(
    page: str, told: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    code = "\n".join(one.code for one in some("python") if one.page == page)
    out = run([sys.executable, "-c", code], folder=tmp_path, environment=environment)
    assert out.startswith(told[0])
    assert told[1] in out


@pytest.mark.parametrize("sample", some("json", "POST"), ids=lambda one: f"{one.page} {one.told}")
def test_bodies_of_the_crms(sample: Sample, keyed_server: Server, key: str) -> None:
    answer = httpx.post(
        keyed_server.url + sample.told.removeprefix("POST "),
        content=sample.code.encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        timeout=60,
    )
    found = answer.raise_for_status().json()
    if "results" in found:
        told = CrmScores.model_validate_json(answer.text)
        assert [row.problem_status for row in told.results if row.problem_status not in (None, 422)] == []
        assert told.results[0].account_id == "acc-07"
    else:
        assert CrmScore.model_validate_json(answer.text).account_id == "acc-07"


@pytest.mark.parametrize("sample", some("json", "answer"), ids=lambda one: one.page)
def test_answers_that_are_shown_have_the_fields_of_real_ones(sample: Sample) -> None:
    assert set(json.loads(sample.code)) <= set(CrmScore.model_fields)


def test_there_is_a_page_for_each_way() -> None:
    ways = {"salesforce", "hubspot", "curl", "python", "jobs", "https"}
    assert {page.stem for page in PAGES} == {*ways, "operation"}
    readme = (PAGES[0].parents[1] / "README.md").read_text(encoding="utf-8")
    assert all(f"docs/{page.name}" in readme for page in PAGES)
