"""What a bento needs: the requirements beside the service are those that it imports, as they are locked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

import serving
from serving import own_version as module
from serving.__main__ import main
from serving.own_version import own_version
from serving.web.health import HEALTH

SERVING = Path(serving.__file__).parent
ROOT = SERVING.parent

# What a service loads only where it is needed: the driver of a store in PostgreSQL, pinyin for Chinese names.
_IMPORTED = """
import sys
from importlib.metadata import packages_distributions
import psycopg, pypinyin, serving.service, serving.worker, serving.web.connections, serving.jobs.__main__
tops, found = {name.partition(".")[0] for name in sys.modules}, packages_distributions()
print(*sorted({name for top in tops for name in found.get(top, [])}))
"""


def pins(file: Path) -> dict[str, set[str]]:
    """Versions by name."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\n]+)", file.read_text(), re.MULTILINE):
        found.setdefault(normal(name), set()).add(version)
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_requirement_is_as_locked() -> None:
    locked = pins(ROOT / "requirements.lock")
    needed = pins(SERVING / "requirements.txt")
    assert {name: found for name, found in needed.items() if not found <= locked.get(name, set())} == {}
    assert not {"mlflow", "shap", "optuna", "matplotlib"} & needed.keys()


def test_everything_that_the_service_imports_is_required() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(map(normal, done.stdout.split())) - {"spearfish"} <= pins(SERVING / "requirements.txt").keys()


def test_the_bento_holds_the_packages_that_serve_and_nothing_else() -> None:
    told = yaml.safe_load((SERVING / "bentofile.yaml").read_text())
    assert told["service"] == "serving.service:SpearfishService"
    assert set(told["include"]) == {"features/**", "models/**", "serving/**", "pyproject.toml"}
    assert "libgomp1" in told["docker"]["system_packages"]


def instructions() -> list[tuple[str, str]]:
    """The container recipe: each instruction with what it is given."""
    lines = (SERVING / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    found = (line.partition(" ") for line in lines if line.strip() and not line.startswith("#"))
    return [(name, " ".join(told.split())) for name, _, told in found]


def given(name: str) -> list[str]:
    return [told for instruction, told in instructions() if instruction == name]


def test_a_container_holds_what_a_bento_holds() -> None:
    told = yaml.safe_load((SERVING / "bentofile.yaml").read_text())
    copied = [line.split() for line in given("COPY")]
    assert all(source == target for source, target in copied)
    wanted = {name.removesuffix("/**") for name in told["include"]} | {told["python"]["requirements_txt"]}
    assert {source for source, _ in copied} == wanted
    seen = (SERVING / "Dockerfile.dockerignore").read_text().splitlines()
    assert seen[0] == "**"
    assert {line[1:] for line in seen if line.startswith("!")} == wanted - {"serving/requirements.txt"}
    assert given("FROM") == [f"python:{told['docker']['python_version']}-slim-bookworm"]
    assert all(package in given("RUN")[0] for package in told["docker"]["system_packages"])
    assert "--no-deps --requirement serving/requirements.txt" in given("RUN")[1]


def test_a_container_runs_as_nobody_special_and_ends_in_order() -> None:
    names = [name for name, _ in instructions()]
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in ("RUN", "COPY"))
    assert given("USER") == ["1000"]
    assert given("STOPSIGNAL") == ["SIGTERM"]
    assert "/readyz" in given("HEALTHCHECK")[0]
    assert "/readyz" in HEALTH
    assert "SPEARFISH_HOME=/workspace" in given("ENV")[0]
    command = [*json.loads(given("ENTRYPOINT")[0]), *json.loads(given("CMD")[0])]
    assert command[:3] == ["python", "-m", "serving"]
    assert command[3:] == ["--host", "0.0.0.0", "--port", *given("EXPOSE"), "--workers", "2"]


def test_without_a_key_it_listens_to_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPEARFISH_HOME", str(tmp_path / "workspace"))
    assert main(json.loads(given("CMD")[0])) == 2
    assert "without an API key" in capfd.readouterr().err


def test_the_version_is_known_without_an_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = own_version()

    def absent(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", absent)
    assert own_version.__wrapped__() == installed
