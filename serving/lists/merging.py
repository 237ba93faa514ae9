"""A draw of the machine meets what people decided: who is on the list then, and why others go.

Turns what the machine says of accounts and the decisions that are in force into members, and the accounts
that were there before into why they leave. A decision always wins: what is pinned stays, what was taken off
stays off, what was moved stays where it was put; the machine's own words stand beside it. Pure, and the same
for one account after a decision as for all of them in a draw. Time rule: the caller says which decisions are
in force. Null rule: an account that the machine says nothing of keeps what it said last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from serving.store.list_members import Left, Member
from serving.store.list_overrides import Override

__all__ = [
    "DROPPED",
    "MERGED",
    "MOVED",
    "PINNED",
    "SUGGESTED",
    "Decided",
    "as_one",
    "decided_of",
    "departed",
    "gone_into",
    "member",
    "merged",
    "today",
]

SUGGESTED, PINNED, DROPPED, MOVED = "suggested", "pinned", "dropped_by_hand", "moved_by_hand"
"""Why an account is where it is."""

NOT_SUGGESTED, PIN_OVER, DROP_OVER, MERGED = "not_suggested", "pin_over", "drop_over", "merged"
"""Why an account has left: the machine names it no more; or it did not before, and a decision is over; or
another one on the list stands for it by now."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions in force on one account. membership: to pin it or to drop it; segment: where it
    belongs."""

    membership: Override | None = None
    segment: Override | None = None

    @property
    def is_pinned(self) -> bool:
        return self.membership is not None and self.membership.kind == "pin"

    @property
    def is_dropped(self) -> bool:
        return self.membership is not None and self.membership.kind == "drop"

    @property
    def placed(self) -> Override | None:
        """The decision that says to which segment it belongs: the latest, a pin or a move that names one."""
        told = [one for one in (self.membership, self.segment) if one is not None and one.segment is not None]
        return max(told, key=lambda one: one.id, default=None)


NOTHING = Decided()


def decided_of(overrides: Iterable[Override]) -> dict[str, Decided]:
    """By account, the decisions. overrides: those in force; of one slot the latest counts."""
    found: dict[str, Decided] = {}
    for one in sorted(overrides, key=lambda override: override.id):
        before = found.get(one.account_id, NOTHING)
        found[one.account_id] = (
            replace(before, segment=one) if one.kind == "move" else replace(before, membership=one)
        )
    return found


def member(said: Member, decided: Decided = NOTHING) -> Member | None:
    """The account as it stands on the list; None where it is not on it.

    said: what the machine says of it; of its other fields only the facts count.
    """
    held, moved = decided.membership, decided.segment
    if held is None and not said.suggested:
        return None
    placed = decided.placed
    if held is not None:
        why = PINNED if decided.is_pinned else DROPPED
    else:
        why = SUGGESTED if moved is None else MOVED
    return replace(
        said,
        status="dropped" if decided.is_dropped else "target",
        segment=said.machine_segment if placed is None else placed.segment,
        why=why,
        override_id=None if held is None else held.id,
        move_id=moved.id if moved is not None and moved is placed else None,
    )


def merged(said: Mapping[str, Member], *, decided: Mapping[str, Decided]) -> dict[str, Member]:
    """Who is on the list after a draw, by identifier.

    said: whom the machine wants on it, and, as not suggested, everybody whom people pinned or took off.
    """
    found = ((name, member(one, decided.get(name, NOTHING))) for name, one in said.items())
    return {name: one for name, one in found if one is not None}


def as_one(rows: Sequence[Member]) -> Member:
    """The account that all rows are about: the first one, as the machine wants it by any of its names.

    >>> own = Member("b", "target", PINNED, suggested=False, draw=1)
    >>> one = as_one([own, Member("a", "target", SUGGESTED, suggested=True, draw=2, score=3)])
    >>> one.account_id, one.why, one.suggested, one.draw, one.score
    ('b', 'pinned', True, 2, 3)
    """
    first = rows[0]
    wanted = next((one for one in rows if one.suggested), first)
    if first.suggested or wanted is first:
        return first
    words = ("suggested", "draw", "machine_segment", "score", "probability", "low", "high")
    return replace(first, **{name: getattr(wanted, name) for name in words})


def today(members: Mapping[str, Member], *, same: Mapping[str, str]) -> dict[str, Member]:
    """Members by what their accounts are called today.

    same: by account that another one stands for, that one. Of several that are one account by now, its own
    row counts, and then that of the best score.
    """
    if members.keys().isdisjoint(same):
        return dict(members)
    found: dict[str, list[Member]] = {}
    for name, one in members.items():
        found.setdefault(same.get(name, name), []).append(one)
    return {name: replace(as_one(_ordered(name, rows)), account_id=name) for name, rows in found.items()}


def _ordered(name: str, rows: Sequence[Member]) -> list[Member]:
    return sorted(rows, key=lambda one: (one.account_id != name, -(one.score or 0.0), one.account_id))


def gone_into(
    before: Iterable[str], after: Mapping[str, Member], *, same: Mapping[str, str]
) -> dict[str, str]:
    """Why those go for whom another account on the list stands by now."""
    return {name: MERGED for name in before if name not in after and same.get(name) in after}


def departed(
    before: Mapping[str, Member], after: Mapping[str, Member], *, reasons: Mapping[str, str]
) -> dict[str, Left]:
    """Why those go who were on the list. reasons: by account, the rule that left it out of the draw."""
    return {
        name: Left(reasons.get(name) or _over(one), one.override_id)
        for name, one in before.items()
        if name not in after
    }


def _over(one: Member) -> str:
    return {PINNED: PIN_OVER, DROPPED: DROP_OVER}.get(one.why, NOT_SUGGESTED)
