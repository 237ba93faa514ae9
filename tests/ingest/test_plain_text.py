"""What the bytes of a file tell of its cells is what looking at each of them tells."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features import plain_text
from features.plain_text import Lacking
from features.text_files import open_text

cells = st.lists(
    st.tuples(st.text("a é=#@+\u00a0\f\v-", max_size=4), st.sampled_from(["1", "", "a b", "à"])),
    min_size=1,
    max_size=6,
)
BLANK = "[\t\n\f\r \u00a0]"


@settings(max_examples=60, deadline=None)
@example([("a", "a b")], ",", "\n", 1)
@example([("a\u00a0", "1")], "\t", "\r\n", 1)
@example([("a", ""), ("=", "1")], ";", "\n", 2)
@given(
    cells, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]), st.sampled_from([1, 2, 3, 999])
)
def test_what_no_cell_holds(rows: list[tuple[str, str]], delimiter: str, end: str, piece: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_text, "_PIECE", piece)
        file = Path(folder) / "rows.csv"
        with file.open("w", encoding="utf-8", newline="") as written:
            csv.writer(written, delimiter=delimiter, lineterminator=end).writerows([("one", "two"), *rows])
        shape = open_text(file, encoding=None, delimiter=delimiter, scratch=Path(folder) / "scratch")
        found = shape.lacking
    told = [cell for row in rows for cell in row]
    slowly = Lacking(
        blanks=not any(re.match(BLANK, cell) or re.search(f"{BLANK}\\Z", cell) for cell in told),
        formulas=not any(cell.startswith(("=", "#")) for cell in told),
        addresses=not any(sign in cell for cell in told for sign in "@+"),
    )
    # A form feed or a no-break space within a cell is looked at more closely: so is a quote.
    assert found.both(slowly) == found
    if not re.search('[\f\u00a0"]', "".join(told)) and not shape.quoted:
        assert found == slowly
