"""Kinds of activity that are known from the start: how sources word them, who acts, how long one takes.

Turns a kind, which is what the column `channel` of an activity holds, into its direction, its usual minutes
and words in English and Chinese. Kinds are open: a mapping declares further ones and changes these in
[engagement.kinds]. Time rule: none. Null rule: a kind without minutes adds none where a row carries none.
The minutes are our estimates of a usual length, for want of measured ones; what we sent or did by ourselves
has none, as it takes none of their time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["KINDS", "ActivityKind", "Direction", "spellings"]

Direction = Literal["inbound", "outbound", "mutual"]


@dataclass(frozen=True)
class ActivityKind:
    """A kind of activity.

    minutes: what one takes where its row does not say.
    label_zh: its Chinese noun; label: its English noun where it is not the name itself.
    words: how sources word it, beside its name; upper and lower case do not matter.
    """

    name: str
    direction: Direction
    minutes: float | None = None
    label_zh: str | None = None
    words: tuple[str, ...] = ()
    label: str | None = None

    @property
    def seconds(self) -> int:
        """Whole seconds of one activity, 0 when nothing is known of its length."""
        return round((self.minutes or 0.0) * 60)


_INBOUND = (
    ActivityKind("ad_click", "inbound", 0.5, "广告点击", ("ad clicked",)),
    ActivityKind("ad_response", "inbound", 1, "广告响应"),
    ActivityKind("ad_view", "inbound", None, "广告浏览", ("ad impression",)),
    ActivityKind("blog_visit", "inbound", 2, "博客访问", ("blog view",)),
    ActivityKind(
        "campaign_response",
        "inbound",
        2,
        "活动响应",
        ("campaign responded", "responded to campaign", "营销活动响应"),
    ),
    ActivityKind("chat", "inbound", 5, "在线咨询", ("live chat", "conversation")),
    ActivityKind("community_post", "inbound", 3, "社区发帖"),
    ActivityKind("content_download", "inbound", 5, "内容下载", ("whitepaper", "downloaded content")),
    ActivityKind("demo_request", "inbound", 3, "演示申请", ("requested demo",)),
    ActivityKind("download", "inbound", 5, "下载"),
    ActivityKind("email_click", "inbound", 1, "邮件点击", ("click", "email clicked")),
    ActivityKind(
        "email_forward", "inbound", 1, "邮件转发", ("forward", "email forwarded"), "forwarded e-mail"
    ),
    ActivityKind("email_open", "inbound", 0.5, "邮件打开", ("open", "email opened")),
    ActivityKind("email_reply", "inbound", 3, "邮件回复", ("reply", "email replied")),
    ActivityKind("event", "inbound", 60, "线下活动", ("conference", "trade show", "attended event")),
    ActivityKind("form", "inbound", 2, "表单提交"),
    ActivityKind("form_submission", "inbound", 2, "表单提交", ("form submit", "filled form")),
    ActivityKind("live_stream", "inbound", 20, "直播观看", ("直播",)),
    ActivityKind("pricing_visit", "inbound", 2, "价格页访问", ("pricing page",)),
    ActivityKind("product_trial", "inbound", 15, "产品试用"),
    ActivityKind("product_usage", "inbound", None, "产品使用"),
    ActivityKind("social_touch", "inbound", 0.5, "社交媒体互动"),
    ActivityKind("survey_response", "inbound", 3, "问卷填写"),
    ActivityKind("trial", "inbound", 15, "试用"),
    ActivityKind("video_view", "inbound", 3, "视频观看"),
    ActivityKind("web_visit", "inbound", 2, "网站访问", ("page view", "pageview", "visit web page")),
    ActivityKind("webinar", "inbound", 45, "网络研讨会", ("attended webinar",)),
    ActivityKind("webinar_registration", "inbound", 1, "网络研讨会报名", ("registered for webinar",)),
)
_CHINA = (
    ActivityKind("wechat_follow", "inbound", 0.5, "微信关注", ("关注公众号",), "WeChat follow"),
    ActivityKind("wechat_article_read", "inbound", 2, "微信文章阅读", ("公众号阅读",), "WeChat article read"),
    ActivityKind("wechat_message", "inbound", 2, "微信消息", ("公众号消息",), "WeChat message"),
    ActivityKind("wechat_share", "inbound", 1, "微信分享", ("微信转发",), "WeChat share"),
    ActivityKind("wechat_menu_click", "inbound", 0.5, "微信菜单点击", (), "WeChat menu click"),
    ActivityKind("wechat_mini_program_visit", "inbound", 2, "微信小程序访问", ("小程序访问",),
                 "WeChat mini program visit"),
    ActivityKind("wechat_broadcast", "outbound", None, "微信群发", (), "WeChat broadcast"),
    ActivityKind("wecom_contact_added", "mutual", 1, "企业微信加好友", ("企微加好友",), "new WeCom contact"),
    ActivityKind("wecom_message", "inbound", 2, "企业微信消息", ("企微消息",), "WeCom message"),
    ActivityKind("wecom_call", "mutual", 10, "企业微信通话", ("企微通话",), "WeCom call"),
    ActivityKind("wecom_group_joined", "inbound", 1, "加入企业微信群", ("企微入群",), "joined WeCom group"),
    ActivityKind("wecom_broadcast", "outbound", None, "企业微信群发", ("企微群发",), "WeCom broadcast"),
    ActivityKind("qr_scan", "inbound", 0.5, "扫码", ("二维码扫描",), "QR code scan"),
    ActivityKind("qr_signup", "inbound", 2, "扫码注册", ("扫码报名", "qr sign-up", "qr code sign-up"),
                 "QR code sign-up"),
)  # fmt: skip
_TWO_WAY = (
    ActivityKind("call", "mutual", 10, "通话", ("phone call", "connected call")),
    ActivityKind("demo", "mutual", 45, "产品演示", ("product demo",)),
    ActivityKind("meeting", "mutual", 30, "会议", ("met in person", "video meeting")),
)
_OUTREACH = (
    ActivityKind(
        "campaign_sent",
        "outbound",
        None,
        "活动推送",
        ("campaign member added", "added to campaign", "加入营销活动"),
    ),
    ActivityKind("call_attempt", "outbound", None, "去电未接", ("left voicemail", "no answer")),
    ActivityKind("email", "outbound", None, "邮件"),
    ActivityKind("email_sent", "outbound", None, "邮件发送", ("sent", "delivered")),
    ActivityKind("gift", "outbound", None, "礼品寄送", ("direct mail",)),
    ActivityKind(
        "social_message",
        "outbound",
        None,
        "社交媒体消息",
        ("linkedin message", "linked_in_message", "inmail", "领英消息"),
    ),
    ActivityKind("task", "outbound", None, "任务", ("to-do", "todo", "待办")),
)

KINDS: dict[str, ActivityKind] = {kind.name: kind for kind in (*_INBOUND, *_CHINA, *_TWO_WAY, *_OUTREACH)}
"""The presets by name."""


def spellings(kinds: Iterable[ActivityKind]) -> dict[str, ActivityKind]:
    """Kind by each of its spellings in lower case: `wechat_message`, `wechat message`, `微信消息`.

    Names come before labels and words, so that a kind is always found under its own name.
    """
    known = tuple(kinds)
    found = {kind.name: kind for kind in known}
    for kind in known:
        told = (kind.name.replace("_", " "), kind.label or "", kind.label_zh or "", *kind.words)
        for word in filter(None, told):
            found.setdefault(word.lower(), kind)
    return found
