"""The working score: what sales works with, beside what the machine says.

Turns fit and intent into one machine score, and a rejection by sales into an adjustment of it. The machine
score is the mean of the fit score and the intent score, or the one there is; feedback never changes it, nor
any probability or contribution. The rule is plain:

- Rejected, the working score drops at once to 20 of 100 (where the machine score is lower, to that), and an
  account that would go to sales returns to nurture.
- It is lifted as soon as sales accepts the account; as soon as the machine score is 10 points above what it
  was at the rejection, or half of what was left to 100 where that is less: the account has earned its score
  again; and 90 days after the rejection in any case.

Time rule: feedback counts from the moment on at which it was given; an answer `as_of` an earlier moment knows
only what was given before it. Null rule: without a machine score there is no working score, and a rejection
without a machine score holds for its 90 days.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.feature import Language
from serving.answers import FitScore, IntentScore, Priority
from serving.phrases import phrase
from serving.store import Store, feedback
from serving.store.feedback import Feedback

__all__ = [
    "HELD_AT",
    "HELD_DAYS",
    "Verdicts",
    "VerdictsOfIdentities",
    "Working",
    "machine_score",
    "mean_score",
    "threshold",
    "working",
    "working_after",
]

HELD_AT = 20.0
"""The highest working score of an account that sales rejected."""

_RISE = 10.0
HELD_DAYS = 90
_DIGITS = 6
_OVERLAP = timedelta(minutes=5)
"""How far back to look again for feedback that another process was storing when we looked. Whatever its clock
says, what it stores later has a higher place."""


@dataclass(frozen=True)
class Working:
    """working_score = machine_score + adjustment. reason: why it is adjusted; None when it is not."""

    machine_score: float | None
    adjustment: float
    working_score: float | None
    reason: str | None
    priority: Priority


@dataclass(frozen=True, order=True)
class _Verdict:
    at: datetime
    id: int
    rejected: bool
    machine_score: float | None

    @classmethod
    def of(cls, given: Feedback) -> _Verdict:
        return cls(given.at, given.id, given.verdict == "rejected", given.machine_score)


class Verdicts:
    """The acceptances and rejections of every account, in memory. Safe to share between threads."""

    def __init__(self) -> None:
        self._by_account: defaultdict[str, list[_Verdict]] = defaultdict(list)
        self._seen: set[int] = set()
        self._through: datetime | None = None
        self._last = 0
        self._changing = threading.Lock()

    def refresh(self, store: Store) -> None:
        """Take in what was stored since the last look, by whichever process. Raises WorkspaceError."""
        start = None if self._through is None else self._through - _OVERLAP
        with store.reading() as connection:
            found = feedback.since(connection, moment=start, after_id=self._last)
        for given in found:
            self.note(given)
        # Not what this worker stored itself: another one may have been storing an earlier place then.
        self._last = max([self._last, *(given.id for given in found)])

    def note(self, given: Feedback) -> None:
        """Take in one acceptance or rejection; twice is as once."""
        with self._changing:
            if given.verdict == "outcome" or given.id in self._seen:
                return
            self._seen.add(given.id)
            self._through = max(self._through or given.at, given.at)
            insort(self._by_account[given.account_id], _Verdict.of(given))

    def rejection(self, *account_ids: str, before: datetime) -> _Verdict | None:
        """The rejection in force at a moment: the latest word was one, and it has not run out.

        account_ids: every identifier of one account.
        """
        words = [word for account_id in account_ids if (word := self._latest(account_id, before=before))]
        latest = max(words, default=None)
        if latest is None or not latest.rejected or before > latest.at + timedelta(days=HELD_DAYS):
            return None
        return latest

    def _latest(self, account_id: str, *, before: datetime) -> _Verdict | None:
        said = self._by_account.get(account_id, [])
        place = bisect_left(said, before, key=lambda verdict: verdict.at)
        return said[place - 1] if place else None


class VerdictsOfIdentities:
    """Verdicts where several accounts are one: what was said of any of them was said of all.

    members: the identifiers that stand behind one, itself among them.
    """

    def __init__(self, verdicts: Verdicts, *, members: Callable[[str], Sequence[str]]) -> None:
        self._verdicts, self._members = verdicts, members

    def rejection(self, account_id: str, *, before: datetime) -> _Verdict | None:
        """As `Verdicts.rejection`."""
        return self._verdicts.rejection(*self._members(account_id), before=before)

    def note(self, given: Feedback) -> None:
        """As `Verdicts.note`."""
        self._verdicts.note(given)


def machine_score(fit: FitScore | None, intent: IntentScore | None) -> float | None:
    """The mean of the scores there are, 0-100."""
    return mean_score([half.score for half in (fit, intent) if half is not None])


def mean_score(scores: Sequence[float]) -> float | None:
    """As `machine_score`, of the scores there are."""
    return sum(scores) / len(scores) if scores else None


def threshold(rejected_at: float) -> float:
    """The machine score that earns an account its score again. rejected_at: what it was at the rejection.

    >>> threshold(60.0), threshold(96.0)
    (70.0, 98.0)
    """
    return rejected_at + min(_RISE, (100 - rejected_at) / 2)


def working(
    score: float | None, *, rejection: _Verdict | None, priority: Priority, language: Language
) -> Working:
    """What sales works with. rejection: the one in force, if any; priority: what the grades say."""
    if rejection is None or score is None or _earned(score, rejection):
        return Working(score, 0.0, score, None, priority)
    held = min(score, HELD_AT)
    reason = _sentence(rejection, language=language)
    if priority.to_sales:
        priority = Priority(action="nurture", to_sales=False, why=reason)
    # Scores have one digit, and their mean two: what a subtraction leaves behind is none of the score's.
    return Working(score, round(held - score, _DIGITS), held, reason, priority)


def working_after(
    said: Feedback,
    *,
    verdicts: VerdictsOfIdentities,
    score: float | None,
    priority: Priority,
    language: Language,
) -> Working:
    """As `working`, right after feedback that is not among the verdicts yet."""
    if said.verdict == "outcome":
        rejection = verdicts.rejection(said.account_id, before=said.at + timedelta(seconds=1))
    else:
        rejection = _Verdict.of(said) if said.verdict == "rejected" else None
    return working(score, rejection=rejection, priority=priority, language=language)


def _earned(score: float, rejection: _Verdict) -> bool:
    at = rejection.machine_score
    return at is not None and score >= threshold(at)


def _sentence(rejection: _Verdict, *, language: Language) -> str:
    end = (rejection.at + timedelta(days=HELD_DAYS)).date()
    told = {"date": rejection.at.date(), "end": end, "held": HELD_AT}
    if rejection.machine_score is None:
        return phrase("rejected", language=language, **told)
    return phrase("rejected_at", language=language, needed=threshold(rejection.machine_score), **told)
