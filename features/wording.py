"""Words for features: channel names and windows as English and Chinese phrases.

Turns identifiers such as `pricing_visit` into "pricing visits" and "价格页访问". Time and null rules: none.
"""

from __future__ import annotations

__all__ = ["channel_noun", "channel_noun_zh", "english_label", "plural"]

_UNCOUNTABLE = frozenset({"usage", "traffic", "research", "contact", "activity"})
_CHINESE = {
    "ad_click": "广告点击",
    "ad_response": "广告响应",
    "ad_view": "广告浏览",
    "blog_visit": "博客访问",
    "call": "通话",
    "chat": "在线咨询",
    "content_download": "内容下载",
    "demo": "产品演示",
    "demo_request": "演示申请",
    "download": "下载",
    "email": "邮件",
    "email_click": "邮件点击",
    "email_open": "邮件打开",
    "email_reply": "邮件回复",
    "event": "线下活动",
    "form": "表单提交",
    "form_submission": "表单提交",
    "meeting": "会议",
    "pricing_visit": "价格页访问",
    "product_usage": "产品使用",
    "trial": "试用",
    "web_visit": "网站访问",
    "webinar": "网络研讨会",
}


def english_label(identifier: str) -> str:
    """`annual_revenue` -> "annual revenue"."""
    return identifier.replace("_", " ").strip()


def plural(noun: str) -> str:
    """`web visit` -> "web visits"; nouns that already end in s, and uncountable ones, stay."""
    last = noun.rsplit(" ", 1)[-1]
    if last in _UNCOUNTABLE or noun.endswith("s"):
        return noun
    if noun.endswith(("ch", "sh", "x")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in ("a", "e", "o", "u"):
        return noun[:-1] + "ies"
    return noun + "s"


def channel_noun(channel: str) -> tuple[str, str]:
    """The channel as an English noun, singular and plural: ("web visit", "web visits")."""
    noun = english_label(channel)
    return noun, plural(noun)


def channel_noun_zh(channel: str) -> str:
    """The channel in Chinese where it is a common one, otherwise its own name in quotes."""
    return _CHINESE.get(channel, f"“{english_label(channel)}”")
