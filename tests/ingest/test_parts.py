"""Rows of large files are staged otherwise than those of small ones, and tell the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from loading import KNOWN_ACCOUNTS, VISITS, load
from small_sources import write_csv

from features.plain_text import Looked
from features.report import TableReport

Rows = list[tuple[str, ...]]

HEADER = ("Id", "Account", "Person", "Kind", "When", "Minutes")
visit = st.tuples(
    st.sampled_from(["v1", "v2", "v3", ""]),
    st.sampled_from(["a1", "a2", "a9", " a1 ", "=a1", "write to ann@example.com", ""]),
    st.sampled_from(["p1", "p2", "003A0000006Vm9u", ""]),
    st.sampled_from(["web_visit", "email", "Web Visit", "#REF!", ""]),
    st.sampled_from(
        [
            *("2023-02-01 10:00:00", "2023-02-01T10:00:00Z", "2023-02-01 10:00:00.5", "2023-02-01"),
            *(
                "2023-02-01 11:00+01:00",
                "2023-02-01 10:00:0Z",
                "2031-01-01 00:00:00",
                "2023-02-30 10:00:00",
                "",
            ),
        ]
    ),
    st.sampled_from(["1", "2.5", "-1", "1_0", "nan", ""]),
)
COLUMNS = ['seconds = { column = "Minutes", scale = 60 }\n', 'activity_id = "Id"\nquantity = "Minutes"\n']


@contextmanager
def _as_if_large(*, shared_second: str) -> Iterator[None]:
    """shared_second: whether rows of one account and second count as few, or as too many, to go before."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("staging._SMALL", "repeated._FEW"):
            patch.setattr(f"features.{name}", -1)
        patch.setattr("features.repeated._SELDOM", {"few": 0, "many": 1 << 40}[shared_second])
        patch.setattr("features.sorting._FIRST", 1)
        yield


@contextmanager
def _with_every_cell_looked_at() -> Iterator[None]:
    """Nothing is told by the bytes of files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("features.text_files.look_at", lambda *_, **__: Looked())
        yield


def _loaded(folder: Path, files: list[Rows], *, columns: str) -> tuple[object, ...]:
    """What ingesting one file after the other leaves."""
    folder.mkdir()
    write_csv(folder / "accounts.csv", ("Id",), [("a1",), ("a2",)])
    visits = VISITS.replace("known_immediately", 'time_zone = "UTC"\nknown_immediately')
    mapping = f"{KNOWN_ACCOUNTS}{visits}{columns}"
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    told = list[object]()
    for k, rows in enumerate(files):
        write_csv(folder / f"visits{k}.csv", HEADER, rows)
        report, workspace = load(folder / "mapping.toml")
        told += [report.fingerprint, [_counts(table, folder) for table in report.tables]]
    return told, workspace.tables().read("activities").drop(columns="contact_id").to_json(date_format="iso")


def _counts(table: TableReport, folder: Path) -> str:
    assert table.balanced()
    return repr(table).replace(str(folder), "")


@settings(
    max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
@given(st.lists(st.lists(visit, min_size=8, max_size=30), min_size=1, max_size=2), st.sampled_from(COLUMNS))
def test_large_files_tell_the_same_as_small_ones(files: list[Rows], columns: str) -> None:
    good = ("v0", "a1", "p1", "email", "2023-04-01 00:00:00", "1")
    files = [[*rows, good] for rows in files]
    with TemporaryDirectory() as folder:
        with _with_every_cell_looked_at():
            small = _loaded(Path(folder) / "small", files, columns=columns)
        for shared_second in ("few", "many"):
            with _as_if_large(shared_second=shared_second):
                large = _loaded(Path(folder) / shared_second, files, columns=columns)
            assert large == small
