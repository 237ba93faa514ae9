"""The section of the TOML file that says whether accounts of several sources become one.

Turns [identity] into frozen, checked settings. Time rule: none. Null rule: without the section nothing is
merged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from features.errors import ConfigError
from features.identity.identifiers import registration_number
from features.settings import Section

__all__ = ["IdentitySettings"]


def _register(name: str) -> str:
    try:
        registration_number("0", register=name)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return name


class IdentitySettings(Section):
    """[identity]

    merge: whether accounts that are one company become one account. Its identifier is that of the first
        source in `origins`, then of the account known first.
    origins: names of the sources of accounts in their rank; others follow in the order of the file.
    within_origin: whether accounts of one source may merge, too; otherwise they go to the review file.
    accept, review, lead: likeness of names from which accounts merge, or are shown; and by how much the best
        must be ahead of the next.
    decisions: a review file in which a person wrote "same" or "different".
    company_register: where the attribute `registration_number` is from, as python-stdnum names it ("jp.cn",
        "fr.siren"); Chinese codes, LEIs and European VAT numbers are recognised without it.
    parent: the attribute with an account's parent; with it, subsidiaries roll up to the top of their family,
        whether accounts merge or not. Without it a parent is a fact like any other.
    merged_into: the attribute (of type "record") that names the record into which an account's own source
        merged it. It is always followed, whether `merge` is on or off; see `merged_records`. A source that
        lists the merged records on the winner instead says it by a query, as the HubSpot preset does.
    leads: names of sources of accounts that are only what leads say of their companies. Each is matched to
        the accounts of the other sources (`matching`), whether these merge or not. What a lead was matched to
        has the lead's dealings; what the lead says of the company counts only while nothing else is known.
    """

    merge: bool = False
    origins: tuple[str, ...] = ()
    within_origin: bool = False
    accept: float = Field(default=0.86, gt=0.0, le=1.0)
    review: float = Field(default=0.70, gt=0.0, le=1.0)
    lead: float = Field(default=0.03, ge=0.0, le=1.0)
    decisions: Path | None = None
    company_register: Annotated[str, AfterValidator(_register)] | None = None
    parent: str | None = None
    merged_into: str | None = None
    leads: tuple[str, ...] = ()

    @property
    def used(self) -> bool:
        """Whether any account may stand for another."""
        named = self.parent is not None or self.merged_into is not None
        return self.merge or bool(self.leads) or named
