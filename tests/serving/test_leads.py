"""Leads: the account that they speak of, or what they say of a company that nobody knows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from small_workspace import AS_OF, NOW, ask

from serving.answers import ScoreAnswer
from serving.desk import Desk
from serving.log.entries import Entry
from serving.problems import AmbiguousDomainError, InvalidRequestError
from serving.requests import ScoreRequest, parse_request
from serving.scoring import Scored, score_in_full
from serving.subjects import find_subject
from serving.unknown_company import with_fit_range

ADDRESS = "Ann.Lee@Company7.example"


def lead(desk: Desk, **told: Any) -> ScoreAnswer:
    return ask(desk, lead=told, as_of=AS_OF)


def parsed(desk: Desk, **told: Any) -> ScoreRequest:
    return parse_request(json.dumps({"lead": told}).encode(), attributes=desk.snapshot.manifest.attributes)


def in_full(desk: Desk, *, language: Any = "en", **told: Any) -> Scored:
    return score_in_full(desk, request=parsed(desk, **told), now=NOW, language=language)


@pytest.mark.parametrize(
    ("told", "account", "how", "sure"),
    [
        ({"email": ADDRESS}, "acc-07", "email_domain", 1.0),
        ({"email": "ann@mail.company7.example"}, "acc-07", "email_domain", 1.0),
        (
            {"email": "ann@gmail.com", "website": "https://www.company8.example/about"},
            "acc-08",
            "website_domain",
            1.0,
        ),
        ({"email": "ann@gmail.com", "company": "Company 9 GmbH"}, "acc-09", "company_name", None),
        # Two accounts share the domain: the name tells which.
        ({"email": "ann@company1.example", "company": "Company 2"}, "acc-02", "email_domain", 1.0),
    ],
)
def test_a_lead_is_scored_as_the_account_that_it_speaks_of(
    desk: Desk, told: dict[str, Any], account: str, how: str, sure: float | None
) -> None:
    answer, known = lead(desk, **told), ask(desk, account_id=account, as_of=AS_OF)
    found = answer.lead
    assert found is not None
    assert (found.account_matched, found.how) == (True, how)
    assert found.sure is not None
    assert found.sure == sure if sure else 0.86 <= found.sure <= 1
    assert account in found.sentence
    same = {"request_id", "lead"}
    assert answer.model_dump(exclude=same) == known.model_dump(exclude=same)


def test_a_domain_of_several_accounts_without_a_telling_name_is_ambiguous(desk: Desk) -> None:
    with pytest.raises(AmbiguousDomainError, match="acc-01, acc-02"):
        lead(desk, email="ann@company1.example")


def test_an_unknown_company_gets_fit_with_its_range_and_no_intent(desk: Desk) -> None:
    answer = lead(desk, email="ann@unknown.example", company="Unknown", industry="software", employees=120)
    found, fit = answer.lead, answer.fit
    assert found is not None
    assert fit is not None
    assert (found.account_matched, found.how, found.sure) == (False, None, None)
    assert answer.intent is None
    assert "Not enough evidence" in (answer.intent_unavailable_reason or "")
    assert (answer.account.account_id, answer.account.name) == (None, "Unknown")
    assert answer.account.domain == "unknown.example"
    assert (answer.fire.recency, answer.fire.engagement) == (None, None)
    assert {"industry", "employees"} <= set(fit.inputs.known)
    assert "founded_year" in fit.inputs.missing
    told = fit.inputs.sentence or ""
    assert told.startswith("year of foundation")
    assert told.endswith("unknown: fit rests on employees and industry")
    assert found.fit_range is not None
    assert "year of foundation" in found.fit_range.meaning


def test_the_range_holds_nine_in_ten_of_what_the_unknown_may_turn_out_to_be(desk: Desk) -> None:
    scored = in_full(desk, company="Unknown", industry="software", employees=120)
    (model,), fit = desk.release.of_kind("fit"), scored.answer.fit
    assert fit is not None
    row, features = scored.rows["fit"], model.scorer.bundle.catalogue.features
    may_be = []
    for account in desk.some_rows("fit"):
        filled = row.copy()
        for column, feature in enumerate(features):
            if feature.table == "accounts" and np.isnan(row[column]):
                filled[column] = account[column]
        may_be.append(model.scorer.explain_row(filled).probability)
    own = fit.probability_interval.model_copy(update={"low": fit.probability, "high": fit.probability})
    found = with_fit_range(
        desk,
        find_subject(
            desk, request=parsed(desk, company="Unknown", industry="software"), now=NOW, language="en"
        ),
        model,
        fit=fit.model_copy(update={"probability_interval": own}),
        row=row,
        language="en",
    )
    assert found is not None
    assert found.fit_range is not None
    assert found.fit_range.low == pytest.approx(min(np.quantile(may_be, 0.05), fit.probability))
    assert found.fit_range.high == pytest.approx(max(np.quantile(may_be, 0.95), fit.probability))
    assert found.fit_range.low < found.fit_range.high


def test_an_unknown_company_is_scored_as_the_same_record_is(desk: Desk) -> None:
    facts = {"industry": "retail", "country": "DE", "employees": 700, "technologies": ["crm"]}
    attributes = {"web_rank": 10.0, "segment": "mid"}
    answer = lead(desk, company="Unknown", attributes=attributes, **facts)
    record = {"account": {**facts, "name": "Unknown", "attributes": attributes}}
    assert answer.fit == ask(desk, record=record, as_of=AS_OF).fit


@pytest.mark.parametrize(
    ("told", "why", "helps"),
    [
        ({"email": "ann@gmail.com"}, "mail provider", ["lead.company", "lead.website", "lead.industry"]),
        ({"email": "ann@mailinator.com", "title": "CEO"}, "mail provider", ["lead.company"]),
        ({"email": "ann@unknown.example"}, "no account is surely", ["lead.company", "lead.employees"]),
        ({"company": "Unknown", "title": "CEO"}, "no account is surely", ["lead.website", "lead.employees"]),
        ({}, "no account is surely", ["lead.attributes.web_rank"]),
        ({"city": "Berlin"}, "no account is surely", ["lead.company"]),
    ],
)
def test_a_lead_that_says_too_little_is_told_what_would_help(
    desk: Desk, told: dict[str, Any], why: str, helps: list[str]
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        lead(desk, **told)
    (error,) = caught.value.errors
    assert error.field == "lead"
    assert why in error.what
    assert all(field in (error.fix or "") for field in helps)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"email": "not an address"}, "lead.email"),
        ({"email": "ann@x.example\n"}, "lead.email"),
        ({"email": 7}, "lead.email"),
        ({"email": ADDRESS, "employees": 1.5}, "lead.employees"),
        ({"email": ADDRESS, "phone": "1"}, "lead.phone"),
        ({"email": ADDRESS, "seniority": "boss"}, "lead.seniority"),
    ],
)
def test_wrong_fields_are_named_and_an_address_is_not_repeated(
    desk: Desk, told: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        lead(desk, **told)
    assert caught.value.errors[0].field == field
    assert str(told["email"]) not in str([vars(error) for error in caught.value.errors])


def test_level_department_and_role_follow_from_the_title(desk: Desk) -> None:
    found = lead(desk, email=ADDRESS, title="Vice President of Marketing").lead
    assert found is not None
    assert (found.seniority, found.department, found.role) == (
        "vice_president",
        "marketing",
        "decision_maker",
    )


@pytest.mark.parametrize(
    "told",
    [
        {"email": ADDRESS, "title": "Chief Fish Officer"},
        {"email": "ann.lee@unknown.example", "title": "Chief Fish Officer", "industry": "retail"},
        {"email": "ann.lee@gmail.com", "title": "Chief Fish Officer", "company": "Company 9"},
    ],
)
def test_neither_the_address_nor_the_title_gets_into_the_log(desk: Desk, told: dict[str, Any]) -> None:
    scored = in_full(desk, **told)
    row = Entry(
        scored=scored,
        at=NOW,
        snapshot=desk.snapshot.manifest.snapshot,
        fingerprints=desk.release.release.fingerprints,
        people=desk.snapshot.people,
    ).row()
    kept = f"{row.inputs} {row.answer}".lower()
    assert "ann.lee" not in kept
    assert "fish" not in kept


def test_what_is_logged_of_an_unknown_company_can_be_asked_again(desk: Desk) -> None:
    scored = in_full(desk, company="Unknown", industry="software", attributes={"web_rank": 5.0})
    body = scored.request.model_dump_json(exclude_none=True, exclude_defaults=True)
    again = parse_request(body.encode(), attributes=desk.snapshot.manifest.attributes)
    answer = score_in_full(desk, request=again, now=NOW).answer
    assert answer.fit == scored.answer.fit


def test_a_lead_is_answered_in_chinese(desk: Desk) -> None:
    matched = in_full(desk, language="zh", email=ADDRESS).answer
    unknown = in_full(desk, language="zh", company="Unknown", industry="software").answer
    assert matched.lead is not None
    assert "邮箱域名" in matched.lead.sentence
    assert "依据不足" in (unknown.intent_unavailable_reason or "")
    assert unknown.fit is not None
    assert "员工人数" in (unknown.fit.inputs.sentence or "")
    assert "未知：契合度依据行业" in (unknown.fit.inputs.sentence or "")
