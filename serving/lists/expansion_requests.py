"""What is asked of expansions: the strict model of the body of POST /v1/jobs/expand.

Turns JSON into what a job keeps. Time rule: none. Null rule: where no seeds are named in any way, all
customers are seeds.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from models.lookalikes.asking import MODES, weights_of
from models.lookalikes.blending import Weights
from serving.fields import Identifier, StrictModel, one_of
from serving.lists.settings import Filters

__all__ = ["LONGEST", "BlendWeights", "ExpandRequest", "SeedFilters"]

LONGEST = 100_000
"""Accounts of an expansion at most."""

_MOST_SEEDS = 50_000
_words = WithJsonSchema({"type": "string", "enum": list(MODES)})
_Mode = Annotated[str, AfterValidator(one_of(MODES)), _words]
_Weight = Annotated[float, Field(ge=0, le=1_000_000)]


class SeedFilters(Filters):
    """Facts that the seeds have in common."""


class BlendWeights(StrictModel):
    """How much each part of a blend counts; in proportion."""

    fit: _Weight = Field(default=0.0, description="Likeness to the seeds.")
    intent: _Weight = Field(default=0.0, description="The chance to buy, by the released model.")
    value: _Weight = Field(default=0.0, description="What a deal would be worth, by those that were won.")


class ExpandRequest(StrictModel):
    """Accounts like some of yours. Without account_ids, list_id or filters, all customers are seeds."""

    account_ids: Annotated[list[Identifier], Field(min_length=1, max_length=_MOST_SEEDS)] | None = Field(
        default=None, description="The seeds, as POST /v1/seeds/match found them."
    )
    list_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="A list whose accounts are the seeds."
    )
    filters: SeedFilters | None = Field(default=None, description="What the seeds have in common.")
    mode: _Mode = Field(
        default="vertical",
        description="vertical: more like these. horizontal: for a product line, of which only owners are "
        "left out. intent: about to buy.",
    )
    product: Identifier | None = Field(default=None, description="The product line of horizontal.")
    size: Annotated[int, Field(ge=1, le=LONGEST)] = 500
    weights: BlendWeights | None = Field(
        default=None, description="What the order follows from; null for likeness alone."
    )
    leave_customers_out: bool = Field(default=True, description="Customers that are no seeds.")
    label_rate: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="The share of all accounts like the seeds that is among the seeds, where it is known; "
        "the chance of each account follows from it.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> ExpandRequest:
        given = [self.account_ids, self.list_id, self.filters]
        if sum(one is not None for one in given) > 1:
            raise PydanticCustomError(
                "seeds_from", "must name the seeds in one way: account_ids, list_id or filters"
            )
        return self

    def asked(self) -> dict[str, Any]:
        """What the job keeps, as JSON. Raises ConfigError for what a mode does not take."""
        given = None if self.weights is None else Weights(**self.weights.model_dump())
        weights = weights_of(self.mode, product=self.product, weights=given)
        told = self.model_dump()
        return told | {"weights": None if weights is None else weights.to_dict()}
