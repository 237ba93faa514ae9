"""The profile for people at a terminal, and where it is read from.

Turns the profile of a card into lines and tables. Time rule: without a choice it is the profile of the model
that is served now. Null rule: what is not there is said in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from features.errors import ConfigError, InputError, suggestion
from features.feature import Language
from features.model_keys import ModelKey, kind_of, require_key
from features.workspace import Workspace
from models.bundle import Bundle
from models.card import Card
from models.profile import Figures, Profile, Verdict, percent
from serving.store import Store
from training.console import Output
from training.tracking.registered import RegisteredModels
from training.tracking.versions import choose

__all__ = ["profile_summary", "read_profile", "show_profile"]

_SUMMARY = 3
_TRAIN = "run `spearfish train`, then `spearfish promote`"
_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "agrees": ("the data agree", "数据支持"),
    "conflicts": ("the data conflict", "数据相悖"),
    "no_evidence": ("no evidence", "证据不足"),
}
_WORDS = {
    "title": ("Ideal customer profile", "理想客户画像"),
    "for": ("What sets wins apart", "赢单客户的特征"),
    "against": ("What is rarely won", "很少赢单的特征"),
    "stated": ("What sales stated, held against the data", "销售所述与数据的对照"),
    "unmentioned": ("Learned, and not stated by sales", "数据得出而销售未提及"),
    "columns": ("trait|won|95 % interval|accounts|chance", "特征|赢单率|95%区间|客户数|偶然概率"),
    "base": (
        "{rate} of {accounts} later accounts were won ({low} to {high}); candidates from "
        "{earlier} earlier accounts that were checked on them: {checked}, of which are told: {held}",
        "后期{accounts}个客户中赢得{rate}（{low}至{high}）；从早期{earlier}个客户得出{checked}个候选特征，"
        "经后期客户检验，列出{held}个",
    ),
}


def profile_summary(card: Card) -> Iterator[str]:
    """The profile in a few lines, after a training."""
    profile = Profile.of_card(card)
    if profile is None:
        return
    if not profile.traits:
        yield f"ideal customer profile: none; {profile.missing()}"
    for trait in profile.traits[:_SUMMARY]:
        yield f"ideal customer profile: {profile.sentence(trait)}"
    for one in profile.stated:
        yield f"stated by sales, {_VERDICTS[one.verdict][0]}: {one.sentence()}"


def read_profile(
    workspace: Workspace, *, fit: str | None = None, model: ModelKey = "fit"
) -> tuple[Profile, Bundle]:
    """The profile of the fit model that is served, or of a trained one, and the model's bundle.

    fit: a version's number, an alias, or the start of a bundle's fingerprint; None takes the served one.
    model: the key of the fit model, such as fit.emea.
    Raises ConfigError for a model that is none of the fit models, InputError where there is no such version
    or it has no profile.
    """
    if model.partition(".")[0] != "fit":
        raise ConfigError(
            "--model names no fit model: only these have an ideal customer profile",
            got=repr(model),
            allowed="fit, or a named one, as fit.emea",
            fix=suggestion(model, ["fit"]) or "leave it out for the model of all accounts",
        )
    bundle = _served(workspace, model) if fit is None else _trained(workspace, model, fit=fit)
    profile = Profile.of_card(bundle.card)
    if profile is None:
        raise InputError(
            f"{bundle.name} {bundle.version} has no ideal customer profile",
            got="a model of an older spearfish",
            fix="run `spearfish train` again",
        )
    return profile, bundle


def _served(workspace: Workspace, model: ModelKey) -> Bundle:
    with Store.open(workspace.store_url, create=False) as store:
        release = store.current(now=datetime.now(UTC).replace(tzinfo=None))
        if release is not None:
            _require_among(model, release.fingerprints, what="--model: no such fit model is served")
        fingerprint = None if release is None else release.fingerprints.get(model)
        if fingerprint is None:
            raise InputError(
                f"no {model} model is served, and so no ideal customer profile",
                got="no release"
                if release is None
                else f"release {release.id} with {', '.join(release.fingerprints)} alone",
                fix=f"{_TRAIN}, or name a trained one with --fit",
            )
        return Bundle.from_bytes(store.bundle_bytes(fingerprint))


def _trained(workspace: Workspace, model: ModelKey, *, fit: str) -> Bundle:
    registered = RegisteredModels(workspace)
    known = registered.known()
    _require_among(model, known, what="--model: no such fit model was ever trained here")
    version = choose(known, model, wanted=fit)
    if version is None:
        raise InputError(f"no {model} model was chosen", got=repr(fit), fix=_TRAIN)
    return registered.bundle(version)


def _require_among(model: ModelKey, keys: Iterable[ModelKey], *, what: str) -> None:
    fits = [key for key in keys if kind_of(key) == "fit"]
    require_key(model, known=dict.fromkeys(("fit", *fits)), what=what)


def show_profile(profile: Profile, *, output: Output, language: Language = "en") -> None:
    """The whole profile as tables."""
    at = 1 if language == "zh" else 0
    output.heading(_WORDS["title"][at])
    if profile.later.accounts:
        output.note(_base(profile, language=language))
    if not profile.traits:
        output.note(profile.missing(language))
    for direction in ("for", "against"):
        rows = [
            (one.words(language), *_cells(one.later), f"{one.chance:.2g}")
            for one in profile.traits
            if one.direction == direction
        ]
        if rows:
            output.table(_WORDS["columns"][at].split("|"), rows, title=_WORDS[direction][at])
    _show_stated(profile, output=output, language=language)


def _show_stated(profile: Profile, *, output: Output, language: Language) -> None:
    at = 1 if language == "zh" else 0
    if profile.stated:
        output.heading(_WORDS["stated"][at])
    for one in (*profile.stated, *([profile.together] if profile.together else [])):
        output.note(f"{_VERDICTS[one.verdict][at]}: {one.sentence(language)}")
    missed = [profile.traits[place] for place in profile.unmentioned]
    if missed:
        output.note(f"{_WORDS['unmentioned'][at]}: {'; '.join(one.words(language) for one in missed)}")


def _base(profile: Profile, *, language: Language) -> str:
    later = profile.later
    return _WORDS["base"][1 if language == "zh" else 0].format(
        rate=percent(later.rate),
        low=percent(later.low),
        high=percent(later.high),
        accounts=f"{later.accounts:,}",
        earlier=f"{profile.earlier.accounts:,}",
        checked=profile.candidates,
        held=len(profile.traits),
    )


def _cells(found: Figures) -> tuple[str, str, str]:
    return percent(found.rate), f"{percent(found.low)} - {percent(found.high)}", f"{found.accounts:,}"
