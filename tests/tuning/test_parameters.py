"""The file of parameters: whole or not there, read back as chosen, refused when it is something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import ConfigError
from features.mapping import Config, load_config
from features.tuned import read_tuned
from training.checks.results import ROOT
from training.tuning.parameters import require_writable, use_parameters, write_parameters

MARKET = ROOT / "configs" / "simulated_market.toml"
CHOSEN = {"learning_rate": 0.07, "num_leaves": 3, "linear_strength": None}


@pytest.fixture
def config() -> Config:
    return load_config(MARKET)


def test_what_was_chosen_replaces_what_the_config_says(tmp_path: Path, config: Config) -> None:
    file = tmp_path / "new" / "tuned.toml"
    write_parameters(file, model="intent", parameters=CHOSEN, about={"trials": 3, "nothing": None})
    write_parameters(file, model="fit", parameters={"linear_strength": 0.1}, about={"trials": 4})
    used = use_parameters(config, file=file).model
    assert used.intent == config.model.intent.model_copy(update=CHOSEN)
    assert used.fit == config.model.fit.model_copy(update={"linear_strength": 0.1})


def test_a_config_names_the_file(tmp_path: Path, config: Config) -> None:
    write_parameters(tmp_path / "tuned.toml", model="intent", parameters=CHOSEN, about={})
    text = MARKET.read_text(encoding="utf-8")
    named = text.replace("[model.intent]\n", '[model.intent]\nparameters_from = "tuned.toml"\n')
    (tmp_path / "market.toml").write_text(named, encoding="utf-8")
    used = load_config(tmp_path / "market.toml").model.intent
    assert used == config.model.intent.model_copy(update=CHOSEN)


def test_a_file_that_cannot_be_written_is_told_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tuned.toml"
    write_parameters(file, model="intent", parameters=CHOSEN, about={})
    before = file.read_text(encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigError, match=r"cannot be written .*no space left"):
        write_parameters(file, model="intent", parameters={"num_leaves": 9}, about={})
    assert file.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file of parameters"),
        ("a = ", "not valid TOML"),
        ("a = 1", "holds no tuned parameters"),
        ("[model.intent]\nnum_leafs = 3", "did you mean 'num_leaves'"),
        ("[model.intents]\nnum_leaves = 3", "did you mean 'intent'"),
        ("[model.intent]\nseed = 3", r"unknown key \(got 'seed'"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "tuned.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_tuned(file)


def test_an_unfit_value_is_refused_by_name(tmp_path: Path, config: Config) -> None:
    (tmp_path / "tuned.toml").write_text("[model.intent]\nnum_leaves = 1", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tuned.toml: intent\.num_leaves.*greater than or equal to 2"):
        use_parameters(config, file=tmp_path / "tuned.toml")
    text = MARKET.read_text(encoding="utf-8").replace(
        "[model.intent]\n", '[model.fit]\nparameters_from = "tuned.toml"\n[model.intent]\n'
    )
    (tmp_path / "market.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"holds no parameters of this model .*intent.*--model fit"):
        load_config(tmp_path / "market.toml")


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("folder", "folder is a folder"),
        ("notes.toml", "notes.toml"),
        ("notes.toml/tuned.toml", "cannot be written"),
    ],
)
def test_a_file_that_could_not_be_written_is_refused_beforehand(tmp_path: Path, out: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.toml").write_text("[notes]\nmine = true\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        require_writable(tmp_path / out)
    assert (tmp_path / "notes.toml").read_text(encoding="utf-8") == "[notes]\nmine = true\n"


def test_a_check_leaves_a_good_file_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "new" / "tuned.toml"
    require_writable(file)
    assert list(file.parent.iterdir()) == []
    write_parameters(file, model="intent", parameters=CHOSEN, about={})
    require_writable(file)
    assert read_tuned(file)["intent"]["num_leaves"] == 3
