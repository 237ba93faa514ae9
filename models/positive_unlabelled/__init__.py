"""Learning where wins are known and everything else is not: positives, and rows without a label.

Turns features and y (1 a known positive, 0 not known) into chances, and into how many positives are hidden.
Time rule: none of its own; callers hand in what was known. Null rule: that of the learner handed in.
"""

from __future__ import annotations

from models.positive_unlabelled.at_random import HiddenAtRandomClassifier
from models.positive_unlabelled.counting import Audit, HiddenPositives, count_hidden
from models.positive_unlabelled.cross_fitting import out_of_fold
from models.positive_unlabelled.label_rate import LabelRate, largest_label_share
from models.positive_unlabelled.pursuit import PursuitWeightedClassifier, pursuit_weights

__all__ = [
    "Audit",
    "HiddenAtRandomClassifier",
    "HiddenPositives",
    "LabelRate",
    "PursuitWeightedClassifier",
    "count_hidden",
    "largest_label_share",
    "out_of_fold",
    "pursuit_weights",
]
