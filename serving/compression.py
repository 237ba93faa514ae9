"""What the store keeps compressed: answers, requests, and what answers were computed from.

Turns bytes into fewer, and back, by Zstandard (RFC 8878): a fifth of the time of zlib, and no larger. What
earlier versions kept is bytes of zlib, and is read as well. Time and null rules: none.
"""

from __future__ import annotations

import threading
import zlib

import zstandard

__all__ = ["compressed", "decompressed"]

_LEVEL = 1
"""Higher ones take longer and save next to nothing of an answer."""


class _Tables(threading.local):
    """What a thread compresses with: to make it anew takes as long as to compress a short answer."""

    def __init__(self) -> None:
        # By itself a frame has none, and a flipped bit would be read as another number.
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)


_tables = _Tables()


def compressed(content: bytes) -> bytes:
    """The content in one frame."""
    return _tables.compressor.compress(content)


def decompressed(content: bytes) -> bytes:
    """What `compressed` was given. Raises ValueError for anything else."""
    try:
        if not content.startswith(zstandard.FRAME_HEADER):
            return zlib.decompress(content)
        found = zstandard.decompress(content)
    # A damaged frame may ask for more memory than there is.
    except (zstandard.ZstdError, zlib.error, MemoryError) as error:
        raise ValueError(f"the bytes are not what was compressed: {error}") from error
    # A frame that says it is empty is taken at its word.
    if not found and content != compressed(b""):
        raise ValueError("the bytes are not what was compressed: nothing is left of them")
    return found
