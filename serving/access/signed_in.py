"""The sessions that a worker knows, in memory.

Turns the text that a browser's cookie brings into the session that it is. Time rule: whether a session has
been idle for too long is told by the clock and by its last use, of which other workers may tell a minute
late. Null rule: a text that is no session of ours finds none.
"""

from __future__ import annotations

from collections.abc import Iterable

from serving.access.secrets import digest_of
from serving.store.people import Session

__all__ = ["SignedIn"]


class SignedIn:
    """Sessions that were not ended. Never changes.

    anybody: whether somebody was ever invited; from then on nobody passes without signing in or a key.
    """

    def __init__(self, sessions: Iterable[Session], *, anybody: bool, change: str) -> None:
        self.anybody, self.change = anybody, change
        self._sessions = {session.digest: session for session in sessions}

    def find(self, text: str) -> Session | None:
        """The session of this text. What is compared is its hash, whose digits tell nothing of it."""
        return self._sessions.get(digest_of(text))
