"""CSV for people: Excel reads it in the right encoding, runs nothing, and what it held comes back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.spreadsheets import unguarded, write_csv
from training.feature_table import write_frame

FRAME = pd.DataFrame(
    {"名称": ["华为", "=1+1", None], "-score": [-1.5, 2.0, None], "seen": [True, False, True]}
)
BYTES = "\ufeff名称,-score,seen\n华为,-1.5,True\n'=1+1,2.0,False\n,,True\n".encode()


def test_a_file_begins_with_a_mark_and_holds_no_formula(tmp_path: Path) -> None:
    write_csv(FRAME, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == BYTES
    # Excel's mark is no part of the first column's name.
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == ["名称", "-score", "seen"]


def test_features_are_written_so(tmp_path: Path) -> None:
    write_frame(FRAME, out=tmp_path / "features.csv")
    assert (tmp_path / "features.csv").read_bytes() == BYTES


@pytest.mark.parametrize("text", ["=1", "+49 30", "-", "@x", "\tx", "华为", "", "'s-Hertogenbosch"])
def test_a_cell_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    write_csv(pd.DataFrame({"cell": [text], "more": [1]}), tmp_path / "out.csv")
    read = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert unguarded(read["cell"].iloc[0]) == text
