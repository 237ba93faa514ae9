"""Features are declared once: unique generated names, words in two languages, a stable JSON form."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from random_rows import CATALOGUE

from features.catalogue import FIT_GROUPS, GROUPS, Catalogue
from features.declarations import Learned, declare
from features.declare_activities import Channel
from features.errors import InputError


def test_names_are_unique_identifiers_of_quantity_and_window():
    assert len(set(CATALOGUE.names)) == len(CATALOGUE.names)
    for feature in CATALOGUE.features:
        if feature.window_days and feature.name.endswith("d"):
            assert feature.name.endswith(f"_{feature.window_days}d")


def test_names_that_meet_are_numbered():
    channels = (Channel("a", people=True, senior=True), Channel("a_senior", people=True))
    nothing = Learned(channels, {}, frozenset(), False, (), False, False, False)
    names = [feature.name for feature in declare(nothing)]
    assert {"a_senior_people_7d", "a_senior_people_7d_2"} <= set(names)
    assert len(set(names)) == len(names)


def test_json_round_trip_keeps_everything_and_the_fingerprint():
    again = Catalogue.from_json(CATALOGUE.to_json())
    assert again == CATALOGUE
    assert again.to_json() == CATALOGUE.to_json()
    assert again.fingerprint == CATALOGUE.fingerprint
    other = replace(CATALOGUE, features=CATALOGUE.features[:-1])
    assert other.fingerprint != CATALOGUE.fingerprint


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2}', '{"version": 1, "features": [{}]}'])
def test_anything_else_is_no_catalogue(text):
    with pytest.raises(InputError, match="no feature catalogue"):
        Catalogue.from_json(text)


def test_groups_partition_the_features_and_fit_sees_facts_only():
    parts = [CATALOGUE.select(groups=[group]) for group in GROUPS]
    assert all(part.names for part in parts)
    assert sum(len(part.names) for part in parts) == len(CATALOGUE.names)
    assert {feature.table for feature in CATALOGUE.select(groups=FIT_GROUPS).features} == {"accounts"}


@pytest.mark.parametrize("call", [
    lambda: CATALOGUE.index("employes"), lambda: CATALOGUE.select(groups=["engagment"])
])  # fmt: skip
def test_a_near_miss_is_answered_with_a_suggestion(call):
    with pytest.raises(InputError, match=r"did you mean '(employees|engagement)'"):
        call()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("value", [0.0, 1.0, 2.5, 1234.0])
def test_every_feature_reads_as_a_sentence_in_both_languages(value, language):
    for feature in CATALOGUE.features:
        sentence = feature.sentence(min(value, len(feature.levels) or value), language=language)
        assert sentence, feature.name
        assert not re.search(r"\{(value|noun|nouns|zh)\}", sentence)
        assert "missing" not in feature.null_rule or (feature.absent_en and feature.absent_zh), feature.name


@pytest.mark.parametrize(
    ("name", "value", "english", "chinese"),
    [
        ("web_visit_count_30d", 12.0, "12 web visits in the last 30 days", "过去30天内12次网站访问"),
        ("web_visit_count_30d", 1.0, "1 web visit in the last 30 days", "过去30天内1次网站访问"),
        ("web_visit_days_since", np.nan, "no web visit so far", "至今没有网站访问"),
        ("engagement_count_lifetime", 1.0, "1 activity so far", "迄今共1次互动"),
        ("industry", 1.0, "industry: SaaS", "行业：SaaS"),
        ("industry", 2.0, "industry: another one", "行业：其他"),
        ("tier", 0.0, "tier {1}: gold", "tier {1}：gold"),
        ("is key", 1.0, "key account: yes", "key account：是"),
        ("technologies_node_js", 1.0, "technologies: Node.js", "技术：Node.js"),
        ("employees", 5000.0, "employees: 5,000", "员工人数：5,000"),
        ("relationship_earlier_wins", 1.0, "1 deal won before", "此前赢单1次"),
        ("outreach_email_count_7d", 2.0, "2 emails of ours in the last 7 days", "过去7天内2次我方邮件"),
    ],
)
def test_sentences(name, value, english, chinese):
    assert CATALOGUE.sentence(name, value) == english
    assert CATALOGUE.sentence(name, value, language="zh") == chinese


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("industry", 0.0, "Bank"),
        ("industry", 2.0, "__other__"),
        ("industry", np.nan, None),
        ("is key", 1.0, True),
        ("employees", 5.0, 5),
        ("web_visit_trend", 4.5, 4.5),
    ],
)
def test_readable_values(name, value, shown):
    assert CATALOGUE.readable(name, value) == shown


def test_the_mark_of_current_values_is_kept():
    assert not [feature.name for feature in CATALOGUE.features if feature.current_value_only]
    marked = tuple(replace(one, current_value_only=one.name == "industry") for one in CATALOGUE.features)
    again = Catalogue.from_json(replace(CATALOGUE, features=marked).to_json())
    assert [feature.name for feature in again.features if feature.current_value_only] == ["industry"]
