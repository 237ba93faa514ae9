"""Which accounts have activities that the tables do not hold yet, known to every worker without asking.

Turns the store's order of activities into the newest place of each account, in memory. A worker looks at what
is new twice a second, and is told of what it took itself; so a question about an account without such
activities costs no query. Time rule: none; places are those of `serving.store.activities`. Null rule: before
the first look nobody has any.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping

from serving.store import activities
from serving.store.activities import Activity
from serving.store.door import StoreDoor

__all__ = ["Waiting"]


class Waiting:
    """The accounts with activities beside the tables. Safe to share between threads.

    door: None for one that never has any.
    """

    def __init__(self, door: StoreDoor | None = None) -> None:
        self._door = door
        self._newest: dict[str, int] = {}
        self._after: int | None = None
        self._last, self._rows = 0, 0
        self._changing, self._looking = threading.Lock(), threading.Lock()

    def close(self) -> None:
        """Let go of the store; the next question opens it again."""
        if self._door is not None:
            self._door.close()

    def forget(self) -> None:
        """Know nothing, as before the first look: the store is another one. `cover` it then."""
        with self._looking, self._changing:
            self._newest.clear()
            self._after = None

    @property
    def rows(self) -> int:
        """How many rows wait to be moved, as of the last look."""
        return self._rows

    def cover(self, after: int) -> None:
        """Know of everything after a place of the order, before tables that end there answer.

        Raises WorkspaceError.
        """
        if self._door is None:
            return
        with self._looking:
            if self._after is None or after < self._after:
                self._last = self._after = after
            self._look()
            with self._door.open().reading() as connection:
                self._rows = activities.count(connection, after=after, through=self._last)

    def refresh(self) -> None:
        """Take in what was stored since the last look, by whichever process. Raises WorkspaceError."""
        with self._looking:
            if self._after is not None:
                self._look()

    def _look(self) -> None:
        if self._door is None:
            return
        with self._door.open().reading() as connection:
            found = activities.newest_by_account(connection, after=self._last)
        self._note((account, newest.sequence) for account, newest in found.items())
        self._last = max([self._last, *(newest.sequence for newest in found.values())])
        self._rows += sum(newest.rows for newest in found.values())

    def note(self, rows: Iterable[Activity]) -> None:
        """Take in rows that this worker has committed itself."""
        self._note((row.account_id, row.sequence) for row in rows)

    def _note(self, places: Iterable[tuple[str, int]]) -> None:
        with self._changing:
            for account, place in places:
                self._newest[account] = max(place, self._newest.get(account, 0))

    def has(self, account_ids: Collection[str], *, after: int) -> bool:
        """Whether these accounts may have activities after a place of the order; asks nobody."""
        return any(self._newest.get(account, 0) > after for account in account_ids)

    def of(self, account_ids: Collection[str], *, after: int) -> tuple[Activity, ...]:
        """The activities of these accounts after a place of the order. Raises WorkspaceError."""
        through = max((self._newest.get(account, 0) for account in account_ids), default=0)
        if self._door is None or through <= after:
            return ()
        with self._door.open().reading() as connection:
            return activities.of_accounts(connection, account_ids=account_ids, after=after, through=through)

    def of_each(
        self, groups: Mapping[str, Collection[str]], *, after: int
    ) -> dict[str, tuple[Activity, ...]]:
        """As `of`, of each of many groups of accounts: one question to the store. Raises WorkspaceError.

        groups: by name; no account is in two. A group gets what it gets alone: what the store has by now
        beyond the last place that is known of it belongs to a later answer, whoever else is asked for.
        """
        through = {
            name: max((self._newest.get(account, 0) for account in accounts), default=0)
            for name, accounts in groups.items()
        }
        name_of = {account: name for name, accounts in groups.items() for account in accounts}
        found: dict[str, list[Activity]] = {name: [] for name in groups}
        last = max(through.values(), default=0)
        if self._door is not None and last > after:
            with self._door.open().reading() as connection:
                rows = activities.of_accounts(connection, account_ids=name_of, after=after, through=last)
            for row in rows:
                if row.sequence <= through[name_of[row.account_id]]:
                    found[name_of[row.account_id]].append(row)
        return {name: tuple(own) for name, own in found.items()}
