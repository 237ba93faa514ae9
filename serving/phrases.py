"""The few sentences that the service itself says, in English and Chinese.

Turns a key and values into one sentence. Time rule: none. Null rule: none. Reasons bring their own sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.feature import Language

__all__ = ["listed", "phrase"]

_PHRASES: dict[str, tuple[str, str]] = {
    "no_model": (
        "The current release holds no {kind} model",
        "当前发布版本不含{kind}模型",
    ),
    "open_deal": (
        "The account has an open opportunity since {date}; the intent model speaks of accounts without one",
        "该客户自 {date} 起有进行中的商机；意向模型仅适用于没有进行中商机的客户",
    ),
    "owner": (
        "The account is a customer since {date}; the intent model speaks of accounts that are not",
        "该客户自 {date} 起已成交；意向模型仅适用于尚未成交的客户",
    ),
    "ruled_out": (
        "The {kind} model does not speak of this account; what its labels leave out: {rule}",
        "{kind}模型不适用于该客户；其标签所排除的：{rule}",
    ),
    "old_data": (
        "The newest fact is {days} days older than as_of; recent behaviour may be missing",
        "最新数据比 as_of 早 {days} 天，近期行为可能缺失",
    ),
    "rejected": (
        "Rejected by sales on {date}: at most {held:g} until {end}, unless sales accepts it",
        "销售已于 {date} 退回：在 {end} 之前工作评分最高为 {held:g}，除非销售重新接受",
    ),
    "rejected_at": (
        "Rejected by sales on {date}: at most {held:g} until the machine score reaches {needed:.3g}, sales "
        "accepts it, or {end}",
        "销售已于 {date} 退回：工作评分最高为 {held:g}，"
        "直至机器评分达到 {needed:.3g}、销售重新接受或到 {end}",
    ),
    "not_kept": (
        "The log was full: this answer is not kept and cannot be replayed",
        "日志已满：本次回答未被保存，无法重放",
    ),
    "unknown": ("{missing} unknown: {kind} rests on {known}", "{missing}未知：{kind}依据{known}"),
    "nothing_known": ("nothing known of the account", "对该客户一无所知的情况"),
    "behaviour": ("behaviour", "行为"),
    "above": (
        "{sentence}: above all that the {kind} model learned from (up to {limit})",
        "{sentence}：高于{kind}模型学习过的范围（最高{limit}）",
    ),
    "below": (
        "{sentence}: below all that the {kind} model learned from (from {limit} on)",
        "{sentence}：低于{kind}模型学习过的范围（最低{limit}）",
    ),
    "never_met": (
        "{inputs}: a value that the {kind} model has not met",
        "{inputs}：{kind}模型未见过的取值",
    ),
    "by_email_domain": (
        "Matched to account {account} by the domain of the e-mail address",
        "根据邮箱域名匹配到客户 {account}",
    ),
    "by_website_domain": ("Matched to account {account} by the web site", "根据网站匹配到客户 {account}"),
    "by_company_name": (
        "Matched to account {account} by the name of the company, {sure:.0%} alike",
        "根据公司名称匹配到客户 {account}，相似度{sure:.0%}",
    ),
    "activities": ("activities", "互动次数"),
    "accounts_of_list": ("accounts of the list", "名单中的客户数"),
    "expected_wins": ("expected wins", "预期赢单数"),
    "curve_of_wins": (
        "{accounts:,} accounts are expected to bring {wins:,.1f} wins",
        "{accounts:,} 个客户预计带来 {wins:,.1f} 个赢单",
    ),
    "curve_title": ("Expected wins by the length of the list", "预期赢单数与名单长度"),
    "in_channel": ("{channel} {count:,}", "{channel} {count:,} 次"),
    "no_activities": ("No activity is known", "没有已知的互动"),
    "engagement": (
        "{name}: {count} activities in {weeks} weeks",
        "{name}：{weeks}周内{count}次互动",
    ),
    "no_account": (
        "No account is surely this company: fit rests on what the lead says",
        "没有可以确认的客户：契合度仅依据该线索所述",
    ),
    "not_enough_evidence": (
        "Not enough evidence: the company is no known account, so nothing of its behaviour is known",
        "依据不足：该公司不是已知客户，没有任何行为数据",
    ),
    "fit_range": (
        "between the two lie nine in ten of the fit probabilities that the company may get once {missing} "
        "are known, if these are spread as among your accounts; the interval of the model is within",
        "待{missing}已知后，若其分布与现有客户相同，则该公司契合度概率有九成可能介于两者之间；已包含模型自身的区间",
    ),
    "both_grades": ("Fit {fit} and intent {intent}", "契合度 {fit}，意向 {intent}"),
    "fit_grade": ("Fit {fit}, no intent score", "契合度 {fit}，无意向评分"),
    "intent_grade": ("Intent {intent}, no fit score", "意向 {intent}，无契合度评分"),
    "no_grade": ("Neither a fit nor an intent score", "既无契合度评分也无意向评分"),
    "fit": ("fit", "契合度"),
    "intent": ("intent", "意向"),
    "nothing": ("nothing to decide on", "无可判定"),
}


def phrase(key: str, *, language: Language, **values: object) -> str:
    """The sentence of a key in a language."""
    english, chinese = _PHRASES[key]
    return (chinese if language == "zh" else english).format(**values)


def listed(words: Sequence[str], *, language: Language) -> str:
    """Words as people list them.

    >>> listed(["size", "country", "industry"], language="en")
    'size, country and industry'
    """
    if language == "zh":
        return "、".join(words)
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
