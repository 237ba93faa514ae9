"""Which served models are due: each by what it knows itself, and by what was tried for it since."""

from __future__ import annotations

from datetime import datetime

import pytest

from features.settings import RetrainSettings
from training.releasing.due import Standing, due_models

NOW = datetime.fromisoformat("2026-05-31")
MODELS = ("fit", "intent", "fit.emea")


def day(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"2026-{text}")


@pytest.mark.parametrize(
    ("emea", "drifted", "expected"),
    [
        # Renewed like the others.
        (("05-20", None), (), ()),
        # Refused again and again: it is old, and was tried of late; nothing else is trained for that.
        (("01-01", "05-30"), (), ()),
        (("01-01", "05-30"), ("fit.emea",), ()),
        # The time of another try.
        (("01-01", "05-01"), (), ("fit.emea",)),
        # It drifted since it was served, and nothing was tried for that.
        (("05-20", None), ("fit.emea",), ("fit.emea",)),
        # What was tried before it was served does not count: somebody rolled back, say.
        (("05-20", "05-10"), ("fit.emea",), ("fit.emea",)),
        # Another's drift is another's.
        (("05-20", None), ("intent",), ("intent",)),
        # A model that cannot be read is mended by a training.
        ((None, "05-30"), (), ("fit.emea",)),
    ],
)
def test_each_model_is_due_by_itself(
    emea: tuple[str | None, str | None], drifted: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    learned, tried = map(day, emea)
    new = Standing(day("05-20"))
    found = due_models(
        {"fit.emea": Standing(learned, tried), "intent": new, "fit": new},
        wanted=MODELS,
        drifted=drifted,
        cutoff=NOW,
        settings=RetrainSettings(every_days=30),
    )
    assert found == expected


@pytest.mark.parametrize(
    ("served", "settings", "expected"),
    [
        # With every day, everything that is declared.
        (("fit", "intent"), RetrainSettings(), MODELS),
        # What is not served waits for the next that is due ...
        (("fit", "intent"), RetrainSettings(every_days=30), ()),
        # ... unless nothing that is declared is served.
        (("fit.gone",), RetrainSettings(every_days=30), MODELS),
        ((), RetrainSettings(every_days=30), MODELS),
        (("fit",), RetrainSettings(every_days=30, on_drift=False), ()),
    ],
)
def test_what_is_declared_and_not_served_goes_along(
    served: tuple[str, ...], settings: RetrainSettings, expected: tuple[str, ...]
) -> None:
    standings = {key: Standing(day("05-20")) for key in served}
    drifted = () if settings.on_drift else ("fit",)
    found = due_models(standings, wanted=MODELS, drifted=drifted, cutoff=NOW, settings=settings)
    assert found == expected
