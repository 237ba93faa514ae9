"""[[model.named]]: what a named model takes over, what it changes, and how its faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import ConfigError
from features.mapping import Config, load_config
from training.tuning.parameters import use_parameters, write_parameters

_BASE = """
[workspace]
name = "small"

[[sources]]
table = "accounts"
path = "accounts.csv"
known_at = "2026-01-01"

[sources.columns]
account_id = "id"

[labels.fit]
enabled = false
where = { kind = "company" }

[model.fit]
num_leaves = 6
"""
_EMEA = """
[[model.named]]
name = "emea"
kind = "fit"
where = { region = "EMEA" }
learning_rate = 0.2
"""
_GATE = """
[[model.named]]
name = "gate"
kind = "intent"
where = { region = "APAC" }
product = "gate"
"""


def config(folder: Path, text: str) -> Config:
    file = folder / "small.toml"
    file.write_text(_BASE + text, encoding="utf-8")
    return load_config(file)


def test_a_named_model_follows_the_unnamed_one_but_for_what_it_says(tmp_path: Path) -> None:
    read = config(tmp_path, _EMEA + _GATE)
    assert read.models == ("fit", "intent", "fit.emea", "intent.gate")
    emea, gate = read.of_model("fit.emea"), read.of_model("intent.gate")
    assert emea.labels.fit.where == {"kind": ("company",), "region": ("EMEA",)}
    assert (emea.labels.fit.enabled, read.labels.fit.enabled) == (True, False)
    learning = emea.model.fit
    assert (learning.num_leaves, learning.learning_rate, learning.members) == (6, 0.2, 3)
    assert emea.model.intent == gate.model.intent == read.model.intent
    assert (gate.labels.intent.product, gate.labels.fit) == ("gate", read.labels.fit)
    assert read.of_model("intent") is read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_EMEA.replace('"emea"', '"E-M"'), ["model.named[1]: name is no name", "got 'E-M'", "small letter"]),
        (_EMEA.replace('name = "emea"', ""), ["name is no name of a model", "got None"]),
        (_EMEA.replace('"fit"', '"fti"'), ["emea: no such kind", "got 'fti'; allowed fit, intent", "'fit'"]),
        (_EMEA.replace('where = { region = "EMEA" }', ""), ["emea: the model has no population", "no where"]),
        (_GATE.replace('where = { region = "APAC" }', ""), ["got a product alone", "which deals count"]),
        (_EMEA.replace('"EMEA"', "[]"), ["emea: the model has no population", "got where = {'region': []}"]),
        (
            _EMEA.replace("[[model.named]]", "[model.named]"),
            ["is no list of models", "write [[model.named]]"],
        ),
        (_EMEA + "label_rate = 0.3\nsome_always_win = true", ["label_rate, audited and some_always_win"]),
        (_GATE + "label_rate = 0.3", ["are of fit models"]),
        (_EMEA + _EMEA, ["model.named[2]: two models have one name", "which model.named[1] has", "rename"]),
        (_EMEA + "num_leafs = 3", ["unknown key model.named[1].num_leafs", "num_leaves"]),
        (_EMEA + "num_leaves = 1", ["model.named[1].num_leaves", "greater than or equal to 2"]),
    ],
)
def test_faults_say_what_was_got_and_what_is_allowed(tmp_path: Path, text: str, told: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, text)
    assert [part for part in told if part not in str(caught.value)] == []


def test_a_named_model_is_about_part_of_what_the_labels_are_about(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"where.kind names accounts .*got EMEA; allowed company"):
        config(tmp_path, _EMEA.replace("region", "kind"))


def test_the_level_of_all_accounts_is_not_that_of_a_segment(tmp_path: Path) -> None:
    whole = _EMEA + "some_always_win = true\n"
    text = _BASE.replace("enabled = false", 'against = "universe"\nlabel_rate = 0.3')
    (tmp_path / "small.toml").write_text(text + _EMEA)
    read = load_config(tmp_path / "small.toml")
    assert (read.labels.fit.label_rate, read.of_model("fit.emea").labels.fit.label_rate) == (0.3, None)
    (tmp_path / "small.toml").write_text(text + whole)
    assert load_config(tmp_path / "small.toml").of_model("fit.emea").labels.fit.some_always_win


def test_models_of_one_name_and_two_kinds_do_not_clash(tmp_path: Path) -> None:
    assert config(tmp_path, _EMEA + _GATE.replace('"gate"\nkind', '"emea"\nkind')).models[2:] == (
        "fit.emea",
        "intent.emea",
    )


def test_a_model_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such model \(got 'fit.apac'; allowed fit, intent, fit.emea\)"):
        config(tmp_path, _EMEA).of_model("fit.apac")


def test_tuned_parameters_are_those_of_their_model_alone(tmp_path: Path) -> None:
    file = tmp_path / "tuned.toml"
    write_parameters(file, model="fit.emea", parameters={"num_leaves": 9}, about={})
    write_parameters(file, model="fit", parameters={"lambda_l2": 1.5}, about={})
    by_config = config(tmp_path, f'{_EMEA}parameters_from = "tuned.toml"')
    by_option = use_parameters(config(tmp_path, _EMEA), file=file)
    for read, shared in ((by_config, 5.0), (by_option, 1.5)):
        learning = read.of_model("fit.emea").model.fit
        assert (learning.num_leaves, learning.learning_rate) == (9, 0.2)
        assert (read.model.fit.num_leaves, learning.lambda_l2) == (6, shared)
    told = r"parameters of no model of small.toml \(got 'fit.emea'.*\[model.\"fit.emea\"\] from .*tuned.toml"
    with pytest.raises(ConfigError, match=told):
        use_parameters(config(tmp_path, _GATE), file=file)
