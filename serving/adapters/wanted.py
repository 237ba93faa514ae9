"""What a record of a CRM asks of the core, and the answer to it.

Turns a record into core requests in the order in which they are tried: the account that it names, and where
the tables do not know that one yet (it was made after the last ingest) the company that it describes, matched
as a lead is. Time rule: that of the core. Null rule: a field that is empty is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from features.errors import SpearfishError, UnknownAccountError
from features.feature import Language
from serving.log.entries import Answered
from serving.problems import DuplicateAccountError, FieldError, InvalidRequestError
from serving.web.services import Answers

__all__ = ["Outcome", "Wanted", "answer_every", "answer_first", "wanted"]

Json = dict[str, Any]
Outcome = Answered | SpearfishError

_WHOLE = "lead"
_PLACE = re.compile(r"^accounts\[\d+\]\.?")


@dataclass(frozen=True)
class Wanted:
    """requests: bodies of POST /v1/score, as texts. names: by path in them, the field of the CRM."""

    requests: tuple[str, ...]
    names: Mapping[str, str]


def wanted(
    account_ids: Iterable[str | None],
    *,
    lead: Mapping[str, Any],
    as_of: str | None,
    names: Mapping[str, str],
    named_by: str,
) -> Wanted:
    """What to ask. account_ids: the same account, as the tables may spell it.

    named_by: the fields that could name it, for people. Raises InvalidRequestError where there is nothing.
    """
    moment = {} if as_of is None else {"as_of": as_of}
    bodies: list[Json] = [{"account_id": one} for one in dict.fromkeys(account_ids) if one]
    if lead:
        bodies.append({"lead": dict(lead)})
    if not bodies:
        error = FieldError("(body)", "names no account", None, named_by, "send one of these fields")
        raise InvalidRequestError([error])
    return Wanted(tuple(json.dumps(body | moment, ensure_ascii=False) for body in bodies), names)


def answer_first(
    answers: Answers, asked: Wanted, *, request_id: str, language: Language, api_key_id: int | None
) -> Answered:
    """The answer to the first request that finds its account. Raises what the core raises."""
    told: list[SpearfishError] = []
    for text in asked.requests:
        try:
            return answers.answer(
                text.encode(), request_id=request_id, language=language, api_key_id=api_key_id
            )
        except (UnknownAccountError, InvalidRequestError) as error:
            told.append(error)
            if not isinstance(error, UnknownAccountError):
                break
    raise _meant(told, asked)


def answer_every(
    answers: Answers,
    rows: Sequence[Wanted | InvalidRequestError],
    *,
    language: Language,
    api_key_id: int | None,
) -> list[Outcome]:
    """As `answer_first`, of many rows in their order: computed together, and an account that several of them
    name (people at one company do) once."""
    told: dict[str, Outcome] = {}
    while texts := list(dict.fromkeys(text for row in rows if (text := _next(row, told)) is not None)):
        body = f'{{"accounts": [{", ".join(texts)}]}}'.encode()
        found = answers.answer_batch(body, language=language, api_key_id=api_key_id)
        for text, outcome in zip(texts, found, strict=True):
            # Another way to name the account of an earlier row: asked again, without that one beside it.
            if not isinstance(outcome, DuplicateAccountError):
                told[text] = outcome
    return [_outcome(row, told) for row in rows]


def _next(row: Wanted | InvalidRequestError, told: Mapping[str, Outcome]) -> str | None:
    """The request of a row that is still to be asked."""
    if isinstance(row, InvalidRequestError):
        return None
    for text in row.requests:
        if text not in told:
            return text
        if not isinstance(told[text], UnknownAccountError):
            return None
    return None


def _outcome(row: Wanted | InvalidRequestError, told: Mapping[str, Outcome]) -> Outcome:
    if isinstance(row, InvalidRequestError):
        return row
    errors: list[SpearfishError] = []
    for text in row.requests:
        outcome = told.get(text)
        if isinstance(outcome, Answered):
            return outcome
        if outcome is not None:
            errors.append(outcome)
    return _meant(errors, row)


def _meant(errors: Sequence[SpearfishError], asked: Wanted) -> SpearfishError:
    """Of what is wrong with every request, what to say, in the words of the CRM.

    Where the account is not known and too little is told of its company, that it is not known.
    """
    last = errors[-1]
    if isinstance(last, UnknownAccountError):
        return errors[0]
    if not isinstance(last, InvalidRequestError):
        return last
    if len(errors) > 1 and _bare(last.errors[0].field) == _WHOLE:
        return errors[0]
    return InvalidRequestError([_renamed(error, asked.names) for error in last.errors])


def _renamed(error: FieldError, names: Mapping[str, str]) -> FieldError:
    field = _bare(error.field)
    return replace(
        error,
        field="(body)" if field == _WHOLE else names.get(field, field),
        allowed=_reworded(error.allowed, names),
        fix=_reworded(error.fix, names),
    )


def _bare(path: str) -> str:
    """The path within one request of a batch."""
    return _PLACE.sub("", path)


def _reworded(text: str | None, names: Mapping[str, str]) -> str | None:
    for path in sorted(names, key=len, reverse=True):
        text = text and text.replace(path, names[path])
    return text
