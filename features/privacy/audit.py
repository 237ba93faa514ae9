"""The record of who was forgotten when and by whom, without saying who it was.

Turns what was asked and what was done into lines of JSON in the workspace's `erasures.jsonl`: a line before
anything is erased and one after. A reference is the beginning of a hash on the list: whoever holds the
workspace and an address can tell that it was dealt with, and nobody can read an address out of it. Time rule:
moments are UTC, whole seconds. Null rule: a line without an end was cut off, and wants doing again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from features.workspace import Workspace

__all__ = ["AUDIT_FILE", "note"]

AUDIT_FILE = "erasures.jsonl"


def note(workspace: Workspace, *, at: datetime, told: Mapping[str, Any]) -> None:
    """Add a line. told: counts and references, nothing that names anybody."""
    line = json.dumps({"at": f"{at.isoformat()}Z", **told}, ensure_ascii=False)
    with workspace.writing():
        file = workspace.home / AUDIT_FILE
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        workspace.write_beside(AUDIT_FILE, f"{before}{line}\n")
