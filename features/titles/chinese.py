"""Chinese titles to level and department, by a lexicon.

Turns a title with Chinese characters (traditional ones too) into a level and a department of the contract.
Time rule: none. Null rule: what the lexicon does not know is None.

What is argued here: 董事长, 总裁, 总经理, founders and chief officers (首席...官) are C-level. A deputy (副)
of one of them is a vice president, and so is the general manager of a part (分公司, 事业部, 大区) and the
chief engineer or accountant of a company (总工程师, 总会计师). 总监, 部长 and 厂长 are directors; 经理, 主管,
主任 and heads of a section or group are managers. An assistant or a secretary is staff, whoever is assisted,
but the secretary of the board (董事会秘书) is an officer. Any other deputy is what the head is.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["chinese_department", "chinese_level", "is_chinese", "without_chinese"]

_SIMPLE: Final = str.maketrans(
    "協係課長總經監責書務會計銷營運業發開產質購庫倉車間廠顧問戶財專員辦區層術軟資訊電數網際項師導創兼際策劃廣",
    "协系课长总经监责书务会计销营运业发开产质购库仓车间厂顾问户财专员办区层术软资讯电数网际项师导创兼际策划广",
)
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_BOARD_SECRETARY: Final = re.compile("董事会秘书|董秘")
_HELPER: Final = re.compile("助理(?!总)|秘书(?!长)|助手")
_OFFICE: Final = re.compile(
    "(?:董事长|董事会|总裁|总经理|首席执行官)办(?:公室|公厅)?|(?:总裁|总经理)室(?=主任|文员)"
)
_PART: Final = re.compile("(?:分公司|子公司|事业部|事业群|区|部门?|中心|分部|办事处|门店)总(?:经理|裁)")
_TOP: Final = re.compile(
    "董事|(?<!副)(?<!助理)总裁|(?<!副)(?<!助理)总经理|首席.{1,8}官|创始人|创办人|合伙人|法人|法定代表|老板"
    "|取締役|会长|(?<!副)社长|股东|企业主|(?<!副)(?<!支)行长|(?<!副)院长|(?<!副)校长|主席|执行长|营运长|财务长|技术长"
)
_VICE: Final = re.compile(
    "副(?:总裁|总经理|总(?!监|工|会)|行长|院长|校长)|总工程师|总会计师|总经济师|总设计师|总法律顾问|副社长"
)
_DIRECTOR: Final = re.compile("总监|助理总(?:裁|经理)|秘书长|部长|处长|厂长|局长|协理|首席代表|总工|总编")
_MANAGER: Final = re.compile(
    "经理|主管|主任|负责人|科长|课长|系长|组长|班长|店长|队长|站长|所长|领班|督导|襄理|支行长|主办"
)
_STAFF: Final = re.compile(
    "(?<!委)员|工程师|设计师|会计|出纳|代表|顾问|客服|前台|实习|分析师|架构师|编辑|翻译|律师|讲师|教师|工人"
    "|操作工|司机|保安|内勤|外勤|跟单|策划"
)

_DEPARTMENTS: Final = {
    "marketing": "市场 营销 品牌 推广 公关 媒体 广告 传播 宣传 企划 策划 新媒体 内容 活动",
    "sales": "销售 业务 渠道 大客户 客户经理 客户代表 客户总监 导购 区域经理 大区经理 店长 招商 外贸",
    "business_development": "商务 商务拓展 业务拓展 业务发展 市场拓展 战略合作 战略 投资 拓展",
    "information_technology": "信息 资讯 软件 技术 数据 网络 系统 数字化 互联网 程序 架构师 算法 运维 it",
    "human_resources": "人力 人事 招聘 培训 薪酬 绩效 员工关系 hr",
    "purchasing": "采购 买手 供应商",
    "customer_support": "客服 客户服务 客户成功 售后 呼叫中心 客户支持 技术支持",
    "administrative": "行政 前台 文员 办公室 后勤 总务",
    "consulting": "咨询 顾问",
    "project_management": "项目",
    "operations": "运营 营运",
    "finance": "财务 会计 出纳 审计 税务 资金 成本 总会计师",
    "legal": "法务 法律 律师 合规",
    "research_and_development": "研发 研究 科研 总工 总工程师 总设计师 工艺 产品开发 实验室",
    "production": "生产 制造 车间 工厂 厂长 质量 品质 品控 质检 设备 安全生产",
    "logistics": "物流 仓库 仓储 供应链 运输 配送 关务",
}
_CHIEFS: Final = {
    "首席财务官": "finance",
    "首席技术官": "information_technology",
    "首席信息官": "information_technology",
    "首席市场官": "marketing",
    "首席营销官": "marketing",
    "首席运营官": "operations",
    "财务长": "finance",
    "技术长": "information_technology",
    "营运长": "operations",
}
_DEPARTMENT_OF: Final = {
    word: name for name, words in _DEPARTMENTS.items() for word in words.split()
} | _CHIEFS
_WORDS: Final = sorted(_DEPARTMENT_OF, key=lambda word: (-len(word), word))
_DEPARTMENT: Final = re.compile(
    "|".join(rf"(?<![a-z]){word}(?![a-z])" if word.isascii() else word for word in _WORDS)
)


def is_chinese(folded: str) -> bool:
    """Whether a title holds a Chinese character."""
    return _CHINESE.search(folded) is not None


def without_chinese(folded: str) -> str:
    """What is left of a folded title without its Chinese characters: "marketing 总监" is "marketing"."""
    return " ".join(_CHINESE.sub(" ", folded).split()) if is_chinese(folded) else folded


def chinese_level(folded: str) -> str | None:
    """The level of a folded Chinese title, one of the contract's, or None.

    >>> chinese_level("副总裁"), chinese_level("副总裁助理"), chinese_level("銷售總監")
    ('vice_president', 'staff', 'director')
    """
    title = _plain(folded)
    if _BOARD_SECRETARY.search(title):
        return "vice_president"
    if _HELPER.search(title):
        return "staff"
    return _rank(_OFFICE.sub("办公室", title))


def _rank(title: str) -> str | None:
    whole = _PART.sub("副总经理", title)
    levels = {"c_level": _TOP, "vice_president": _VICE, "director": _DIRECTOR, "manager": _MANAGER}
    return next((name for name, words in (levels | {"staff": _STAFF}).items() if words.search(whole)), None)


def chinese_department(folded: str) -> str | None:
    """The department of a folded Chinese title, or None. The word that comes first counts.

    >>> chinese_department("人事行政经理"), chinese_department("总经理") is None
    ('human_resources', True)
    """
    title = _plain(folded)
    if _BOARD_SECRETARY.search(title):
        return None
    found = _DEPARTMENT.search(_OFFICE.sub("办公室", title))
    if found is not None:
        return _DEPARTMENT_OF[found[0]]
    return "administrative" if _HELPER.search(title) else None


def _plain(folded: str) -> str:
    return folded.translate(_SIMPLE).replace(" ", "")
