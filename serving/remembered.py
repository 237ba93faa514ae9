"""Answers about known accounts that were computed already: the same question gets them again at once.

Turns what a request asks into an answer that differs from an earlier one in the name of its request alone. An
answer follows from the tables and the release of its desk, the account, its `as_of`, the language and what
sales said; all of that is the key, so that a remembered answer is the computed one, bit for bit. Accounts
with activities beside the tables, records and leads are computed each time. Time rule: without `as_of` the
moment is worked out for each request, and with a new day's moment nothing is remembered yet. Null rule: None
where an answer must be computed.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from features.errors import SpearfishError
from features.feature import Language
from serving.accounts import Account
from serving.desk import Desk
from serving.requests import ScoreRequest
from serving.scoring import Scored, score_subjects
from serving.subjects import SECOND, Subject, default_as_of, find_subject, find_subjects

__all__ = ["Remembered", "score_together"]

MOST = 2_000
"""Answers of one desk; some 45 KB each."""

_AT_ONCE = 10
"""Answers that a new desk learns together, some 15 milliseconds."""

_REST = 2.0
"""How long learning rests after each group, for as long as the group took: whoever is answered meanwhile, on
the same cores, is held up by one group at most."""

_BETWEEN = 0.002
"""Seconds between two groups of answers that are forgotten, each of which takes half a millisecond."""

_Name = tuple[Literal["account_id", "domain"], str]
_Key = tuple[str, datetime, Language, object]


class Remembered:
    """The answers of one desk, those asked for last. Safe to share between threads.

    stop: once it is set, learning ends and forgetting hurries. Without it nobody stops them.
    """

    def __init__(self, desk: Desk, *, most: int = MOST, stop: threading.Event | None = None) -> None:
        self.desk, self._most = desk, most
        self._stop = stop or threading.Event()
        self._accounts: dict[_Name, Account] = {}
        self._answers: OrderedDict[_Key, Scored] = OrderedDict()
        self._changing = threading.Lock()

    def at_once(
        self, request: ScoreRequest, *, now: datetime, language: Language, request_id: str
    ) -> Scored | None:
        """The answer, when nothing must be computed or looked up for it."""
        account = self._accounts.get(_name(request) or ("domain", ""))
        if account is None or account.account_id is None or self.desk.has_newer(account.account_id):
            return None
        if request.as_of is not None and request.as_of > now:
            return None
        as_of = request.as_of or default_as_of(
            account.newest_known_at, now=now, time_zone=self.desk.time_zone
        )
        found = self._found(self._key(account.account_id, as_of, request=request, now=now, language=language))
        return None if found is None else found.again(request, request_id=request_id)

    def score(self, request: ScoreRequest, *, now: datetime, language: Language, request_id: str) -> Scored:
        """The answer, computed or remembered. Raises as `serving.scoring.score_in_full` does."""
        subject = find_subject(self.desk, request=request, now=now, language=language)
        (scored,) = self.score_subjects([subject], request_ids=[request_id], now=now, language=language)
        return scored

    def score_each(
        self,
        requests: Sequence[ScoreRequest],
        *,
        request_ids: Sequence[str],
        now: datetime,
        language: Language,
    ) -> list[Scored | SpearfishError]:
        """As `score`, of many requests; in place of an answer, what is wrong with its request."""
        found = find_subjects(self.desk, requests=requests, now=now, language=language, apart=True)
        own = [place for place, one in enumerate(found) if isinstance(one, Subject)]
        subjects = [one for one in found if isinstance(one, Subject)]
        names = [request_ids[place] for place in own]
        scored = iter(self.score_subjects(subjects, request_ids=names, now=now, language=language))
        return [next(scored) if isinstance(one, Subject) else one for one in found]

    def score_subjects(
        self, subjects: Sequence[Subject], *, request_ids: Sequence[str], now: datetime, language: Language
    ) -> list[Scored]:
        """As `serving.scoring.score_subjects`; only what is not remembered is computed."""
        keys = [self._key_of(subject, now=now, language=language) for subject in subjects]
        found = [None if key is None else self._found(key) for key in keys]
        missing = [place for place, one in enumerate(found) if one is None]
        computed = iter(
            self._computed(
                [subjects[place] for place in missing],
                request_ids=[request_ids[place] for place in missing],
                now=now,
                language=language,
            )
        )
        told = []
        for scored, key, subject, name in zip(found, keys, subjects, request_ids, strict=True):
            if scored is None:
                told.append(next(computed))
                self._keep(key, subject, told[-1])
            else:
                told.append(scored.again(subject.request, request_id=name))
        return told

    def newest(self, limit: int) -> list[tuple[ScoreRequest, Language]]:
        """What was asked last without a moment of its own, the newest first."""
        with self._changing:
            answers = list(self._answers.items())
        asked = [(one.request, key[2]) for key, one in reversed(answers) if one.request.as_of is None]
        return asked[:limit]

    def learn(
        self,
        asked: Sequence[tuple[ScoreRequest, Language]],
        *,
        now: datetime,
        until: float | None = None,
    ) -> None:
        """Compute what another desk was asked, before this one answers.

        until: when it has to, by the monotonic clock, while another one answers; None where none does.
        """
        groups = [
            (language, requests[start : start + _AT_ONCE])
            for language in sorted({language for _, language in asked})
            if (requests := [request for request, told in asked if told == language])
            for start in range(0, len(requests), _AT_ONCE)
        ]
        for left, (language, requests) in zip(range(len(groups))[::-1], groups, strict=True):
            begun = time.monotonic()
            if self._stop.is_set() or (until is not None and begun >= until):
                return
            found = find_subjects(self.desk, requests=requests, now=now, language=language)
            subjects = [one for one in found if not isinstance(one, SpearfishError)]
            self.score_subjects(subjects, request_ids=[""] * len(subjects), now=now, language=language)
            if until is not None and left:
                ended = time.monotonic()
                took = ended - begun
                self._stop.wait(max(0.0, min(_REST * took, (until - ended) / left - took)))

    def let_go(self) -> None:
        """Forget everything, little by little: all at once holds up whoever is answered by another one."""
        while self._answers:
            with self._changing:
                some = [self._answers.popitem() for _ in range(min(_AT_ONCE, len(self._answers)))]
            del some
            self._stop.wait(_BETWEEN)

    def _computed(
        self, subjects: Sequence[Subject], *, request_ids: Sequence[str], now: datetime, language: Language
    ) -> list[Scored]:
        if not subjects:
            return []
        return score_subjects(self.desk, subjects, request_ids=request_ids, now=now, language=language)

    def _key_of(self, subject: Subject, *, now: datetime, language: Language) -> _Key | None:
        account_id = subject.account.account_id
        if account_id is None or subject.tables is not None or subject.lead is not None or subject.newer:
            return None
        return self._key(account_id, subject.as_of, request=subject.request, now=now, language=language)

    def _key(
        self, account_id: str, as_of: datetime, *, request: ScoreRequest, now: datetime, language: Language
    ) -> _Key:
        rejection = self.desk.verdicts.rejection(account_id, before=request.as_of or now + SECOND)
        return account_id, as_of, language, rejection

    def _found(self, key: _Key) -> Scored | None:
        with self._changing:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
        return found

    def _keep(self, key: _Key | None, subject: Subject, scored: Scored) -> None:
        name = _name(subject.request)
        if key is None or name is None:
            return
        with self._changing:
            self._answers[key] = scored
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
            if len(self._accounts) >= 2 * self._most:
                self._accounts.clear()
            self._accounts[name] = subject.account


def _name(request: ScoreRequest) -> _Name | None:
    """How a request names a known account; None for a record or a lead."""
    if request.account_id is not None:
        return "account_id", request.account_id
    return None if request.domain is None else ("domain", request.domain)


def score_together(
    kind: tuple[Remembered, datetime, Language], asked: Sequence[tuple[ScoreRequest, str]]
) -> list[Scored | SpearfishError]:
    """The answers to requests that came at about the same time, for `serving.together`."""
    remembered, now, language = kind
    if len(asked) == 1:
        ((request, name),) = asked
        return [remembered.score(request, request_id=name, now=now, language=language)]
    requests, names = zip(*asked, strict=True)
    return remembered.score_each(requests, request_ids=names, now=now, language=language)
