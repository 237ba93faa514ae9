"""Sets of accounts that grow together (union-find).

Turns pairs into groups. Time rule: none. Null rule: none. Which pairs are joined in which order never changes
the groups; who stands for a group is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["Groups"]


class Groups:
    """Every name starts as a group of its own. Raises KeyError for a name that was not given."""

    def __init__(self, names: Iterable[str]) -> None:
        self._group = {name: [name] for name in names}

    def together(self, one: str, other: str) -> bool:
        return self._group[one] is self._group[other]

    def members(self, name: str) -> tuple[str, ...]:
        return tuple(self._group[name])

    def join(self, one: str, other: str) -> None:
        """Make two groups one; the smaller moves into the larger."""
        small, large = sorted((self._group[one], self._group[other]), key=len)
        if small is not large:
            large += small
            for name in small:
                self._group[name] = large

    def all(self) -> Iterator[tuple[str, ...]]:
        """Each group once, its members sorted."""
        seen: set[int] = set()
        for group in self._group.values():
            if id(group) not in seen:
                seen.add(id(group))
                yield tuple(sorted(group))
