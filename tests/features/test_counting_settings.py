"""What a mapping declares of kinds, weights, our own people and machines acts on every path alike."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loading import KNOWN_ACCOUNTS

from features.catalogue import Catalogue, learn_catalogue
from features.contract import CHANNEL_PATTERN, DIRECTIONS
from features.counting import PRESET_RULES
from features.errors import ConfigError
from features.ingest import ingest
from features.kinds import KINDS, spellings
from features.mapping import load_config
from features.point_in_time import FeatureEngine, RecordEngine
from features.tables import Tables
from features.wording import channel_noun, channel_noun_zh
from features.workspace import Workspace

MAPPING = f"""{KNOWN_ACCOUNTS}

[[sources]]
table = "activities"
path = "visits.csv"
time_zone = "UTC"
known_immediately = true

[sources.columns]
activity_id = "id"
account_id = "account"
contact_id = "person"
channel = {{ column = "kind", values = "kinds" }}
direction = {{ column = "kind", values = "kinds" }}
occurred_at = "at"
seconds = {{ column = "minutes", scale = 60 }}

[sources.traffic]
email = "email"
user_agent = "agent"
"""
ENGAGEMENT = """
[engagement]
own_domains = ["Ours.example"]
own_emails = ["tester@mail.example"]

[engagement.kinds.booth_visit]
direction = "inbound"
minutes = 15
label = "visit of our booth"
label_zh = "展位参观"
words = ["Tradeshow booth"]

[engagement.kinds.webinar]
minutes = 60
"""
VISITS = (
    # id, kind, minutes, email, agent, whether it counts
    ("1", "微信消息", "", "ann@a.example", "Mozilla/5.0", True),
    ("2", "Tradeshow Booth", "", "", "", True),
    ("3", "webinar", "30", "bob@a.example", "Mozilla/5.0 (Windows NT 10.0)", True),
    ("4", "web visit", "3", "carl@sub.ours.example", "Mozilla/5.0", False),
    ("5", "web visit", "3", "TESTER@mail.example", "", False),
    ("6", "web visit", "3", "", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com)", False),
    ("7", "web visit", "3", "dan@notours.example", "Mozilla/5.0 (Linux; Android 9; CUBOT_X19)", True),
    ("8", "unheard of", "", "", "", None),
)  # fmt: skip


def loaded(folder: Path, *, further: str = ENGAGEMENT):
    """The mapping read and its files ingested: config, workspace and report."""
    (folder / "mapping.toml").write_text(MAPPING + further, encoding="utf-8")
    (folder / "accounts.csv").write_text("Id\na\n", encoding="utf-8")
    with (folder / "visits.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "account", "person", "kind", "minutes", "email", "agent", "at"))
        for number, kind, minutes, email, agent, _ in VISITS:
            writer.writerow((number, "a", "", kind, minutes, email, agent, "2024-05-01 10:00:00"))
    config, workspace = load_config(folder / "mapping.toml"), Workspace(folder / "home")
    return config, workspace, ingest(config, workspace=workspace)


def test_kinds_are_read_and_internal_visits_and_bots_are_marked_and_counted(tmp_path):
    config, workspace, report = loaded(tmp_path)
    rows = workspace.tables().read("activities").set_index("activity_id")
    assert rows["traffic"].isna().to_dict() == {row[0]: row[5] for row in VISITS[:-1]}
    assert report.traffic == {"internal": 2, "bot": 1} == report.to_dict()["traffic"]
    assert "activities that never count as engagement: 2 internal, 1 bot" in str(report)
    assert report.table("activities").quarantined == {"wrong pattern": 1}
    assert rows.loc["1", ["channel", "direction"]].tolist() == ["wechat_message", "inbound"]
    assert rows.loc["2", "channel"] == "booth_visit"
    assert not set(rows.columns) & {"email", "agent"}
    assert workspace.manifest().rules == config.counting_rules
    assert ingest(config, workspace=workspace).changed is False


def test_other_rules_are_a_change_of_the_workspace(tmp_path):
    _, workspace, _ = loaded(tmp_path)
    _, _, report = loaded(tmp_path, further=ENGAGEMENT.replace("minutes = 60", "minutes = 50"))
    assert report.changed
    assert dict(workspace.manifest().rules.default_seconds)["webinar"] == 3000


def test_batch_one_account_and_a_record_count_the_same_minutes(tmp_path):
    """2 of the message, 15 of the booth, 30 measured of the webinar, 3 of the visit that counts."""
    _, workspace, _ = loaded(tmp_path)
    tables, as_of = workspace.tables(), pd.Timestamp("2024-05-02").to_pydatetime()
    learned = learn_catalogue(tables, cutoff=as_of)
    catalogue = Catalogue.from_json(learned.to_json())
    assert catalogue == learned
    record = Tables({"activities": tables.connect().execute("FROM activities").to_arrow_table()})
    records = RecordEngine(catalogue)
    with FeatureEngine(tables, catalogue, resident=True) as engine:
        alone = engine.build_one("a", as_of)
    assert alone.tobytes() == records.build_one(record, "a", as_of).tobytes()
    records.close()
    assert alone[catalogue.index("engagement_other_minutes_30d")] == 2 + 15 + 30 + 3
    assert alone[catalogue.index("engagement_count_30d")] == 4


@pytest.mark.parametrize(
    ("further", "message"),
    [
        ("[engagement]\nanonymus = true", r"did you mean 'anonymous'"),
        ("[topics]\nminimum_share = 0.3", r"did you mean 'minimum_surging_share'"),
        ("[topics]\nminimum_surging_share = 0.0", "greater than 0"),
        ("[engagement.weights]\ndirecter = 2.0", r"did you mean 'director'"),
        ("[engagement.weights]\nstaff = 21", "less than or equal to 20"),
        ("[engagement.kinds.webinnar]\nminutes = 5", r"needs a direction; did you mean 'webinar'"),
        ("[engagement.kinds.webinar]\nminutes = -5", "greater than or equal to 0"),
        ("[engagement.kinds.webinar]\nminuts = 5", r"did you mean 'minutes'"),
        ('[engagement.kinds."Booth visit"]\ndirection = "inbound"', "lower case letters"),
    ],
)
def test_a_wrong_switch_is_answered_with_what_is_allowed(tmp_path, further, message):
    (tmp_path / "mapping.toml").write_text(MAPPING + further, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / "mapping.toml")


def test_a_mapping_that_declares_nothing_has_the_presets(tmp_path):
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    assert load_config(tmp_path / "mapping.toml").counting_rules == PRESET_RULES


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [("企业微信消息", "wecom_message"), ("扫码报名", "qr_signup"), ("wechat follow", "wechat_follow"),
     ("qr sign-up", "qr_signup"), ("phone call", "call"), ("email", "email")],
)  # fmt: skip
def test_presets_are_found_under_every_spelling(spelling, kind):
    assert spellings(KINDS.values())[spelling] is KINDS[kind]


def test_every_preset_has_words_in_two_languages_and_fits_the_contract():
    for name, kind in KINDS.items():
        assert np.all([sign in "abcdefghijklmnopqrstuvwxyz_" for sign in name])
        assert len(name) <= int(CHANNEL_PATTERN.rpartition(",")[2].rstrip("}")) + 1
        assert kind.direction in DIRECTIONS
        assert channel_noun_zh(name) == kind.label_zh
        assert all(channel_noun(name))
