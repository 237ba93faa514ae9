"""Which version of Spearfish this is.

Turns the installed package, or in a bento, which carries the code without installing it, the project's own
file into a version. Time rule: none. Null rule: none.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["own_version"]

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"


@cache
def own_version() -> str:
    """Such as 0.1.0."""
    try:
        return version("spearfish")
    except PackageNotFoundError:
        told: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
        return told
