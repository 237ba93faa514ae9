"""How far the fit of a company may move that only a lead tells of.

Turns what is missing of a company into the range of fit probabilities that it may get: the missing columns
are taken, one account at a time, from accounts of the workspace. Time rule: those accounts stand just after
their newest facts. Null rule: what is unknown of such an account stays unknown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.feature import Language
from models.known_inputs import Input
from serving.answers import FitScore, LeadFound, ProbabilityInterval
from serving.desk import Desk
from serving.phrases import listed, phrase
from serving.releases import ServedModel
from serving.subjects import Subject

__all__ = ["with_fit_range"]

_LEVEL = 0.9


def with_fit_range(
    desk: Desk,
    subject: Subject,
    model: ServedModel | None,
    *,
    fit: FitScore | None,
    row: NDArray[np.float64] | None,
    language: Language,
) -> LeadFound | None:
    """What became of the lead, with the range where the company is not known.

    model, row: that answers for fit, and its features of the company, float64 (k,).
    """
    lead = subject.lead
    if lead is None or not subject.is_unknown_company or model is None or fit is None or row is None:
        return lead
    own, (told,) = fit.probability_interval, model.scorer.inputs.told(row[np.newaxis])
    if not told.missing:
        return lead.model_copy(update={"fit_range": own})
    accounts = model.scorer.bundle.catalogue.features
    unknown = np.isnan(row) & np.array([feature.table == "accounts" for feature in accounts])
    filled = np.where(unknown, desk.some_rows(model.key), row)
    low, high = np.quantile(
        model.scorer.score(filled, contributions=False).probability, ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2)
    ).tolist()
    found = ProbabilityInterval(
        low=min(low, own.low),
        high=max(high, own.high),
        level=_LEVEL,
        meaning=phrase("fit_range", language=language, missing=_labels(told.missing, language=language)),
    )
    return lead.model_copy(update={"fit_range": found})


def _labels(inputs: tuple[Input, ...], *, language: Language) -> str:
    return listed([one.label(language) for one in inputs], language=language)
