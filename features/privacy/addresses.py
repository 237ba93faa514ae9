"""E-mail addresses as keyed hashes.

Turns an address, however it is written, into one spelling, and that into an HMAC-SHA256 under a secret which
the workspace makes once and nobody is shown: the same address gives the same hash within a workspace and
another one in the next, and without the secret nobody can try addresses out. Time rule: none. Null rule: a
text that is no address has no spelling and no hash.
"""

from __future__ import annotations

import hmac
import os
import secrets
import unicodedata
from contextlib import suppress
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import idna

from features.errors import InputError, WorkspaceError
from features.workspace import Workspace

__all__ = [
    "SECRET_FILE",
    "email_digest",
    "keyed_digest",
    "normalised_address",
    "secret_mark",
    "workspace_secret",
]

SECRET_FILE = "privacy.key"
"""The secret's file in the workspace's folder; only its owner may read it."""

_SECRET_BYTES = 32
_MARK = 16
_LONGEST = 320
"""64 characters before the @, 255 behind it (RFC 5321)."""


@lru_cache(maxsize=65_536)
def normalised_address(text: str) -> str | None:
    """The one spelling of an address: trimmed, in lower case, its domain in ASCII; None for anything else.

    >>> normalised_address("  Ann Lee <Ann.Lee@Bücher.example> ")
    'ann.lee@xn--bcher-kva.example'
    >>> normalised_address("ann at example.com") is None
    True
    """
    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("mailto:")
    address = parseaddr(plain)[1] if plain.endswith(">") else plain
    local, at, domain = address.lower().rpartition("@")
    if not (local and at and domain) or len(address) > _LONGEST or any(map(_separates, local + domain)):
        return None
    try:
        host = idna.encode(domain.rstrip("."), uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
    return f"{local}@{host}"


def _separates(sign: str) -> bool:
    return sign.isspace() or sign in '@,;<>()"' or not sign.isprintable()


def workspace_secret(workspace: Workspace) -> bytes:
    """The workspace's secret, 32 bytes; made when it is first asked for, and the same ever after.

    Raises WorkspaceError when it cannot be read or written, or is not what was once written.
    """
    file = workspace.home / SECRET_FILE
    try:
        if not file.exists():
            _make_secret(file)
        secret = file.read_bytes()
    except OSError as error:
        raise WorkspaceError(
            f"the secret of the workspace cannot be read: {file}",
            got=error.strerror,
            fix="run as the user who made the workspace",
        ) from error
    if len(secret) != _SECRET_BYTES:
        raise WorkspaceError(
            f"the secret of the workspace is damaged: {file}",
            fix="restore it from a backup, or remove it and run `spearfish ingest --config FILE --rebuild`",
        )
    return secret


def secret_mark(workspace: Workspace) -> str:
    """A hash by which another secret is told from this one; empty where none was made yet."""
    if not (workspace.home / SECRET_FILE).exists():
        return ""
    return hmac.digest(workspace_secret(workspace), b"mark", "sha256").hex()[:_MARK]


def _make_secret(file: Path) -> None:
    """Under its own name only once it is whole; of two who make one at a time, the first one's stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f".{file.name}.{uuid4().hex}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_SECRET_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(made, file)
    finally:
        made.unlink()


def keyed_digest(secret: bytes, address: str) -> str | None:
    """HMAC-SHA256 of an address's one spelling, 64 hexadecimal digits; None for what is no address."""
    spelling = normalised_address(address)
    return None if spelling is None else hmac.digest(secret, spelling.encode(), "sha256").hex()


def email_digest(workspace: Workspace, address: str) -> str:
    """What the workspace's tables hold in place of an address. Raises InputError for what is no address."""
    digest = keyed_digest(workspace_secret(workspace), address)
    if digest is None:
        raise InputError(
            "this is no e-mail address", allowed="one address such as ann@example.com", fix="correct it"
        )
    return digest
