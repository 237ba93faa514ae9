"""What the store keeps compressed comes back as it was, also what an earlier version kept."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.compression import compressed, decompressed
from serving.store.columns import CompressedText


@given(content=st.binary(max_size=4_000))
def test_what_was_compressed_comes_back(content: bytes) -> None:
    assert decompressed(compressed(content)) == content


def test_a_repetitive_answer_shrinks_to_a_twentieth() -> None:
    content = b"".join(
        b'{"feature":"visits_%d","value":"3","contribution":0.25},' % day for day in range(300)
    )
    assert len(compressed(content)) < len(content) / 20


def test_what_an_earlier_version_kept_is_read() -> None:
    column = CompressedText()
    kept = zlib.compress("公司 Ä".encode(), 3)
    assert column.process_result_value(kept, None) == "公司 Ä"
    assert column.process_result_value(column.process_bind_param("公司 Ä", None), None) == "公司 Ä"


@pytest.mark.parametrize("cut", [0, 3, 10, -1])
@pytest.mark.parametrize("make", [compressed, zlib.compress])
def test_damaged_bytes_are_refused(make: Callable[[bytes], bytes], cut: int) -> None:
    with pytest.raises(ValueError, match="not what was compressed"):
        decompressed(make(b"an answer " * 50)[:cut])


@given(content=st.binary(min_size=1, max_size=300), place=st.integers(0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_never_read_as_something_else(content: bytes, place: int, bit: int) -> None:
    damaged = bytearray(compressed(content))
    damaged[place % len(damaged)] ^= 1 << bit
    with suppress(ValueError):
        assert decompressed(bytes(damaged)) == content
