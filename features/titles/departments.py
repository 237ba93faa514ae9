"""Names of departments, and common words for them.

Turns a learned label into the contract's spelling, and a folded title that a model abstained on into the
department that its words name: one that the labelled titles do not hold (finance, legal, research and
development, production, logistics), what a chief officer's abbreviation says, or a word of another language.
Time rule: none. Null rule: no such word, no department.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["DEPARTMENTS", "LEARNED_DEPARTMENTS", "stated_department"]

LEARNED_DEPARTMENTS: Final = {
    "Administrative": "administrative",
    "Business Development": "business_development",
    "Consulting": "consulting",
    "Customer Support": "customer_support",
    "Human Resources": "human_resources",
    "Information Technology": "information_technology",
    "Marketing": "marketing",
    # Every title that was labelled so speaks of operations.
    "Other": "operations",
    "Project Management": "project_management",
    "Purchasing": "purchasing",
    "Sales": "sales",
}
"""The contract's spelling by learned label."""

_STATED: Final = {
    "finance": r"cfo|financ\w*|finanz\w*|treasur\w*|controlling|controller|account(?:ing|ant)s?|buchhalt\w*"
    r"|compta\w*|contab\w*|steuer\w*|tax|audit\w*",
    "information_technology": r"cto|cio|ciso|cdo|informati\w+|software\w*|developer|entwickler(?:in)?|devops"
    r"|data (?:scientist|science|engineer)|edv|dsi|sistemas",
    "marketing": r"cmo|event|communications?|kommunikation\w*|social media|brand|werbung|mercadeo",
    "sales": r"cro|ventas|vendite|vendas|verkauf\w*|verkoop\w*|commercial\w*|sprzedazy|продажам",
    "operations": "coo|operations|operaciones",
    "human_resources": r"chro|drh|hr|personal\w*|recruit\w*|talent|ressources humaines|recursos humanos",
    "customer_support": r"customer (?:success|service|care|support)|kunden(?:dienst|service)|helpdesk",
    "legal": r"legal|counsel|lawyer|jurist\w*|juridi\w*|rechts\w*|avvocato|abogad[oa]|compliance",
    "project_management": r"project|projets?|projekt\w*|proyectos?|progetti|scrum|pmo",
    "purchasing": r"procurement|sourcing|buyer|achats?|acheteu\w*|compras|acquisti|inkoop\w*|inkoeper",
    "research_and_development": r"r d|research|forschung\w*|recherche|laborator\w*",
    "production": r"production|produktion\w*|manufacturing|fertigung\w*|werkleit\w*|plant|quality"
    r"|qualitaet\w*",
    "logistics": r"logisti\w*|supply chain|warehouse|lager\w*",
}
_STATED_WORDS: Final = {name: re.compile(rf"\b(?:{words})\b") for name, words in _STATED.items()}
_OFFICE: Final = re.compile(r"\b(?:office manager|reception|assist|secretar|sekret)")

DEPARTMENTS: Final = tuple(sorted({*LEARNED_DEPARTMENTS.values(), *_STATED}))
"""Every department that a title can be read as."""


def stated_department(folded: str) -> str | None:
    """The department whose word comes first in a folded title, or None.

    >>> stated_department("head of finance"), stated_department("managing director") is None
    ('finance', True)
    """
    found = {name: words.search(folded) for name, words in _STATED_WORDS.items()}
    starts = {name: match.start() for name, match in found.items() if match is not None}
    if not starts:
        return "administrative" if _OFFICE.search(folded) else None
    return min(starts, key=lambda name: (starts[name], name))
