"""Identifiers that somebody else gave a company: registration numbers and Salesforce ids.

Turns a number, however it is grouped, into one text that names its register too, and the 15 characters of a
Salesforce id into the 18 that survive a change of case. Check digits are verified (python-stdnum; for
Salesforce, the suffix as its documentation defines it), so that a slip of the fingers is no identity. Time
rule: none. Null rule: what is no valid identifier gives None.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Protocol, cast

from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from features.errors import ConfigError

__all__ = ["registration_number", "salesforce_id"]

_SELF_EVIDENT = ("cn.uscc", "lei", "eu.vat")
"""Registers whose numbers cannot be taken for another's: by their length and check digits, or a prefix."""

_SUFFIX_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@lru_cache(maxsize=65_536)
def registration_number(text: str | None, *, register: str | None = None) -> str | None:
    """ "register:number", or None where the number is not valid there.

    register: a module of python-stdnum, such as "cn.uscc" (the Chinese unified social credit code), "jp.cn",
    "kr.brn", "fr.siren", "lei"; without it, Chinese codes, LEIs and European VAT numbers are recognised.
    Raises ConfigError for a register that does not exist.

    >>> registration_number("9144 0300 7152 6726 XG")
    'cn.uscc:9144030071526726XG'
    >>> registration_number("914403007152672601") is None
    True
    """
    if text is None or not text.strip():
        return None
    for name in (register,) if register else _SELF_EVIDENT:
        number = _valid(text.strip(), module=_module(name))
        if number is not None:
            return f"{name}:{number}"
    return None


class _Register(Protocol):
    def validate(self, number: str) -> str: ...


def _module(register: str) -> _Register:
    country, _, name = register.rpartition(".")
    try:
        found = get_cc_module(country, name) if country else import_module(f"stdnum.{register}")
    except ImportError:
        found = None
    if found is None or not hasattr(found, "validate"):
        raise ConfigError(
            "unknown register of companies",
            got=repr(register),
            allowed="modules of python-stdnum, such as cn.uscc, jp.cn, kr.brn, fr.siren, lei",
        )
    return cast(_Register, found)


def _valid(text: str, *, module: _Register) -> str | None:
    try:
        return str(module.validate(text.upper()))
    except ValidationError:
        return None


def salesforce_id(text: str | None) -> str | None:
    """The 18 characters of a Salesforce id of 15 or 18; the case of a long one is restored from its suffix.

    Each suffix letter tells which of five characters are capital letters: bit i is set for character i, and
    the value picks from A-Z, 0-5. Salesforce, "Convert 15-character IDs to 18-character IDs".

    >>> salesforce_id("001A0000006Vm9u"), salesforce_id("001a0000006vm9uiac")
    ('001A0000006Vm9uIAC', '001A0000006Vm9uIAC')
    """
    bare = (text or "").strip()
    if not re.fullmatch("[A-Za-z0-9]{15}([A-Za-z0-5]{3})?", bare):
        return None
    short, suffix = bare[:15], bare[15:].upper()
    if suffix:
        short = _cased(short, suffix=suffix)
    whole = short + _suffix(short)
    return whole if not suffix or whole[15:] == suffix else None


def _suffix(short: str) -> str:
    chunks = (short[at : at + 5] for at in (0, 5, 10))
    return "".join(
        _SUFFIX_LETTERS[sum(letter.isupper() << place for place, letter in enumerate(chunk))]
        for chunk in chunks
    )


def _cased(short: str, *, suffix: str) -> str:
    """The id with capital letters where the suffix says so."""
    bits = [_SUFFIX_LETTERS.index(letter) >> place & 1 for letter in suffix for place in range(5)]
    return "".join(letter.upper() if bit else letter.lower() for letter, bit in zip(short, bits, strict=True))
