"""Retraining: the whole loop unattended, from the sources to what is served.

Turns a workspace and its config into one of a few outcomes: sources are ingested, drift is measured, the
models that are due are trained and audited, and what passes the gate is served; a named model that does not,
or that the data could not give this time, stays as it is served, as do models that are not due, each by what
it knows itself (`training.releasing.due`). Each step asks what is there instead of what was done,
so that doing it twice does nothing the second time, and doing it after a kill goes on where it stopped:
tables, settings and cutoff make one fingerprint, and a training that carries it is not made again; a training
that was refused, or served before and rolled back, is left to people. One retraining runs at a time in a
workspace; another one leaves. Time rule: everything up to the newest known fact; the clock only dates the
release and the log. Null rule: where nothing is served there is no drift to measure; where what is served
cannot be measured, as a column of its is gone, that is told, and is a reason to train.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from features.errors import BundleError, InputError, NotEnoughDataError, SpearfishError, WorkspaceError
from features.mapping import Config
from features.privacy.masking import without_addresses
from features.workspace import Workspace
from models.card import ModelKey, name_of, registered_name
from serving.store import Store
from training.drift.watching import DriftReport, watch
from training.gate.asking import has_store, served
from training.ingesting import ingest_all
from training.labels import next_cutoff
from training.learned_from import LEARNED_FROM_TAG, learned_from
from training.learning.learn import Progress
from training.locking import only_one
from training.refused import RefusedError
from training.releasing.due import due_models, note_tried, standings
from training.releasing.promote import Promotion
from training.releasing.unattended import renew
from training.tracking.registered import GATE_TAG, LEFT_TAG, RegisteredModels
from training.tracking.registration import asked_for, registering, settle
from training.tracking.versions import Version
from training.train import train

__all__ = ["LOG", "Retraining", "Unmeasured", "retrain"]

LOG = "retrain.log"
"""In the workspace: a line of JSON for each retraining, without addresses and telephone numbers."""

Outcome = Literal[
    "promoted", "nothing new", "not due", "refused", "busy", "overtaken", "would train", "would promote"
]
_EXIT_CODES: Mapping[Outcome, int] = {"refused": 1, "busy": 75, "overtaken": 75}
_OVERTAKEN = "the tables changed during the training; the next run learns from what they hold now"
_LOST = (
    "the training gave no {kinds} model, which is served: nothing is taken away unattended; `spearfish "
    "train` says why, and `spearfish promote` serves what there is"
)
_STAYS = "{name} stays as it is served: the training gave no such model; `spearfish train` says why"


@dataclass(frozen=True)
class Unmeasured:
    """Drift that could not be measured, and why."""

    reason: str

    @property
    def sentence(self) -> str:
        return f"the drift of what is served could not be measured: {self.reason}"

    def lines(self) -> Iterator[str]:
        yield self.sentence

    def to_json(self) -> dict[str, Any]:
        return {"drifted": None, "sentence": self.sentence}


Drift = DriftReport | Unmeasured


@dataclass(frozen=True)
class Retraining:
    """What a retraining came to.

    drift: of what was served before; None where nothing was. promotion: None unless something was promoted.
    unchanged: named models that did not change with it, by key, and why. due: the models that the training
    was for, or would be; the others stay as they are served.
    """

    outcome: Outcome
    sentence: str
    drift: Drift | None = None
    promotion: Promotion | None = None
    unchanged: Mapping[ModelKey, str] = field(default_factory=dict)
    due: tuple[ModelKey, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: nobody needs to look. 1: the gate or the audit refused, or a named model did not change with the
        others. 75: another was at work; try again."""
        return 1 if self.unchanged else _EXIT_CODES.get(self.outcome, 0)

    def to_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "sentence": self.sentence,
            "drift": None if self.drift is None else self.drift.to_json(),
            "promotion": None if self.promotion is None else self.promotion.to_json(),
            "unchanged": dict(self.unchanged),
            "due": list(self.due),
        }


def retrain(
    workspace: Workspace,
    *,
    config: Config,
    who: str,
    read_sources: bool = True,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Retraining:
    """Do what is to be done, once.

    read_sources: False trains on the tables as they are. dry_run: change nothing, and tell what a run would
    do with the tables as they are. Raises what ingest and train raise; a refusal of the gate or the audit is
    an outcome.
    """
    if dry_run:
        return _Loop(workspace, config, who, progress).look()
    with only_one(workspace, "retrain", wait=False) as alone:
        if not alone:
            return Retraining("busy", "another retraining is at work in this workspace; nothing was done")
        try:
            if read_sources:
                ingest_all(config, workspace=workspace, progress=progress)
            done = _Loop(workspace, config, who, progress).run()
        except SpearfishError as error:
            _log(workspace, {"outcome": "failed", "sentence": error.sentence()})
            raise
        _log(workspace, _line(done))
        return done


@dataclass(frozen=True)
class _Loop:
    """One retraining on the tables as they are."""

    workspace: Workspace
    config: Config
    who: str
    progress: Progress | None

    def look(self) -> Retraining:
        """What a run would do."""
        drift, cutoff, made = self._state()
        if made:
            return self._standing(made, drift) or Retraining(
                "would promote", _told(made, "trained and not yet judged"), drift
            )
        due = self._due(cutoff, drift)
        if not due:
            return self._not_due(drift)
        told = f"would train {self._named(due)}on facts through {_iso(cutoff)}"
        return Retraining("would train", told, drift, due=due)

    def run(self) -> Retraining:
        # Refused before MLflow's database is made.
        self.workspace.manifest().require_dated("retrain")
        registered = RegisteredModels(self.workspace, create=True)
        with registering(self.workspace):
            settle(registered)
        drift, cutoff, made = self._state()
        if not made:
            due = self._due(cutoff, drift)
            if not due:
                return self._not_due(drift)
            untrained = self._train(due, drift, cutoff=cutoff)
            if untrained is not None:
                return untrained
            made = self._made(cutoff)
        if not made:
            return Retraining("overtaken", _OVERTAKEN, drift)
        standing = self._standing(made, drift)
        if standing is None:
            return self._promoted(made, drift, cutoff=cutoff)
        # A run that was killed after it had promoted, or while it noted why it did not, noted less.
        note_tried(self.workspace, self._stayed(made), cutoff=cutoff)
        return standing

    def _state(self) -> tuple[Drift | None, datetime, dict[ModelKey, Version]]:
        self.workspace.manifest().require_dated("retrain")
        drift = self._drift()
        with self.workspace.reading() as tables:
            cutoff = next_cutoff(tables)
        return drift, cutoff, self._made(cutoff)

    def _drift(self) -> Drift | None:
        if not served(self.workspace):
            return None
        try:
            return watch(self.workspace, settings=self.config.drift)
        except (BundleError, InputError) as error:
            # A new training is what mends it.
            return Unmeasured(error.sentence())

    def _made(self, cutoff: datetime) -> dict[ModelKey, Version]:
        """The newest versions that learned from what there is now."""
        fingerprint = self.workspace.manifest().fingerprint
        wanted = learned_from(self.config, data_fingerprint=fingerprint, cutoff=cutoff)
        try:
            known = RegisteredModels(self.workspace).known()
        except WorkspaceError:
            return {}
        found = {
            key: [one for one in versions if one.tags.get(LEARNED_FROM_TAG) == wanted]
            for key, versions in known.items()
        }
        return {key: versions[0] for key, versions in found.items() if versions}

    def _standing(self, made: Mapping[ModelKey, Version], drift: Drift | None) -> Retraining | None:
        """Nothing to do: these models were served before, or refused; None when nobody judged them yet."""
        refused = {key for key, version in made.items() if _is_refused(version)}
        wanted = {key: version.fingerprint for key, version in made.items() if key not in refused}

        def is_of(release: Mapping[ModelKey, str], *, staying: set[ModelKey]) -> bool:
            """Whether a release holds all of these, and beside them only what they leave unchanged."""
            others = release.keys() - wanted.keys()
            return bool(wanted) and wanted.items() <= release.items() and others <= staying

        present = served(self.workspace)
        lost = set(self._staying(made))
        if present is not None and is_of(present.release.fingerprints, staying=refused | lost):
            return Retraining("nothing new", _told(made, "served already, and nothing is new"), drift)
        # Which models an earlier release kept because the training could not give them is not known any more.
        unmade = set(self.config.models) - made.keys()
        if any(is_of(one, staying=refused | unmade) for one in _earlier(self.workspace)):
            return Retraining(
                "nothing new", _told(made, "served before, and somebody chose others since"), drift
            )
        if not wanted or any(name_of(key) is None for key in refused):
            return Retraining("nothing new", _told(made, "refused before"), drift)
        return None

    def _due(self, cutoff: datetime, drift: Drift | None) -> tuple[ModelKey, ...]:
        """The models to train now, all of them where nothing is served or its drift cannot be measured."""
        if drift is None or isinstance(drift, Unmeasured):
            return self.config.models
        return due_models(
            standings(self.workspace),
            wanted=self.config.models,
            drifted=[key for key in self.config.models if registered_name(key) in drift.drifted_models],
            cutoff=cutoff,
            settings=self.config.retrain,
        )

    def _named(self, due: tuple[ModelKey, ...]) -> str:
        """Which models, where these are not all."""
        names = "" if due == self.config.models else " and ".join(map(registered_name, due))
        return f"{names} " if names else ""

    def _train(
        self, due: tuple[ModelKey, ...], drift: Drift | None, *, cutoff: datetime
    ) -> Retraining | None:
        """Train what is due; what to tell where a part of the models is and none of these could be had."""
        part = None if due == self.config.models else due
        try:
            train(self.workspace, config=self.config, cutoff=cutoff, models=part, progress=self.progress)
        except NotEnoughDataError as error:
            if part is None:
                raise
            note_tried(self.workspace, due, cutoff=cutoff)
            return Retraining(
                "refused", f"{self._named(due)}stay as they are: {error.sentence()}", drift, due=due
            )
        return None

    def _not_due(self, drift: Drift | None) -> Retraining:
        days = self.config.retrain.every_days
        told = f"fewer than {days} days of new facts since each served model was trained, or tried again"
        drifted = drift is not None and not isinstance(drift, Unmeasured) and drift.drifted
        more = "what was trained for the drift did not pass" if drifted else "no drift"
        return Retraining("not due", f"{told}, and {more}", drift)

    def _promoted(
        self, made: Mapping[ModelKey, Version], drift: Drift | None, *, cutoff: datetime
    ) -> Retraining:
        staying = self._staying(made)
        lost, resting = (
            [key for key in staying if (key in self._asked(made)) is asked] for asked in (True, False)
        )
        due = tuple(key for key in self.config.models if key in {*made, *lost})
        unnamed = [key for key in lost if name_of(key) is None]
        if unnamed:
            told = _LOST.format(kinds=" and no ".join(unnamed))
            self._note_left(made, told, cutoff=cutoff, lost=lost)
            return Retraining("refused", told, drift, due=due)
        why = f"retrained on facts through {_iso(cutoff)}" + (f"; {drift.sentence}" if drift else "")
        stay = {key: _STAYS.format(name=registered_name(key)) for key in lost}
        try:
            done = renew(
                self.workspace, made, lost=stay, resting=resting, who=self.who, why=why, config=self.config
            )
        except RefusedError as error:
            why = f"{' and '.join(map(registered_name, error.models))} did not pass"
            self._note_left(made, why, cutoff=cutoff, refused=error.models, lost=lost)
            return Retraining("refused", error.sentence(), drift, due=due)
        note_tried(self.workspace, done.unchanged, cutoff=cutoff)
        told = "; ".join([done.sentence, *(f"{registered_name(key)} was not due" for key in resting)])
        return Retraining("promoted", told, drift, done.promotion, done.unchanged, due)

    def _staying(self, made: Mapping[ModelKey, Version]) -> list[ModelKey]:
        """Served models that the training did not give although the config asks for them."""
        present = served(self.workspace)
        wanted = set(self.config.models) - (set() if self.config.labels.fit.enabled else {"fit"})
        return [key for key in sorted(present.contents if present else ()) if key in wanted - made.keys()]

    def _stayed(self, made: Mapping[ModelKey, Version]) -> set[ModelKey]:
        """The models that these were to replace and did not: those refused or lost, or, where one of these
        answers for all others or there is no other, all."""
        refused = {key for key, version in made.items() if _is_refused(version)}
        stayed = refused | (set(self._staying(made)) & self._asked(made))
        whole = refused == made.keys() or any(name_of(key) is None for key in stayed)
        return stayed | made.keys() if whole else stayed

    def _asked(self, made: Mapping[ModelKey, Version]) -> set[ModelKey]:
        """The models that the trainings of these were for."""
        told = [asked_for(version) for version in made.values()]
        return {key for asked in told for key in (self.config.models if asked is None else asked)}

    def _note_left(
        self,
        made: Mapping[ModelKey, Version],
        why: str,
        *,
        cutoff: datetime,
        refused: Collection[ModelKey] = (),
        lost: Collection[ModelKey] = (),
    ) -> None:
        """So that the next run does not ask again: an audit that blocks leaves no verdict of the gate.

        refused: those that something was found against.
        """
        registered = RegisteredModels(self.workspace)
        for key, version in made.items():
            if key in refused:
                registered.tag(version, GATE_TAG, "refused")
            else:
                registered.tag(version, LEFT_TAG, why)
        note_tried(self.workspace, {*made, *lost}, cutoff=cutoff)


def _is_refused(version: Version) -> bool:
    return version.tags.get(GATE_TAG) == "refused" or LEFT_TAG in version.tags


def _earlier(workspace: Workspace) -> list[dict[ModelKey, str]]:
    """The fingerprints of every release: what somebody left, by rollback or promotion, stays left."""
    if not has_store(workspace):
        return []
    with Store.open(workspace.store_url) as store:
        return [dict(release.fingerprints) for release in store.history()]


def _line(done: Retraining) -> dict[str, Any]:
    told: dict[str, Any] = {"outcome": done.outcome, "sentence": done.sentence}
    if done.drift is not None:
        told["drift"] = done.drift.sentence
    if done.promotion is not None:
        told["release"] = done.promotion.release.id
    if done.unchanged:
        told["unchanged"] = sorted(done.unchanged)
    if done.due:
        told["due"] = list(done.due)
    return told


def _log(workspace: Workspace, line: Mapping[str, Any]) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    told = {
        name: without_addresses(value) if isinstance(value, str) else value for name, value in line.items()
    }
    text = json.dumps({"at": _iso(now), **told}, ensure_ascii=False)
    with (workspace.home / LOG).open("a", encoding="utf-8") as log:
        log.write(f"{text}\n")


def _told(made: Mapping[ModelKey, Version], what: str) -> str:
    return f"{' and '.join(version.label for version in made.values())}: {what}; nothing was changed"


def _iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
