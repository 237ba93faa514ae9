"""What a probability means, in one sentence per language.

Turns the settings of a label, and what the level of a model rests on, into English and Chinese. Time rule:
none. Null rule: a level that is not known is said to be relative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.label_settings import IntentLabelSettings, RowSettings
from features.listed_accounts import LINES_OF, NO_ACCOUNT
from models.card import Card, LevelFacts, PursuitFacts

__all__ = ["about", "fit_meaning", "intent_meaning", "label_notes"]

_SHOWN = 5

_FIT = {
    "en": "the chance to win an opportunity with this account, if it is pursued",
    "zh": "若跟进该客户，赢得商机的概率",
}
_RELATIVE = {
    "en": "how much the account looks like those that were won, as the chance to find a known win among such"
    " accounts; the level is relative, as nobody knows how many others would be won",
    "zh": "该客户与已成交客户的相似程度，以同类客户中已知成交的概率表示；"
    "由于其他客户能否成交尚不可知，该水平仅为相对值",
}
_ABSOLUTE = {
    "en": "the chance that the account is one that would be won, if {rate:.0%} of those are known",
    "zh": "假设可成交客户中有{rate:.0%}已知，该客户属于可成交客户的概率",
}

_HAPPENS = {
    "opportunity_created": ("opens an opportunity", "产生商机"),
    "won": ("becomes a customer", "成交"),
    "stage": ("reaches the stage {names}", "进入阶段 {names}"),
    "activity": ("does {names}", "发生行为 {names}"),
}


def fit_meaning(level: LevelFacts | None) -> dict[str, str]:
    """What a fit probability means; level: of a model against the universe."""
    if level is None:
        return dict(_FIT)
    words = _ABSOLUTE if level["absolute"] else _RELATIVE
    return {language: text.format(rate=level["label_rate"]) for language, text in words.items()}


def intent_meaning(labels: IntentLabelSettings) -> dict[str, str]:
    """What an intent probability means."""
    days, names = labels.horizon_days, (*labels.stage, *labels.channel)
    english, chinese = _HAPPENS[labels.event]
    return {
        "en": f"the chance that the account {english.format(names=' or '.join(names))} within {days} days",
        "zh": f"该客户在{days}天内{chinese.format(names='、'.join(names))}的概率",
    }


def about(settings: RowSettings) -> str:
    """Which product and accounts a model is about, as in "; product crm; region EMEA or APAC"; "" for all."""
    parts = [] if settings.product is None else [f"product {settings.product}"]
    parts += [f"{column} {' or '.join(values)}" for column, values in settings.where.items()]
    return "".join(f"; {part}" for part in parts)


def label_notes(card: Card) -> Iterator[str]:
    """What a reader of a training should know of its labels and features, in sentences."""
    name = card["name"]
    counts = {key.removeprefix("left_out_"): n for key, n in card["counts"].items() if "left_out_" in key}
    if counts:
        told = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in counts.items())
        yield f"{name}: rows left out by rules: {told}"
    yield from (f"{name}: {told}" for told in _unmatched_lines(card["counts"]))
    for why, features in card.get("idle", {}).items():
        shown = ", ".join(features[:_SHOWN]) + (", ..." if len(features) > _SHOWN else "")
        have = "no value" if why == "empty" else why
        yield f"{name}: features with {have} in any row, which tell nothing: {len(features):,} ({shown})"
    if "level" in card:
        yield f"{name}: {_level_note(card['level'])}"
    if "pursuit" in card:
        yield f"{name}: {_pursuit_note(card['pursuit'])}"


def _unmatched_lines(counts: Mapping[str, int]) -> Iterator[str]:
    """Of each list of accounts, how many lines exclude nobody, if any."""
    for key, missing in counts.items():
        listed = key.removesuffix(NO_ACCOUNT)
        if listed != key and missing:
            which = listed.removeprefix(LINES_OF).replace("_", " ")
            yield f"{missing:,} of {counts[listed]:,} lines of the list {which} match no account"


def _level_note(level: LevelFacts) -> str:
    hidden = level["hidden"]
    beside = f"{level['known']:,} accounts were won, {level['unlabelled']:,} are without a win, of which"
    about = "" if hidden["estimate"] is None else f"about {hidden['estimate']:,.0f}, "
    between = f"{hidden['low']:,.0f} to {hidden['high']:,.0f} would be won"
    kind = "absolute" if level["absolute"] else "relative"
    return f"{beside} {about}{between} ({hidden['rests_on']}); the level of its probabilities is {kind}"


def _pursuit_note(facts: PursuitFacts) -> str:
    weights = f"from {facts['smallest']:.2f} to {facts['largest']:.2f}"
    return (
        f"sales pursued {facts['pursued']:,} of {facts['accounts']:,} accounts; deals are weighed by how"
        f" rarely accounts of their kind were pursued, {weights},"
        f" and count as {facts['counts_as']:,.0f} of one weight;"
        " the order of accounts of kinds that were pursued rarely rests on few deals,"
        " and the level of their probabilities on the deals of the others"
    )
