"""Keys made, told and revoked by the people who run the service.

Turns what somebody asks for into rows of the store. Time rule: an end lies in the future. Null rule: a key
without an end does not expire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.errors import InputError, suggestion
from serving.access.scopes import SCOPES
from serving.access.secrets import digest_of, new_key, prefix_of
from serving.store import Store, keys

__all__ = ["MOST_AT_ONCE", "MOST_PER_MINUTE", "PER_MINUTE", "NewKey", "create_key", "state_of"]

PER_MINUTE = 6_000
"""Requests that a key may make unless told otherwise: a hundred a second."""

MOST_PER_MINUTE = 6_000_000
MOST_AT_ONCE = 1_000_000

_LONGEST_OWNER = 200


@dataclass(frozen=True)
class NewKey:
    """A key and what is kept of it. `text` is nowhere else: who loses it makes another."""

    text: str
    draft: keys.KeyDraft


def create_key(
    store: Store,
    *,
    owner: str,
    scopes: Sequence[str],
    who: str,
    now: datetime,
    per_minute: int = PER_MINUTE,
    burst: int | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key. owner: what will use it, such as "Salesforce production"; no address of a person.

    burst: requests at once; ten seconds' worth unless given. Raises InputError.
    """
    _require_owner(owner)
    burst = max(1, per_minute // 6) if burst is None else burst
    _require_limit("requests a minute", per_minute, most=MOST_PER_MINUTE)
    _require_limit("requests at once", burst, most=MOST_AT_ONCE)
    if expires_at is not None and expires_at <= now:
        raise InputError(
            "the key would have expired", got=f"{expires_at}Z", fix="choose an end in the future"
        )
    text = new_key()
    draft = keys.KeyDraft(
        prefix=prefix_of(text) or "",
        digest=digest_of(text),
        owner=owner.strip(),
        scopes=_checked(scopes),
        per_minute=per_minute,
        burst=burst,
        expires_at=expires_at,
    )
    with store.writing() as connection:
        keys.add(connection, draft=draft, who=who, now=now)
    return NewKey(text, draft)


def state_of(key: keys.StoredKey, *, now: datetime) -> str:
    """valid, expired or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "valid"


def _require_owner(owner: str) -> None:
    if not owner.strip() or len(owner) > _LONGEST_OWNER or "@" in owner or not owner.isprintable():
        raise InputError(
            "the owner of a key cannot be called this",
            got=repr(owner),
            allowed=f"the name of a system or team, up to {_LONGEST_OWNER} characters, no e-mail address",
            fix='such as "Salesforce production"',
        )


def _require_limit(what: str, given: int, *, most: int) -> None:
    if not 1 <= given <= most:
        raise InputError(f"a key cannot make so many {what}", got=f"{given:,}", allowed=f"1 to {most:,}")


def _checked(scopes: Sequence[str]) -> tuple[str, ...]:
    """The scopes in the order of SCOPES, each once."""
    for scope in scopes:
        if scope not in SCOPES:
            near = suggestion(scope, SCOPES)
            raise InputError("no such scope", got=repr(scope), allowed=", ".join(SCOPES), fix=near)
    if not scopes:
        raise InputError("a key needs a scope", allowed=", ".join(SCOPES), fix="give --scope score")
    return tuple(scope for scope in SCOPES if scope in scopes)
