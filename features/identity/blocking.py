"""For each company name the few accounts whose names are worth a closer look.

Turns names into weighted three-letter pieces and takes, by one sparse product per slice of names, the
accounts that share most. Any slip of the fingers leaves most pieces intact, which blocks of equal keys
(splink's way) would not survive; splink itself was weighed and left out, as its SQL engine and its training
of match weights cost more than the two steps here. Pieces that many names hold say little and are left out,
which bounds time and memory: a slice of 500 names against 35,000 accounts takes some 50 MB. Time rule: none.
Null rule: a name without words has no candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy import sparse

from features.identity.names import CompanyName

__all__ = ["NameBlocks"]

_SLICE = 500
_PIECE = 3
_TOO_COMMON = 0.04
_ALWAYS_KEPT = 50
"""Accounts that may share a piece however few accounts there are."""


class NameBlocks:
    """The names of the accounts, cut into pieces."""

    def __init__(self, names: Sequence[CompanyName]) -> None:
        pieces = [_pieces(name) for name in names]
        counts: dict[str, int] = {}
        for piece in chain.from_iterable(pieces):
            counts[piece] = counts.get(piece, 0) + 1
        most = max(_ALWAYS_KEPT, int(_TOO_COMMON * len(names)))
        kept = sorted(piece for piece, count in counts.items() if count <= most)
        self._columns = {piece: column for column, piece in enumerate(kept)}
        self._weights = np.array([np.log((len(names) + 1) / counts[piece]) + 1 for piece in kept])
        self._accounts = self._matrix(pieces).T.tocsr()

    def candidates(self, names: Sequence[CompanyName], *, most: int) -> Iterator[npt.NDArray[np.int64]]:
        """Per name the positions of up to `most` accounts, the most alike first, ties by position."""
        for start in range(0, len(names), _SLICE):
            part = self._matrix([_pieces(name) for name in names[start : start + _SLICE]])
            product = (part @ self._accounts).tocsr()
            for row in range(product.shape[0]):
                inside = slice(product.indptr[row], product.indptr[row + 1])
                yield _best(product.indices[inside], product.data[inside], most=most)

    def _matrix(self, pieces: Sequence[frozenset[str]]) -> sparse.csr_matrix:
        """One row per name, of length 1; pieces that no account has are left out."""
        found = [sorted(self._columns[piece] for piece in row if piece in self._columns) for row in pieces]
        columns = np.fromiter(chain.from_iterable(found), dtype=np.int32)
        starts = np.concatenate([[0], np.cumsum([len(row) for row in found])])
        weights = self._weights[columns] if len(columns) else np.zeros(0)
        lengths = np.sqrt(np.add.reduceat(np.append(weights**2, 0.0), np.minimum(starts[:-1], len(weights))))
        values = weights / np.repeat(np.where(lengths > 0, lengths, 1.0), np.diff(starts))
        return sparse.csr_matrix((values, columns, starts), shape=(len(found), len(self._columns)))


def _pieces(name: CompanyName) -> frozenset[str]:
    """Three letters at a time, the ends of words marked by blanks, and the whole of a short Chinese name."""
    padded = [f" {word} " for word in name.words]
    cut = {word[at : at + _PIECE] for word in padded for at in range(max(1, len(word) - _PIECE + 1))}
    return frozenset(cut | {name.characters[at : at + 2] for at in range(len(name.characters) - 1)})


def _best(
    positions: npt.NDArray[np.int32], shares: npt.NDArray[np.float64], *, most: int
) -> npt.NDArray[np.int64]:
    if len(positions) > most:
        floor = np.partition(shares, -most)[-most]
        kept = shares >= floor
        positions, shares = positions[kept], shares[kept]
    order = np.lexsort((positions, -shares.round(9)))[:most]
    return positions[order].astype(np.int64)
