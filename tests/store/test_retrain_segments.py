"""Retraining of several models: what is due renews, what is refused or lost stays as it is served."""

from __future__ import annotations

import pytest
import tracked_models
from retrainer import CONFIG, Trainer, drift, logged
from tracked_models import FIT, FIT_2, INTENT, SERVING

from features.errors import InputError
from features.mapping import Config
from features.settings import NamedModel, RetrainSettings
from features.workspace import Workspace
from models.bundle import Bundle
from models.making import with_name, with_settings
from training import retrain as retraining
from training.gate.asking import served
from training.labels import next_cutoff
from training.releasing import promote as promotion
from training.releasing.due import standings
from training.retrain import retrain
from training.tracking.registered import RegisteredModels


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


class Killed(BaseException):
    """Nothing that is done after it is done; no handler of ours takes it."""


def kill(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("promoted", [True, False], ids=["after the promotion", "after a refusal"])
def test_what_a_killed_run_could_not_note_the_next_one_notes(
    untrained: Workspace, trainer: Trainer, monkeypatch: pytest.MonkeyPatch, *, promoted: bool
) -> None:
    """The gate refuses a segment; whether others were promoted or not, the try is known in the end."""
    patient = NAMED.model_copy(update={"retrain": RetrainSettings(every_days=30)})
    trainer.others = (EMEA,) if promoted else (INTENT, EMEA)
    retrain(untrained, config=patient, who="cron")
    monkeypatch.setattr(retraining, "watch", lambda *_, **__: drift("icp_fit.emea"))
    tracked_models.ingest(untrained, fingerprint="1" * 64)
    trainer.others = (INTENT, emea(FIT_2, config=NAMED))
    with monkeypatch.context() as killing:
        killing.setattr(retraining, "note_tried", kill)
        with pytest.raises(Killed):
            retrain(untrained, config=patient, who="cron")
    (known,) = (one for one in RegisteredModels(untrained).versions("fit.emea") if "champion" in one.aliases)
    assert "tried_again" not in known.tags
    assert retrain(untrained, config=patient, who="cron").outcome == "nothing new"
    assert standings(untrained)["fit.emea"].tried == next_cutoff(untrained.tables())
