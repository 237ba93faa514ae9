"""The gate: who is worse, who is calibrated, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import BundleError, InputError
from features.settings import GateSettings
from features.tables import Tables
from training.fit import Training
from training.gate.calibrated import Calibrated, TooFew, forward_calibration
from training.gate.comparing import compare, compared
from training.gate.contest import Champion, Contest
from training.gate.held_out import HeldOut, held_out, read_held_out
from training.gate.judging import forced, judge, require_passed
from training.gate.rehearsal import rehearse

NOON = datetime.fromisoformat("2026-05-01T12:00:00")
SETTINGS = GateSettings(replicates=200)
SECRET = b"of the workspace"


def made_rows(*, rows: int = 4_000, seed: int = 0) -> pd.DataFrame:
    """Two slices of rows whose probabilities are true."""
    random = np.random.default_rng(seed)
    logit = random.normal(-2.0, 1.5, size=rows)
    chance = 1 / (1 + np.exp(-logit))
    newer = np.arange(rows) >= rows // 2
    return pd.DataFrame(
        {
            "account_id": [f"a{k % (rows // 2)}" for k in range(rows)],
            "as_of": np.where(newer, np.datetime64("2025-02-01"), np.datetime64("2025-01-01")),
            "slice": newer.astype(np.int64),
            "label": (random.random(rows) < chance).astype(np.int64),
            "probability": chance,
            "logit": logit,
        }
    )


def probability(logit: pd.Series[float]) -> pd.Series[float]:
    return 1 / (1 + np.exp(-logit))


def pair(**noise: float) -> pd.DataFrame:
    """Two rankings of the same rows: the true logit with normal noise of these deviations."""
    random, rows = np.random.default_rng(1), made_rows()
    drawn = {
        name: rows["logit"] + random.normal(scale=scale, size=len(rows)) for name, scale in noise.items()
    }
    return rows.assign(**{name: probability(logit) for name, logit in drawn.items()})


@pytest.mark.parametrize(
    ("noise", "keep", "outcome", "told"),
    [
        ({"challenger": 0.0, "champion": 0.0}, 0.95, "passed", "ahead by"),
        ({"challenger": 0.5, "champion": 1.5}, 1.0, "passed", "ahead by 0."),
        # Somewhat behind, and the margin bears it, as it may be chance.
        ({"challenger": 0.44, "champion": 0.5}, 0.95, "passed", "ahead by -0."),
        # Within the margin, and yet worse beyond doubt.
        ({"challenger": 0.8, "champion": 0.5}, 0.95, "failed", "surely worse"),
        ({"challenger": 0.8, "champion": 0.5}, 1.0, "failed", "holds 100 %"),
        ({"challenger": 20.0, "champion": 0.0}, 0.95, "failed", "in 0 % of the replicates, 50 % needed"),
    ],
)
def test_a_challenger_may_not_be_worse(noise: dict[str, float], keep: float, outcome: str, told: str) -> None:
    check = compared(pair(**noise), settings=SETTINGS.model_copy(update={"keep": keep}), basis="by hand")
    assert (check.outcome, told in check.sentence) == (outcome, True)
    figures = check.figures
    assert figures["ahead"]["value"] == pytest.approx(
        figures["challenger"]["value"] - figures["champion"]["value"]
    )
    assert figures["base_rate"] == pytest.approx(made_rows()["label"].mean())


@pytest.mark.parametrize(
    ("slope", "shift", "broken", "off"),
    [
        (1.0, 0.0, False, ()),
        (3.0, 0.0, True, ("probabilities too low", "probabilities too bold")),
        (1.0, 1.5, True, ("probabilities too high",)),
        (1.0, 0.1, False, ("probabilities too high",)),
    ],
    ids=["true", "overconfident of late", "too high of late", "nearly true"],
)
def test_calibration_is_judged_on_the_newest_slice(
    slope: float, shift: float, broken: bool, off: tuple[str, ...]
) -> None:
    rows = made_rows()
    late = rows["slice"] == 1
    logit = rows["logit"].where(~late, rows["logit"] * slope + shift)
    found = forward_calibration(rows.assign(probability=probability(logit)), smallest=5, replicates=200)
    assert isinstance(found, Calibrated)
    assert found.rows == late.sum()
    assert found.broken(slope=SETTINGS.slope, level=SETTINGS.level) is broken
    assert found.slope.value == pytest.approx(1 / slope, abs=0.15)
    assert found.surely_off == off


def test_a_line_fitted_on_all_slices_is_found_out() -> None:
    """The stored probabilities are calibrated on every slice together; the newest one alone is judged."""
    rows = made_rows()
    stretched = rows.assign(probability=probability(rows["logit"] * 3))
    found = forward_calibration(stretched, smallest=5, replicates=100)
    # The line of the earlier slice undoes what is the same on both.
    assert isinstance(found, Calibrated)
    assert not found.broken(slope=SETTINGS.slope, level=SETTINGS.level)


@pytest.mark.parametrize("dates", [2, 1])
def test_one_slice_is_cut_at_its_middle_date_or_into_halves_of_its_accounts(dates: int) -> None:
    rows = made_rows().assign(slice=0)
    if dates == 1:
        rows = rows.assign(as_of=np.datetime64("2025-01-01"))
    found = forward_calibration(rows, smallest=5, replicates=100)
    assert isinstance(found, Calibrated)
    assert found.rows == pytest.approx(len(rows) / 2, rel=0.01)


def test_too_few_events_are_told() -> None:
    rows = made_rows(rows=40).assign(label=[1] + 39 * [0])
    found = forward_calibration(rows, smallest=5, replicates=100)
    assert isinstance(found, TooFew)
    assert "1 with the event and 19 without, 5 needed" in found.sentence


@pytest.fixture(scope="module")
def held(fit_training: Training) -> HeldOut:
    return held_out(fit_training, settings=SETTINGS, secret=SECRET)


def test_held_out_rows_come_back_without_naming_an_account(
    held: HeldOut, fit_training: Training, tmp_path: Path
) -> None:
    later = fit_training.learned.later
    again = read_held_out(held.save(tmp_path / "rows"), secret=SECRET)
    assert again.settings == SETTINGS
    stored = (tmp_path / "rows" / "rows.parquet").read_bytes() + "".join(again.rows["key"]).encode()
    assert not [one for one in later["account_id"].unique() if one.encode() in stored]
    back = again.of(later["account_id"].unique()).set_index(["account_id", "as_of"])["probability"]
    wanted = later.drop_duplicates(["account_id", "as_of"]).set_index(["account_id", "as_of"])["probability"]
    pd.testing.assert_series_equal(back.sort_index(), wanted.sort_index())
    forgotten = later["account_id"].iloc[0]
    assert forgotten not in set(again.of(set(later["account_id"]) - {forgotten})["account_id"])


def test_nobody_finds_an_account_without_the_secret(
    held: HeldOut, fit_training: Training, tmp_path: Path
) -> None:
    """All that lies in the folder is known: neither another secret nor a hash of it leads to a row."""
    folder = held.save(tmp_path / "rows")
    accounts = fit_training.learned.later["account_id"].unique()
    assert read_held_out(folder, secret=b"another").of(accounts).empty
    stored = pq.read_table(folder / "rows.parquet")
    noted = stored.schema.metadata.values()
    tried = {
        sha256(one + sign + account.encode()).hexdigest()[:32]
        for one in (b"", *noted)
        for sign in (b"", b":")
        for account in accounts
    }
    assert not tried & set(stored["key"].to_pylist())
    assert not [one for one in noted if SECRET in one or SECRET.hex().encode() in one]
    assert repr(SECRET) not in repr(held)


def test_damaged_rows_are_refused(held: HeldOut, tmp_path: Path) -> None:
    folder = held.save(tmp_path / "rows")
    (folder / "rows.parquet").write_bytes(b"no rows")
    with pytest.raises(BundleError, match="held-out rows of a model cannot be read"):
        read_held_out(folder, secret=SECRET)


def test_a_champion_scores_what_it_could_not_know(
    held: HeldOut, fit_training: Training, market: Tables
) -> None:
    """It is asked about rows whose outcome it did not know; where there are none, both held-out rows are."""
    bundle = fit_training.bundle
    card = bundle.card | {"cutoff": "2020-01-01T00:00:00Z"}
    early = Champion("fit", "other", replace(bundle, card=card), None)
    check = compare(held, contest=Contest("fit", (early,)), tables=market, settings=SETTINGS).check
    assert "not known when the served model was trained" in check.sentence
    assert check.figures["rows"] == len(held.of(fit_training.rows.frame["account_id"].unique()))
    # This champion learned from these rows, so the honest challenger is behind it.
    assert check.figures["champion"]["value"] > check.figures["challenger"]["value"]
    itself = Contest("fit", (Champion("fit", bundle.fingerprint, bundle, held),))
    same = compare(held, contest=itself, tables=market, settings=SETTINGS).check
    assert same.outcome == "passed"
    assert "both models held out" in same.sentence
    assert same.figures["ahead"] == {"value": 0.0, "low": 0.0, "high": 0.0, "base": 0.0}


def test_what_cannot_be_compared_is_refused_unless_somebody_answers_for_it(
    held: HeldOut, fit_training: Training, market: Tables
) -> None:
    bundle = fit_training.bundle
    contest = Contest("fit", (Champion("fit", "f" * 64, bundle, None),))
    verdict = judge(bundle, held=held, contest=contest, tables=market, at=NOON)
    assert verdict.outcome == "refused"
    with pytest.raises(InputError, match=r"gate refuses icp_fit \w{12}: comparison .*0 with the event"):
        require_passed({"fit": verdict}, force=None)
    with pytest.raises(InputError, match="needs a reason"):
        require_passed({"fit": verdict}, force=" ")
    require_passed({"fit": verdict}, force="the label changed")
    (kept,) = forced([verdict], why="the label changed", who="Ada", at=NOON)
    assert kept == {
        "model": bundle.fingerprint,
        "kind": "gate_comparison",
        "column": "",
        "why": "the label changed",
        "who": "Ada",
        "at": "2026-05-01T12:00:00Z",
    }


def test_without_a_champion_there_is_nothing_to_compare_with(
    held: HeldOut, fit_training: Training, market: Tables
) -> None:
    verdict = judge(fit_training.bundle, held=held, contest=Contest("fit"), tables=market, at=NOON)
    assert [check.outcome for check in verdict.checks] == ["does not apply", "passed"]
    assert verdict.champion is None


def test_a_model_without_held_out_rows_has_shown_nothing(fit_training: Training, market: Tables) -> None:
    verdict = judge(fit_training.bundle, held=None, contest=Contest("fit"), tables=market, at=NOON)
    assert [check.outcome for check in verdict.checks] == ["does not apply", "failed"]


def test_a_rehearsal_learns_from_what_the_champion_could_know_and_predicts_the_rest(
    intent_training: Training, market: Tables
) -> None:
    known_at = intent_training.rows.frame["label_known_at"]
    cutoff = known_at.quantile(0.8).to_pydatetime()
    rows = rehearse(intent_training, cutoff=cutoff, smallest=5)
    assert rows is not None
    assert len(rows) == (known_at > cutoff).sum()
    held = held_out(intent_training, settings=SETTINGS, secret=SECRET, rehearsed=rows, rehearsed_at=cutoff)
    card = intent_training.bundle.card | {"cutoff": f"{cutoff.isoformat()}Z"}
    champion = Champion("intent", "other", replace(intent_training.bundle, card=card), None)
    check = compare(held, contest=Contest("intent", (champion,)), tables=market, settings=SETTINGS).check
    assert "the challenger rehearsed" in check.sentence
    assert check.figures["rows"] == len(rows.drop_duplicates(["account_id", "as_of"]))


def test_nothing_is_rehearsed_where_nothing_became_known(intent_training: Training) -> None:
    newest = intent_training.rows.frame["label_known_at"].max().to_pydatetime()
    assert rehearse(intent_training, cutoff=newest, smallest=5) is None
