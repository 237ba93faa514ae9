"""Whatever kind of activity a preset writes is one whose side, minutes and words are known."""

from __future__ import annotations

import re

import pytest

from features.kinds import KINDS, spellings
from features.presets import PRESETS, preset_text

WRITTEN = {
    "call": ("mutual", 10, "通话"),
    "call_attempt": ("outbound", None, "去电未接"),
    "campaign_response": ("inbound", 2, "活动响应"),
    "campaign_sent": ("outbound", None, "活动推送"),
    "email_click": ("inbound", 1, "邮件点击"),
    "email_forward": ("inbound", 1, "邮件转发"),
    "email_open": ("inbound", 0.5, "邮件打开"),
    "email_reply": ("inbound", 3, "邮件回复"),
    "email_sent": ("outbound", None, "邮件发送"),
    "form_submission": ("inbound", 2, "表单提交"),
    "meeting": ("mutual", 30, "会议"),
    "social_message": ("outbound", None, "社交媒体消息"),
    "task": ("outbound", None, "任务"),
}


def _channels(text: str) -> set[str]:
    """What is written into the column `channel`: in a CASE, in rows of VALUES, as a constant."""
    cases = [part.rpartition("CASE")[2] for part in re.findall(r"CASE.*?END AS channel", text, re.DOTALL)]
    steps = re.findall(r"VALUES (.*?)\)\s+AS step", text, re.DOTALL)
    return {
        *(name for case in cases for name in re.findall(r"(?:THEN|ELSE) '(\w+)'", case)),
        *(name for step in steps for name in re.findall(r"\('(\w+)'", step)),
        *re.findall(r'channel = \{ value = "(\w+)" \}', text),
    }


def test_every_kind_that_a_preset_writes_is_known() -> None:
    found = {name for preset in PRESETS if preset != "csv" for name in _channels(preset_text(preset))}
    assert found == set(WRITTEN)
    assert {
        name: (KINDS[name].direction, KINDS[name].minutes, KINDS[name].label_zh) for name in found
    } == WRITTEN


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("responded to campaign", "campaign_response"),
        ("加入营销活动", "campaign_sent"),
        ("forward", "email_forward"),
        ("邮件转发", "email_forward"),
        ("linkedin message", "social_message"),
        ("领英消息", "social_message"),
        ("to-do", "task"),
        ("待办", "task"),
    ],
)
def test_a_source_may_word_them_otherwise(word: str, name: str) -> None:
    assert spellings(KINDS.values())[word] is KINDS[name]
