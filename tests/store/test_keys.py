"""Keys, the audit log and counts of refusals; in SQLite and in PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest
from store_processes import NOON

from features.errors import InputError
from serving.store import Store, audit, keys
from serving.store.keys import KeyDraft


def draft(prefix: str) -> KeyDraft:
    digest = sha256(prefix.encode()).hexdigest()
    return KeyDraft(prefix, digest, "CRM", ("score", "lists"), 60, 10, NOON + timedelta(days=1))


def test_a_key_lives_until_it_is_revoked(either_url: str) -> None:
    with Store.open(either_url) as store, store.writing() as connection:
        changes = [keys.changes(connection)]
        keys.add(connection, draft=draft("aaaaaaaa"), who="Ada", now=NOON)
        changes.append(keys.changes(connection))
        keys.note_uses(connection, prefixes={"aaaaaaaa"}, hour=NOON)
        keys.note_uses(connection, prefixes={"aaaaaaaa", "unknown"}, hour=NOON - timedelta(hours=1))
        assert keys.changes(connection) == changes[-1]
        assert keys.revoke(connection, prefix="aaaaaaaa", who="Bob", now=NOON)
        changes.append(keys.changes(connection))
        assert not keys.revoke(connection, prefix="aaaaaaaa", who="Eve", now=NOON + timedelta(hours=1))
        with pytest.raises(InputError, match="no key has this prefix"):
            keys.revoke(connection, prefix="bbbbbbbb", who="Bob", now=NOON)
        (key,) = [each for each in keys.every_key(connection) if each.prefix == "aaaaaaaa"]
        told = [(each.who, each.action) for each in audit.entries(connection) if each.subject == key.prefix]
        assert (key.scopes, key.last_used_at, key.revoked_at) == (("score", "lists"), NOON, NOON)
        assert keys.changes(connection) == changes[-1]
        assert len(set(changes)) == 3
        assert told == [("Bob", "key revoked"), ("Ada", "key created")]


def test_refusals_add_up_and_old_ones_go(either_url: str) -> None:
    old = NOON - audit.REFUSALS_KEPT_FOR
    with Store.open(either_url) as store, store.writing() as connection:
        audit.count_refusals(connection, counts={(old, "no-key", ""): 5})
        audit.count_refusals(connection, counts={(NOON, "no-key", ""): 1, (old, "no-key", ""): 1})
        audit.count_refusals(connection, counts={(NOON, "no-key", ""): 2, (NOON, "no-key", "a"): 3})
        found = {(each.hour, each.reason, each.prefix): each.count for each in audit.refusals(connection)}
        assert found == {(NOON, "no-key", ""): 3, (NOON, "no-key", "a"): 3, (old, "no-key", ""): 6}
        audit.count_refusals(connection, counts={(NOON + timedelta(hours=1), "no-key", ""): 1})
        assert {each.hour for each in audit.refusals(connection)} == {NOON, NOON + timedelta(hours=1)}
