"""Labels as configuration: what the TOML file may say, and what it is refused for."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import ConfigError
from features.mapping import load_config

_HEAD = """
[workspace]
name = "small"
[[sources]]
table = "accounts"
path = "accounts.csv"
known = "start_of_time"
[sources.columns]
account_id = "id"
"""


def config(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "small.toml"
    file.write_text(_HEAD + text, encoding="utf-8")
    return file


def test_exclusions_are_shared_and_lists_are_read(tmp_path: Path) -> None:
    (tmp_path / "ours.txt").write_text("# ours\nacme\n\nexample.com, a note\n", encoding="utf-8")
    text = """
    [labels.fit]
    against = "universe"
    where = { region = "EMEA" }
    [[labels.fit.exclude]]
    name = "renewals"
    deal_types = "Renewal"
    [labels.intent]
    event = "activity"
    channel = "sign_up"
    [[labels.exclude]]
    name = "test accounts"
    file = "ours.txt"
    """
    labels = load_config(config(tmp_path, text)).labels
    assert [one.name for one in labels.fit.exclude] == ["test accounts", "renewals"]
    assert [one.name for one in labels.intent.exclude] == ["test accounts"]
    assert labels.intent.exclude[0].accounts == ("acme", "example.com")
    assert labels.fit.where == {"region": ("EMEA",)}
    assert labels.fit.excluded_deal_types == (("renewal", "renewals"),)
    assert labels.intent.happens == "activity sign_up"
    assert type(labels).model_validate(labels.model_dump(mode="json")) == labels


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[labels.intent]\nevent = "stage"', 'event = "stage" and stage belong together'),
        ('[labels.intent]\nchannel = "sign_up"', 'event = "activity" and channel belong together'),
        ("[labels.fit]\nlabel_rate = 0.2\nsome_always_win = true", "give one of them"),
        ("[labels.fit.audited]\naccounts = 3\npositives = 4", "more positives than accounts"),
        ('[[labels.exclude]]\nname = "x"', "it has none of them"),
        ('[[labels.exclude]]\nname = "x"\nchannel = "a"\naccounts = "b"', "it has channel and accounts"),
        ('[[labels.exclude]]\nname = "x"\nattribute = "kind"', "needs attribute and values together"),
        ('[[labels.exclude]]\nname = "x"\nchanel = "a"', "did you mean 'channel'"),
        ('[[labels.exclude]]\nname = "x"\nfile = "absent.txt"', "the list cannot be read"),
        ('[[labels.exclude]]\nname = "x"\nfile = "../elsewhere.txt"', "outside of the mapping's folder"),
        (2 * '[[labels.exclude]]\nname = "x"\nchannel = "a"\n', "two exclusions have one name"),
        ('[labels.intent]\ncensoring = "wait"', "censoring"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace("(", r"\(")):
        load_config(config(tmp_path, text))


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("# nothing yet\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="the list is empty"):
        load_config(config(tmp_path, '[[labels.exclude]]\nname = "x"\nfile = "none.txt"'))
