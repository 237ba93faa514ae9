"""Retraining unattended: each step asks what is there, so a second run is safe, and one after a kill, too."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
import tracked_models
from retrainer import CONFIG, Trainer, drift, logged, register, run
from tracked_models import FIT, FIT_2, INTENT

from features.errors import BundleError, InputError, NotEnoughDataError, SpearfishError
from features.mapping import Config
from features.settings import RetrainSettings
from features.workspace import Workspace
from training import retrain as retraining
from training.gate.asking import served
from training.releasing.promote import promote, rollback
from training.retrain import LOG, retrain


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


def test_what_somebody_replaced_by_hand_stays_replaced(untrained: Workspace, trainer: Trainer) -> None:
    run(untrained)
    tracked_models.register(untrained, FIT_2)
    hers = promote(untrained, who="Ada", why="hers", force="by hand").release
    found = run(untrained)
    assert (found.outcome, "somebody chose others since" in found.sentence) == ("nothing new", True)
    assert served(untrained).release.fingerprints == hers.fingerprints
