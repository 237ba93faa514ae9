"""Overwrites in running text whatever names somebody who was forgotten.

Turns a text into one as many bytes long in which stars stand for addresses and identifiers on the list, and
for what accounts that go are called. Time rule: none. Null rule: an empty text names nobody.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property

from features.privacy.suppression import Forgotten, stars

__all__ = ["Mentions"]


@dataclass(frozen=True)
class Mentions:
    """people: the list, and addresses of people who go with it. names: of accounts that go, whole words."""

    people: Forgotten
    names: tuple[str, ...] = ()

    @cached_property
    def _named(self) -> re.Pattern[str] | None:
        # A log of JSON writes other letters than those of English as codes.
        written = {*self.names, *(json.dumps(name)[1:-1] for name in self.names)}
        told = "|".join(re.escape(name) for name in sorted(written, key=len, reverse=True))
        return re.compile(rf"(?<!\w)(?:{told})(?!\w)", re.IGNORECASE) if told else None

    def masked(self, text: str) -> str:
        """The text without them."""
        text = self.people.masked(text)
        return text if self._named is None else self._named.sub(lambda found: stars(found[0]), text)
