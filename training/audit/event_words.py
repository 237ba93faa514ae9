"""Columns whose words name events: something that happened to a record after it was made.

Turns a column's words into the share of its filled rows that name such an event: "E-mail opened", "SMS sent",
"closed lost". Such a column is overwritten with every event, so its value of today was not known when the
record was made. Time rule: none. Null rule: empty cells name nothing. The words are those that CRM and
marketing systems give to events of mails, calls, visits, forms, meetings and deals; they are matched whole,
in any case. Words that describe a person or company as well (registered, employed, retired) are not among
them.
"""

from __future__ import annotations

import re

import numpy as np

from training.audit.columns import Column

__all__ = ["names_events"]

_MOST = 0.5

_ENGLISH = (
    "sent|delivered|opened|clicked|bounced|forwarded|replied|responded|unsubscribed|resubscribed|"
    "viewed|visited|downloaded|submitted|attended|watched|called|dialed|texted|messaged|emailed|"
    "contacted|reached|unreachable|voicemail|conversation|rescheduled|cancelled|canceled|completed|"
    "modified|updated|reassigned|converted|qualified|disqualified|closed|won|lost"
)
_CHINESE = (
    "已发送|已送达|已打开|已点击|退信|已回复|已退订|已浏览|已访问|已下载|已提交|已参加|已致电|已联系|"
    "未接通|已改期|已取消|已完成|已修改|已更新|已转化|已关闭|赢单|输单"
)
_EVENT = re.compile(rf"(?<![a-z])(?:{_ENGLISH})(?![a-z])|{_CHINESE}", re.IGNORECASE)


def names_events(column: Column) -> bool:
    """Whether most of the filled rows name an event."""
    if not column.levels or column.empty.all():
        return False
    happened = np.array([_EVENT.search(word) is not None for word in column.levels])
    codes = column.values[~column.empty].astype(np.int64)
    return bool(happened[codes].mean() > _MOST)
