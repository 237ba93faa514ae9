"""The benchmark of the ingest loads every row but the bad one, which is set aside by its number."""

from __future__ import annotations

from pathlib import Path

import ingest_bench
import pytest


@pytest.mark.parametrize("shape", list(ingest_bench.COLUMNS))
def test_every_row_but_the_bad_one_is_loaded(shape: str, tmp_path: Path) -> None:
    ingest_bench.write_files(tmp_path, rows=2_000, shape=shape, bad=1_000)
    found = ingest_bench.run_ingest(tmp_path)
    # The header is line 1, and the first row has number 0.
    assert found["set_aside"] == [["1002", "occurred_at", "[text, 9 characters]"]]
    assert found["loaded"] == 1_999
