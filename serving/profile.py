"""The answer of GET /v1/profile: what sets the accounts that are won apart.

Turns the profile in the card of a fit model that answers now into sentences of one language with their
figures. Time rule: figures are of accounts later than those that the traits were found on. Null rule: without
the model that is asked for (that of all accounts, unless one is named), or with one that has no profile,
`profile` is null and the reason is said; which fit models there are is told all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from pydantic import Field

from features.declare_accounts import STANDARD
from features.errors import suggestion
from features.feature import Language
from models import profile as learned
from models.card import ModelKey
from models.profile import Basis, Direction, Operator, Verdict
from serving.answers import Answer, ModelVersion, Moment, ReleaseName
from serving.halves import model_version
from serving.problems import FieldError, InvalidRequestError
from serving.releases import LoadedRelease, ServedModel

__all__ = ["ProfileAnswer", "about", "profile_answer"]

_SHOWN = 60
"""Characters of a wrong key that are told."""


class ProfileFigures(Answer):
    """Some accounts, and how many of them were won."""

    accounts: int
    won: int
    rate: float = Field(ge=0, le=1, description="Share won among accounts like these.")
    low: float = Field(ge=0, le=1, description="Lower end of the 95 % interval of the share.")
    high: float = Field(ge=0, le=1, description="Upper end of the 95 % interval of the share.")


class ProfileCondition(Answer):
    """One condition of a trait, for machines: the feature that it reads and what it must be."""

    feature: str
    operator: Operator
    value: str | None = Field(description="The level of a category or the member of a set.")
    low: float | None = Field(description="Lowest number that counts; null where any does.")
    high: float | None = Field(description="First number that no longer counts; null where any does.")


class ProfileTrait(Answer):
    """One to three conditions that set wins apart."""

    direction: Direction = Field(description="for: won more often than the others; against: less often.")
    words: str = Field(description="The conditions in words.")
    sentence: str = Field(description="The conditions with the share won, of how many, and that of all.")
    conditions: list[ProfileCondition] = Field(max_length=3)
    later: ProfileFigures = Field(description="Of later accounts: the figures to quote.")
    earlier: ProfileFigures = Field(description="Of the accounts on which it was found; they flatter.")
    chance: float = Field(
        ge=0, le=1, description="How likely it is by chance, adjusted for all traits that were checked."
    )


class StatedProfileTrait(Answer):
    """What sales stated of the ideal customer, held against the data."""

    words: str
    verdict: Verdict = Field(description="agrees, conflicts, or no_evidence beyond chance either way.")
    sentence: str = Field(description="The verdict with its figures.")
    found: ProfileFigures | None = Field(description="Null where nothing can be looked at.")


class IdealCustomerProfile(Answer):
    """The traits of the accounts that are won."""

    basis: Basis = Field(
        description="What a share is of: won_or_lost accounts, or all known ones where no loss is known."
    )
    learned_until: Moment = Field(description="Nothing known later was used.")
    later_from: Moment | None = Field(description="Where the later accounts begin; null where none are.")
    earlier: ProfileFigures = Field(description="All accounts that traits were looked for among.")
    later: ProfileFigures = Field(description="All accounts that traits were checked on.")
    candidates: int = Field(description="How many traits were checked on the later accounts.")
    traits: list[ProfileTrait] = Field(max_length=10, description="Those that held, for a win first.")
    missing: str | None = Field(description="Why there is no trait; null when there are some.")
    stated: list[StatedProfileTrait] = Field(description="What sales stated, in its order.")
    stated_together: StatedProfileTrait | None = Field(description="All that sales stated, met at once.")
    not_stated: list[str] = Field(description="Learned traits on columns that sales did not mention.")


class ProfileModel(Answer):
    """A fit model that answers now, whose profile can be asked for."""

    key: str = Field(description="What the parameter model takes, such as fit or fit.emea.")
    about: str | None = Field(description="Whom it is about, in words; null where it is about all accounts.")


class ProfileAnswer(Answer):
    """The ideal customer profile of a fit model that answers now."""

    profile: IdealCustomerProfile | None
    profile_unavailable_reason: str | None = Field(description="Why profile is null; null when it is not.")
    model: ModelVersion | None = Field(description="The fit model that it belongs to.")
    models: list[ProfileModel] = Field(
        description="The fit models that answer now: that of all accounts first, then the others as they are "
        "asked."
    )
    release: ReleaseName


_NO_MODEL = (
    "The current release holds no fit model, and so no ideal customer profile",
    "当前发布版本不含契合度模型，因此没有理想客户画像",
)
_NAMED_ALONE = (
    "The current release holds no fit model of all accounts, and so no profile of all of them; "
    "it holds {named}: ask for one of these with the parameter model",
    "当前发布版本不含面向全部客户的契合度模型，因此没有全部客户的画像；现有{named}：请用参数model指定",
)
_NO_PROFILE = (
    "The fit model has no ideal customer profile; train and promote it again",
    "契合度模型没有理想客户画像；请重新训练并发布",
)


def profile_answer(
    release: LoadedRelease, *, language: Language, model: ModelKey | None = None
) -> ProfileAnswer:
    """The profile of a fit model of a release, in one language.

    model: such as fit.emea; None takes the model of all accounts. Raises InvalidRequestError for another key
    than those of the release's fit models.
    """
    scorers = {one.key: one.scorer for one in release.of_kind("fit")}
    key = _asked(model, held=scorers)
    answer = partial(_answer, release, language=language)
    if key not in scorers:
        reason = _NAMED_ALONE if scorers else _NO_MODEL
        return answer(reason=_said(reason, language=language).format(named=", ".join(scorers)))
    found = learned.Profile.of_card(scorers[key].bundle.card)
    version = model_version(scorers[key])
    if found is None or version.trained_until is None:
        return answer(reason=_said(_NO_PROFILE, language=language), model=version)
    told = _profile(found, until=version.trained_until, language=language)
    return answer(profile=told, model=version)


def _asked(model: str | None, *, held: Iterable[ModelKey]) -> ModelKey:
    allowed = tuple(dict.fromkeys(("fit", *held)))
    if model is None or model in allowed:
        return model or "fit"
    fix = suggestion(model, allowed) or "name one of them"
    what = "no such fit model answers now"
    raise InvalidRequestError([FieldError("model", what, repr(model[:_SHOWN]), ", ".join(allowed), fix)])


def _answer(
    release: LoadedRelease,
    *,
    language: Language,
    reason: str | None = None,
    profile: IdealCustomerProfile | None = None,
    model: ModelVersion | None = None,
) -> ProfileAnswer:
    name = ReleaseName(id=release.release.id, created_at=release.release.created_at)
    models = [
        ProfileModel(key=one.key, about=about(one, language=language))
        for one in sorted(release.of_kind("fit"), key=lambda one: one.key != "fit")
    ]
    return ProfileAnswer(
        profile=profile, profile_unavailable_reason=reason, model=model, models=models, release=name
    )


def about(model: ServedModel, *, language: Language) -> str | None:
    """The product and the facts of the accounts that a model is about, as in "region EMEA or APAC"."""
    english = language != "zh"
    columns = {one.name: one for one in (*STANDARD, *model.scorer.bundle.catalogue.attributes)}
    parts = []
    for name, values in model.rows.where.items():
        column = columns.get(name)
        label = name if column is None else column.label if english else column.label_zh or column.label
        parts.append(f"{label} {' or '.join(values)}" if english else f"{label}为{'或'.join(values)}")
    if model.rows.product is not None:
        parts.append(f"product {model.rows.product}" if english else f"产品为{model.rows.product}")
    return ("; " if english else "；").join(parts) or None


def _said(words: tuple[str, str], *, language: Language) -> str:
    return words[1 if language == "zh" else 0]


def _profile(found: learned.Profile, *, until: datetime, language: Language) -> IdealCustomerProfile:
    return IdealCustomerProfile(
        basis=found.basis,
        learned_until=until,
        later_from=found.later_from,
        earlier=_figures(found.earlier),
        later=_figures(found.later),
        candidates=found.candidates,
        traits=[_trait(found, one, language=language) for one in found.traits],
        missing=None if found.traits else found.missing(language),
        stated=list(_stated(found.stated, language=language)),
        stated_together=next(_stated([found.together] if found.together else [], language=language), None),
        not_stated=[found.traits[place].words(language) for place in found.unmentioned],
    )


def _trait(found: learned.Profile, trait: learned.Trait, *, language: Language) -> ProfileTrait:
    return ProfileTrait(
        direction=trait.direction,
        words=trait.words(language),
        sentence=found.sentence(trait, language=language),
        conditions=[
            ProfileCondition(
                feature=one.feature, operator=one.operator, value=one.value, low=one.low, high=one.high
            )
            for one in trait.conditions
        ],
        later=_figures(trait.later),
        earlier=_figures(trait.earlier),
        chance=trait.chance,
    )


def _stated(traits: Iterable[learned.StatedTrait], *, language: Language) -> Iterator[StatedProfileTrait]:
    for one in traits:
        yield StatedProfileTrait(
            words=one.words(language),
            verdict=one.verdict,
            sentence=one.why(language),
            found=None if one.found is None else _figures(one.found),
        )


def _figures(found: learned.Figures) -> ProfileFigures:
    return ProfileFigures(
        accounts=found.accounts, won=found.won, rate=found.rate, low=found.low, high=found.high
    )
