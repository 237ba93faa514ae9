"""What a measurement leaves behind: figures, and which code gave them.

Turns a document into a file of `results/` that names its commit and the files whose change makes it old.
Time rule: a result names the commit of the code that ran; code that was written anew meanwhile may not be
what ran, so such a result counts as old. Null rule: outside of a repository the commit is None, and the
result counts as old.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "commit", "digest", "measured_code", "stale", "write_result"]

ROOT = Path(__file__).parents[2]
_BEGAN = time.time()
"""When this process began to measure, in seconds since 1970."""


def write_result(
    document: Mapping[str, object], *, out: Path | None, also: Iterable[Path] = ()
) -> dict[str, Any]:
    """The document with its commit and its code; written to `out` as JSON where one is given.

    also: files that the figures follow from beside the modules that were imported, such as a config.
    """
    code = measured_code(also=also)
    told = {"commit": commit(code, since=_BEGAN), "digest": digest(code), "code": code, **document}
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


def commit(code: Sequence[str], *, since: float | None = None, root: Path = ROOT) -> str | None:
    """The commit that ran, with `+` when a file of `code` differs from it; None outside a repository.

    since: seconds since 1970; a file that was written later, as by a pull, differs, too: what ran may be what
    it held before. Results that other campaigns are writing meanwhile make no difference: they are no code.
    """
    head = _git("rev-parse", "HEAD", root=root)
    if not head:
        return None
    differs = _git("status", "--porcelain", "--", *code, root=root) or _written(code, since=since, root=root)
    return head + "+" * bool(differs)


def _written(code: Sequence[str], *, since: float | None, root: Path) -> bool:
    """Whether any of the files was written after `since`; what is no longer there was not."""
    files = (root / name for name in code)
    return since is not None and any(path.is_file() and path.stat().st_mtime > since for path in files)


def _git(*arguments: str, root: Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()
