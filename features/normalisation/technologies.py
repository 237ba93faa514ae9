"""Technologies in use, as a set.

Turns a list in one cell (parted by semicolons, commas, bars or lines, or written as JSON) into names of which
each product has one: lower case, single blanks, other names of a product replaced. Time rule: none. Null
rule: see `reading`; every text is a name, so that a list is never unread, save broken JSON.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from pathlib import Path

from features.normalisation.reading import NOTHING, UNREAD, Reading, tidy

__all__ = ["read_technologies"]

_NAMES = Path(__file__).parent / "data" / "technology_names.txt"
_PARTS = re.compile(r"[;,|\n、，；]+")


@lru_cache(maxsize=65_536)
def read_technologies(text: str | None) -> Reading[tuple[str, ...]]:
    """Distinct names in alphabetical order.

    >>> read_technologies("AWS; Salesforce.com, aws | Node.js").value
    ('amazon web services', 'node.js', 'salesforce')
    """
    if text is None or tidy(text) is None:
        return NOTHING
    members = _json_members(text) if text.lstrip().startswith("[") else _PARTS.split(text)
    if members is None:
        return UNREAD
    names = {_name(bare) for member in members if (bare := tidy(member)) is not None}
    return Reading(tuple(sorted(names))) if names else NOTHING


def _json_members(text: str) -> list[str] | None:
    try:
        members = json.loads(text)
    except json.JSONDecodeError:
        return None
    return [str(member) for member in members if member is not None]


def _name(member: str) -> str:
    bare = member.casefold()
    return _other_names().get(bare, bare)


@cache
def _other_names() -> dict[str, str]:
    lines = _NAMES.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" = ") for line in lines if not line.startswith("#"))
    return {other.strip(): name for name, others in pairs for other in others.split(",")}
