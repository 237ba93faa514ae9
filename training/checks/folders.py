"""The files of a folder, for measurements of what other processes run.

Turns a folder into the files that its figures follow from. Time rule: none. Null rule: none.
"""

from __future__ import annotations

from pathlib import Path

from training.checks.results import ROOT

__all__ = ["files_below"]


def files_below(folder: str) -> list[Path]:
    """Every file below a folder of the project, without what Python compiles for itself."""
    return sorted(
        path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
