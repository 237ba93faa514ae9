"""A market many times as large as another one: each account again, under other identifiers.

Turns a workspace with a release into a new one whose tables hold every account so many times, with all that
it did, and whose store is a copy. For measurements of size alone: copies are no independent companies, and
no model may be judged on them. Time rule: every copy has the moments of its original. Null rule: nulls stay.

    PYTHONPATH=. python tests/bench/larger_market.py --workspace /tmp/workspace --copies 20 --home /tmp/larger
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.workspace import Manifest, TableFiles, Workspace

NAMING: Final = ("account_id", "activity_id", "contact_id", "opportunity_id", "domain")


def larger(workspace: Workspace, *, home: Path, copies: int) -> Workspace:
    """The larger workspace. home: a folder that is not there yet."""
    made = Workspace(home)
    manifest = workspace.manifest()
    source, target = workspace.snapshots / manifest.snapshot, made.snapshots / manifest.snapshot
    target.mkdir(parents=True)
    (target / "lease").touch()
    tables = {name: _copied(table, source, target, copies=copies) for name, table in manifest.tables.items()}
    _say(made, replace(manifest, tables=tables))
    for file in (*workspace.home.glob("store.db*"), *workspace.home.glob("privacy.key")):
        shutil.copy(file, home)
    return made


def _copied(table: TableFiles, source: Path, target: Path, *, copies: int) -> TableFiles:
    files = list[str]()
    for number in range(copies):
        for file in table.files:
            files.append(f"{number:03}-{file}")
            with pq.ParquetFile(source / file) as original:
                writer = pq.ParquetWriter(target / files[-1], original.schema_arrow, compression="zstd")
                with writer:
                    for place in range(original.num_row_groups):
                        writer.write_table(_renamed(original.read_row_group(place), number=number))
    return TableFiles(table.rows * copies, tuple(files))


def _renamed(rows: pa.Table, *, number: int) -> pa.Table:
    """The rows of another company. A prefix keeps them sorted."""
    for place, name in enumerate(rows.column_names):
        if name in NAMING:
            told = pc.binary_join_element_wise(f"{number:03}", rows.column(name), "-")
            rows = rows.set_column(place, rows.schema.field(name), told)
    return rows


def _say(workspace: Workspace, manifest: Manifest) -> None:
    workspace.manifest_path.write_text(manifest.to_json(), encoding="utf-8")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    made = larger(Workspace(given.workspace.absolute()), home=given.home.absolute(), copies=given.copies)
    rows = {name: table.rows for name, table in made.manifest().tables.items()}
    sys.stdout.write(f"{json.dumps(rows, indent=1)}\n")


if __name__ == "__main__":
    main()
