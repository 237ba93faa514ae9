"""A lead: a person at a company, as a request about an account or about a company that nobody knows yet.

Turns a lead into the account that it speaks of (by the domain of the e-mail address, of the web site, or by
the name of the company), else into a record of what it says of the company. A domain that gives mailboxes to
anybody says nothing. Of the person only level, department and role stay: neither address nor title leaves
this module. Time rule: who is who is told by all that is known today. Null rule: a lead that says nothing
that the fit model reads is refused, with what would help.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from features.errors import UnknownAccountError
from features.feature import Language
from features.identity.domains import company_domain, is_mail_provider
from features.identity.matching import AccountMatcher
from features.titles.filling import fill_contact_rows
from features.titles.roles import TitleSettings
from serving.accounts import Account, AccountIndex
from serving.answers import LeadFound
from serving.company_names import match_name
from serving.desk import Desk
from serving.looking import Accounts
from serving.phrases import phrase
from serving.problems import AmbiguousDomainError, FieldError, InvalidRequestError
from serving.requests import ScoreRequest, request_model

__all__ = ["read_lead"]


def read_lead(
    desk: Desk, request: ScoreRequest, *, accounts: Accounts, language: Language
) -> tuple[ScoreRequest, LeadFound]:
    """The request about the account, or about the company that the lead describes; and what became of it.

    Raises InvalidRequestError where the lead says too little, AmbiguousDomainError where its domain is that
    of several accounts and the name does not tell which.
    """
    lead, person = request.lead, _person(request.lead)
    for how, domain in _domains(lead):
        account = _by_domain(desk.snapshot.accounts, accounts, lead=lead, domain=domain)
        if account is not None:
            return _of_account(request, account, how=how, sure=1.0, person=person, language=language)
    possible: list[str] = []
    if lead.company:
        account_id, sure, possible = desk.snapshot.names.match(lead.company, country=lead.country)
        if account_id is not None:
            account = accounts.by_id(account_id)
            return _of_account(
                request, account, how="company_name", sure=sure, person=person, language=language
            )
    _require_enough(desk, lead)
    found = LeadFound(
        account_matched=False,
        how=None,
        sure=None,
        sentence=phrase("no_account", language=language),
        possible_account_ids=possible,
        fit_range=None,
        **person,
    )
    return _as_record(desk, request), found


def _domains(lead: Any) -> Iterator[tuple[str, str]]:
    for how, written in (("email_domain", lead.email), ("website_domain", lead.website)):
        domain = company_domain(written)
        if domain is not None:
            yield how, domain


def _by_domain(index: AccountIndex, accounts: Accounts, *, lead: Any, domain: str) -> Account | None:
    """The account of a domain; of several the one with the name of the company."""
    try:
        return accounts.by_domain(domain)
    except UnknownAccountError:
        return None
    except AmbiguousDomainError:
        if not lead.company:
            raise
        sharing = index.sharing(domain)
        named = pd.DataFrame(
            [{"account_id": one.account_id, "name": one.name, "domain": domain} for one in sharing]
        )
        account_id, _, _ = match_name(
            AccountMatcher(named), company=lead.company, domain=domain, country=lead.country
        )
        if account_id is None:
            raise
        return next(one for one in sharing if one.account_id == account_id)


def _of_account(
    request: ScoreRequest,
    account: Account,
    *,
    how: str,
    sure: float,
    person: dict[str, str | None],
    language: Language,
) -> tuple[ScoreRequest, LeadFound]:
    name = account.account_id
    found = LeadFound(
        account_matched=True,
        how=how,
        sure=sure,
        sentence=phrase(f"by_{how}", language=language, account=name, sure=sure),
        possible_account_ids=[],
        fit_range=None,
        **person,
    )
    return request.model_copy(update={"lead": None, "account_id": name}), found


def _person(lead: Any) -> dict[str, str | None]:
    """Level, department and role, from the title where they were not sent."""
    sent = {"title": lead.title, "seniority": lead.seniority, "department": lead.department, "role": None}
    (filled,) = fill_contact_rows([sent], settings=TitleSettings())
    return {name: filled[name] for name in ("seniority", "department", "role")}


def _as_record(desk: Desk, request: ScoreRequest) -> ScoreRequest:
    """What the lead says of its company, as a record. Its values were checked with the lead."""
    model: Any = request_model(desk.snapshot.manifest.attributes)
    record = _inner(model.model_fields["record"].annotation)
    account = _inner(record.model_fields["account"].annotation)
    lead = request.lead
    told = {name: getattr(lead, name) for name in account.model_fields if hasattr(lead, name)}
    domain = next((domain for _, domain in _domains(lead)), None)
    facts = account.model_construct(**told, name=lead.company, domain=domain, known_at=None)
    return request.model_copy(update={"lead": None, "record": record.model_construct(account=facts)})


def _inner(annotation: Any) -> Any:
    """The model of an optional field."""
    return next((one for one in getattr(annotation, "__args__", ()) if one is not type(None)), annotation)


def _require_enough(desk: Desk, lead: Any) -> None:
    """Whether anything that the lead says is read by a fit model."""
    read = dict.fromkeys(
        one.name for model in desk.release.of_kind("fit") for one in model.scorer.inputs.inputs
    )
    own = lead.attributes.model_dump() if lead.attributes else {}
    if any(getattr(lead, name, None) is not None or own.get(name) is not None for name in read):
        return
    helpful = [_path(name, lead) for name in read]
    raise InvalidRequestError([_too_little(lead, helpful=helpful)])


def _path(name: str, lead: Any) -> str:
    return f"lead.{name}" if name in type(lead).model_fields else f"lead.attributes.{name}"


def _too_little(lead: Any, *, helpful: Sequence[str]) -> FieldError:
    free = bool(lead.email) and is_mail_provider(lead.email)
    why = "the domain of a mail provider names no company" if free else "no account is surely this company"
    named = [field for field in ("company", "website") if getattr(lead, field) is None]
    first = f"add {' or '.join(f'lead.{field}' for field in named)} of a known account" if named else ""
    second = f"add what fit rests on: {', '.join(helpful)}" if helpful else ""
    return FieldError(
        "lead",
        f"says too little: {why}, and nothing is told of the company that the fit model reads",
        None,
        "a company that is an account, or one of " + ", ".join(helpful) if helpful else "a known company",
        ", or ".join(filter(None, (first, second))) or "send a company that is an account",
    )
