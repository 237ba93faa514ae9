"""The gate as a promotion asks it: a verdict for each model of a release that is to be.

Turns chosen models, what is served and the tables into verdicts: the comparison with the served model, and
the calibration. The audit and the golden rows are asked elsewhere. Time rule: see the two checks. Null rule:
where nothing is served, or no model of the kind, or none that answers the accounts of this one, the
comparison does not apply; a model without held-out rows has shown nothing, and fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from features.errors import InputError
from features.model_keys import ModelKey
from features.privacy.masking import without_addresses
from features.settings import GateSettings
from features.tables import Tables
from models.bundle import Bundle
from training.audit.waivers import Waiver
from training.gate.calibrated import TooFew, forward_calibration
from training.gate.comparing import Comparison, compare
from training.gate.contest import Contest
from training.gate.held_out import HeldOut
from training.gate.verdict import GateCheck, Verdict, figure
from training.refused import RefusedError

__all__ = ["GATE_WAIVER", "forced", "judge", "require_passed", "require_reason"]

GATE_WAIVER = "gate_"
"""What the kind of a waiver of the gate starts with; the name of the check follows."""

_NOTHING_KEPT = "the model kept no held-out rows, as an older spearfish trained it; train again"


def judge(
    bundle: Bundle,
    *,
    held: HeldOut | None,
    contest: Contest,
    tables: Tables,
    at: datetime,
    settings: GateSettings | None = None,
) -> Verdict:
    """The verdict on one model. settings: None takes those of its training."""
    limits = settings or (held.settings if held else GateSettings())
    found = _comparison(held, contest=contest, tables=tables, settings=limits)
    return Verdict(
        model=bundle.name,
        fingerprint=bundle.fingerprint,
        champion=found.champion.fingerprint if found.champion else None,
        at=at,
        checks=(
            found.check,
            _calibration(held, settings=limits),
        ),
    )


def require_passed(verdicts: Mapping[ModelKey, Verdict], *, force: str | None) -> None:
    """Raise RefusedError with the figures of what failed, unless somebody answers for it."""
    require_reason(force)
    failed = [(key, check) for key, verdict in verdicts.items() for check in verdict.failed]
    if failed and force is None:
        key, check = failed[0]
        verdict = verdicts[key]
        more = f"; and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise RefusedError(
            f"the gate refuses {verdict.model} {verdict.fingerprint[:12]}: {check.name}",
            models=[key for key, _ in failed],
            got=f"{check.sentence}{more}",
            fix="train on more or newer data, or answer for it: spearfish promote --force REASON",
        )


def require_reason(force: str | None) -> None:
    """Raise InputError for a --force that says nothing."""
    if force is not None and not force.strip():
        raise InputError("--force needs a reason", got="nothing", fix="say why: --force REASON")


def forced(verdicts: Sequence[Verdict], *, why: str | None, who: str, at: datetime) -> list[dict[str, str]]:
    """What somebody answers for, as the waivers of a release."""
    if why is None:
        return []
    told = without_addresses(why.strip())
    return [
        Waiver(
            verdict.fingerprint, f"{GATE_WAIVER}{check.name}", "", told, who, f"{at.isoformat()}Z"
        ).to_json()
        for verdict in verdicts
        for check in verdict.failed
    ]


def _comparison(
    held: HeldOut | None, *, contest: Contest, tables: Tables, settings: GateSettings
) -> Comparison:
    if not contest.champions:
        sentence = "no model of this kind is served yet"
        return Comparison(GateCheck("comparison", "does not apply", sentence), None)
    if held is None:
        return Comparison(GateCheck("comparison", "failed", _NOTHING_KEPT), contest.champions[-1])
    return compare(held, contest=contest, tables=tables, settings=settings)


def _calibration(held: HeldOut | None, *, settings: GateSettings) -> GateCheck:
    if held is None:
        return GateCheck("calibration", "failed", _NOTHING_KEPT)
    found = forward_calibration(
        held.rows.assign(account_id=held.rows["key"]),
        smallest=settings.smallest_class,
        replicates=settings.replicates,
    )
    if isinstance(found, TooFew):
        # The interval of so few would be all there is, and no limit is broken by it.
        return GateCheck("calibration", "does not apply", found.sentence)
    broken = found.broken(slope=settings.slope, level=settings.level)
    limits = "slope within {:g} to {:g}, level within {:g} to {:g}".format(*settings.slope, *settings.level)
    sentence = f"{found.sentence}; allowed {limits}, broken when a whole interval is beyond"
    if found.surely_off:
        sentence += f". Surely {' and '.join(found.surely_off)} on the newest rows, whether allowed or not"
    figures: Mapping[str, Any] = {
        "slope": figure(found.slope),
        "level": figure(found.level),
        "error": figure(found.error),
        "limits": {"slope": list(settings.slope), "level": list(settings.level)},
        "rows": found.rows,
        "events": found.events,
        "base_rate": found.base_rate,
    }
    return GateCheck("calibration", "failed" if broken else "passed", sentence, figures)
