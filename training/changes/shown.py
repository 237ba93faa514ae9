"""A change in words: sentences, tables in a terminal, and JSON.

Turns a split change into what people read. Time rule: none. Null rule: a model without a change says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from features.feature import Language
from models.card import NAMES, Kind
from training.changes.asking import ChangeReport
from training.changes.splitting import Change, Moved, Part, PartName
from training.console import Output

__all__ = ["change_sentence", "show_change", "to_json"]

_SHOWN = 3
_TITLES: dict[Kind, tuple[str, str]] = {
    "fit": ("ICP fit", "ICP契合度"),
    "intent": ("Buying intent", "购买意向"),
}
_PARTS: dict[PartName, tuple[str, str]] = {
    "decay": ("time alone (the same facts, read later)", "仅时间推移（相同信息，较晚时点）"),
    "data": ("new facts", "新信息"),
    "model": ("the other model", "模型更换"),
}
_GROUPS = {
    "firmographic": "企业属性",
    "technographic": "技术",
    "engagement": "互动",
    "outreach": "主动触达",
    "topics": "意向主题",
    "relationship": "关系",
    "baseline": "基线",
}
_ANEW = (
    "(within these: facts that did not change, weighed anew beside those that did)",
    "（其中：未变化的信息因其他变化而重新加权）",
)
_PATH = (
    "Order of the parts: time first, then the new facts, then the other model; time passes whether or not "
    "anything is learned, and a model is chosen after the facts. What arises only together counts where the "
    "later step comes in.",
    "各部分的顺序：先是时间推移，再是新信息，最后是模型更换；时间总会流逝，模型在信息之后选定。共同作用的影响计入较后的一步。",
)


def change_sentence(kind: Kind, change: Change, *, language: Language = "en") -> str:
    """The change of the probability and its three parts, in one sentence."""
    at = 1 if language == "zh" else 0
    old, new = (f"{100 * one.probability:.1f} %" for one in (change.before, change.after))
    parts = [(name, change.part(name).total) for name in _PARTS]
    if at:
        told = "，".join(f"{_PARTS[name][1]}{total:+.2f}" for name, total in parts)
        return (
            f"{_TITLES[kind][1]}：概率由{old}（等级{change.before.grade}）变为{new}（等级{change.after.grade}），"
            f"对数几率{change.difference:+.2f}：{told}"
        )
    told = ", ".join(f"{total:+.2f} from {_PARTS[name][0]}" for name, total in parts)
    return (
        f"{_TITLES[kind][0]}: the probability went from {old} (grade {change.before.grade}) to {new} (grade "
        f"{change.after.grade}), {change.difference:+.2f} in log-odds: {told}"
    )


def _releases(report: ChangeReport, *, at: int) -> str:
    """Which releases score the two moments."""
    old, new = report.old_release, report.new_release
    if old == new:
        return (f"Both moments are scored by release {new}.", f"两个时点均由发布{new}评分。")[at]
    told = f"The earlier moment is scored by release {old}, the later one by release {new}."
    return (told, f"较早时点由发布{old}评分，较晚时点由发布{new}评分。")[at]


def show_change(report: ChangeReport, *, output: Output, language: Language = "en") -> None:
    """Each model's change: the sentence, the parts by group, and what did most."""
    at = 1 if language == "zh" else 0
    output.heading(f"{report.account_id}: {report.start.isoformat()}Z → {report.end.isoformat()}Z")
    output.note(_releases(report, at=at))
    for note in report.notes:
        output.note(note)
    for kind, reason in report.absent.items():
        output.note(f"{_TITLES[kind][at]}: {reason}")
    for kind, change in report.changes.items():
        output.heading(change_sentence(kind, change, language=language))
        columns = ("", "对数几率") if at else ("what", "log-odds")
        output.table(columns, list(_lines(change, language=language)))
    if report.changes:
        output.note(_PATH[at])


def _lines(change: Change, *, language: Language) -> Iterator[tuple[str, str]]:
    at = 1 if language == "zh" else 0
    for part in change.parts:
        yield _PARTS[part.name][at], f"{part.total:+.3f}"
        for group, total in sorted(part.groups.items(), key=lambda pair: -abs(pair[1])):
            yield f"  {_GROUPS[group] if at else group}", f"{total:+.3f}"
            for one in [idea for idea in part.ideas if idea.group == group and _tells(part, idea)][:_SHOWN]:
                yield f"    {one.sentence(language)}", f"{one.contribution:+.3f}"
        anew = math.fsum(idea.contribution for idea in part.ideas if not _tells(part, idea))
        if anew:
            yield f"  {_ANEW[at]}", f"{anew:+.3f}"
    yield ("合计" if at else "all together"), f"{change.difference:+.3f}"


def _tells(part: Part, idea: Moved) -> bool:
    """Whether an idea is told by itself: a fact that changed, or any fact under another model."""
    return idea.changed or part.name == "model"


def to_json(report: ChangeReport, *, language: Language = "en") -> dict[str, Any]:
    """The report as one object: full precision, every idea."""
    return {
        "account_id": report.account_id,
        "from": {"as_of": f"{report.start.isoformat()}Z", "release": report.old_release},
        "to": {"as_of": f"{report.end.isoformat()}Z", "release": report.new_release},
        "path": _PATH[1 if language == "zh" else 0],
        "notes": list(report.notes),
        **{kind: _change_to_json(kind, report, language=language) for kind in NAMES},
    }


def _change_to_json(kind: Kind, report: ChangeReport, *, language: Language) -> dict[str, Any]:
    change = report.changes.get(kind)
    if change is None:
        return {"unavailable_reason": report.absent[kind]}
    return {
        "sentence": change_sentence(kind, change, language=language),
        "before": vars(change.before),
        "after": vars(change.after),
        "difference": change.difference,
        "parts": {part.name: _part_to_json(part, language=language) for part in change.parts},
    }


def _part_to_json(part: Part, *, language: Language) -> dict[str, Any]:
    def told(one: Moved) -> dict[str, Any]:
        sentence = one.sentence(language)
        return {
            "feature": one.feature,
            "group": one.group,
            "changed": one.changed,
            "sentence": sentence,
            "contribution": one.contribution,
        }

    return {"total": part.total, "groups": part.groups, "ideas": [told(one) for one in part.ideas]}
