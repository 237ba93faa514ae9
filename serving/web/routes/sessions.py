"""Who asks: signing in by a link, who is signed in and what they may do, and signing out.

Time rule: a session begins and ends in the second in which the store takes it. Null rule: a key and this
machine have no role, no side, no token and no end.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from starlette.responses import Response

from features.errors import WorkspaceError
from serving.access.callers import Caller, name_of
from serving.access.guesses import GUESSES_AT_ONCE
from serving.access.roles import may
from serving.access.scopes import SCOPES, Scope
from serving.access.secrets import digest_of
from serving.access.sessions import (
    LASTS_FOR,
    cookie_of,
    is_secure,
    new_secret,
    session_of,
    token_of,
    why_foreign,
)
from serving.answers import Answer, Moment
from serving.fields import StrictModel
from serving.problems import ForeignRequestError, TooManyRequestsError
from serving.requests import parse_body
from serving.scoring import utc_now
from serving.store import people
from serving.store.people import (
    ExpiredLinkError,
    Session,
    UnknownLinkError,
    UsedLinkError,
    WithdrawnLinkError,
)
from serving.web.bodies import json_body
from serving.web.endpoint import Call, Endpoint, Operation, json_answer

__all__ = ["ENDPOINTS"]


class SignInRequest(StrictModel):
    """A link that was given to somebody."""

    token: str = Field(
        min_length=43,
        max_length=43,
        pattern="^[A-Za-z0-9_-]{43}$",
        description="What stands behind #/sign-in/ in the link.",
    )


class SessionAnswer(Answer):
    """Who asks, and what they may do."""

    kind: Literal["person", "key", "local"] = Field(
        description="person: somebody who signed in; key: an API key; local: anybody on this machine, while "
        "there are neither keys nor people."
    )
    name: str = Field(description="The person's name, or what the key was made for, or local.")
    # No choices: importers of the document refuse null as one of them.
    role: str | None = Field(description="viewer or approver; null for keys and this machine.")
    side: str | None = Field(description="For whom a person approves: marketing or sales; null for both.")
    may_read: list[str] = Field(description="Scopes whose endpoints may be read (GET).")
    may_write: list[str] = Field(description="Scopes whose endpoints may be used by every other method.")
    csrf_token: str | None = Field(
        description="What every request of this session but GET and HEAD brings as X-CSRF-Token."
    )
    signed_in_at: Moment | None = Field(description="When the session began.")
    ends_at: Moment | None = Field(description="When it ends, however much it is used.")


class SignedOut(Answer):
    """What came of signing out."""

    signed_out: bool = Field(description="Whether a session was ended; false where none brought the request.")


async def _tell(call: Call) -> Response:
    return json_answer(_told(call.caller, session=session_of(call.request)))


async def _sign_in(call: Call) -> Response:
    request = call.request
    # Nobody may be signed in as somebody else by the page of another site.
    why = why_foreign(request, session=None)
    if why is not None:
        raise ForeignRequestError(why, fix="open the link itself")
    asked = parse_body(await json_body(request), model=SignInRequest)
    link, text, before = digest_of(asked.token), new_secret(), session_of(request)
    guesses, address = call.services.guesses, request.client.host if request.client else None
    guesses.require_few(address)

    def work() -> Session:
        store, now = call.services.door.open(), utc_now()
        with store.reading() as connection:
            if not people.find_link(connection, link=link):
                raise people.unknown_link()
        with store.writing() as connection:
            made = people.sign_in(
                connection, link=link, session=digest_of(text), expires_at=now + LASTS_FOR, now=now
            )
            # A browser has one session: the one before it would go on for days, with nobody to end it.
            for other in people.open_sessions(connection, now=now) if before else ():
                if other.digest == digest_of(before or ""):
                    people.sign_out(connection, session_id=other.id, now=now)
        return made

    try:
        session = await call.store(work)
    except UnknownLinkError:
        guesses.note(address)
        raise
    answer = json_answer(_told(Caller(session=session), session=text), status=201)
    answer.set_cookie(
        cookie_of(request),
        text,
        max_age=int(LASTS_FOR.total_seconds()),
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )
    return answer


async def _sign_out(call: Call) -> Response:
    session = call.caller.session
    if session is None:
        return json_answer(SignedOut(signed_out=False))
    session_id = session.id

    def work() -> bool:
        with call.services.door.open().writing() as connection:
            return people.sign_out(connection, session_id=session_id, now=utc_now())

    answer = json_answer(SignedOut(signed_out=await call.store(work)))
    answer.delete_cookie(
        cookie_of(call.request), secure=is_secure(call.request), httponly=True, samesite="strict"
    )
    return answer


def _told(caller: Caller, *, session: str | None) -> SessionAnswer:
    """session: what the browser holds, where the caller is a person."""
    found, person = caller.session, caller.person
    return SessionAnswer(
        kind="person" if person else "key" if caller.key else "local",
        name=name_of(caller),
        role=person.role if person else None,
        side=person.side if person else None,
        may_read=_scopes(caller, method="GET"),
        may_write=_scopes(caller, method="POST"),
        csrf_token=token_of(session) if person and session else None,
        signed_in_at=found.created_at if found else None,
        ends_at=found.expires_at if found else None,
    )


def _scopes(caller: Caller, *, method: str) -> list[str]:
    def allowed(scope: Scope) -> bool:
        if caller.person is not None:
            return may(caller.person.role, scope=scope, method=method)
        return caller.key is None or scope in caller.key.scopes

    return [scope for scope in SCOPES if allowed(scope)]


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/session",
        scope="score",
        handle=_tell,
        operation=Operation(
            name="getSession",
            summary="Who asks, and what they may do",
            description="The person who is signed in, or the key, or anybody on this machine.",
            tag="session",
            answer=SessionAnswer,
            answer_description="Who asks.",
        ),
    ),
    Endpoint(
        "POST",
        "/v1/session",
        scope="score",
        handle=_sign_in,
        operation=Operation(
            name="signIn",
            summary="Sign in by a link",
            description="Uses up a link made by `spearfish users invite`, and sets a cookie that holds the "
            "session: it ends after 30 days, after three days without use, when it is signed out, and when "
            "the person is disabled. It is out of reach of scripts and of other sites; what writes must "
            "bring csrf_token in the header X-CSRF-Token as well. An address from which "
            f"{GUESSES_AT_ONCE} links came that nobody made waits as long as Retry-After says.",
            tag="session",
            body=lambda _: SignInRequest,
            body_description="The link.",
            example={"token": "sB0p1mVn4TzWqYkq8mYJr2cXhL5dEo7aUf9iGt3Rw6Q"},
            answer=SessionAnswer,
            answer_description="Who is signed in now; the header Set-Cookie holds the session.",
            status=201,
            public=True,
            problems=(
                *(UnknownLinkError, UsedLinkError, WithdrawnLinkError, ExpiredLinkError),
                *(TooManyRequestsError, WorkspaceError),
            ),
        ),
    ),
    Endpoint(
        "DELETE",
        "/v1/session",
        scope="score",
        handle=_sign_out,
        operation=Operation(
            name="signOut",
            summary="Sign out",
            description="Ends the session that the cookie holds, at once in every worker. A key has none.",
            tag="session",
            answer=SignedOut,
            answer_description="Whether a session was ended.",
            problems=(WorkspaceError,),
        ),
    ),
)
