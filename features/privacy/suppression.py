"""The list of those who asked to be forgotten, and stay so when their rows arrive again.

Turns e-mail addresses and identifiers into keyed hashes in the workspace's `forgotten.json`, and tells of any
text whether it is one of these. The key follows from the workspace's secret and is another one than that of
the addresses in the tables, so that neither gives the other away; nothing readable is in the file. Time
rule: none; the list does not say when. Null rule: an empty text is on no list.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

from features.errors import WorkspaceError
from features.identity.identifiers import salesforce_id
from features.privacy.addresses import keyed_digest, workspace_secret
from features.workspace import Workspace

__all__ = ["FORGOTTEN_FILE", "KINDS", "Forgotten", "Kind", "stars"]

FORGOTTEN_FILE = "forgotten.json"

Kind = Literal["email", "contact", "account", "opportunity"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FORMAT = 1
_DIGITS = 32
"""Hexadecimal digits of a hash: 128 bits, so that no two of a billion people are taken for each other."""

_KEPT_ADDRESS = re.compile("[0-9a-f]{64}")
_PART = r"[^\s\"'<>(),;:|=\[\]{}]"
# Looked for at the beginning of a run of signs alone: a picture in a page is one run of a million.
_ADDRESS = re.compile(rf"(?<!{_PART}){_PART}+@{_PART}+")
_WORD = re.compile(r"[\w-]{6,}")
"""An identifier in running text. A shorter one, such as 12, is mistaken for any number."""


@dataclass(frozen=True)
class Forgotten:
    """The list. secret: the workspace's. digests: by kind, the hashes on the list.

    applied_to: the snapshot that is known to hold nothing of anybody on it.
    """

    secret: bytes = field(repr=False)
    digests: Mapping[Kind, frozenset[str]]
    applied_to: str = ""

    @classmethod
    def read(cls, workspace: Workspace) -> Forgotten | None:
        """The list of a workspace; None where nobody was ever forgotten.

        Raises WorkspaceError when it is damaged, or was made under another secret.
        """
        file = workspace.home / FORGOTTEN_FILE
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
            made_under = raw["key"]
            digests: dict[Kind, frozenset[str]] = {kind: frozenset(map(str, raw[kind])) for kind in KINDS}
            applied_to = str(raw["applied_to"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise WorkspaceError(
                f"the list of forgotten people is damaged: {file}",
                got=type(error).__name__,
                fix="restore it from a backup: without it, those who were forgotten would come back",
            ) from error
        found = cls(workspace_secret(workspace), digests, applied_to)
        if not hmac.compare_digest(str(made_under), found.key_check):
            raise WorkspaceError(
                f"the list of forgotten people was made under another secret: {file}",
                fix="restore the secret of the workspace from a backup: nobody can be matched without it",
            )
        return found

    @classmethod
    def of(cls, workspace: Workspace) -> Forgotten:
        """The list of a workspace, empty where there is none yet."""
        return cls.read(workspace) or cls(workspace_secret(workspace), dict.fromkeys(KINDS, frozenset()))

    def write(self, workspace: Workspace) -> None:
        """Replace the workspace's list by this one, in one step and for good."""
        told = {"format": _FORMAT, "key": self.key_check, "applied_to": self.applied_to}
        content = told | {kind: sorted(self.digests[kind]) for kind in KINDS}
        workspace.write_beside(FORGOTTEN_FILE, json.dumps(content, indent=1) + "\n")

    def note_applied(self, workspace: Workspace) -> None:
        """Note that the snapshot that counts holds nothing of those on this list.

        It only spares looking again: when somebody else writes meanwhile, it is left for another time.
        """
        with suppress(WorkspaceError), workspace.writing():
            current, listed = workspace.manifest().snapshot, Forgotten.read(workspace)
            if listed is not None and listed.digests == self.digests and listed.applied_to != current:
                replace(listed, applied_to=current).write(workspace)

    @cached_property
    def _key(self) -> bytes:
        return hmac.digest(self.secret, b"forgotten", "sha256")

    @cached_property
    def key_check(self) -> str:
        """Tells one secret from another, and nothing about either."""
        return hmac.digest(self._key, b"check", "sha256").hex()[:_DIGITS]

    def __len__(self) -> int:
        return sum(map(len, self.digests.values()))

    def digest(self, kind: Kind, text: str) -> str | None:
        """The hash that stands for a text on the list; None for an address that is none.

        An address counts however it is written, or as the hash that the tables keep of it; a Salesforce id of
        15 characters and one of 18 are one.
        """
        spelling = self._spelling(kind, text.strip())
        if not spelling:
            return None
        return hmac.digest(self._key, f"{kind}:{spelling}".encode(), "sha256").hex()[:_DIGITS]

    def _spelling(self, kind: Kind, text: str) -> str | None:
        if "@" in text:
            return keyed_digest(self.secret, text) or (None if kind == "email" else text)
        if kind == "email":
            return text if _KEPT_ADDRESS.fullmatch(text) else None
        return salesforce_id(text) or text

    def holds(self, kind: Kind, text: str | None) -> bool:
        """Whether the text is on the list."""
        listed = self.digests[kind]
        return bool(listed and text) and self.digest(kind, text or "") in listed

    def adding(self, kind: Kind, texts: Iterable[str]) -> Forgotten:
        """The list with more on it; no snapshot is known to be free of those who are new."""
        found = {digest for text in texts if (digest := self.digest(kind, text)) is not None}
        if found <= self.digests[kind]:
            return self
        return Forgotten(self.secret, {**self.digests, kind: self.digests[kind] | found})

    def without(self, others: Forgotten) -> Forgotten:
        """The list without the people of another one. What a snapshot is free of, it stays free of."""
        return replace(self, digests={kind: self.digests[kind] - others.digests[kind] for kind in KINDS})

    def joined(self, others: Forgotten) -> Forgotten:
        """The people of both lists; no snapshot is known to be free of them."""
        return replace(
            self, digests={kind: self.digests[kind] | others.digests[kind] for kind in KINDS}, applied_to=""
        )

    def names(self, cell: str) -> bool:
        """Whether a whole cell is on the list, or an address in it is."""
        return any(self.holds(kind, cell) for kind in KINDS) or any(
            self.holds("email", address) for address in _ADDRESS.findall(cell)
        )

    def masked(self, text: str) -> str:
        """Running text with every address and identifier on the list overwritten, as many bytes long.

        Identifiers of fewer than six signs are left: they cannot be told from other words and numbers.
        """
        return _WORD.sub(self._mask, _ADDRESS.sub(self._mask_address, text))

    def _mask_address(self, match: re.Match[str]) -> str:
        # A full stop after an address belongs to the sentence.
        address = match[0].rstrip(".!?")
        return stars(address) + match[0][len(address) :] if self.names(address) else match[0]

    def _mask(self, match: re.Match[str]) -> str:
        return stars(match[0]) if any(self.holds(kind, match[0]) for kind in KINDS) else match[0]


def stars(text: str) -> str:
    """As many of them as the text has bytes."""
    return "*" * len(text.encode(errors="surrogateescape"))
