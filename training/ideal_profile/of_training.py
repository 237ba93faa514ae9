"""The profile of a training: a trained fit model in, the same with its profile in the card out.

Time rule: the profile sees the rows that the model learned from, and no others. Null rule: an intent model
has no profile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from features.profile_settings import ProfileSettings
from models.card import Card
from training.fit import Training
from training.ideal_profile.learning import learn_profile

__all__ = ["with_profile"]


def _stands_for(counts: Mapping[str, int]) -> float:
    """How many accounts of the universe that nobody won an account drawn from it stands for."""
    return max(1.0, (counts["universe"] - counts["first_wins"]) / max(1, counts["drawn"]))


def with_profile(training: Training, *, settings: ProfileSettings) -> Training:
    """The training with the ideal customer profile in its model's card, and so another fingerprint."""
    if training.kind != "fit":
        return training
    against_universe = "won_later" in training.rows.frame.columns
    found = learn_profile(
        training.rows,
        basis="known" if against_universe else "won_or_lost",
        stands_for=_stands_for(training.counts) if against_universe else 1.0,
        settings=settings,
    )
    bundle = training.bundle
    card = cast(Card, {**bundle.card, "profile": json.loads(json.dumps(found.to_json()))})
    return replace(training, bundle=replace(bundle, card=card))
