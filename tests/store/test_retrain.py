"""Retraining unattended: each step asks what is there, so a second run is safe, and one after a kill, too."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tracked_models
from tracked_models import FIT, FIT_2, INTENT, LABELS, SERVING

from features.errors import BundleError, InputError, NotEnoughDataError, SpearfishError
from features.mapping import Config, WorkspaceSettings, load_config
from features.settings import GateSettings, NamedModel, RetrainSettings
from features.workspace import Workspace
from models.bundle import Bundle
from models.making import with_name, with_settings
from training import retrain as retraining
from training.gate.asking import served
from training.gate.held_out import HELD_OUT_ARTIFACT, HeldOut
from training.labels import next_cutoff
from training.learned_from import LEARNED_FROM_TAG, learned_from
from training.releasing import promote as promotion
from training.releasing.promote import promote, rollback
from training.retrain import LOG, Retraining, retrain
from training.tracking.registered import RegisteredModels
from training.tracking.registration import register_training

CONFIG = load_config(Path(__file__).parents[2] / "configs" / "simulated_market.toml").model_copy(
    update={
        "workspace": WorkspaceSettings(name="by hand", time_zone="Europe/Berlin"),
        "labels": LABELS,
        "serving": SERVING,
        "gate": GateSettings(replicates=100),
    }
)


def true_rows() -> pd.DataFrame:
    """Held-out rows of accounts that the tables lack, with true probabilities."""
    random = np.random.default_rng(0)
    chance = random.uniform(0.05, 0.95, size=400)
    moments = np.array(["2025-01-01", "2025-02-01"], dtype="datetime64[us]").repeat(200)
    return pd.DataFrame(
        {
            "key": [f"{number:032x}" for number in range(400)],
            "as_of": moments,
            "label": (random.random(400) < chance).astype(np.int64),
            "label_known_at": moments,
            "slice": np.repeat([0, 1], 200),
            "probability": chance,
        }
    )


class Trainer:
    """Instead of a training: registers what it is given, as `train` does, and counts."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace, self.folder, self.made, self.bundle = workspace, folder, 0, FIT
        self.asked: tuple[str, ...] | None = None
        self.others: tuple[Bundle, ...] = ()

    def __call__(
        self, workspace: Workspace, *, config: Config, models: tuple[str, ...] | None = None, **_: Any
    ) -> None:
        self.made, self.asked = self.made + 1, models
        wanted = [one for one in (self.bundle, *self.others) if models is None or one.key in models]
        if not wanted:
            raise NotEnoughDataError("no model can be had", got="too few wins")
        register(workspace, *wanted, folder=self.folder / str(self.made), config=config, asked=models)


def register(
    workspace: Workspace,
    *bundles: Bundle,
    folder: Path,
    config: Config = CONFIG,
    asked: tuple[str, ...] | None = None,
) -> None:
    logged = {one.key: (one, tracked_models.run_of(workspace, one)) for one in bundles}
    for bundle, run_id in logged.values():
        held = HeldOut(true_rows(), bundle.fingerprint, CONFIG.gate, secret=b"made")
        kept = held.save(folder / bundle.key)
        tracked_models.client(workspace).log_artifacts(run_id, str(kept), HELD_OUT_ARTIFACT)
    learned = learned_from(
        config,
        data_fingerprint=workspace.manifest().fingerprint,
        cutoff=next_cutoff(workspace.tables()),
    )
    register_training(
        RegisteredModels(workspace),
        logged,
        name="by hand",
        tags={LEARNED_FROM_TAG: learned},
        asked=asked,
    )


@pytest.fixture
def trainer(untrained: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    made = Trainer(untrained, tmp_path / "held")
    monkeypatch.setattr(retraining, "train", made)
    monkeypatch.setattr(retraining, "ingest", lambda *_, **__: None)
    monkeypatch.setattr(retraining, "watch", lambda *_, **__: drift())
    return made


def drift(*models: str) -> Any:
    """models: the registered names of those that drifted."""
    return SimpleNamespace(
        drifted=bool(models), drifted_models=models, sentence="drift", to_json=dict, lines=lambda: ()
    )


def run(workspace: Workspace, **settings: Any) -> Retraining:
    return retrain(workspace, config=CONFIG, who="cron", **settings)


def logged(workspace: Workspace) -> list[str]:
    lines = (workspace.home / LOG).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["outcome"] for line in lines]


def test_a_second_run_does_nothing_and_says_so(untrained: Workspace, trainer: Trainer) -> None:
    first = run(untrained)
    assert (first.outcome, first.exit_code) == ("promoted", 0)
    assert first.promotion is not None
    assert first.promotion.release.created_by == "cron"
    assert first.promotion.release.settings["gate"]["fit"]["outcome"] == "passed"
    again = run(untrained)
    assert (again.outcome, trainer.made) == ("nothing new", 1)
    assert "served already, and nothing is new" in again.sentence
    assert logged(untrained) == ["promoted", "nothing new"]


def test_a_refused_model_is_told_once_and_left_alone(untrained: Workspace, trainer: Trainer) -> None:
    run(untrained)
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    trainer.bundle = FIT_2
    refused = run(untrained)
    assert (refused.outcome, refused.exit_code) == ("refused", 1)
    assert "gate refuses icp_fit" in refused.sentence
    again = run(untrained)
    assert (again.outcome, again.exit_code, trainer.made) == ("nothing new", 0, 2)
    assert "refused before" in again.sentence


def test_what_people_rolled_back_stays_so(untrained: Workspace, trainer: Trainer) -> None:
    run(untrained)
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    trainer.bundle = FIT_2
    run(untrained)
    promote(untrained, who="Ada", why="we know", force="by hand")
    rollback(untrained, who="Ada", why="worse")
    again = run(untrained)
    assert (again.outcome, trainer.made) == ("nothing new", 2)
    assert "somebody chose others since" in again.sentence


def test_a_run_goes_on_where_a_killed_one_stopped(
    untrained: Workspace, trainer: Trainer, tmp_path: Path
) -> None:
    register(untrained, FIT, folder=tmp_path / "before")
    assert run(untrained, dry_run=True).outcome == "would promote"
    assert run(untrained).outcome == "promoted"
    assert trainer.made == 0


def test_a_dry_run_changes_nothing(untrained: Workspace, trainer: Trainer) -> None:
    before = sorted(path.name for path in untrained.home.iterdir())
    found = run(untrained, dry_run=True)
    assert (found.outcome, trainer.made) == ("would train", 0)
    assert sorted(path.name for path in untrained.home.iterdir()) == before


def test_a_second_one_at_the_same_time_leaves(untrained: Workspace, trainer: Trainer) -> None:
    lock = os.open(untrained.home / ".retrain.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        found = run(untrained)
    finally:
        os.close(lock)
    assert (found.outcome, found.exit_code, trainer.made) == ("busy", 75, 0)
    assert "another retraining is at work" in found.sentence


@pytest.mark.parametrize(("drifted", "outcome"), [((), "not due"), (("icp_fit",), "refused")])
def test_it_waits_for_enough_days_unless_something_drifted(
    untrained: Workspace,
    trainer: Trainer,
    monkeypatch: pytest.MonkeyPatch,
    drifted: tuple[str, ...],
    outcome: str,
) -> None:
    run(untrained)
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    trainer.bundle = FIT_2
    monkeypatch.setattr(retraining, "watch", lambda *_, **__: drift(*drifted))
    patient = CONFIG.model_copy(update={"retrain": RetrainSettings(every_days=30)})
    assert retrain(untrained, config=patient, who="cron").outcome == outcome
    # What was refused for its drift waits like any other: the same drift is no news the night after.
    tracked_models.ingest(untrained, fingerprint="2" * 64, known="2026-01-02")
    again = retrain(untrained, config=patient, who="cron")
    assert (again.outcome, trainer.made) == ("not due", 1 + len(drifted))
    told = "what was trained for the drift did not pass" if drifted else "no drift"
    assert "fewer than 30 days of new facts since each served model was trained" in again.sentence
    assert told in again.sentence


def test_a_failure_is_logged_and_raised(
    untrained: Workspace, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotEnoughDataError("too few rows", got="'ann@example.com'")

    monkeypatch.setattr(retraining, "train", fail)
    with pytest.raises(NotEnoughDataError):
        run(untrained)
    assert logged(untrained) == ["failed"]
    log = (untrained.home / LOG).read_text(encoding="utf-8")
    assert "'[address]'" in log
    assert "ann@" not in log


@pytest.mark.parametrize(
    "fault", [InputError("icp_fit lacks a column", got="tier"), BundleError("format 9 cannot be read")]
)
def test_what_cannot_be_measured_is_told_and_trained_anew(
    untrained: Workspace, trainer: Trainer, monkeypatch: pytest.MonkeyPatch, fault: SpearfishError
) -> None:
    run(untrained)
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    trainer.bundle = FIT_2

    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(retraining, "watch", fail)
    patient = CONFIG.model_copy(update={"retrain": RetrainSettings(every_days=30)})
    found = retrain(untrained, config=patient, who="cron")
    assert (found.outcome, trainer.made) == ("refused", 2)
    assert found.drift is not None
    assert fault.sentence() in "".join(found.drift.lines())
    assert fault.sentence() in found.to_json()["drift"]["sentence"]
    assert fault.sentence() in (untrained.home / LOG).read_text(encoding="utf-8")


def test_tables_that_change_during_the_training_leave_it_to_the_next_run(
    untrained: Workspace, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(workspace: Workspace, *, config: Config, **_: Any) -> None:
        trainer(workspace, config=config)
        tracked_models.ingest(workspace, fingerprint="1" * 64)

    monkeypatch.setattr(retraining, "train", overtaken)
    found = run(untrained)
    assert (found.outcome, found.exit_code, found.promotion) == ("overtaken", 75, None)
    assert "the tables changed during the training" in found.sentence
    monkeypatch.setattr(retraining, "train", trainer)
    assert (run(untrained).outcome, trainer.made) == ("promoted", 2)


def test_a_served_model_that_was_not_trained_again_stays(untrained: Workspace, trainer: Trainer) -> None:
    for bundle in (FIT, INTENT):
        tracked_models.register(untrained, bundle)
    promote(untrained, who="Ada", why="both", force="by hand")
    trainer.bundle = FIT_2
    found = run(untrained)
    assert (found.outcome, found.exit_code) == ("refused", 1)
    assert "no intent model, which is served" in found.sentence
    assert run(untrained).outcome == "nothing new"
    present = served(untrained)
    assert present is not None
    assert set(present.contents) == {"fit", "intent"}


def named(region: str) -> Config:
    one = NamedModel(name="emea", kind="fit", where={"region": (region,)})
    return CONFIG.model_copy(update={"model": CONFIG.model.model_copy(update={"named": (one,)})})


def emea(bundle: Bundle, *, config: Config) -> Bundle:
    labels = config.of_model("fit.emea").labels
    return with_settings(with_name(bundle, key="fit.emea", place=0), labels=labels, serving=SERVING)


NAMED, MOVED = named("EMEA"), named("Europe")
EMEA = emea(FIT, config=NAMED)


@pytest.mark.parametrize(
    ("config", "trained", "told"),
    [
        (NAMED, (emea(FIT_2, config=NAMED),), "the gate refuses icp_fit.emea"),
        (MOVED, (emea(FIT_2, config=MOVED),), "the gate refuses icp_fit.emea"),
        (NAMED, (), "the training gave no such model"),
    ],
    ids=["refused", "refused with another population", "lost"],
)
def test_a_segment_that_fails_or_is_lost_stays_and_the_rest_is_renewed(
    untrained: Workspace, trainer: Trainer, config: Config, trained: tuple[Bundle, ...], told: str
) -> None:
    trainer.others = (EMEA,)
    assert retrain(untrained, config=NAMED, who="cron").outcome == "promoted"
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    # The intent model is new, and nothing is served that it could be worse than.
    trainer.others = (INTENT, *trained)
    found = retrain(untrained, config=config, who="cron")
    assert (found.outcome, found.exit_code) == ("promoted", 1)
    assert f"icp_fit.emea stays as it is served: {told}" in found.sentence
    assert found.to_json()["unchanged"].keys() == {"fit.emea"}
    present = served(untrained)
    assert present is not None
    assert present.release.fingerprints == {
        "fit": FIT.fingerprint,
        "intent": INTENT.fingerprint,
        "fit.emea": EMEA.fingerprint,
    }
    assert set(present.release.settings["gate"]) == {"fit", "intent", "fit.emea"}
    again = retrain(untrained, config=config, who="cron")
    assert (again.outcome, again.exit_code, trainer.made) == ("nothing new", 0, 2)


def test_only_what_is_due_is_trained_and_the_rest_stays(
    untrained: Workspace, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The segment drifted; the gate refuses what is trained for it, and the night after nothing is."""
    patient = NAMED.model_copy(update={"retrain": RetrainSettings(every_days=30)})
    trainer.others = (INTENT, EMEA)
    before = retrain(untrained, config=patient, who="cron").promotion
    monkeypatch.setattr(retraining, "watch", lambda *_, **__: drift("icp_fit.emea"))
    trainer.others = (INTENT, emea(FIT_2, config=NAMED))
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    looked = retrain(untrained, config=patient, who="cron", dry_run=True)
    assert "would train icp_fit.emea on facts through" in looked.sentence
    found = retrain(untrained, config=patient, who="cron")
    assert (found.outcome, found.due, trainer.asked) == ("refused", ("fit.emea",), ("fit.emea",))
    assert "gate refuses icp_fit.emea" in found.sentence
    present = served(untrained)
    assert (before and before.release.fingerprints) == (present and present.release.fingerprints)
    known = RegisteredModels(untrained).known()
    assert ["challenger" in known[key][0].aliases for key in ("fit", "intent", "fit.emea")] == 3 * [True]
    tracked_models.ingest(untrained, fingerprint="2" * 64, known="2026-01-02")
    assert (retrain(untrained, config=patient, who="cron").outcome, trainer.made) == ("not due", 2)


def test_what_was_not_due_stays_beside_what_passes(
    untrained: Workspace, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = CONFIG.model_copy(update={"retrain": RetrainSettings(every_days=30)})
    trainer.others = (INTENT,)
    retrain(untrained, config=patient, who="cron")
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    monkeypatch.setattr(retraining, "watch", lambda *_, **__: drift("buying_intent"))
    monkeypatch.setattr(promotion, "require_passed", lambda *_, **__: None)
    newer = tracked_models.bundle("intent", seed=2)
    trainer.bundle, trainer.others = FIT_2, (newer,)
    found = retrain(untrained, config=patient, who="cron")
    assert (found.outcome, found.exit_code, found.due) == ("promoted", 0, ("intent",))
    assert found.sentence.endswith("icp_fit was not due")
    present = served(untrained)
    assert present is not None
    assert present.release.fingerprints == {"fit": FIT.fingerprint, "intent": newer.fingerprint}
    assert retrain(untrained, config=patient, who="cron").outcome == "nothing new"


def test_of_a_part_that_cannot_be_had_it_is_told_once(
    untrained: Workspace, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = NAMED.model_copy(update={"retrain": RetrainSettings(every_days=30)})
    trainer.others = (EMEA,)
    retrain(untrained, config=patient, who="cron")
    monkeypatch.setattr(retraining, "watch", lambda *_, **__: drift("icp_fit.emea"))
    trainer.others = ()
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    # The intent model, which is declared and not served, goes along.
    found = retrain(untrained, config=patient, who="cron")
    assert (found.outcome, found.exit_code, found.due) == ("refused", 1, ("intent", "fit.emea"))
    assert "icp_fit.emea stay as they are: no model can be had (got too few wins" in found.sentence
    assert (retrain(untrained, config=patient, who="cron").outcome, trainer.made) == ("not due", 2)


def test_what_fails_without_a_refusal_is_no_refusal(untrained: Workspace, trainer: Trainer) -> None:
    """A config of other labels than those of the training: nothing was found against the models."""
    wrong = SERVING.model_copy(update={"grade_cuts": (0.9, 0.5, 0.1)})
    config = CONFIG.model_copy(update={"serving": wrong})
    with pytest.raises(InputError, match="grade"):
        retrain(untrained, config=config, who="cron")
    (version,) = RegisteredModels(untrained).versions("fit")
    assert not {"gate", "left_unserved", "tried_again"} & version.tags.keys()
    assert logged(untrained) == ["failed"]


def test_what_somebody_replaced_by_hand_stays_replaced(untrained: Workspace, trainer: Trainer) -> None:
    run(untrained)
    tracked_models.register(untrained, FIT_2)
    hers = promote(untrained, who="Ada", why="hers", force="by hand").release
    found = run(untrained)
    assert (found.outcome, "somebody chose others since" in found.sentence) == ("nothing new", True)
    assert served(untrained).release.fingerprints == hers.fingerprints
