"""What a measurement leaves behind: figures, and which code gave them.

Turns a document into a file of `results/` that names its commit and the files whose change makes it old.
Time rule: a result names the commit of the code that ran, never the clock. Null rule: outside of a
repository the commit is None, and the result counts as old.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "commit", "digest", "measured_code", "stale", "write_result"]

ROOT = Path(__file__).parents[2]


def write_result(
    document: Mapping[str, object], *, out: Path | None, also: Iterable[Path] = ()
) -> dict[str, Any]:
    """The document with its commit and its code; written to `out` as JSON where one is given.

    also: files that the figures follow from beside the modules that were imported, such as a config.
    """
    code = measured_code(also=also)
    told = {"commit": commit(code), "digest": digest(code), "code": code, **document}
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return told


def measured_code(*, also: Iterable[Path] = ()) -> list[str]:
    """What this process has run of the project: its imported modules, and the data beside them; sorted."""
    imported = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    modules = {Path(file).resolve() for file in imported if file} | {path.resolve() for path in also}
    ours = {path.relative_to(ROOT) for path in modules if path.is_relative_to(ROOT)}
    inside = {path for path in ours if path.parts[0] != ".venv"}
    shipped = {path.parent / "data" for path in inside if (ROOT / path.parent / "data").is_dir()}
    return sorted(path.as_posix() for path in inside | shipped)


def stale(results: Path, *, root: Path = ROOT) -> list[str]:
    """Names of results whose code in the repository `root` has changed since."""
    return [path.name for path in sorted(results.glob("*.json")) if _is_stale(path, root=root)]


def _is_stale(path: Path, *, root: Path) -> bool:
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    # A `+` marks figures of code that was never committed: nobody can run it again.
    if not result.get("code") or not result.get("commit") or result["commit"].endswith("+"):
        return True
    known = digest(result["code"], root=root)
    return bool(result.get("digest") != known)


def digest(code: Sequence[str], *, root: Path = ROOT) -> str:
    """SHA-256 of the names and bytes of files and of all that is in folders.

    It outlives what commits do not: a history that was squashed, a copy without its repository.
    """
    told = hashlib.sha256()
    for name in code:
        inside = sorted(path for path in (root / name).rglob("*") if path.is_file())
        for path in inside or [root / name]:
            told.update(f"{path.relative_to(root).as_posix()}\0".encode())
            told.update(hashlib.sha256(path.read_bytes() if path.is_file() else b"").digest())
    return told.hexdigest()


def commit(code: Sequence[str], *, root: Path = ROOT) -> str | None:
    """The commit that ran, with `+` when a file of `code` differs from it; None outside a repository.

    Results that other campaigns are writing meanwhile make no difference: they are no code.
    """
    head = _git("rev-parse", "HEAD", root=root)
    if not head:
        return None
    return head + "+" * bool(_git("status", "--porcelain", "--", *code, root=root))


def _git(*arguments: str, root: Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()
