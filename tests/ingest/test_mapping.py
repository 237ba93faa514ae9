"""A mapping says everything or is refused, with the key, what was got and what is allowed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from features.errors import ConfigError
from features.mapping import Config, load_config

MINIMAL = """
[workspace]
name = "x"

[parameters]
folder = "data"

[[sources]]
table = "accounts"
path = "{folder}/a.csv"
known = "start_of_time"
[sources.columns]
account_id = "id"
"""
ID = 'account_id = "id"'


def _load(place: Path, text: str, **overrides: str) -> Config:
    path = place / "m.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, overrides=overrides)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name =", "nam =", "workspace.nam (got 'nam'; allowed name, time_zone, keep_history); did you mean"),
        ("path =", "pth =", "unknown key sources[1].pth (got 'pth'; allowed table, name, path, query"),
        ("[workspace]", "[workspaces]", "unknown key workspaces (got 'workspaces'; allowed "),
        (ID, 'acount_id = "id"', "sources[1]: unknown column of accounts 'acount_id'; allowed: account_id"),
        (ID, 'name = "n"', "sources[1]: nothing is bound to the required column 'account_id' of accounts"),
        (ID, 'account_id = { column = "id", sepator = ";" }', "did you mean 'separator'?"),
        (ID, 'account_id = { column = "id", value = "x" }', "give exactly one of 'column'"),
        (ID, f'{ID}\nknown_at = "t"', "write known_at = \"COLUMN\" beside 'table'"),
        (ID, f'{ID}\n[labels.intent]\nhorizn_days = 3', "unknown key labels.intent.horizn_days"),
        (ID, f'{ID}\n[labels.intent]\nhorizon_days = "3"', "horizon_days: input should be a valid integer"),
        (ID, f'{ID}\n[sources.attributes.x]\ncolumn = "x"\ntype = "nmber"', "attributes.x.type: input"),
        (ID, f'{ID}\n[sources.attributes.name]\ncolumn = "x"\ntype = "text"', "is a column of the contract"),
        (ID, f'{ID}\n[sources.attributes.A-b]\ncolumn = "x"\ntype = "text"', "use lower case letters"),
        ('"accounts"', '"acounts"', "unknown table 'acounts'; allowed: accounts, contacts"),
        ('"accounts"', '"activities"', "nothing is bound to the required column 'channel'"),
        ('"start_of_time"', '"yesterday"', "known: input should be 'start_of_time' (got 'yesterday')"),
        ('known = "start_of_time"', "", "say when its rows could be known with exactly one of known_at"),
        ("known =", "known_immediately = true\nknown =", "(got known_immediately, known)"),
        ('known = "start_of_time"', "known_immediately = true", "rows of accounts do not happen at a time"),
        ('known = "start_of_time"', 'known_at_delay = "6 dys"', "write a delay as '6 days 23:59:59'"),
        ('known = "start_of_time"', "extracted_at = 2026-01-01T00:00:00", "extracted_at needs a zone"),
        ('name = "x"', 'name = "x"\ntime_zone = "Mars"', "no such time zone: 'Mars'"),
        ("{folder}", "{foldr}", "unknown parameter {foldr} (allowed folder); did you mean 'folder'?"),
        ('path = "{folder}/a.csv"', "", "give 'path' (files), 'query' (SQL), or both"),
        (ID, "account_id =", "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_says_where_what_and_how(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MINIMAL
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, MINIMAL.replace(old, new))
    assert message in str(raised.value)
    assert str(tmp_path / "m.toml") in str(raised.value)


def test_no_accounts_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is nothing to score"):
        _load(tmp_path, '[workspace]\nname = "x"\n')
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "absent.toml")


def test_an_unknown_override_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no parameter 'foldr' \(allowed folder\); did you mean 'folder'"):
        _load(tmp_path, MINIMAL, foldr="x")


def test_a_folder_is_looked_for_here_then_beside_the_file_then_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, configs = tmp_path / "here", tmp_path / "project" / "configs"
    for folder in (here, configs):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    path = configs / "m.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    for place in (tmp_path / "project", configs, here):
        (place / "data").mkdir()
        assert load_config(path).sources[0].path == (f"{place}/data/a.csv",)
    assert load_config(path, overrides={"folder": "other"}).sources[0].path == (f"{here}/other/a.csv",)


def test_quotes_in_a_parameter_cannot_end_a_text_in_a_query(tmp_path: Path) -> None:
    query = "query = \"SELECT * FROM read_csv('{folder}/a.csv') WHERE x <> {'a': 1}\""
    config = _load(tmp_path, MINIMAL.replace('path = "{folder}/a.csv"', query), folder="/it's")
    assert config.sources[0].query == "SELECT * FROM read_csv('/it''s/a.csv') WHERE x <> {'a': 1}"


def test_dates_and_delays_are_read(tmp_path: Path) -> None:
    text = MINIMAL + (
        '\n[[sources]]\ntable = "activities"\npath = "b.csv"\n'
        'known_at_delay = "6 days 23:59:59"\n[sources.columns]\n'
        'account_id = "id"\nchannel = "c"\ndirection = { value = "inbound" }\noccurred_at = "t"\n'
        "\n[backtest]\ncutoffs = [2020-02-24, 2020-02-24T02:00:00+02:00]\n"
    )
    config = _load(tmp_path, text)
    assert config.sources[1].known_at_delay == timedelta(days=6, hours=23, minutes=59, seconds=59)
    assert config.backtest.cutoffs == (datetime.fromisoformat("2020-02-24"),) * 2


def test_a_mapping_that_an_editor_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    text = (
        '[workspace]\nname = "x"\n[[sources]]\ntable = "accounts"\npath = "a.csv"\nknown = "start_of_time"\n'
    )
    (tmp_path / "mapping.toml").write_text(text + '[sources.columns]\naccount_id = "Id"\n', "utf-8-sig")
    assert load_config(tmp_path / "mapping.toml").workspace.name == "x"
