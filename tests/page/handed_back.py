"""Files of a list, read back by the command that reads everybody's tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from features.workspace import Workspace

PROGRAM = Path(sys.executable).with_name("spearfish")

COLUMNS = {
    "csv": ("account_id", "list", "target"),
    "xlsx": ("account_id", "list", "target"),
    "salesforce": ("Spearfish_Account_Id__c", "Spearfish_List__c", "Spearfish_Target__c"),
    "hubspot": ("domain", "spearfish_list", "spearfish_target"),
}
"""What finds the account, its list, and whether it is a target."""

_MAPPING = """
[workspace]
name = "back"
time_zone = "UTC"

[[sources]]
table = "accounts"
path = "{file}"
known = "start_of_time"
[sources.columns]
account_id = "{account}"
[sources.attributes.list]
column = "{list}"
type = "category"
label = "list"
[sources.attributes.target]
column = "{target}"
type = "boolean"
label = "target"
"""


def handed_back(file: Path, *, file_format: str) -> dict[str, tuple[str, bool]]:
    """The list and the flag of each account of a file, as `spearfish ingest` reads it into a workspace of its
    own. Fails where the command warns, sets a row aside, or cannot read a value."""
    account, name, target = COLUMNS[file_format]
    mapping = file.with_suffix(".toml")
    told = _MAPPING.format(file=file, account=account, list=name, target=target)
    mapping.write_text(told, encoding="utf-8")
    home = file.with_suffix(".workspace")
    done = subprocess.run(
        [PROGRAM, "ingest", "--config", mapping, "--workspace", home, "--json"],
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr.lower(), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)["tables"]["accounts"]
    faults = {fault: report[fault] for fault in ("collapsed", "deleted", "quarantined", "unread", "withheld")}
    assert not any(faults.values()), faults
    with Workspace(home).tables().connect() as connection:
        rows = connection.execute("SELECT account_id, list, target FROM accounts").fetchall()
    assert len(rows) == report["rows"]
    return {account_id: (of, flag) for account_id, of, flag in rows}
