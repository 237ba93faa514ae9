"""The SQL keeps to what every engine computes alike."""

from __future__ import annotations

import re

import pytest

from features import queries

_RULES = ("counted_activities", "permitted_activities", "consent_told", "consent_periods")
"""What only picks rows, and the times between which they count, for the steps to cut."""

STATEMENTS = {
    "account_versions": queries.account_versions(["employees", 'a "b"']),
    "counted_activities": queries.counted_activities(anonymous=False),
    "permitted_activities": queries.permitted_activities(),
    "consent_told": queries.consent_told(lost="opt_outs"),
    "consent_periods": queries.consent_periods(),
    "activity_days": queries.activity_days(),
    "contact_days": queries.contact_days(),
    "topic_sums": queries.topic_sums(),
    "opportunity_states": queries.opportunity_states(),
}


@pytest.mark.parametrize("banned", [
    r"\d\.\d*(?!e)",  # a decimal literal: Spark divides it otherwise
    r"date_?diff", r"epoch_(ms|us|ns)", r"\basof\b", r"list\s*\(", r"order\s+by",
    r"\b(first|last|any_value|arg_max|arg_min)\b",  # ties are broken arbitrarily
    r"\bavg\b|\bstddev",  # sums of doubles differ from run to run
    r"\b(now|current_\w+|today)\b", r"\brandom\b",
])  # fmt: skip
@pytest.mark.parametrize("sql", STATEMENTS.values(), ids=STATEMENTS)
def test_banned_constructs_are_absent(sql, banned):
    assert not re.findall(banned, sql, flags=re.IGNORECASE)


@pytest.mark.parametrize(("name", "sql"), [step for step in STATEMENTS.items() if step[0] not in _RULES])
def test_every_table_is_cut_strictly_before_the_moment(name, sql):
    joins = len(
        re.findall(r"FROM (accounts|counted_activities|intent_topics|opportunities) AS|JOIN contacts AS", sql)
    )
    cuts = len(re.findall(r"k\.as_of > \w\.known_at|v\.known_at < r\.as_of", sql))
    assert joins == cuts >= 1, name


def test_column_names_are_quoted_whatever_they_hold():
    assert queries.quoted('a "b"; DROP') == '"a ""b""; DROP"'
