"""Levels that a title states in so many words: vice president or higher, and whoever assists one.

Turns a folded title into "c_level", "vice_president", "director" or "staff", or into nothing when it states
none of these; then a model may speak. Time rule: none. Null rule: an empty title states no level.

What is argued here: owners, founders, managing directors, members of a board and everybody called chief ...
officer, president, Vorstand, Geschäftsführer, PDG or directeur général is C-level. A deputy of one of these,
and every vice president (VP, SVP, EVP), is a vice president. An assistant or associate vice president (AVP)
ranks below them, as a director does, and so does a general manager. A head of something is no vice president:
the model decides. Whoever assists, advises or keeps the office of one of these is staff, whatever names stand
in the title.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["explicit_level", "says_manager", "stated_level"]


def _words(*patterns: str, inside: tuple[str, ...] = ()) -> re.Pattern[str]:
    """Patterns from the start of a word on; those of `inside` anywhere, as German writes words together."""
    # Asking for the start of a word once, before all of them, makes the search six times as fast.
    return re.compile("|".join([rf"\b(?:{'|'.join(patterns)})", *inside]))


_TOP: Final = _words(
    r"(?:c e o|ceo|cfo|coo|cto|cio|ciso|cmo|cro|cco|cpo|cso|cdo|chro|cxo)\b(?! (?:office|buero)\b)",
    r"(?:pdg|gf|dg)\b",
    r"chief executive\b",
    r"chief (?:\w+ ){1,5}officer\b",
    r"chair(?:man|woman|person)\b",
    r"chair of the board\b",
    r"board (?:member|of directors)\b",
    r"member of (?:the )?(?:\w+ ){0,2}board\b",
    r"(?<!vice )(?<!vize )(?:co ?)?president(?:e|a|in)?\b",
    r"(?<!vice )(?<!vize )praesident(?:in)?\b",
    r"(?:co ?)?founder\b",
    r"founding partner\b",
    r"(?<!product )(?<!process )(?<!data )(?<!application )(?<!system )(?<!solution )(?<!platform )"
    r"(?<!service )(?<!domain )(?<!content )(?<!project )(?<!program )(?<!tool )(?<!crm )(?:co ?)?owner\b",
    r"managing (?:director|partner)s?\b",
    r"vorstaendin\b",
    r"vorstands(?:(?:mitglied|vorsitz|sprecher|chef)\w*)?\b",
    r"vorsitzende[rn]?\b",
    r"aufsichtsrat|verwaltungsrat",
    r"eigentuemer(?:in)?\b",
    r"(?:co ?)?fond(?:ateur|atrice|atore)\b",
    r"(?:co ?)?fundadora?\b",
    r"(?:gerante?|proprietaire|titolare|oprichter|eigenaar|zaakvoerder|bestuurder)\b",
    r"direct(?:eur|rice) generale?\b",
    r"directora? general\b",
    r"direttore generale\b",
    r"diretora? geral\b",
    r"gerente general\b",
    r"algemeen directeur\b",
    r"consejer[oa] delegad[oa]\b",
    r"amministratore delegato\b",
    r"administrateur delegue\b",
    r"prezes\b",
    r"toimitusjohtaja\b",
    r"verkstaellande direktoer\b",
    r"administrerende direktør\b",
    r"genel muedue?r\b",
    r"генеральны[ий] директор\b",
    inside=(
        r"gesch(?:ae|a)fts(?:f(?:ue|u)hr|leit)",
        r"vorstand\b",
        r"inhaber(?:in)?\b",
        r"gruender(?:in)?\b",
        r"gesellschafter(?:in)?\b",
    ),
)

_VICE: Final = _words(
    r"[esrg]?vp\b",
    r"(?:[es] )?v p\b",
    r"vice ?president(?:e|a|in)?\b",
    r"vize ?praesident(?:in)?\b",
    r"[vw]iceprezes\b",
    r"вице президент\b",
    r"dga\b",
)

_BELOW_VICE: Final = _words(
    r"avp\b",
    r"(?:assistant|associate|asst|assoc) (?:vp|vice president)\b",
    r"general manager(?:in)?\b",
)

_DEPUTY: Final = _words(r"deputy\b", r"stellv", r"stv", r"adjointe?\b", r"vi[cz]e (?!praesid|presid)")

_HELPER: Final = _words(
    r"(?:asst|assi|asistente|assistente|pa|ea)\b",
    r"secret(?:ary|aire|aria|ariat)\b",
    r"(?:intern|trainee|stagiaire)\b",
    r"chief of staff\b",
    r"stabs?(?:stelle)?\b",
    r"(?:advis[eo]r|berater(?:in)?|consultant|coach) (?:to|for|of|der|des)\b",
    inside=(
        r"assist(?:ent|enz|an[tc])",
        r"sekret(?:ae|a)r",
        r"referent(?:in)?\b",
        r"mitarbeiter(?:in)?\b",
        r"praktikant|werkstudent",
    ),
)

_STATED: Final = {
    "director": _words(
        r"direct(?:or|ora|eur|rice)\b", r"direttor", r"diretora?\b", r"direkt(?:or|oer|ør)", r"dyrektor"
    ),
    "manager": _words(
        r"(?:responsable|responsabile|gerente|mgr|jef[ea]|chef de|chefe|capo|hoofd|kierownik|supervisor)\b",
        r"team ?lead\b",
        inside=(r"manager", r"leit(?:er|erin|ung)\b", r"leider\b"),
    ),
    "staff": _words(
        r"(?:intern|trainee|student|stagiaire|becario|developer|engineer|specialist|consultant|accountant|analyst)\b",
        r"(?:assistante?|representative|coordinator|administrator|officer|clerk|technician|designer|recruiter)\b",
        inside=(
            r"praktikant|werkstudent|volontaer|auszubildende|sachbearbeiter|entwickler|assistent|berater",
        ),
    ),
}
"""From the highest to the lowest; of two levels in one title the higher counts."""

_MANAGER: Final = _words(r"(?:mgr|responsable|gerente|responsabile)\b", inside=("manager",))
_AFTER_TO: Final = re.compile(r"\b(?:reporting )?to (?:the )?.*")


def explicit_level(folded: str) -> str | None:
    """The level that the words of a folded title state, one of the contract's, or None.

    >>> explicit_level("svp global sales"), explicit_level("assistant to the vp sales")
    ('vice_president', 'staff')
    >>> explicit_level("head of sales") is None
    True
    """
    stated = _BELOW_VICE.sub(" ", folded)
    if not (_TOP.search(stated) or _VICE.search(stated)):
        return None if stated == folded else "director"
    own = _AFTER_TO.sub("", stated)
    if _HELPER.search(stated) or not (_TOP.search(own) or _VICE.search(own)):
        return "staff"
    return "c_level" if _TOP.search(own) and not _DEPUTY.search(own) else "vice_president"


def stated_level(folded: str) -> str | None:
    """The level that common words of some languages say, for titles that a model has no label for.

    >>> stated_level("directrice marketing"), stated_level("jefe de ventas"), stated_level("ventas") is None
    ('director', 'manager', True)
    """
    return next((level for level, words in _STATED.items() if words.search(folded)), None)


def says_manager(folded: str) -> bool:
    """Whether the word manager, in one of its forms, is in a folded title; management is not it."""
    return _MANAGER.search(folded) is not None
