"""Whether models may be served after their audit, and who answers for what it found.

Turns the audits in model cards, and the reasons that somebody gave, into the waivers that a release keeps.
Time rule: a waiver names its moment; the same waiver of the same model keeps the moment and the person of the
first time, so that promoting twice changes nothing. Null rule: a model without an audit is refused, and so is
a finding that blocks without a reason; nothing is waived by default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from features.errors import BundleError, InputError, suggestion
from features.privacy.masking import without_addresses
from models.bundle import Bundle
from training.audit.finding import Audit, Finding
from training.refused import RefusedError

__all__ = ["Waiver", "audit_of", "require_answered"]

_REMEDY = "mend what it names and train again, or give a reason: spearfish promote --waive COLUMN=REASON"


@dataclass(frozen=True)
class Waiver:
    """One finding that somebody answers for.

    model: the fingerprint of the bundle. kind, column: of the finding. why, who, at (ISO time with Z): given.
    """

    model: str
    kind: str
    column: str
    why: str
    who: str
    at: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def audit_of(bundle: Bundle) -> Audit:
    """The audit in the model's card.

    Raises InputError for a model that was never audited, BundleError for an audit that cannot be read.
    """
    stored = bundle.card.get("audit")
    if stored is None:
        raise InputError(
            f"{bundle.name} {bundle.version} was never audited for leakage",
            got="a model card without an audit, as an older spearfish wrote it",
            fix="run `spearfish train` again",
        )
    try:
        return Audit.from_json(stored)
    except (KeyError, TypeError) as error:
        raise BundleError(
            f"the audit of {bundle.name} {bundle.version} cannot be read", got=repr(error), fix="train again"
        ) from error


def require_answered(
    bundles: Sequence[Bundle],
    *,
    reasons: Mapping[str, str],
    who: str,
    at: datetime,
    before: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, str]]:
    """The waivers of a release of these models, as JSON.

    reasons: by the column of a finding that blocks, or by its kind where it means the whole table.
    before: waivers of the release that is served, which keep their moment.
    Raises RefusedError for findings without a reason, InputError for an empty reason or one that nothing
    asks for.
    """
    blocking = [(bundle, finding) for bundle in bundles for finding in audit_of(bundle).blocking]
    _require_asked_for(reasons, asked=[_name(finding) for _, finding in blocking])
    open_ones = [(bundle, finding) for bundle, finding in blocking if _name(finding) not in reasons]
    if open_ones:
        raise _blocked(open_ones)
    return list(_waivers(blocking, reasons=reasons, who=who, at=at, before=before))


def _waivers(
    blocking: Sequence[tuple[Bundle, Finding]],
    *,
    reasons: Mapping[str, str],
    who: str,
    at: datetime,
    before: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, str]]:
    same = ("model", "kind", "column", "why")
    for bundle, finding in blocking:
        why = without_addresses(reasons[_name(finding)].strip())
        made = Waiver(bundle.fingerprint, finding.kind, finding.column, why, who, f"{at.isoformat()}Z")
        new = made.to_json()
        kept = (dict(one) for one in before if all(one.get(part) == new[part] for part in same))
        yield next(kept, new)


def _name(finding: Finding) -> str:
    return finding.column or finding.kind


def _require_asked_for(reasons: Mapping[str, str], *, asked: Sequence[str]) -> None:
    for name, why in reasons.items():
        if name not in asked:
            raise InputError(
                "a waiver names nothing that blocks",
                got=repr(name),
                allowed=", ".join(dict.fromkeys(asked)) or "none, as nothing blocks",
                fix=suggestion(name, asked) or "leave the waiver out",
            )
        if not why.strip():
            raise InputError(
                "a waiver needs a reason", got=f"nothing for {name!r}", fix="write --waive COLUMN=REASON"
            )


def _blocked(found: Sequence[tuple[Bundle, Finding]]) -> RefusedError:
    bundle, finding = found[0]
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    names = ", ".join(dict.fromkeys(_name(one) for _, one in found))
    return RefusedError(
        f"the leakage audit of {bundle.name} {bundle.version} blocks its promotion",
        models=[one.key for one, _ in found],
        got=f"{_name(finding)}: {finding.why}{more}",
        allowed=f"no finding that blocks and has no reason (now: {names})",
        fix=_REMEDY,
    )
