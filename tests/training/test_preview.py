"""The preview of a promotion: who changes grade, from which to which, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from trained_market import MARKET

from features.tables import Tables
from models.bundle import Bundle
from models.calibration import Calibration
from models.grades import Reference
from models.making import with_name
from training.fit import Training, matrix
from training.gate.preview import Half, KindPreview, preview_kind, serving_moment
from training.labels import known_accounts
from training.releasing.previewing import Preview


@pytest.fixture(scope="module")
def bundle(fit_training: Training) -> Bundle:
    return fit_training.bundle


def shifted(bundle: Bundle, *, by: float) -> Bundle:
    """The same model, all log-odds higher by so much."""
    line = bundle.calibration
    return replace(bundle, calibration=Calibration(line.slope, line.intercept + by), golden=())


def previewed(market: Tables, *, old: Bundle | None, new: Bundle | None) -> KindPreview:
    halves = [None if one is None else Half((one,), {}) for one in (old, new)]
    return preview_kind(market, kind="fit", old=halves[0], new=halves[1], as_of=MARKET.end)


def test_the_same_model_changes_no_grade(market: Tables, bundle: Bundle) -> None:
    found = previewed(market, old=bundle, new=bundle)
    assert found.changes.empty
    everyone = known_accounts(market, as_of=MARKET.end)
    assert found.counts.to_numpy().sum() == found.counts.to_numpy().trace() == len(everyone)


def test_higher_log_odds_raise_grades_and_the_baseline_is_why(market: Tables, bundle: Bundle) -> None:
    found = previewed(market, old=bundle, new=shifted(bundle, by=0.3))
    assert len(found.changes) > 0
    assert (found.changes["old_grade"] > found.changes["new_grade"]).all()
    assert set(found.changes["reasons"]) == {"baseline +0.30"}
    odds = [
        found.changes[f"{which}_probability"].pipe(lambda chance: chance / (1 - chance))
        for which in ("old", "new")
    ]
    assert (odds[1] / odds[0]).to_numpy() == pytest.approx(1.3498588)  # e to the 0.3
    scores = (
        Half((bundle,), {})
        .scorers[0]
        .score(matrix(market, known_accounts(market, as_of=MARKET.end), catalogue=bundle.catalogue))
    )
    assert found.counts.sum(axis=1)[:4].tolist() == [int((scores.grade == grade).sum()) for grade in "ABCD"]


def test_another_population_changes_grades_without_a_change_of_log_odds(
    market: Tables, bundle: Bundle
) -> None:
    chances = [min(1.0, 1.1 * value) for value in bundle.reference.thresholds]
    found = previewed(market, old=bundle, new=replace(bundle, reference=Reference.of(chances)))
    assert set(found.changes["reasons"]) == {"the population that it is compared with"}


def test_reasons_add_up_where_models_differ(
    market: Tables, bundle: Bundle, intent_training: Training
) -> None:
    """A model of other features is compared group by group."""
    card = intent_training.bundle.card | {"kind": "fit", "name": "icp_fit"}
    other = replace(intent_training.bundle, kind="fit", card=card)
    found = previewed(market, old=bundle, new=other)
    assert found.changes["reasons"].str.contains(r"\w+ [+-]\d").all()


def test_a_model_that_was_not_served_gives_every_account_its_first_grade(
    market: Tables, bundle: Bundle
) -> None:
    found = previewed(market, old=None, new=bundle)
    assert found.counts.loc["none"].sum() == len(found.changes) == found.counts.to_numpy().sum()
    assert set(found.changes["reasons"]) == {"no such model was served"}
    document = found.to_json(top=3)
    assert len(document["changes"]) == 3
    assert document["changes"][0]["old_probability"] is None


def test_whom_the_labels_of_a_release_leave_out_has_no_grade_in_it(market: Tables, bundle: Bundle) -> None:
    competitors = {"exclude": [{"name": "competitors", "accounts": ["account-0000003", "account-0000005"]}]}
    new = Half((bundle,), {"labels": {"fit": competitors}})
    found = preview_kind(market, kind="fit", old=Half((bundle,), {}), new=new, as_of=MARKET.end)
    assert sorted(found.changes["account_id"]) == ["account-0000003", "account-0000005"]
    assert set(found.changes["new_grade"]) == {"none"}
    where = {"labels": {"fit": {"where": {"country": "nowhere"}}}}
    none = preview_kind(
        market, kind="fit", old=Half((bundle,), {}), new=Half((bundle,), where), as_of=MARKET.end
    )
    assert none.counts["none"].sum() == none.counts.to_numpy().sum()


def test_it_tells_whom_each_model_would_answer_and_warns_where_it_is_nobody(
    market: Tables, bundle: Bundle
) -> None:
    """Each account counts once, for the model that answers it: models that leave none over are warned of."""
    emea, apac = (with_name(bundle, key=f"fit.{name}", place=n) for n, name in enumerate(("emea", "apac")))
    rules = {"exclude": [{"name": "three", "accounts": [f"account-000000{n}" for n in range(1, 4)]}]}
    nobody = {"where": {"country": "nowhere"}}
    new = Half((emea, apac, bundle), {"labels": {}, "named_labels": {"fit.emea": rules, "fit.apac": nobody}})
    found = preview_kind(market, kind="fit", old=None, new=new, as_of=MARKET.end)
    everyone = len(known_accounts(market, as_of=MARKET.end))
    assert found.answered == {"icp_fit.emea": everyone - 3, "icp_fit.apac": 0, "icp_fit": 3}
    assert found.to_json(top=0)["answered"] == found.answered
    told = list(Preview(MARKET.end, {}, (), {}, (found,)).lines())
    assert f"icp_fit.emea would answer {everyone - 3:,} accounts" in told
    assert [line for line in told if line.startswith("Warning: icp_fit.apac would answer no account")]
    assert previewed(market, old=bundle, new=None).answered == {}


def test_cells_of_the_file_are_no_formulas(market: Tables, bundle: Bundle, tmp_path: Path) -> None:
    found = previewed(market, old=None, new=bundle)
    changes = found.changes.assign(name="=HYPERLINK(1)")
    whole = Preview(MARKET.end, {}, (), {}, (replace(found, changes=changes),))
    assert whole.write(tmp_path / "changes.csv") == len(changes)
    assert set(pd.read_csv(tmp_path / "changes.csv")["name"]) == {"'=HYPERLINK(1)"}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # Midnight in Berlin in summer is ten in the evening before, in UTC.
        ("2026-07-15T10:00:00", "2026-07-14T22:00:00"),
        ("1990-01-01T00:00:00", None),
    ],
)
def test_the_moment_is_that_of_the_server(market: Tables, now: str, expected: str | None) -> None:
    moment = serving_moment(market, now=datetime.fromisoformat(now), time_zone="Europe/Berlin")
    if expected is None:
        assert moment > datetime.fromisoformat("2020-01-01")
    else:
        assert moment == datetime.fromisoformat(expected)
