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

__all__ = ["explicit_level", "says_manager"]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_TOP: Final = _any(
    r"\b(?:c e o|ceo|cfo|coo|cto|cio|ciso|cmo|cro|cco|cpo|cso|cdo|chro|cxo)\b(?! (?:office|buero)\b)",
    r"\b(?:pdg|gf|dg)\b",
    r"\bchief executive\b",
    r"\bchief (?:\w+ ){1,5}officer\b",
    r"\bchair(?:man|woman|person)\b",
    r"\bchair of the board\b",
    r"\bboard (?:member|of directors)\b",
    r"\bmember of (?:the )?(?:\w+ ){0,2}board\b",
    r"(?<!vice )(?<!vize )\b(?:co)?president(?:e|a|in)?\b",
    r"(?<!vice )(?<!vize )\bpraesident(?:in)?\b",
    r"\b(?:co ?)?founder\b",
    r"\bfounding partner\b",
    r"(?<!product )(?<!process )(?<!data )(?<!application )(?<!system )(?<!solution )(?<!platform )"
    r"(?<!service )(?<!domain )(?<!content )(?<!project )(?<!program )(?<!tool )(?<!crm )\b(?:co ?)?owner\b",
    r"\bmanaging (?:director|partner)s?\b",
    r"\w*gesch(?:ae|a)fts(?:f(?:ue|u)hr|leit)\w*",
    r"\w*vorstand\b",
    r"\bvorstands(?:(?:mitglied|vorsitz|sprecher|chef)\w*)?\b",
    r"\bvorsitzende[rn]?\b",
    r"\bvorstaendin\b",
    r"\b(?:aufsichtsrat|verwaltungsrat)\w*",
    r"\w*inhaber(?:in)?\b",
    r"\w*gruender(?:in)?\b",
    r"\w*gesellschafter(?:in)?\b",
    r"\beigentuemer(?:in)?\b",
    r"\b(?:co ?)?fond(?:ateur|atrice|atore)\b",
    r"\b(?:co ?)?fundador[a]?\b",
    r"\b(?:gerante?|proprietaire|titolare|oprichter|eigenaar|zaakvoerder|bestuurder)\b",
    r"\bdirect(?:eur|rice) generale?\b",
    r"\bdirectora? general\b",
    r"\bdirettore generale\b",
    r"\bdiretora? geral\b",
    r"\bgerente general\b",
    r"\balgemeen directeur\b",
    r"\bconsejer[oa] delegad[oa]\b",
    r"\bamministratore delegato\b",
    r"\badministrateur delegue\b",
    r"\bprezes\b",
    r"\btoimitusjohtaja\b",
    r"\bverkstaellande direktoer\b",
    r"\badministrerende direktør\b",
    r"\bgenel muedue?r\b",
    r"\bгенеральны[ий] директор\b",
)

_VICE: Final = _any(
    r"\b[esrg]?vp\b",
    r"\b(?:[es] )?v p\b",
    r"\bvice ?president(?:e|a|in)?\b",
    r"\bvize ?praesident(?:in)?\b",
    r"\bviceprezes\b|\bwiceprezes\b",
    r"\bвице президент\b",
    r"\bdga\b",
)

_BELOW_VICE: Final = _any(
    r"\bavp\b",
    r"\b(?:assistant|associate|asst|assoc) (?:vp|vice president)\b",
    r"\bgeneral manager(?:in)?\b",
)

_DEPUTY: Final = _any(
    r"\bdeputy\b", r"\bstellv\w*", r"\bstv\w*", r"\badjointe?\b", r"\bvi[cz]e (?!praesid|presid|chair)"
)

_HELPER: Final = _any(
    r"assist(?:ent|enz|an[tc])",
    r"\b(?:asst|assi|asistente|assistente|pa|ea)\b",
    r"sekret(?:ae|a)r",
    r"\bsecret(?:ary|aire|aria|ariat)\b",
    r"referent(?:in)?\b",
    r"mitarbeiter(?:in)?\b",
    r"praktikant|werkstudent|\btrainee\b|\bintern\b|\bstagiaire\b",
    r"\bchief of staff\b",
    r"\bstabs?(?:stelle)?\b",
    r"\b(?:advis[eo]r|berater(?:in)?|consultant|coach) (?:to|for|of|der|des)\b",
)

_MANAGER: Final = re.compile(r"manager|\b(?:mgr|responsable|gerente|responsabile)\b")
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


def says_manager(folded: str) -> bool:
    """Whether the word manager, in one of its forms, is in a folded title; management is not it."""
    return _MANAGER.search(folded) is not None
