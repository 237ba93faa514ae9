"""The section of the TOML file that says what is predicted: [labels].

Turns [labels.fit], [labels.intent] and [[labels.exclude]] into frozen, checked settings. Time rule: facts of
accounts count as they were known at a row's `as_of`. Null rule: a key that is left out has the default
written here; an account of which a fact is not known is neither in a segment by that fact nor excluded by it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from features.model_keys import Kind
from features.section import Section

__all__ = [
    "AuditedSettings",
    "Exclusion",
    "FitLabelSettings",
    "IntentEvent",
    "IntentLabelSettings",
    "LabelSettings",
    "PopulationSettings",
    "RowSettings",
]

IntentEvent = Literal["opportunity_created", "stage", "activity", "won"]
Kept = Literal["leave_out", "keep"]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text or several."""


class Exclusion(Section):
    """[[labels.exclude]]: accounts or deals that no model learns from, found in exactly one way.

    name: what they are called where they are counted, such as partners.
    attribute, values: accounts of which this fact is one of the values.
    channel: accounts with such an activity.
    accounts: identifiers, or domains, URLs and e-mail addresses of companies; `file` names a text file with
        one a line, beside the TOML file.
    deal_types: deals of these types, such as Renewal; other deals of the account stay.
    """

    name: str = Field(pattern="^[a-z][a-z0-9 _]{0,39}$")
    attribute: str | None = None
    values: Texts = ()
    channel: str | None = None
    accounts: Texts = ()
    deal_types: Texts = ()

    @model_validator(mode="after")
    def _one_way(self) -> Exclusion:
        ways = [name for name in ("attribute", "channel", "accounts", "deal_types") if getattr(self, name)]
        if len(ways) != 1:
            got = " and ".join(ways) or "none of them"
            raise ValueError(
                f"{self.name!r} needs one of attribute, channel, accounts, file and deal_types; it has {got}"
            )
        if bool(self.values) is (self.attribute is None):
            raise ValueError(f"{self.name!r} needs attribute and values together")
        return self


class RowSettings(Section):
    """What both kinds of label share.

    product: of the deals that count; None counts all.
    where: accounts that the model is about: by fact, the values; None of them keeps all.
    minimum_account_days: an account known for fewer days at `as_of` is left out.
    exclude: what is left out, each counted by its name.
    """

    product: str | None = None
    where: dict[str, Texts] = Field(default_factory=dict)
    minimum_account_days: int | None = Field(default=None, ge=1, le=3650)
    exclude: tuple[Exclusion, ...] = ()

    @property
    def excluded_deal_types(self) -> tuple[tuple[str, str], ...]:
        """(type of deal in lower case, what it is counted as), of every exclusion by type."""
        return tuple((kind.lower(), one.name) for one in self.exclude for kind in one.deal_types)

    @model_validator(mode="after")
    def _names_differ(self) -> RowSettings:
        names = [one.name for one in self.exclude]
        if len(set(names)) < len(names):
            raise ValueError(f"two exclusions have one name: {', '.join(names)}")
        return self


class AuditedSettings(Section):
    """[labels.fit.audited]: a random sample of accounts without a win that somebody looked at."""

    accounts: int = Field(ge=1)
    positives: int = Field(ge=0)

    @model_validator(mode="after")
    def _adds_up(self) -> AuditedSettings:
        if self.positives > self.accounts:
            raise ValueError("more positives than accounts that were looked at")
        return self


def require_one_level(
    label_rate: float | None, audited: AuditedSettings | None, *, some_always_win: bool
) -> None:
    """Raise ValueError where the level against the universe would rest on several things."""
    if (label_rate is not None) + (audited is not None) + some_always_win > 1:
        raise ValueError("label_rate, audited and some_always_win: give one of them")


class FitLabelSettings(RowSettings):
    """[labels.fit]: what the accounts that were won are told from.

    against: "lost" opportunities, or the "universe" of accounts, of which nobody knows whether they would be
        won (positive-unlabelled).
    weights: "pursuit" weighs won and lost deals up where accounts of their kind were rarely pursued, so that
        the model also serves kinds that sales passed over; it learns by trees, however few the deals.
    maturity_percentile: of the time to close; younger opportunities are left out.
    minimum_deal_days: an opportunity that was closed sooner is left out, as one entered after the fact.
    unlabelled_per_win: accounts drawn from the universe per win, as they were when it was opened.
    label_rate, audited, some_always_win: at most one; what the level against the universe rests on: the share
        of the good accounts that are known, a sample that was looked at, or the assumption that some profiles
        always win.
    """

    enabled: bool = True
    against: Literal["lost", "universe"] = "lost"
    weights: Literal["none", "pursuit"] = "none"
    maturity_percentile: float = Field(default=0.9, gt=0.0, le=1.0)
    minimum_deal_days: int | None = Field(default=None, ge=1, le=3650)
    unlabelled_per_win: int = Field(default=5, ge=1, le=100)
    label_rate: float | None = Field(default=None, gt=0.0, le=1.0)
    audited: AuditedSettings | None = None
    some_always_win: bool = False

    @model_validator(mode="after")
    def _one_level(self) -> FitLabelSettings:
        require_one_level(self.label_rate, self.audited, some_always_win=self.some_always_win)
        return self

    @model_validator(mode="after")
    def _weights_need_losses(self) -> FitLabelSettings:
        if self.weights == "pursuit" and self.against == "universe":
            raise ValueError(
                'weights = "pursuit" goes with against = "lost": accounts that nobody pursued are no losses;'
                ' set against = "lost", or weights = "none"'
            )
        return self


class PopulationSettings(Section):
    """[labels.intent.population]: who is scored. Customers own the product that the labels are about."""

    customers: Kept = "leave_out"
    open_opportunities: Kept = "leave_out"


class IntentLabelSettings(RowSettings):
    """[labels.intent]: what happens within the horizon, from snapshots `step_days` apart.

    event: an opportunity is created, a deal enters `stage`, an activity of `channel` happens (a sign-up of
        the product, say), or a deal is won.
    censoring: snapshots whose horizon has not ended by the cutoff are left out, or count by weight: of an
        account to which nothing has happened yet, what is to be expected from what happened to others.
    """

    event: IntentEvent = "opportunity_created"
    stage: Texts = ()
    channel: Texts = ()
    horizon_days: int = Field(default=90, ge=1, le=730)
    step_days: int = Field(default=30, ge=1, le=365)
    history_days: int | None = Field(default=None, ge=1)
    population: PopulationSettings = PopulationSettings()
    censoring: Literal["leave_out", "weight"] = "leave_out"

    @model_validator(mode="after")
    def _event_is_named(self) -> IntentLabelSettings:
        for event, name in (("stage", "stage"), ("activity", "channel")):
            if bool(getattr(self, name)) is (self.event != event):
                raise ValueError(f'event = "{event}" and {name} belong together')
        return self

    @property
    def happens(self) -> str:
        """The event in words, as in stage SQL."""
        return " ".join([self.event.replace("_", " "), " or ".join(self.stage or self.channel)]).strip()


class LabelSettings(Section):
    """[labels]; what [[labels.exclude]] holds stands in both kinds once a mapping is read."""

    fit: FitLabelSettings = FitLabelSettings()
    intent: IntentLabelSettings = IntentLabelSettings()

    def of(self, kind: Kind) -> RowSettings:
        """The section of a kind of model."""
        return self.fit if kind == "fit" else self.intent
