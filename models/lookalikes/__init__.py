"""Lookalikes: accounts like given ones, with how sure that is and why.

Turns a universe of accounts and some of them, the seeds, into a list. Time rule: the universe is of one
moment. Null rule: what is not known speaks neither for nor against, unless it is as often unknown of seeds
as of others.
"""

from __future__ import annotations

from models.lookalikes.blending import Blend, Weights, blend
from models.lookalikes.comparing import Compared
from models.lookalikes.estimates import Estimate, Sureness
from models.lookalikes.expansion import Expansion, expand
from models.lookalikes.explaining import NearSeed, Suggestion, explain
from models.lookalikes.ranking import Prepared, Ranking, prepare, rank_universe
from models.lookalikes.reasons import Reason, Words

__all__ = [
    "Blend",
    "Compared",
    "Estimate",
    "Expansion",
    "NearSeed",
    "Prepared",
    "Ranking",
    "Reason",
    "Suggestion",
    "Sureness",
    "Weights",
    "Words",
    "blend",
    "expand",
    "explain",
    "prepare",
    "rank_universe",
]
