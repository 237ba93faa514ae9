"""What a promotion asks of the gate: verdicts on the models that it is to serve.

Turns chosen versions and what is served into one verdict per model: each is judged against what answers its
accounts today, whatever that is called. Time rule: see the checks. Null rule: a workspace without a store
serves nothing; a model that is served already keeps the verdict of its release, and is not judged against
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from operator import itemgetter
from typing import Any

import pandas as pd

from features.errors import BundleError, InputError, WorkspaceError
from features.label_settings import RowSettings
from features.model_keys import Kind, ModelKey, kind_of
from features.settings import GateSettings
from features.tables import Tables
from features.workspace import Manifest, Workspace
from models.bundle import Bundle
from models.choice import in_order, rows_of, turn
from serving.store import Release, Store
from serving.store.engine import database_exists
from training.gate.contest import Champion, Contest, cutoff_of
from training.gate.held_out import HeldOut
from training.gate.judging import GATE_WAIVER, judge
from training.gate.verdict import Verdict
from training.tracking.registered import RegisteredModels
from training.tracking.versions import Known, Version

__all__ = [
    "Served",
    "ask",
    "has_store",
    "kept",
    "replaced_cutoff",
    "require_columns",
    "served",
]


@dataclass(frozen=True)
class Served:
    """The release that was chosen last, and the bytes of its bundles by model, each read once."""

    release: Release
    contents: Mapping[ModelKey, bytes]
    _read: dict[ModelKey, Bundle] = field(default_factory=dict, init=False, repr=False, compare=False)

    def holds(self, bundle: Bundle) -> bool:
        return self.release.fingerprints.get(bundle.key) == bundle.fingerprint

    def bundle(self, key: ModelKey) -> Bundle:
        """Raises BundleError where this version of spearfish cannot read it."""
        if key not in self._read:
            self._read[key] = Bundle.from_bytes(self.contents[key])
        return self._read[key]

    def champions(
        self, kind: Kind, *, manifest: Manifest, held: Callable[[ModelKey, str], HeldOut | None]
    ) -> tuple[Champion, ...]:
        """The models of a kind, in the order in which they are asked.

        manifest: of the tables that they are to be scored on. held: what the training of a model and
        fingerprint held out.
        """
        keys = [key for key in self.contents if kind_of(key) == kind]
        found = [self._champion(key, manifest=manifest, held=held) for key in keys]
        return tuple(champion for _, champion in sorted(found, key=itemgetter(0)))

    def _champion(
        self, key: ModelKey, *, manifest: Manifest, held: Callable[[ModelKey, str], HeldOut | None]
    ) -> tuple[tuple[bool, int, ModelKey], Champion]:
        """One of them, behind when it is asked."""
        settings = self.release.settings
        asked, labels = turn(key, card={}, settings=settings), None
        told = Champion(key, self.release.fingerprints[key], None, held(key, self.release.fingerprints[key]))
        try:
            labels = rows_of(settings, key=key)
            bundle = self.bundle(key)
            asked = turn(key, card=bundle.card, settings=settings)
            require_columns(bundle, manifest)
        except (BundleError, WorkspaceError) as error:
            return asked, replace(told, labels=labels, fault=error.sentence())
        except InputError as error:
            # Its population may rest on the column that is gone, so that it cannot be asked either.
            return asked, replace(told, fault=error.sentence())
        return asked, replace(told, labels=labels, bundle=bundle)


def served(workspace: Workspace) -> Served | None:
    """What is served, without making a store where there is none."""
    if not has_store(workspace):
        return None
    with Store.open(workspace.store_url) as store:
        release = store.chosen()
        if release is None:
            return None
        found = release.fingerprints.items()
        return Served(release, {key: store.bundle_bytes(fingerprint) for key, fingerprint in found})


def replaced_cutoff(
    present: Served | None,
    *,
    bundle: Bundle,
    rows: pd.DataFrame,
    before: tuple[RowSettings | None, ...],
    tables: Tables,
    manifest: Manifest,
) -> datetime | None:
    """Up to when the served model that answers most of these rows has learned; None where that is not known.

    present: what is served. bundle: of the training. rows: account_id, as_of, that it learned from. before:
    labels of the models that will be asked before it, whose rows are theirs. tables, manifest: of the
    training.
    """
    if present is None:
        return None
    champions = present.champions(bundle.kind, manifest=manifest, held=lambda *_: None)
    contest = Contest(bundle.key, champions, _labels(bundle), before)
    main = contest.main(contest.of(rows, tables=tables).rows)
    return None if main is None or main.bundle is None else cutoff_of(main.bundle)


def has_store(workspace: Workspace) -> bool:
    """Whether there is a store to open; one that is not a file of SQLite's always is."""
    return database_exists(workspace.store_url)


def ask(
    workspace: Workspace,
    bundles: Mapping[ModelKey, Bundle],
    *,
    registered: RegisteredModels,
    known: Known,
    versions: Mapping[ModelKey, Version],
    present: Served | None,
    at: datetime,
    release_settings: Mapping[str, Any],
    settings: GateSettings | None = None,
) -> dict[ModelKey, Verdict]:
    """The verdict on each model that is not served yet; all but the last argument as promotion has them."""

    def held(key: ModelKey, fingerprint: str) -> HeldOut | None:
        version = next((one for one in known.get(key, ()) if one.fingerprint == fingerprint), None)
        return None if version is None else registered.held_out(version)

    fresh = {key: one for key, one in bundles.items() if not (present and present.holds(one))}
    release = in_order(bundles.values(), settings=release_settings)
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        champions = {
            kind: present.champions(kind, manifest=manifest, held=held) if present else ()
            for kind in {kind_of(key) for key in fresh}
        }
        return {
            key: judge(
                bundle,
                held=registered.held_out(versions[key]),
                contest=_contest(bundle, champions[bundle.kind], release=release),
                tables=tables,
                at=at,
                settings=settings,
            )
            for key, bundle in fresh.items()
        }


def _contest(challenger: Bundle, champions: tuple[Champion, ...], *, release: Sequence[Bundle]) -> Contest:
    """release: that is to be, in the order in which its models are asked."""
    same = [one for one in release if one.kind == challenger.kind]
    before = takewhile(lambda one: one.key != challenger.key, same)
    return Contest(challenger.key, champions, _labels(challenger), tuple(map(_labels, before)))


def _labels(bundle: Bundle) -> RowSettings | None:
    """Whom a model is about, as its card says; None where it does not."""
    noted = bundle.card.get("trained_with")
    return None if noted is None else rows_of({"labels": {bundle.kind: noted["labels"]}}, key=bundle.kind)


def kept(
    present: Served | None, bundles: Mapping[ModelKey, Bundle], *, keep: Collection[ModelKey] = ()
) -> tuple[dict[str, Any], Sequence[Mapping[str, str]]]:
    """Of models that stay: their verdicts by model, and what somebody answered for then.

    keep: those whose audits are not asked anew, so that what was answered of these is given, too.
    """
    if present is None:
        return {}, ()
    stay = {key: bundle.fingerprint for key, bundle in bundles.items() if present.holds(bundle)}
    settings = present.release.settings
    verdicts = {key: told for key, told in settings.get("gate", {}).items() if key in stay}
    waivers = [
        dict(one)
        for one in settings.get("waivers", ())
        if (one["kind"].startswith(GATE_WAIVER) and one["model"] in stay.values())
        or one["model"] in {stay[key] for key in keep}
    ]
    return verdicts, waivers


def require_columns(bundle: Bundle, manifest: Manifest) -> None:
    """A model needs the further account columns that it was trained with."""
    present = {(attribute.name, attribute.type) for attribute in manifest.attributes}
    needed = {(attribute.name, attribute.type) for attribute in bundle.catalogue.attributes}
    if needed - present:
        raise InputError(
            f"{bundle.name} {bundle.version} was trained on account columns that the workspace lacks",
            got=", ".join(sorted(name for name, _ in needed - present)),
            allowed=", ".join(sorted(name for name, _ in present)) or "no further account columns",
            fix="train again on the tables of this workspace",
        )
