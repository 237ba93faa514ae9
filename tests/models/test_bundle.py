"""A bundle is data: the same everywhere, never half-written, never silently altered."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from small_world import CATALOGUE, FACTS, World, make, make_world, train

from features.catalogue import Catalogue
from features.errors import BundleError, InputError, NotEnoughDataError
from features.settings import FitLabelSettings, IntentLabelSettings, LabelSettings, ServingSettings
from models import bundle as bundle_module
from models.bundle import Bundle, CardFacts, load, machine_type, save
from models.making import with_settings
from models.scoring import Scorer


@pytest.fixture
def saved(bundle: Bundle, tmp_path: Path) -> Path:
    return save(bundle, tmp_path / "bundles" / bundle.fingerprint)


def test_a_round_trip_keeps_every_bit(bundle: Bundle, saved: Path, world: World) -> None:
    for copy in (load(saved), Bundle.from_bytes(bundle.to_bytes())):
        assert copy == bundle
        assert copy.fingerprint == bundle.fingerprint
        assert copy.to_bytes() == bundle.to_bytes()
        copy.verify()
        assert list(Scorer(copy).explain(world.X[:20])) == list(Scorer(bundle).explain(world.X[:20]))


def test_the_directory_holds_text_with_its_hashes_and_nothing_else(bundle: Bundle, saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    stated = json.loads((saved / "manifest.json").read_text())["files"]
    assert names == {*stated, "manifest.json"}
    assert {name: sha256((saved / name).read_bytes()).hexdigest() for name in stated} == stated
    assert [path for path in saved.parent.iterdir() if path != saved] == []


def test_training_twice_gives_one_fingerprint_whatever_the_time_and_place(world: World) -> None:
    elsewhere = CardFacts(
        **(FACTS | {"provenance": {"made_at": "1999-01-01T00:00:00Z", "path": "/elsewhere"}})
    )
    first, second = make(train(world), world), make(train(world), world, facts=elsewhere)
    assert first.fingerprint == second.fingerprint
    assert first.to_bytes() != second.to_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda bundle: replace(bundle, card=bundle.card | {"base_rate": 0.31}),
        lambda bundle: replace(bundle, calibration=replace(bundle.calibration, slope=0.84)),
        lambda bundle: replace(bundle, golden=bundle.golden[:-1]),
    ],
)
def test_any_change_of_content_changes_the_fingerprint(
    bundle: Bundle, change: Callable[[Bundle], Bundle]
) -> None:
    assert change(bundle).fingerprint != bundle.fingerprint


def test_the_settings_of_the_training_count_as_far_as_they_concern_the_kind(bundle: Bundle) -> None:
    """The bundle is a fit model: its card holds [labels.fit] and [serving]."""
    labels, serving = LabelSettings(), ServingSettings()
    noted = with_settings(bundle, labels=labels, serving=serving)
    gate = labels.model_copy(update={"fit": FitLabelSettings(product="gate")})
    month = labels.model_copy(update={"intent": IntentLabelSettings(horizon_days=30)})
    strict = ServingSettings(grade_cuts=(0.01, 0.02, 0.03))
    assert with_settings(bundle, labels=month, serving=serving).fingerprint == noted.fingerprint
    others = [bundle, with_settings(bundle, labels=gate, serving=serving)]
    others.append(with_settings(bundle, labels=labels, serving=strict))
    assert len({one.fingerprint for one in (noted, *others)}) == 4
    assert Bundle.from_bytes(noted.to_bytes()) == noted


def test_other_data_gives_another_fingerprint(bundle: Bundle) -> None:
    other = make_world(seed=4)
    assert make(train(other), other).fingerprint != bundle.fingerprint


FILES = ("model.txt", "contract.json", "calibration.json", "grades.json", "reference.json", "card.json")


@pytest.mark.parametrize("name", [*FILES, "golden.json"])
def test_an_altered_file_is_refused_by_name(saved: Path, name: str) -> None:
    path = saved / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(BundleError, match=f"{name} differs"):
        load(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_name(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        load(saved)


def test_a_file_that_does_not_belong_is_refused(saved: Path) -> None:
    (saved / "hook.py").write_text("import os")
    with pytest.raises(BundleError, match=r"hook\.py does not belong there"):
        load(saved)


def rewrite(directory: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Alter a file and mend its hash in the manifest: what only the content checks can catch."""
    path, manifest = directory / name, directory / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    stated = json.loads(manifest.read_text())
    stated["files"][name] = sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(stated))


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("calibration.json", lambda data: data | {"slope": -1.0}, "rising line"),
        ("calibration.json", lambda data: {"slope": 1.0}, "lacks a value"),
        ("calibration.json", lambda data: data | {"slope": 2.0}, "fingerprint that its manifest states"),
        ("card.json", lambda data: data | {"kind": "lookalike"}, "unknown kind"),
        ("card.json", lambda data: [], "lacks a value"),
        ("contract.json", lambda data: data | {"contract_version": 0}, "another data contract"),
        ("contract.json", lambda data: data | {"fingerprint": "0"}, "reads differently"),
        ("reference.json", lambda data: data | {"thresholds": [0.5]}, "distribution"),
        ("golden.json", lambda data: [{"features": []}], "lacks a value"),
    ],
)
def test_content_is_checked_even_when_the_hashes_agree(
    saved: Path, name: str, change: Callable[[Any], Any], words: str
) -> None:
    rewrite(saved, name, change)
    with pytest.raises(BundleError, match=words):
        load(saved)


@pytest.mark.parametrize("manifest", ["", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_manifest_is_refused(saved: Path, manifest: str) -> None:
    (saved / "manifest.json").write_text(manifest)
    with pytest.raises(BundleError):
        load(saved)


def test_a_missing_directory_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"cannot be read.*train again"):
        load(tmp_path / "absent")


@pytest.mark.parametrize("data", [b"", b"nonsense" * 200])
def test_bytes_that_are_no_bundle_are_refused(data: bytes) -> None:
    with pytest.raises(BundleError):
        Bundle.from_bytes(data)


def test_cut_bytes_are_refused(bundle: Bundle) -> None:
    data = bundle.to_bytes().rstrip(b"\0")  # an archive ends in zeros that nobody reads
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(BundleError):
            Bundle.from_bytes(data[: int(share * len(data))])


def test_bytes_hold_no_time_and_no_owner(bundle: Bundle) -> None:
    with tarfile.open(fileobj=io.BytesIO(bundle.to_bytes())) as archive:
        assert {(member.mtime, member.uid, member.gid, member.uname) for member in archive} == {(0, 0, 0, "")}


def test_saving_the_same_bundle_twice_does_nothing(bundle: Bundle, saved: Path) -> None:
    before = (saved / "model.txt").stat().st_mtime_ns
    assert save(bundle, saved) == saved
    assert (saved / "model.txt").stat().st_mtime_ns == before


def test_saving_over_another_bundle_is_refused(bundle: Bundle, saved: Path) -> None:
    with pytest.raises(InputError, match="holds another bundle"):
        save(replace(bundle, golden=bundle.golden[:-1]), saved)
    assert load(saved) == bundle


def test_a_save_that_fails_leaves_nothing_behind(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_module, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        save(bundle, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def nudged(bundle: Bundle, *, by: float) -> Bundle:
    row = bundle.golden[3]
    logit = (float.fromhex(row.logit) + by).hex()
    return replace(bundle, golden=(*bundle.golden[:3], replace(row, logit=logit), *bundle.golden[4:]))


def test_golden_rows_are_reproduced_bit_for_bit_here_and_within_1e_12_elsewhere(bundle: Bundle) -> None:
    bundle.verify()
    assert len(bundle.golden) == 16
    near, far = nudged(bundle, by=5e-13), nudged(bundle, by=5e-9)
    with pytest.raises(BundleError, match="logit of golden row 3"):
        near.verify()
    replace(near, card=near.card | {"machine": "plan9-vax"}).verify()
    replace(near, card=near.card | {"lightgbm_version": "0.1"}).verify()
    with pytest.raises(BundleError, match="within 1e-12"):
        replace(far, card=far.card | {"machine": "plan9-vax"}).verify()


def test_the_card_names_the_machine_and_the_library(bundle: Bundle) -> None:
    assert bundle.card["machine"] == machine_type()
    assert bundle.card["lightgbm_version"] == lightgbm.__version__
    assert (bundle.name, bundle.card["name"], len(bundle.version)) == ("icp_fit", "icp_fit", 12)


def test_a_booster_with_reordered_columns_is_refused(bundle: Bundle) -> None:
    names = CATALOGUE.features
    with pytest.raises(BundleError, match="column 1 is 'visits_7d' in the booster and 'visits_30d'"):
        replace(bundle, catalogue=Catalogue((names[0], names[2], names[1], *names[3:])))
    with pytest.raises(BundleError, match="12 columns in the booster and 11"):
        replace(bundle, catalogue=Catalogue(names[:-1]))


def test_a_card_that_json_cannot_hold_is_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="JSON"):
        replace(bundle, card=bundle.card | {"metrics": {"roc_auc": float("nan")}}).to_bytes()


@pytest.mark.parametrize(
    ("population", "error"),
    [
        (np.empty((0, 12)), NotEnoughDataError),
        (np.zeros((5, 11)), InputError),
        (np.zeros((5, 12), dtype=np.float32), InputError),
    ],
)
def test_a_reference_population_that_does_not_fit_is_refused(
    booster: lightgbm.Booster, world: World, population: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match="reference population"):
        make(booster, world, population=population)
