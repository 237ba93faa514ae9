"""Words for features: channel names and windows as English and Chinese phrases.

Turns identifiers such as `pricing_visit` into "pricing visits" and "价格页访问". Time and null rules: none.
"""

from __future__ import annotations

from features.kinds import KINDS

__all__ = ["channel_noun", "channel_noun_zh", "english_label", "plural"]

_UNCOUNTABLE = frozenset({"usage", "traffic", "research", "contact", "activity"})


def english_label(identifier: str) -> str:
    """`annual_revenue` -> "annual revenue"."""
    return identifier.replace("_", " ").strip()


def plural(noun: str) -> str:
    """`web visit` -> "web visits"; nouns that already end in s, and uncountable ones, stay."""
    last = noun.rsplit(" ", 1)[-1]
    if last in _UNCOUNTABLE or noun.endswith("s"):
        return noun
    if noun.endswith(("ch", "sh", "x")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in ("a", "e", "o", "u"):
        return noun[:-1] + "ies"
    return noun + "s"


def channel_noun(channel: str) -> tuple[str, str]:
    """The channel as an English noun, singular and plural: ("web visit", "web visits")."""
    kind = KINDS.get(channel)
    noun = (kind and kind.label) or english_label(channel)
    return noun, plural(noun)


def channel_noun_zh(channel: str) -> str:
    """The channel in Chinese where it is a common one, otherwise its own name in quotes."""
    kind = KINDS.get(channel)
    return (kind and kind.label_zh) or f"“{english_label(channel)}”"
