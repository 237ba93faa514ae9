"""Training of a workspace: tables in, tracked bundles and a report out.

Turns the current snapshot into a fit and an intent model, and the named models of the config, each a run in
MLflow and a version of a registered model. Time rule: everything known before the cutoff, by default all
there is. Null rule: a model that the tables cannot give is left out, and the report says why; when none can
be had, it is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from rich.console import Group
from rich.table import Table
from rich.text import Text

from features.errors import NotEnoughDataError
from features.label_rules import require_known_names
from features.mapping import Config
from features.model_keys import KINDS
from features.privacy.addresses import workspace_secret
from features.privacy.counts import assumed_sentences
from features.tables import Tables
from features.workspace import Manifest, Workspace
from models.card import Kind, ModelKey, kind_of, name_of
from models.making import with_audit, with_name, with_settings
from training.audit.finding import Audit
from training.audit.of_training import audit_rows
from training.audit.waivers import audit_of
from training.backtesting.directions import WITHOUT_DIRECTIONS, cost_line, cost_of_training
from training.backtesting.evaluate import Estimate, Measured, evaluate
from training.backtesting.report import figures
from training.fit import Training, Untrained, train_fit, train_intent
from training.gate.rehearsal import to_hold_out
from training.ideal_profile.of_training import with_profile
from training.ideal_profile.shown import profile_summary
from training.ideal_profile.stated import require_columns
from training.labels import next_cutoff, require_past
from training.learned_from import LEARNED_FROM_TAG, learned_from
from training.learning.learn import Progress
from training.meanings import label_notes
from training.origins.check import OriginCheck, check_origin

__all__ = ["TrainReport", "TrainedModel", "train"]

_GROWERS: Mapping[Kind, Callable[..., Training | Untrained]] = {"fit": train_fit, "intent": train_intent}
_SHOWN = ("roc_auc", "pr_auc", "brier", "calibration_slope", "calibration_error")


@dataclass(frozen=True)
class TrainedModel:
    """One trained model. metrics: on the later slices, which also chose the number of trees. cost: the same
    with the declared monotone effects and without, where they are declared."""

    training: Training
    metrics: Mapping[str, Estimate]
    run_id: str
    cost: Measured | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of its labels and features, in sentences."""
        return tuple(label_notes(self.training.bundle.card))

    @property
    def audit(self) -> Audit:
        """What the leakage audit found."""
        return audit_of(self.training.bundle)

    def to_json(self) -> dict[str, Any]:
        bundle = self.training.bundle
        return {
            "name": bundle.name,
            "version": bundle.version,
            "fingerprint": bundle.fingerprint,
            "run_id": self.run_id,
            "base_rate": bundle.card["base_rate"],
            "counts": self.training.counts,
            "notes": list(self.notes),
            "rounds": self.training.learned.rounds,
            "audit": self.audit.to_json(),
            **({"profile": bundle.card["profile"]} if "profile" in bundle.card else {}),
            "later_slices": figures(self.metrics),
            **({} if self.cost is None else {"monotone_cost": figures(self.cost.ahead[WITHOUT_DIRECTIONS])}),
        }


@dataclass(frozen=True)
class TrainReport:
    """What `train` made.

    untrained: models these tables cannot give. report: the page to read. tracking_uri: MLflow's address,
    without a password. artifacts: where MLflow keeps the files of the runs; a tracking server decides it.
    origins: where accounts come from several places, how well that could be told of all accounts from the
    features of a fit model, or why it could not be measured; once for fit models with the same features.
    """

    cutoff: datetime
    models: tuple[TrainedModel, ...]
    untrained: tuple[Untrained, ...]
    report: Path
    tracking_uri: str
    artifacts: str
    origins: Mapping[ModelKey, OriginCheck | str] = field(default_factory=dict)

    @property
    def tracked(self) -> str:
        """Where the runs and their files are, in one sentence."""
        if urlsplit(self.tracking_uri).scheme in {"http", "https"}:
            return f"tracked by {self.tracking_uri}; that server keeps the artifacts, in {self.artifacts}"
        return f"tracked in {self.tracking_uri}; the artifacts are in {self.artifacts}"

    def to_json(self) -> dict[str, Any]:
        return {
            "cutoff": f"{self.cutoff.isoformat()}Z",
            "models": {model.training.key: model.to_json() for model in self.models},
            "untrained": {absent.key: absent.reason for absent in self.untrained},
            "report": str(self.report),
            "tracking_uri": self.tracking_uri,
            "artifacts": self.artifacts,
            **({"origins": self._origins_to_json()} if self.origins else {}),
            **({"consent_assumed": self.assumed} if self.assumed else {}),
        }

    @property
    def assumed(self) -> dict[str, str]:
        """By source of contacts, what the models' data assumes of consent."""
        cards = [model.training.bundle.card for model in self.models]
        return {source: text for card in cards for source, text in card.get("consent_assumed", {}).items()}

    def _origins_to_json(self) -> dict[str, Any]:
        return {
            key: {"verdict": check} if isinstance(check, str) else check.to_json()
            for key, check in self.origins.items()
        }

    def compared(self) -> Iterator[str]:
        """What each model does with features that cannot be compared between the origins, and the check."""
        for model in self.models:
            bundle = model.training.bundle
            facts = bundle.card.get("origins")
            for what, found in (facts or {}).items():
                names = ", ".join(f"{name} ({why})" for name, why in cast("dict[str, str]", found).items())
                if names:
                    yield f"{bundle.name}: not comparable between origins, {what.replace('_', ' ')}: {names}"
            check = self.origins.get(model.training.key)
            if check is not None:
                whom = "" if name_of(model.training.key) is None else ", of all accounts"
                yield f"{bundle.name}{whom}: {check if isinstance(check, str) else check.verdict}"

    def lines(self) -> Iterator[tuple[str, ...]]:
        """Per model and metric: model, metric, value, 95 % interval, what chance gives."""
        for model in self.models:
            for name in _SHOWN:
                found = model.metrics[name]
                yield model.training.bundle.name, name, found.shown, found.bounds, f"{found.base:.3f}"

    def __rich__(self) -> Group:
        table = Table(
            title="Trained (later slices, which also chose the number of trees)", title_justify="left"
        )
        for column in ("model", "metric", "value", "95 % interval", "base"):
            table.add_column(column, justify="left" if column in ("model", "metric") else "right")
        for line in self.lines():
            table.add_row(*line)
        notes = [Text(f"no {absent.key} model: {absent.reason}") for absent in self.untrained]
        notes += map(Text, (*self.compared(), *assumed_sentences(self.assumed)))
        notes += [Text(note) for one in self.models for note in one.notes]
        notes += [Text(line) for one in self.models if one.cost for line in cost_line(one.cost)]
        notes += [Text(f"audit of {one.training.bundle.name}: {one.audit.sentence}") for one in self.models]
        notes += [Text(line) for model in self.models for line in profile_summary(model.training.bundle.card)]
        return Group(table, *notes, Text(self.tracked), Text(f"report: {self.report}"))


def train(
    workspace: Workspace,
    *,
    config: Config,
    cutoff: datetime | None = None,
    models: Collection[ModelKey] | None = None,
    progress: Progress | None = None,
) -> TrainReport:
    """Train, track and register the models of the config.

    cutoff: naive UTC; only what was known before it is used. Default: just after the newest known fact.
    models: which of them; None for all. What is known of the others stays as it is.
    Raises NotEnoughDataError, with counts, when there is too little to learn any of them from,
    ContractError when a table is undated.
    """
    with workspace.lease() as manifest:
        manifest.require_dated("train")
        tables = workspace.tables(manifest)
        moment = cutoff or next_cutoff(tables)
        require_past(moment, tables=tables)
        require_columns(config.profile.stated, attributes=tables.attributes)
        _require_populations(config, tables=tables)
        found = [
            _grown(
                key,
                tables,
                config=config,
                cutoff=moment,
                data_fingerprint=manifest.fingerprint,
                progress=progress,
            )
            for key in config.models
            if models is None or key in models
        ]
        _require_one(found)
        checks = _checks(found, tables, cutoff=moment)
        found = [
            _audited(one, manifest=manifest, tables=tables, cutoff=moment, config=config, progress=progress)
            for one in found
        ]
        found = [_finished(one, config=config) for one in found]
        return _track(
            workspace,
            found,
            tables=tables,
            origins=checks,
            manifest=manifest,
            cutoff=moment,
            config=config,
            models=models,
            progress=progress,
        )


def _require_populations(config: Config, *, tables: Tables) -> None:
    """Raise ConfigError for a misspelt population of a named model before anything is learned."""
    for one in config.model.named:
        labels = config.of_model(one.key).labels
        require_known_names(tables, settings=labels.of(one.kind))


def _grown(key: ModelKey, tables: Tables, *, config: Config, **given: Any) -> Training | Untrained:
    """The training; where there is too little to learn from, why: other models may be had."""
    try:
        found = _GROWERS[kind_of(key)](tables, config=config.of_model(key), **given)
    except NotEnoughDataError as error:
        return Untrained(key, error.sentence(), {})
    if isinstance(found, Untrained):
        return replace(found, key=key)
    place = config.models.index(key) - len(KINDS)
    return found if place < 0 else replace(found, bundle=with_name(found.bundle, key=key, place=place))


def _require_one(found: Sequence[Training | Untrained]) -> None:
    absent = [one for one in found if isinstance(one, Untrained)]
    if len(absent) == len(found):
        raise NotEnoughDataError(
            "no model can be had",
            got="; ".join(f"{one.key}: {one.reason}" for one in absent),
        )


def _checks(
    found: Sequence[Training | Untrained], tables: Tables, *, cutoff: datetime
) -> dict[ModelKey, OriginCheck | str]:
    """How well the origin of an account could be told from the features of the fit models.

    Asked of all accounts, and once where models have the same features: of the first of them. Intent models
    learn from dealings, which only those have whom sales works: these tell it by nature.
    """
    if not tables.origins.several:
        return {}
    asked: dict[str, Training] = {}
    for one in found:
        if isinstance(one, Training) and one.kind == "fit":
            asked.setdefault(one.bundle.catalogue.fingerprint, one)
    return {one.key: _check(one, tables, cutoff=cutoff) for one in asked.values()}


def _check(training: Training, tables: Tables, *, cutoff: datetime) -> OriginCheck | str:
    try:
        return check_origin(tables, as_of=cutoff, catalogue=training.bundle.catalogue, kind=training.kind)
    except NotEnoughDataError as error:
        return error.sentence()


def _audited(
    found: Training | Untrained,
    *,
    manifest: Manifest,
    tables: Tables,
    cutoff: datetime,
    config: Config,
    progress: Progress | None,
) -> Training | Untrained:
    if isinstance(found, Untrained):
        return found
    what = f"audit {found.bundle.name}"
    if progress:
        progress(what, 0, 1)
    audit = audit_rows(
        tables,
        rows=found.rows,
        folds=found.learned.folds,
        kind=found.kind,
        cutoff=cutoff,
        config=config.of_model(found.key),
    )
    if progress:
        progress(what, 1, 1)
    return replace(found, bundle=with_audit(found.bundle, audit.to_json()))


def _finished(found: Training | Untrained, *, config: Config) -> Training | Untrained:
    """The training with the ideal customer profile and its settings in the card."""
    if isinstance(found, Untrained):
        return found
    told = with_profile(found, settings=config.profile)
    labels = config.of_model(found.key).labels
    return replace(told, bundle=with_settings(told.bundle, labels=labels, serving=config.serving))


def _cost(one: Training, *, config: Config) -> Measured | None:
    if not config.backtest.monotone_cost:
        return None
    many = config.backtest.replicates
    return cost_of_training(one.rows, learned=one.learned, settings=one.settings, replicates=many)


def _track(
    workspace: Workspace,
    found: list[Training | Untrained],
    *,
    tables: Tables,
    origins: Mapping[ModelKey, OriginCheck | str],
    manifest: Manifest,
    cutoff: datetime,
    config: Config,
    models: Collection[ModelKey] | None,
    progress: Progress | None,
) -> TrainReport:
    # MLflow, the store and the plots take seconds to import, which a refusal above should not cost.
    from training.gate.asking import served
    from training.plots import beeswarm, curves
    from training.report import write_report
    from training.tracking.registered import shown_uri
    from training.tracking.registration import registering
    from training.tracking.track import Tracker

    trained = [one for one in found if isinstance(one, Training)]
    untrained = [one for one in found if isinstance(one, Untrained)]
    metrics = {one.key: evaluate(one.learned.later, replicates=config.backtest.replicates) for one in trained}
    present, secret = served(workspace), workspace_secret(workspace)
    kept = {
        one.key: to_hold_out(
            one,
            present=present,
            secret=secret,
            tables=tables,
            manifest=manifest,
            config=config,
            progress=progress,
        )
        for one in trained
    }
    beeswarms = {one.key: beeswarm(one) for one in trained}
    costs = {one.key: cost for one in trained if (cost := _cost(one, config=config)) is not None}
    page = write_report(
        workspace,
        found,
        metrics=metrics,
        cutoff=cutoff,
        name=config.workspace.name,
        origins=origins,
        beeswarms=beeswarms,
        costs=costs,
    )
    with registering(workspace):
        tracker, tracked = Tracker(workspace, name=manifest.workspace), []
        tracker.settle()
        for done, one in enumerate(trained):
            if progress:
                progress("track in MLflow", done, len(trained))
            run_id = tracker.log(
                one,
                metrics=metrics[one.key],
                figures={"curves": curves(one.learned.later), "beeswarm": beeswarms[one.key]},
                report=page,
                held=kept[one.key],
            )
            tracked.append(TrainedModel(one, metrics[one.key], run_id, costs.get(one.key)))
        logged = {model.training.key: (model.training.bundle, model.run_id) for model in tracked}
        learned = learned_from(config, data_fingerprint=manifest.fingerprint, cutoff=cutoff)
        tracker.register(logged, tags={LEARNED_FROM_TAG: learned}, asked=models)
        if progress:
            progress("track in MLflow", len(trained), len(trained))
    uri = shown_uri(workspace.mlflow_uri)
    return TrainReport(cutoff, tuple(tracked), tuple(untrained), page, uri, tracker.artifacts, origins)
