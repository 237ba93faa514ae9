"""What is asked of every answer when the service is fuzzed, beyond what schemathesis asks itself.

Loaded by schemathesis (see schemathesis.toml). Turns an answer into nothing, or into a failure. Time rule:
none. Null rule: an answer without a body has no rows and no errors.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from serving.requests import ScoreRequest

RULES = (
    # Two fields of which one may be given: the document holds no oneOf, which importers do not understand.
    "must name the account in exactly one way",
    r"(accepted|rejected|outcome) (needs|takes no) (reason|outcome)",
    "and closed_at must both be sent, or neither",
    # What is right today was wrong yesterday.
    "is in the future",
    "is before the year 1900",
    "is not a date that exists",
    "lies before anything is known of the account",
    # What the rows of a record have to do with each other, and the moments of one row.
    "lies before (the row happened|created_at)",
    r"has the same [a-z_]+( and [a-z_]+)* as record\..*",
    # What other requests have made of it.
    "this Idempotency-Key came with another body before",
    # Names that the data and the release give.
    "no such fit model answers now",
    "is of an answer about another account",
    "is no page",
    # The name of a file within a form.
    "the file is of a type that is not read here",
    # What is refused for what it does not say, or for what else the record of a CRM says of itself.
    "says too little: .*",
    "names no account",
    "is (of another object|no record id)",
    "is no Salesforce id, or its check characters are wrong",
    # What lists hold, and what of them a list demands.
    "revision: the list has not come that far",
    "segment: (the list has no such segment|is missing|a drop takes none)",
    "goals name a segment that is not among the segments",
    "(segments|where|segment_quotas|owner_quotas|caps) names one twice",
    "expires_at: has passed already",
    "replaces: (the list has no such decision|is a decision about another account|is no decision about .*)",
    "the accounts have no such column",
    "name: another list has it",
    "name is a number, as those of lists are",
    "size is missing: a list that is no pilot needs one",
    "sub_industry is of a pilot; filter by rules instead",
    "comment: is missing",
    "match_by: is no way by which such a file finds accounts",
    "encoding: is none of texts",
    "approver: has approved for the other side already",
    "the list has no such version",
    "rules: only a redraw brings its own",
    "must name the suggestions in exactly one way: .*",
    # What expansions and plans demand.
    "more rows than are matched at once",
    ".* cannot be told from the data",
    "(reps|wins per rep) must be above zero",
    "there is no seed",
    "must name the seeds in one way: .*",
    "mode: horizontal needs a product line",
    "(product|weights): .* takes none",
    "no opportunity names this product",
    "the weights of a blend",
    "list_id: nobody is on the list",
    # Numbers of a CRM may be strings, whose bounds no document can say.
    "input should be (greater|less) than or equal to .*",
)
"""Why a request that follows the document may be refused with 422 or 415 all the same."""

LENIENT = re.compile(r"/v1/(hubspot|salesforce)/")
"""Paths that take what a CRM really sends: numbers as strings and strings as numbers, fields of any name."""

_Case = Case[Any]
_IDENTITY = "Idempotency-Key"
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:")
_KNOWN_YEAR = 2025
_numbers = count()


@schemathesis.hook
def before_call(context: HookContext, case: _Case, kwargs: dict[str, Any]) -> None:
    """Most requests that follow the document follow its unwritten rules too, so that they reach the work."""
    number = next(_numbers)
    if case.meta is None or not case.meta.generation.mode.is_positive or number % 4 == 0:
        return
    if case.headers.get(_IDENTITY):
        case.headers[_IDENTITY] = f"fuzz-{number}"
    case.body = _in_time(_one_way(case.body, number=number))


def _one_way(body: Any, *, number: int) -> Any:
    """The body with its account named in one way, where it is named in several."""
    if isinstance(body, list):
        return [_one_way(each, number=number + place) for place, each in enumerate(body)]
    if not isinstance(body, dict):
        return body
    given = [way for way in ScoreRequest.ways if body.get(way) is not None]
    left_out = [way for way in given if way != given[number % len(given)]]
    return {name: _one_way(value, number=number) for name, value in body.items() if name not in left_out}


def _in_time(body: Any) -> Any:
    """The body with every moment in a year in which things are known; most that are drawn lie elsewhere."""
    if isinstance(body, list):
        return [_in_time(each) for each in body]
    if isinstance(body, dict):
        return {name: _in_time(value) for name, value in body.items()}
    return f"{_KNOWN_YEAR}{body[4:]}" if isinstance(body, str) and _MOMENT.match(body) else body


@schemathesis.check
def what_breaks_the_document_is_refused(ctx: CheckContext, response: Response, case: _Case) -> bool | None:
    """As negative_data_rejection; of a batch a row is refused for itself, and counted."""
    try:
        return negative_data_rejection(ctx, response, case)
    except Failure:
        told = _told(response)
        if not (told.get("failed") or told.get("refused") or LENIENT.match(case.path)):
            raise
    return None


@schemathesis.check
def what_follows_the_document_is_taken(ctx: CheckContext, response: Response, case: _Case) -> bool | None:
    """As positive_data_acceptance, but for rules that no document can say."""
    try:
        return positive_data_acceptance(ctx, response, case)
    except Failure:
        errors = _told(response).get("errors", [])
        if response.status_code not in (415, 422) or not errors or not all(map(_is_of_a_rule, errors)):
            raise
    return None


def _is_of_a_rule(error: dict[str, str]) -> bool:
    # What a file holds is not in the document.
    return error["field"] == "file" or any(re.fullmatch(rule, error["what"]) for rule in RULES)


@schemathesis.check
def every_problem_is_told_whole(ctx: CheckContext, response: Response, case: _Case) -> bool | None:
    """A problem has its status, and the name under which the log has it; one to be tried again says when."""
    if response.status_code >= 400:
        told = _told(response)
        assert told.get("status") == response.status_code, told
        assert [told["request_id"]] == response.headers["x-request-id"], told
        if response.status_code in (429, 503):
            assert int(response.headers["retry-after"][0]) > 0, told
    return None


@schemathesis.check
def nothing_of_the_inside_is_told(ctx: CheckContext, response: Response, case: _Case) -> bool | None:
    """No place of this machine, no words of a library."""
    for word in (b"Traceback", b"/site-packages/", b"sqlite:", b"store.db", b"postgresql", b"duckdb."):
        assert word not in response.content, word
    return None


def _told(response: Response) -> dict[str, Any]:
    """The object that an answer holds."""
    kinds = response.headers.get("content-type") or [""]
    told = response.json() if "json" in kinds[0] and response.content else {}
    return told if isinstance(told, dict) else {}
