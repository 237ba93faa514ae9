"""How fast an ingest is, and how much memory it takes, beside DuckDB's own COPY of the same file to Parquet.

Turns a number of rows into CSV files of activities, and these into times and peaks of memory. Two shapes:
`log`, a web log as an analytics tool exports it (twelve columns, events with identifiers of their own), and
`narrow`, the bound columns alone, whose rows are known by what they say. COPY and ingest run in processes of
their own, in turns; the ratio of a turn is that of wall times without imports, the COPY's being the mean of
those before and after, and the median of the turns counts. A last run reads the file with a bad row in its
middle. Time rule: none. Null rule: none.

    python tests/bench/ingest_bench.py --rows 10000000 --out results/ingest_speed.json
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import duckdb

ROOT: Final = Path(__file__).resolve().parents[2]
LIMIT: Final = "2GB"
COLUMNS: Final = {
    "log": "event_id, account_id, event, occurred_at, minutes, visitor, session, url, referrer, campaign,"
    " country, agent",
    "narrow": "account_id, event, occurred_at, minutes, visitor",
}
EVENTS: Final = """
SELECT
    CAST(1000000000 + k AS VARCHAR) AS event_id,
    'acc-' || lpad(CAST(hash(k * 7) % {accounts} AS VARCHAR), 7, '0') AS account_id,
    ['web_visit', 'pricing_visit', 'email_click', 'download'][CAST(1 + hash(k * 3) % 4 AS INTEGER)] AS event,
    CASE WHEN k = {bad} THEN 'yesterday' ELSE strftime(
        TIMESTAMP '2022-01-01' + to_seconds(CAST(k * 63072000 // {rows} AS BIGINT)), '%Y-%m-%d %H:%M:%S'
    ) END AS occurred_at,
    hash(k * 11) % 60 AS minutes,
    'v' || CAST(hash(k * 13) % {visitors} AS VARCHAR) AS visitor,
    printf('%016x', hash(k // 4)) AS session,
    '/products/' || CAST(hash(k * 5) % 400 AS VARCHAR) || '?utm_source=' || CAST(k % 20 AS VARCHAR) AS url,
    'https://www.example.com/search/' || CAST(hash(k * 17) % 900 AS VARCHAR) AS referrer,
    'campaign ' || CAST(hash(k * 19) % 50 AS VARCHAR) AS campaign,
    ['DE', 'FR', 'US', 'CN', 'IN'][CAST(1 + hash(k * 23) % 5 AS INTEGER)] AS country,
    'Mozilla/5.0 (X11 Linux x86_64) Gecko/' || CAST(hash(k * 29) % 300 AS VARCHAR) AS agent
FROM range({rows}) AS row (k)
"""
MAPPING: Final = """
[workspace]
name = "bench"
[[sources]]
table = "accounts"
path = "accounts.csv"
known = "start_of_time"
[sources.columns]
account_id = "account_id"
[[sources]]
table = "activities"
path = "activities.csv"
time_zone = "UTC"
known_immediately = true
[sources.columns]
account_id = "account_id"
contact_id = "visitor"
channel = "event"
direction = { value = "inbound" }
occurred_at = "occurred_at"
seconds = { column = "minutes", scale = 60 }
"""


def write_files(folder: Path, *, rows: int, shape: str, bad: int = -1) -> None:
    """Write accounts.csv, activities.csv in the order of time, and mapping.toml. bad: a row at fault."""
    accounts = max(rows // 100, 10)
    events = EVENTS.format(rows=rows, accounts=accounts, visitors=max(rows // 20, 10), bad=bad)
    name = "'acc-' || lpad(CAST(k AS VARCHAR), 7, '0') AS account_id"
    known = f"SELECT {name} FROM range({accounts}) AS row (k)"
    with duckdb.connect() as connection:
        for name, sql in (("accounts", known), ("activities", f"SELECT {COLUMNS[shape]} FROM ({events})")):
            connection.execute(f"COPY ({sql}) TO '{folder / name}.csv' (HEADER)")
    own = 'activity_id = "event_id"\n' if shape == "log" else ""
    (folder / "mapping.toml").write_text(MAPPING + own, encoding="utf-8")


def copy(folder: Path) -> dict[str, Any]:
    """DuckDB's own COPY."""
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = ?", [LIMIT])
        started = time.monotonic()
        connection.execute(
            f"COPY (FROM read_csv('{folder}/activities.csv')) TO '{folder}/copy.parquet' (FORMAT parquet)"
        )
        return {"seconds": time.monotonic() - started}


def run_ingest(folder: Path) -> dict[str, Any]:
    """An ingest into a new workspace, and what it set aside."""
    from features.ingest import ingest
    from features.mapping import load_config
    from features.workspace import Workspace

    config = load_config(folder / "mapping.toml")
    workspace = Workspace(folder / "workspace")
    started = time.monotonic()
    report = ingest(config, workspace=workspace, memory_limit=LIMIT)
    seconds = time.monotonic() - started
    table = report.table("activities")
    with duckdb.connect() as connection:
        file = workspace.snapshots / report.snapshot / "quarantine" / "activities.parquet"
        sql = f"SELECT line, \"column\", got FROM '{file}'"
        aside = connection.execute(sql).fetchall() if file.exists() else []
    return {"seconds": seconds, "loaded": table.loaded, "set_aside": [list(row) for row in aside]}


def in_a_process(what: str, *, folder: Path) -> dict[str, Any]:
    """Run one of the two alone; adds the peak of its memory."""
    command = [sys.executable, __file__, "--child", what, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(*, rows: int, shape: str, folder: Path, turns: int) -> dict[str, Any]:
    """COPY and ingest in turns, and an ingest with a bad row."""
    write_files(folder, rows=rows, shape=shape)
    size = (folder / "activities.csv").stat().st_size
    copied, ingested = [in_a_process("copy", folder=folder)], []
    for _ in range(turns):
        ingested.append(in_a_process("ingest", folder=folder))
        copied.append(in_a_process("copy", folder=folder))
        shutil.rmtree(folder / "workspace")
    seconds = [run["seconds"] for run in copied]
    ratios = [
        (before + after) / 2 / run["seconds"]
        for before, after, run in zip(seconds, seconds[1:], ingested, strict=False)
    ]
    write_files(folder, rows=rows, shape=shape, bad=rows // 2)
    faulty = in_a_process("ingest", folder=folder)
    return {
        "shape": shape,
        "rows": rows,
        "megabytes": round(size / 1e6),
        "copy_seconds": round(statistics.median(seconds), 1),
        "ingest_seconds": round(statistics.median(run["seconds"] for run in ingested), 1),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_by_turn": [round(ratio, 3) for ratio in ratios],
        "peak_megabytes": round(max(run["peak_megabytes"] for run in ingested)),
        "with_a_bad_row": {
            "seconds": round(faulty["seconds"], 1),
            "loaded": faulty["loaded"],
            "set_aside": faulty["set_aside"],
            "peak_megabytes": round(faulty["peak_megabytes"]),
        },
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python tests/bench/ingest_bench.py", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="activities in the file")
    parser.add_argument("--turns", type=int, default=5, help="how often each is measured")
    parser.add_argument("--shapes", nargs="+", default=list(COLUMNS), choices=list(COLUMNS))
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    parser.add_argument("--child", choices=["copy", "ingest"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        found = copy(given.folder) if given.child == "copy" else run_ingest(given.folder)
        found["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps(found))
        return
    from training.checks.folders import files_below
    from training.checks.results import write_result

    runs = []
    for shape in given.shapes:
        with tempfile.TemporaryDirectory() as folder:
            runs.append(compare(rows=given.rows, shape=shape, folder=Path(folder), turns=given.turns))
    # The ingest ran in processes of its own.
    told = write_result({"memory_limit": LIMIT, "runs": runs}, out=given.out, also=files_below("features"))
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
