"""The bundle: everything that a served model is, as data.

Turns a booster, its catalogue, calibration, intervals, grade cuts, reference population and card into a
directory of text files, or into bytes, and back; there is no pickle and no code in it. Time rule: the card
names the cutoff that the model learned up to; the fingerprint leaves out when and where the bundle was made.
Null rule: a bundle is complete or it is an error.
"""

from __future__ import annotations

import io
import json
import math
import os
import platform
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np

from features.catalogue import Catalogue
from features.contract import CONTRACT_VERSION
from features.errors import BundleError, InputError, SpearfishError
from models.booster import Matrix, booster_feature_names
from models.calibration import Calibration, probability
from models.card import NAMES, Card, CardFacts, Kind, ModelKey, key_of, kind_of
from models.grades import GradeCuts, Reference
from models.intervals import Intervals
from models.linear import LinearPart
from models.margin import MarginModel

__all__ = ["NAMES", "Bundle", "Card", "CardFacts", "GoldenRow", "Kind", "load", "machine_type", "save"]

_FORMAT = 2
_MANIFEST = "manifest.json"
_LINEAR = "linear.json"
_LARGEST_FILE = 1 << 30
_TRAIN_AGAIN = "restore the bundle from its release, or train again"


@dataclass(frozen=True)
class GoldenRow:
    """One row with its scores, every number as float.hex()."""

    features: tuple[str, ...]
    logit: str
    probability: str

    @classmethod
    def of(cls, row: Matrix, *, logit: float) -> GoldenRow:
        return cls(tuple(map(float.hex, row.tolist())), logit.hex(), probability(logit).hex())


@dataclass(frozen=True)
class Bundle:
    """A model, ready to be stored and served. Make one with `models.making.make_bundle`.

    booster_text: LightGBM's text. catalogue: the columns of the matrix, in the booster's order.
    linear: what the booster's margin is added to, where there is such a part.
    calibration: margin to log-odds. intervals: log-odds to their bounds. cuts, reference: probability to
    score and grade.
    golden: rows that this bundle must reproduce wherever it is loaded.
    Raises BundleError when the parts do not belong together.
    """

    kind: Kind
    booster_text: str
    catalogue: Catalogue
    calibration: Calibration
    intervals: Intervals
    cuts: GradeCuts
    reference: Reference
    card: Card
    golden: tuple[GoldenRow, ...]
    linear: LinearPart | None = None

    def __post_init__(self) -> None:
        if self.kind not in NAMES:
            raise BundleError("unknown kind of model", got=repr(self.kind), allowed=", ".join(NAMES))
        key = key_of(self.name)
        if key is None or kind_of(key) != self.kind:
            raise BundleError(
                "the name of a model does not belong to its kind", got=self.name, allowed=NAMES[self.kind]
            )
        trained_on = booster_feature_names(self.booster_text)
        if trained_on != self.catalogue.names:
            raise BundleError(
                "booster and catalogue name different columns",
                got=_first_difference(trained_on, self.catalogue.names),
                allowed="the catalogue's names, in its order",
                fix="train with feature_name=list(catalogue.names)",
            )
        if self.linear is not None:
            self.linear.require_fitting(self.catalogue)

    @property
    def name(self) -> str:
        """The registered name: icp_fit, buying_intent, or that of a named model, such as icp_fit.emea."""
        return self.card["name"]

    @property
    def key(self) -> ModelKey:
        """What it is called beside other models: fit, intent, or fit.emea."""
        return key_of(self.name) or self.kind

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content without times and paths: the same data trained twice gives it twice."""
        card = {key: value for key, value in self.card.items() if key != "provenance"}
        return _fingerprint(self.files() | {"card.json": _json(card)})

    @property
    def version(self) -> str:
        """The first twelve characters of the fingerprint, for people and answers."""
        return self.fingerprint[:12]

    def margin_model(self, *, threads: int | None = None) -> MarginModel:
        """The trees and the linear part, ready to score."""
        return MarginModel(self.booster_text, linear=self.linear, threads=threads)

    def files(self) -> dict[str, bytes]:
        """The content by file name, without the manifest; the same bytes for the same bundle."""
        contract = {
            "catalogue": json.loads(self.catalogue.to_json()),
            "contract_version": CONTRACT_VERSION,
            "fingerprint": self.catalogue.fingerprint,
        }
        golden = [
            {"features": row.features, "logit": row.logit, "probability": row.probability}
            for row in self.golden
        ]
        lines = {} if self.linear is None else {_LINEAR: _json(self.linear.to_json())}
        return lines | {
            "calibration.json": _json(self.calibration.to_json()),
            "card.json": _json(self.card),
            "contract.json": _json(contract),
            "golden.json": _json(golden),
            "grades.json": _json(self.cuts.to_json()),
            "intervals.json": _json(self.intervals.to_json()),
            "model.txt": self.booster_text.encode(),
            "reference.json": _json(self.reference.to_json()),
        }

    def verify(self) -> None:
        """Score the golden rows again.

        Every bit must be the same under the LightGBM version and machine type of the training, and within
        1e-12 elsewhere. Raises BundleError otherwise.
        """
        here = (version("lightgbm"), machine_type())
        exact = here == (self.card["lightgbm_version"], self.card["machine"])
        rows = np.array([[float.fromhex(cell) for cell in row.features] for row in self.golden])
        logits = self.calibration.logits(self.margin_model().margins(rows)).tolist()
        for position, (row, logit) in enumerate(zip(self.golden, logits, strict=True)):
            for what, got, stored in (
                ("logit", logit, row.logit),
                ("probability", probability(logit), row.probability),
            ):
                _require_same(f"{what} of golden row {position}", got, float.fromhex(stored), exact=exact)

    def to_bytes(self) -> bytes:
        """The whole bundle as an uncompressed tar; the same bytes for the same bundle."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in sorted(self._all_files().items()):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Bundle:
        """The bundle that `to_bytes` wrote. BundleError when it is damaged or was altered."""
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                files = {
                    member.name: cast(io.BufferedReader, archive.extractfile(member)).read()
                    for member in archive.getmembers()
                    if member.isfile() and member.size < _LARGEST_FILE
                }
        except tarfile.TarError as error:
            raise BundleError("bytes are no bundle", got=error, fix=_TRAIN_AGAIN) from error
        return _from_files(files)

    def _all_files(self) -> dict[str, bytes]:
        files = self.files()
        manifest = {
            "files": {name: sha256(content).hexdigest() for name, content in files.items()},
            "fingerprint": self.fingerprint,
            "format": _FORMAT,
            "name": self.name,
        }
        return files | {_MANIFEST: _json(manifest)}


def machine_type() -> str:
    """What floating-point results may depend on: system, processor family, C library."""
    return "-".join([sys.platform, platform.machine(), "".join(platform.libc_ver())]).rstrip("-")


def save(bundle: Bundle, directory: Path) -> Path:
    """Write a bundle to a directory that does not exist yet, whole or not at all; returns the directory.

    Bundles do not change: saving the same one again does nothing, saving another one over it is an
    InputError. Name directories by `bundle.fingerprint`.
    """
    if directory.exists():
        return _require_saved(bundle, directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        partial.chmod(0o755)
        for name, content in bundle._all_files().items():
            _write(partial / name, content)
        partial.replace(directory)
    except OSError:
        # Another process may have saved the same bundle in the meantime.
        if not (directory / _MANIFEST).is_file():
            raise
        return _require_saved(bundle, directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return directory


def load(directory: Path) -> Bundle:
    """The bundle in a directory. BundleError when it is incomplete, damaged or was altered."""
    try:
        files = {path.name: path.read_bytes() for path in sorted(directory.iterdir()) if path.is_file()}
    except OSError as error:
        raise BundleError(
            f"bundle {directory.name} cannot be read", got=error.strerror, fix=_TRAIN_AGAIN
        ) from error
    return _from_files(files)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _require_saved(bundle: Bundle, directory: Path) -> Path:
    present = load(directory)
    if present.fingerprint != bundle.fingerprint:
        raise InputError(
            f"directory {directory.name} holds another bundle",
            got=f"{present.name} {present.version}",
            allowed="a new directory per bundle",
            fix=f"name the directory by the fingerprint, {bundle.version}...",
        )
    return directory


def _from_files(files: Mapping[str, bytes]) -> Bundle:
    manifest = _parsed(files, _MANIFEST)
    _require_intact(files, manifest)
    try:
        bundle = _assembled(files)
    except SpearfishError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            "bundle lacks a value or holds one of another type", got=repr(error), fix=_TRAIN_AGAIN
        ) from error
    if bundle.fingerprint != manifest.get("fingerprint"):
        raise BundleError(
            "bundle does not have the fingerprint that its manifest states",
            got=bundle.fingerprint,
            allowed=manifest.get("fingerprint"),
            fix=_TRAIN_AGAIN,
        )
    return bundle


def _assembled(files: Mapping[str, bytes]) -> Bundle:
    card = cast(Card, _parsed(files, "card.json"))
    return Bundle(
        kind=card["kind"],
        booster_text=files["model.txt"].decode(),
        catalogue=_catalogue(_parsed(files, "contract.json")),
        calibration=Calibration.from_json(_parsed(files, "calibration.json")),
        intervals=Intervals.from_json(_parsed(files, "intervals.json")),
        cuts=GradeCuts.from_json(_parsed(files, "grades.json")),
        reference=Reference.from_json(_parsed(files, "reference.json")),
        card=card,
        golden=tuple(
            GoldenRow(tuple(row["features"]), row["logit"], row["probability"])
            for row in _parsed(files, "golden.json")
        ),
        linear=LinearPart.from_json(_parsed(files, _LINEAR)) if _LINEAR in files else None,
    )


def _catalogue(contract: Mapping[str, Any]) -> Catalogue:
    if contract["contract_version"] != CONTRACT_VERSION:
        raise BundleError(
            "bundle was trained under another data contract",
            got=f"version {contract['contract_version']!r}",
            allowed=f"version {CONTRACT_VERSION}",
            fix="ingest and train again with this release of spearfish",
        )
    catalogue = Catalogue.from_json(json.dumps(contract["catalogue"], ensure_ascii=False))
    if catalogue.fingerprint != contract["fingerprint"]:
        raise BundleError(
            "feature catalogue reads differently than when it was stored",
            got=catalogue.fingerprint,
            allowed=contract["fingerprint"],
            fix="train again with this release of spearfish",
        )
    return catalogue


def _require_intact(files: Mapping[str, bytes], manifest: Any) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise BundleError(
            "bundle has another format",
            got=manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__,
            allowed=_FORMAT,
            fix="train again with this release of spearfish",
        )
    stated = manifest.get("files")
    present = {name: sha256(content).hexdigest() for name, content in files.items() if name != _MANIFEST}
    if stated != present:
        hashes = stated if isinstance(stated, dict) else {}
        wrong = sorted(name for name in hashes | present if hashes.get(name) != present.get(name))
        raise BundleError(
            "bundle was altered or is incomplete",
            got=", ".join(f"{name} {_fault(name, hashes, present)}" for name in wrong),
            allowed="exactly the files of the manifest, with their SHA-256",
            fix=_TRAIN_AGAIN,
        )


def _fault(name: str, stated: Mapping[str, str], present: Mapping[str, str]) -> str:
    if name not in present:
        return "is missing"
    return "differs" if name in stated else "does not belong there"


def _require_same(what: str, got: float, stored: float, *, exact: bool) -> None:
    same = got == stored if exact else math.isclose(got, stored, rel_tol=1e-12, abs_tol=1e-12)
    if not same:
        raise BundleError(
            f"{what} is not reproduced",
            got=got.hex(),
            allowed=f"{stored.hex()}{'' if exact else ' within 1e-12'}",
            fix="install the LightGBM version named in the model card, or train again",
        )


def _parsed(files: Mapping[str, bytes], name: str) -> Any:
    if name not in files:
        raise BundleError(f"bundle lacks {name}", got=sorted(files), fix=_TRAIN_AGAIN)
    try:
        return json.loads(files[name])
    except ValueError as error:
        raise BundleError(f"{name} is no JSON", got=error, fix=_TRAIN_AGAIN) from error


def _json(value: object) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BundleError(
            "bundle holds a value that JSON cannot hold",
            got=error,
            allowed="text, finite numbers, yes or no, null, lists and objects of them",
            fix="write null for a metric that is undefined",
        ) from error
    return f"{text}\n".encode()


def _fingerprint(files: Mapping[str, bytes]) -> str:
    lines = (f"{name} {sha256(content).hexdigest()}\n" for name, content in sorted(files.items()))
    return sha256("".join(lines).encode()).hexdigest()


def _first_difference(got: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    for position, (one, other) in enumerate(zip(got, wanted, strict=False)):
        if one != other:
            return f"column {position} is {one!r} in the booster and {other!r} in the catalogue"
    return f"{len(got)} columns in the booster and {len(wanted)} in the catalogue"
