"""The words of the catalogue's pages in English and Chinese.

Turns identifiers (groups, tables, units, columns of formulas) into words; what a single feature means is said
by its declaration. Time and null rules: none.
"""

from __future__ import annotations

from features.feature import Feature, Group, Kind, Language
from features.formula_rows import YEAR_BEFORE

__all__ = ["GROUP_WORDS", "WORDS", "column_words", "kind_words", "rows_words", "title", "unit_words"]

Pair = tuple[str, str]

WORDS: dict[str, Pair] = {
    "catalogue": ("Feature catalogue", "特征目录"),
    "lead": (
        "What the models look at, one page per feature: what it means, how it is computed and from what, how "
        "often it is known and how it is distributed.",
        "模型所依据的全部特征，每个特征一页：含义、公式、来源、覆盖率与分布。",
    ),
    "features": ("features", "个特征"),
    "accounts": ("accounts", "个客户"),
    "as_of": ("as of", "截至"),
    "time_rule": (
        "Only what was known before this moment is used; nothing from later can enter.",
        "仅使用该时刻之前已知的信息，之后的信息不会进入。",
    ),
    "search": ("Find a feature", "查找特征"),
    "nothing_found": ("No feature holds these words.", "没有包含这些词的特征。"),
    "feature": ("Feature", "特征"),
    "window": ("Window", "窗口"),
    "unit": ("Unit", "单位"),
    "coverage": ("Coverage", "覆盖率"),
    "middle": ("Middle", "中位值"),
    "meaning": ("What it means", "含义"),
    "formula": ("Formula", "公式"),
    "where": ("of the rows where", "所读的行满足"),
    "rows": ("Reads", "读取"),
    "source": ("Source", "来源"),
    "null_rule": ("When nothing is known", "空值规则"),
    "kind": ("Kind", "类型"),
    "distribution": ("Distribution", "分布"),
    "share_of_known": ("share of the accounts with a value", "占有值客户的比例"),
    "sentence": ("Sentence for sales", "给销售的一句话"),
    "known": ("{known} of {accounts} accounts have a value", "{accounts}个客户中有{known}个有值"),
    "zeros": ("{share} of them are 0", "其中{share}为0"),
    "empty": (
        "No account has a value at this moment: there is nothing to draw, and nothing for a model to learn.",
        "此时没有客户有值：无可绘制，模型也无从学习。",
    ),
    "constant": (
        "Every known value is the same ({value}): a model can learn nothing from it.",
        "所有已知值都相同（{value}）：模型无法从中学习。",
    ),
    "widening": (
        "The bins widen towards the right, so that few large values do not hide the rest.",
        "区间向右逐渐变宽，避免少数大值掩盖其余部分。",
    ),
    "minimum": ("smallest", "最小"),
    "q05": ("5 %", "5%"),
    "q25": ("25 %", "25%"),
    "median": ("middle", "中位"),
    "q75": ("75 %", "75%"),
    "q95": ("95 %", "95%"),
    "maximum": ("largest", "最大"),
    "mean": ("mean", "平均"),
    "typical": ("a usual account", "一般客户"),
    "high": ("a high value", "较高的值"),
    "low": ("a low value", "较低的值"),
    "common": ("the most common", "最常见"),
    "other": ("any other", "其他值"),
    "nothing": ("nothing known", "未知时"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "other_level": ("any other value", "其他"),
    "more_levels": ("{count} further values", "其余{count}个值"),
    "siblings": ("Told together with", "同一含义的其他窗口"),
    "current": ("current value only", "仅当前值"),
    "current_why": (
        "The source knows today's value only. It stands in for the value at earlier moments, which may have "
        "been another one.",
        "来源只有当前值，用它代替过去时刻的值，而当时的值可能不同。",
    ),
    "not_comparable": ("not comparable", "不可比"),
    "one origin only": (
        "Accounts come from several origins, and only some of them tell this. A model would learn from it "
        "where an account comes from, not how well it fits. So models do not learn from it, unless keep in "
        "[origins] names it.",
        "客户来自多个来源，而只有部分来源提供该信息。模型会由此学到客户来自哪里，而不是匹配程度。"
        "因此模型不使用该特征，除非 [origins] 的 keep 指名保留。",
    ),
    "other values": (
        "The origins of accounts use different words here, so that equal companies look different. So models "
        "do not learn from it, unless keep in [origins] names it. Bring both to one list with normalise or "
        "values.",
        "各来源在此使用不同的取值，相同的企业看起来不同。因此模型不使用该特征，"
        "除非 [origins] 的 keep 指名保留。可用 normalise 或 values 统一取值。",
    ),
    "by_origin": ("By origin", "按来源"),
    "column": ("Column", "列"),
    "origin": ("Origin", "来源"),
    "filled": ("Filled", "有值"),
    "known_elsewhere": ("Values that others have, too", "其他来源也有的取值"),
    "own": ("declared in your config", "由配置声明"),
    "switch": ("中文", "English"),
    "previous": ("Previous", "上一个"),
    "next": ("Next", "下一个"),
    "undated": (
        "These tables have no dates: everything that they say is used, and nothing is known of the past.",
        "这些表没有日期：使用其全部内容，无法得知过去的状态。",
    ),
    "everything": ("everything known before the moment", "该时刻之前已知的全部"),
    "latest": ("the latest value known before the moment", "该时刻之前最近已知的值"),
    "weeks": ("15 weeks", "15周"),
    "days": ("{days} days", "{days}天"),
    "last_days": ("the last {days} days before the moment, to the second", "该时刻之前{days}天，精确到秒"),
    "no_unit": ("none", "无"),
    "glossary": ("In the formula", "公式中的名称"),
    "made_by": (
        "Made by Spearfish from the declarations of the features and the tables of the workspace.",
        "由 Spearfish 根据特征声明与工作区数据表生成。",
    ),
    "skip": ("To the content", "跳到内容"),
}

GROUP_WORDS: dict[Group, tuple[Pair, Pair]] = {
    "firmographic": (
        ("Firmographic", "企业属性"),
        ("Who the company is: size, age, industry, place.", "企业自身：规模、年限、行业、地区。"),
    ),
    "technographic": (
        ("Technographic", "技术属性"),
        ("What the company works with.", "企业使用的技术与清单。"),
    ),
    "engagement": (
        ("Engagement", "互动"),
        (
            "What people of the company did: visits, webinars, meetings, usage.",
            "企业人员的行为：访问、研讨会、会议、使用。",
        ),
    ),
    "outreach": (
        ("Outreach of ours", "我方外联"),
        ("What we did; it never counts as engagement.", "我方的行为，绝不计入互动。"),
    ),
    "topics": (
        ("Third-party research", "第三方研究"),
        ("What the company researches elsewhere.", "企业在其他地方研究的主题。"),
    ),
    "relationship": (
        ("Relationship", "关系"),
        ("Earlier deals and two-way contact.", "过往商机与双向沟通。"),
    ),
}
_KINDS: dict[Kind, Pair] = {
    "number": ("number", "数值"),
    "category": ("category", "类别"),
    "flag": ("yes or no", "是或否"),
}
_ROWS: dict[str, Pair] = {
    "accounts": (
        "the account's facts: of each column the latest value that was known",
        "客户属性：每列取最近已知的值",
    ),
    "engagement": ("the account's activities, our own outreach left out", "客户的互动，不含我方外联"),
    "outreach": ("our own outreach to the account", "我方对客户的外联"),
    "intent_topics": ("third-party research, one row per topic", "第三方研究，每个主题一行"),
    "opportunities": (
        "the account's deals as last known, one row per deal",
        "客户商机的最近已知状态，每个商机一行",
    ),
}
_UNITS = {
    "activities": "次",
    "characters": "字符",
    "days": "天",
    "deals": "个商机",
    "members": "项",
    "minutes": "分钟",
    "one currency": "同一货币",
    "people": "人",
    "points": "分",
    "ratio": "比值",
    "share": "占比",
    "records": "条",
    "topics": "个主题",
    "visits": "次访问",
    "weeks": "周",
    "year": "年份",
    "years": "年",
}
_COLUMNS: dict[str, Pair] = {
    "quantity": ("how many activities the row stands for", "该行代表的活动次数"),
    "seconds": ("time spent, where known", "花费的秒数（如已知）"),
    "people": ("people that the row stands for", "该行代表的人数"),
    "contact_id": ("the person, where known", "人员（如已知）"),
    "age": ("seconds between the row and the moment", "距该时刻的秒数"),
    "day": ("whole days between the row and the moment", "距该时刻的整天数"),
    "senior": (
        "whether the person's latest known level is vice president or higher",
        "人员最近已知级别是否为副总裁及以上",
    ),
    "recent": ("thousandths of points in the last 3 weeks", "近3周得分（千分之一）"),
    "baseline": ("thousandths of points in the 12 weeks before those", "此前12周得分（千分之一）"),
    "weight": (
        "hundredths that a minute of the person's latest known level counts",
        "人员最近已知职级的分钟权重（百分之一）",
    ),
    "usual": (
        "thousandths of points that companies of this size research in a usual week",
        "同等规模公司的常见周得分（千分之一）",
    ),
    "usual_topic": (
        "thousandths of points that companies of this size research of one topic in a usual week",
        "同等规模公司单个主题的常见周得分（千分之一）",
    ),
    "won": ("1 for a deal known to be won", "已知赢单为1"),
    "lost": ("1 for a deal known to be lost", "已知丢单为1"),
    "opened_age": ("seconds since the deal was opened", "商机开启至今的秒数"),
    "closed_age": ("seconds since the deal was closed", "商机关闭至今的秒数"),
    "as_of": ("the moment of the score", "评分时刻"),
}
_BEFORE: Pair = ("as known 365 days before the moment", "365天前已知的值")


def _one(pair: Pair, language: Language) -> str:
    return pair[0] if language == "en" else pair[1]


def kind_words(kind: Kind, *, language: Language) -> str:
    return _one(_KINDS[kind], language)


def rows_words(feature: Feature, *, language: Language) -> str:
    """Which rows of the account a feature reads."""
    side = "outreach" if feature.group == "outreach" else "engagement"
    return _one(_ROWS[side if feature.table == "activities" else feature.table], language)


def unit_words(unit: str | None, *, language: Language) -> str:
    """The unit; one that a company declared itself stays as it is worded."""
    if not unit:
        return ""
    if language == "en":
        return "in one currency" if unit == "one currency" else unit
    return _UNITS.get(unit, unit)


def column_words(name: str, *, language: Language) -> str:
    """What a name in a formula stands for; "" where the name says it."""
    if name.endswith(YEAR_BEFORE):
        return _one(_BEFORE, language)
    return _one(_COLUMNS[name], language) if name in _COLUMNS else ""


def title(feature: Feature, *, language: Language) -> str:
    """The sentence without its value: "{value} visits in the last week" -> "Visits in the last week"."""
    sentence = feature.sentence_en if language == "en" else feature.sentence_zh
    shown = sentence.format(value="\0").removeprefix("\0 ").removesuffix(": \0").removesuffix("：\0")
    shown = shown.replace("\0", "n")
    if feature.kind == "flag" and shown.endswith((": yes", "：是")):
        shown = shown.removesuffix(": yes").removesuffix("：是")
    return shown[:1].upper() + shown[1:]
