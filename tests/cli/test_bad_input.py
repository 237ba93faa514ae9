"""Wrong input on the command line: one sentence, exit code 2, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import program, spearfish

COMMANDS = (
    *("simulate", "ingest", "features", "tune", "train", "backtest", "promote", "rollback"),
    *("releases", "drift", "retrain"),
    *("score", "explain", "serve", "doctor"),
)
CONFIG = Path(__file__).parents[2] / "configs" / "simulated_market.toml"


def test_help_names_every_command(tmp_path: Path) -> None:
    done = program("--help", home=tmp_path)
    assert done.code == 0
    assert [command for command in COMMANDS if f" {command} " not in done.out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    done = spearfish(command, "--help", home=tmp_path)
    assert done.code == 0
    assert command in done.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ingest", "--config", "absent.toml"), "absent.toml"),
        (("ingest", "--config", CONFIG, "--set", "folder"), "NAME=VALUE"),
        (("ingest", "--config", CONFIG, "--set", "foldr=x"), "folder"),
        (("ingest", "--config", CONFIG, "--set", "folder=/nowhere"), "/nowhere"),
        (("simulate", "--out", "market", "--end", "yesterday"), "--end is not a time"),
        (("simulate", "--out", "market", "--accounts", "0"), "accounts is out of bounds"),
        (("train", "--config", CONFIG), "no tables in the workspace"),
        (("backtest", "--config", CONFIG), "no tables in the workspace"),
        (("backtest", "--config", CONFIG, "--model", "fits"), "did you mean 'fit'?"),
        (("backtest", "--config", CONFIG, "--from", "2024-01-01"), "add the other"),
        (("backtest", "--config", CONFIG, "--step", "7"), "--step does nothing without --from and --to"),
        (
            ("backtest", "--config", CONFIG, "--model", "fit", "--capacity", "5"),
            "--capacity does nothing with --model fit",
        ),
        (
            ("backtest", "--config", CONFIG, "--development", "--cutoff", "2024-01-01"),
            "--development does nothing beside cutoffs that were given",
        ),
        (("tune", "--config", CONFIG, "--minutes", "1"), "no tables in the workspace"),
        (("train", "--config", CONFIG, "--parameters", "none.toml"), "run `spearfish tune` first"),
        (("features", "--as-of", "2026-99-01"), "--as-of is not a time"),
        (("score", "--as-of", "2999-01-01"), "--as-of is in the future"),
        (("score", "--as-of", "0001-01-01T00:00:00+14:00"), "--as-of is not a time"),
        (("score", "--out", "ranking.xml"), "allowed .parquet, .csv"),
        (("score", "A1", "--out", "ranking.csv"), "--out goes with every account"),
        (("score", "A1", "--top", "5"), "--top does nothing with one account"),
        (("score", "A1"), "no tables in the workspace"),
        (("explain",), "no account given"),
        (("explain", "A1", "--domain", "a.example"), "the account is named twice"),
        (("explain", "A1", "--domain", "a.example", "--from", "2024-01-01"), "the account is named twice"),
        (("explain", "A1", "--language", "fr"), "allowed en, zh"),
        (("promote",), "no tables in the workspace"),
        (("promote", "--preview"), "no tables in the workspace"),
        (("promote", "--out", "changes.csv"), "--out goes with --preview"),
        (("promote", "--preview", "--out", "changes.xml"), "allowed .parquet, .csv"),
        (("promote", "--top", "5"), "--top does nothing without --preview"),
        (("promote", "--preview", "--force", "we know"), "--force does nothing with --preview"),
        (("promote", "--preview", "--waive", "a=b"), "--waive does nothing with --preview"),
        (("promote", "--preview", "--why", "newer"), "--why does nothing with --preview"),
        (("promote", "--set", "folder=x"), "--set does nothing without --config"),
        (("promote", "--preview", "--set", "folder=x"), "--set does nothing without --config"),
        (("drift", "--set", "folder=x"), "--set does nothing without --config"),
        (("doctor", "--set", "folder=x"), "--set does nothing without --config"),
        (("drift",), "no tables in the workspace"),
        (("retrain", "--config", "absent.toml"), "absent.toml"),
        (("retrain", "--config", CONFIG, "--no-sources"), "no tables in the workspace"),
        (("retrain", "--config", CONFIG, "--dry-run"), "no tables in the workspace"),
        (("serve", "--port", "70000"), "65535"),
        (("nonsense",), "nonsense"),
        (("score", "--colour"), "--colour"),
    ],
    ids=str,
)
def test_wrong_input_is_one_sentence_and_exit_code_2(
    arguments: tuple[object, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = spearfish(*arguments, home=tmp_path / "workspace")
    assert done.code == 2
    assert says in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_an_error_is_one_json_object_when_asked_for(tmp_path: Path) -> None:
    done = spearfish("train", "--config", CONFIG, "--json", home=tmp_path)
    assert done.code == 2
    assert done.document["error"]["kind"] == "WorkspaceError"
    assert "spearfish ingest" in done.document["error"]["fix"]
