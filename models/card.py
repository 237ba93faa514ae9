"""The model card: what is told of a model beside its trees.

Names and types what `card.json` of a bundle holds. Time rule: times and paths stand in `provenance` alone,
which the bundle's fingerprint leaves out. Null rule: every key is there, save where its description says
otherwise.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from features.model_keys import KINDS, Kind, ModelKey, kind_of, model_key, name_of

__all__ = [
    "NAMES",
    "Card",
    "CardFacts",
    "ComparedFacts",
    "HiddenFacts",
    "IntervalFacts",
    "Kind",
    "LevelFacts",
    "ModelKey",
    "PursuitFacts",
    "TrainedWith",
    "TrainingFacts",
    "key_of",
    "kind_of",
    "name_of",
    "registered_name",
]

NAMES: dict[Kind, str] = {"fit": "icp_fit", "intent": "buying_intent"}
"""The registered name of the model of each kind that has no name of its own."""


def registered_name(key: ModelKey) -> str:
    """What a model is called in MLflow and, after a prefix, in BentoML: both take small letters, _ and dots.

    >>> registered_name("fit"), registered_name("intent.emea")
    ('icp_fit', 'buying_intent.emea')
    """
    kind = kind_of(key)
    return f"{NAMES[kind]}{key.removeprefix(kind)}"


def key_of(registered: str) -> ModelKey | None:
    """The key of the model that is registered under a name; None where the name is none of ours.

    >>> key_of("buying_intent.emea"), key_of("churn")
    ('intent.emea', None)
    """
    first, _, name = registered.partition(".")
    return next((model_key(kind, name=name or None) for kind in KINDS if NAMES[kind] == first), None)


class TrainedWith(TypedDict):
    """Sections of the config that a model was trained with, as JSON; a release takes them from here.

    labels: [labels.fit] or [labels.intent], as the model's kind is. serving: [serving].
    """

    labels: dict[str, Any]
    serving: dict[str, Any]


class IntervalFacts(TypedDict):
    """How sure the probabilities are.

    level: the share of intervals that hold what they speak of. meaning: of an interval, one sentence per
    language. rows, accounts: what the intervals were found on; the rows of one account tell less than as many
    accounts would.
    """

    level: float
    meaning: dict[str, str]
    rows: int
    accounts: int


class HiddenFacts(TypedDict):
    """How many accounts without a win would be won: the estimate (None where the data cannot tell), the 95 %
    interval or the range that the data allow, and what that rests on."""

    estimate: float | None
    low: float
    high: float
    rests_on: str


class LevelFacts(TypedDict):
    """What the level of a fit model against the universe means.

    absolute: whether it is the chance to be won; otherwise it is relative, the chance to be a known win.
    label_rate: the share of the good accounts that is known, where it is told. known, unlabelled: accounts of
    the universe with and without a win. drawn_per_win: accounts that the model learned from beside each win;
    the figures of the later slices speak of these.
    """

    absolute: bool
    label_rate: float | None
    known: int
    unlabelled: int
    drawn_per_win: int
    hidden: HiddenFacts


class PursuitFacts(TypedDict):
    """What deals were weighed by, where sales pursued some kinds of account more than others.

    accounts: that the model speaks of. pursued: those of them with an opportunity. smallest, largest: weight
    of a deal, the mean being 1. counts_as: how many deals of one weight would tell as much (Kish 1965).
    """

    accounts: int
    pursued: int
    smallest: float
    largest: float
    counts_as: float


class ComparedFacts(TypedDict):
    """Features that cannot be compared between accounts of different origins, each with the reason.

    left_out: those that the model did not learn from. kept: those that it did, as the config names them.
    """

    left_out: dict[str, str]
    kept: dict[str, str]


class TrainingFacts(TypedDict):
    """What any training tells, whatever the label.

    cutoff: ISO time with Z. counts, metrics, parameters: of the training. data_fingerprint: of the tables.
    provenance: times, paths, run ids, durations; the only place where they may stand.
    origins: absent where all accounts come from one place. consent_assumed: by source of contacts, what is
    assumed of consent and not told by the data; absent where nothing is. idle: features that tell no row from
    another, by why: empty, or one value; absent where every feature tells something. level: of a fit model
    that learned wins from the universe of accounts; absent from others. pursuit: of a fit model whose deals
    were weighed; absent from others.
    """

    cutoff: str
    base_rate: float
    counts: dict[str, int]
    metrics: dict[str, Any]
    parameters: dict[str, Any]
    data_fingerprint: str
    provenance: dict[str, Any]
    origins: NotRequired[ComparedFacts]
    consent_assumed: NotRequired[dict[str, str]]
    idle: NotRequired[dict[str, list[str]]]
    level: NotRequired[LevelFacts]
    pursuit: NotRequired[PursuitFacts]


class CardFacts(TrainingFacts):
    """What training tells of a model. Everything counts for the fingerprint, except `provenance`.

    meaning: one sentence per language ("en", "zh") on what the probability means.
    horizon_days: None for a fit model. label: how the outcome is defined.
    """

    meaning: dict[str, str]
    horizon_days: int | None
    label: str


class Card(CardFacts):
    """The model card: the facts, and what the bundle adds itself.

    trained_with, audit: absent from a model that was never meant for release. audit: what was looked at and
    found when it was asked whether the model learned from what it could not have known. profile: the ideal
    customer profile (`models.profile`); of a fit model alone. inputs: what each input looked like in the
    reference population (`models.inputs`); absent from models of before there was drift to measure. place: of
    a named model among those of its config; where several hold an account, the first answers.
    """

    kind: Kind
    name: str
    interval: IntervalFacts
    lightgbm_version: str
    machine: str
    trained_with: NotRequired[TrainedWith]
    audit: NotRequired[dict[str, Any]]
    profile: NotRequired[dict[str, Any]]
    inputs: NotRequired[dict[str, Any]]
    place: NotRequired[int]
