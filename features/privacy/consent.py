"""What a source says of consent, as columns of the contract.

Turns a source's basis, its time of the opt-out and its yes/no column into `consent_basis` and `opted_out_at`.
Time rule: an opt-out without a time holds from when the row was known, or from the last change of its record,
if that is told and was later; an undated one since ever. Null rule:
a source that says who opted out, and not why the others may be addressed, gives these the basis `unknown`; a
row with neither says nothing of consent, and changes nothing that another row says.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.bindings import Consent, Source
from features.contract import BASIS_LENGTH, NO_BASIS, START_OF_TIME, UNKNOWN_BASIS
from features.validation import literal

__all__ = ["basis_sql", "check_told_by", "consent_sql"]

_KNOWN = f"coalesce(known_at, TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))})"


def check_told_by(sources: Sequence[Source]) -> None:
    """ValueError unless every `told_by` names a source of contacts that tells of consent itself."""
    telling = {
        source.name
        for source in sources
        if source.table == "contacts" and (source.consent is None or source.consent.told_by is None)
    }
    for source in sources:
        name = source.consent.told_by if source.consent is not None else None
        if name is not None and name not in telling:
            allowed = ", ".join(repr(other) for other in sorted(filter(None, telling))) or "none here"
            raise ValueError(
                f"consent of {source.label}: no source of contacts called {name!r} tells of consent; "
                f"allowed: {allowed}"
            )


def basis_sql(text: str) -> str:
    """SQL for a basis as a category: "Legitimate interest - lead" becomes legitimate_interest_lead."""
    words = f"trim(regexp_replace(lower({text}), '[^a-z0-9]+', '_', 'g'), '_')"
    words = f"rtrim(left(regexp_replace({words}, '^([0-9])', 'basis_\\1'), {BASIS_LENGTH}), '_')"
    return f"coalesce(nullif({words}, ''), CASE WHEN {text} IS NOT NULL THEN {literal(UNKNOWN_BASIS)} END)"


def consent_sql(source: Source, *, changed: str | None = None) -> dict[str, str]:
    """By column, SQL over the typed cells of a row and its `known_at`; empty for other tables.

    changed: SQL for the last change of the record.
    """
    if source.table != "contacts":
        return {}
    dated, flagged = "opted_out_at" in source.columns, bool((source.consent or Consent()).opted_out)
    out, told = "opted_out_at", "true" if dated else "false"
    # A later state of a record is known from its change on, which follows only from all of its states.
    known = _KNOWN if changed is None else f"greatest({_KNOWN}, {changed})"
    if flagged:
        since = f"coalesce(opted_out_at, {known})"
        out = f"CASE WHEN opted_out THEN {since} WHEN opted_out IS NULL THEN {out} END"
        told = "opted_out IS NOT NULL OR opted_out_at IS NOT NULL"
    out = f"coalesce({out}, CASE WHEN consent_basis = {literal(NO_BASIS)} THEN {known} END)"
    basis = f"CASE WHEN {told} THEN coalesce(consent_basis, {literal(UNKNOWN_BASIS)}) ELSE consent_basis END"
    return {"consent_basis": basis, "opted_out_at": f"CAST({out} AS TIMESTAMP)"}
