"""How well the origin can be told: nothing where there is nothing to tell, and what gives it away by name."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from made_origins import AS_OF, Change, as_tables, companies

from features.catalogue import FIT_GROUPS, learn_catalogue
from features.errors import ConfigError, NotEnoughDataError
from features.feature import Feature
from features.origins import EMPTY_ELSEWHERE, ONE_ORIGIN, OTHER_VALUES, OriginRules
from features.settings import FitLearningSettings
from training.fit import matrix, select_features
from training.labels import known_accounts
from training.origins.check import OriginCheck, check_origin

COUNT = 700


def checked(frame: pd.DataFrame, *, keep: tuple[str, ...] = ()) -> OriginCheck:
    tables = as_tables(frame)
    catalogue = learn_catalogue(tables, cutoff=AS_OF)
    used = select_features(catalogue, kind="fit", settings=FitLearningSettings(), keep=keep)
    return check_origin(tables, as_of=AS_OF, catalogue=used)


def only_crm(column: str) -> Change:
    return lambda frame: frame.assign(**{column: frame[column].where(frame["origin"] == "crm", None)})


def in_codes(frame: pd.DataFrame) -> pd.DataFrame:
    codes = {"Software": "6201", "Retail": "4711", "Energy": "3511", "Media": "5813"}
    coded = frame["industry"].map(codes).astype(object).where(frame["industry"].notna(), None)
    return frame.assign(industry=frame["industry"].where(frame["origin"] == "crm", coded))


def emptier(frame: pd.DataFrame) -> pd.DataFrame:
    """A third of the universe's ratings are left."""
    gone = (frame["origin"] == "universe") & (np.arange(len(frame)) % 3 > 0)
    return frame.assign(rating=frame["rating"].where(~gone, None))


def other_unit(frame: pd.DataFrame) -> pd.DataFrame:
    thousands = pd.array([None if pd.isna(n) else int(n) * 1000 for n in frame["employees"]], dtype=object)
    return frame.assign(employees=frame["employees"].where(frame["origin"] == "crm", thousands))


def test_where_origins_do_not_differ_the_interval_covers_one_half() -> None:
    found = [checked(companies(COUNT, seed=seed)) for seed in range(100, 106)]
    covered = sum(one.auc.low <= 0.5 <= one.auc.high for one in found)
    # Of six intervals of 95 %, fewer than four cover with a chance of 1 in 500.
    assert covered >= 4
    assert abs(np.mean([one.auc.value for one in found]) - 0.5) < 0.03
    assert "cannot be told" in next(one for one in found if not one.told).verdict
    assert {one.features for one in found} == {found[0].features}


@pytest.mark.parametrize(
    ("change", "feature", "reason"),
    [
        (only_crm("segment"), "segment", EMPTY_ELSEWHERE),
        (only_crm("rating"), "rating", EMPTY_ELSEWHERE),
        (in_codes, "industry", OTHER_VALUES),
    ],
)
def test_a_give_away_is_marked_found_and_harmless_once_left_out(
    change: Change, feature: str, reason: str
) -> None:
    frame = change(companies(COUNT, seed=3))
    marked = learn_catalogue(as_tables(frame), cutoff=AS_OF)
    assert marked.not_comparable == {feature: reason}
    kept, left = checked(frame, keep=(feature,)), checked(frame)
    assert feature in kept.features
    assert feature not in left.features
    assert kept.told
    assert kept.named[0].column == feature
    assert feature in kept.verdict
    assert kept.named[0].lost > 0.05
    assert left.auc.value < kept.auc.value - 0.1
    # Nothing is left to tell: three standard errors of the ROC AUC of chance, by Mann and Whitney.
    assert left.auc.value < 0.5 + 3 * 0.023


@cache
def after(change: Change) -> OriginCheck:
    """The check of companies that were changed so."""
    return checked(change(companies(COUNT, seed=3)))


@pytest.mark.parametrize(("change", "column"), [(emptier, "rating"), (other_unit, "employees")])
def test_what_no_mark_catches_is_found_and_named(change: Change, column: str) -> None:
    frame = change(companies(COUNT, seed=3))
    assert not learn_catalogue(as_tables(frame), cutoff=AS_OF).not_comparable
    found = after(change)
    assert found.told
    assert [one.column for one in found.named] == [column]


def test_emptiness_is_judged_apart() -> None:
    by_value, by_emptiness = after(other_unit), after(emptier)
    assert by_value.by_emptiness.low <= 0.5 < by_value.auc.low
    assert by_emptiness.by_emptiness.low > 0.5
    one = by_emptiness.named[0]
    assert one.filled["crm"] > 0.5 > one.filled["universe"]


def test_accounts_of_both_origins_say_nothing_and_are_left_out() -> None:
    frame = companies(400, seed=1)
    other = frame.head(100).assign(origin=np.where(frame.head(100)["origin"] == "crm", "universe", "crm"))
    tables = as_tables(pd.concat([frame, other], ignore_index=True))
    catalogue = learn_catalogue(tables, cutoff=AS_OF).select(groups=FIT_GROUPS)
    found = check_origin(tables, as_of=AS_OF, catalogue=catalogue)
    assert found.several == 100
    assert sum(found.accounts.values()) == found.used == 300


def test_nothing_but_facts_is_a_feature() -> None:
    """Identifiers, times and the number of versions say where an account comes from, and no feature does."""
    frame = companies(400, seed=2)
    catalogue = learn_catalogue(as_tables(frame), cutoff=AS_OF)

    def values(changed: pd.DataFrame) -> pd.DataFrame:
        tables = as_tables(changed)
        keys = known_accounts(tables, as_of=AS_OF)
        return pd.DataFrame(matrix(tables, keys, catalogue=catalogue), columns=list(catalogue.names))

    crm = frame["origin"] == "crm"
    named = frame.assign(account_id=np.where(crm, "001" + frame["account_id"], "z" + frame["account_id"]))
    earlier = frame.assign(known_at=frame["known_at"].mask(crm, pd.Timestamp("2010-05-05")))
    versions = pd.concat([frame, frame[crm].assign(known_at=pd.Timestamp("2023-07-01"))], ignore_index=True)
    plain = values(frame).sort_values(list(catalogue.names), ignore_index=True)
    for changed in (named, earlier, versions):
        found = values(changed).sort_values(list(catalogue.names), ignore_index=True)
        pd.testing.assert_frame_equal(found, plain)


def test_a_growth_that_one_origin_alone_can_have_is_not_comparable() -> None:
    """The universe is one extract: what it says of a year before is nothing."""
    frame = companies(COUNT, seed=4)
    before = frame[frame["origin"] == "crm"].assign(known_at=pd.Timestamp("2022-01-01"))
    before["employees"] = [None if pd.isna(count) else int(count) + 7 for count in before["employees"]]
    tables = as_tables(pd.concat([before, frame], ignore_index=True))
    catalogue = learn_catalogue(tables, cutoff=AS_OF)
    assert catalogue.not_comparable == {"employees_growth_365d": EMPTY_ELSEWHERE}


def test_of_three_origins_each_can_be_told_from_the_others() -> None:
    frame = companies(COUNT, seed=5)
    second = (frame["origin"] == "universe") & (np.arange(len(frame)) % 2 == 0)
    frame = frame.assign(origin=frame["origin"].mask(second, "register"))
    frame["rating"] = frame["rating"].where(frame["origin"] != "register", 9.0)
    tables = as_tables(frame, rules=OriginRules({"a": "crm", "b": "universe", "c": "register"}))
    catalogue = learn_catalogue(tables, cutoff=AS_OF).select(groups=FIT_GROUPS)
    assert check_origin(tables, as_of=AS_OF, catalogue=catalogue).sides == ("crm", "register or universe")
    found = check_origin(tables, as_of=AS_OF, catalogue=catalogue, of="register")
    assert found.sides == ("register", "crm or universe")
    assert found.auc.value > 0.9
    with pytest.raises(ConfigError, match="unknown origin"):
        check_origin(tables, as_of=AS_OF, catalogue=catalogue, of="web")


def test_one_origin_and_too_few_accounts_are_refused() -> None:
    frame = companies(60, seed=1)
    tables = as_tables(frame.assign(origin=["crm"] * 59 + ["universe"]))
    catalogue = learn_catalogue(tables, cutoff=AS_OF).select(groups=FIT_GROUPS)
    with pytest.raises(NotEnoughDataError, match="59 crm, 1 universe"):
        check_origin(tables, as_of=AS_OF, catalogue=catalogue)
    with pytest.raises(ConfigError, match="one place"):
        check_origin(as_tables(frame, rules=ONE_ORIGIN), as_of=AS_OF, catalogue=catalogue)


def test_the_mark_travels_with_the_catalogue() -> None:
    catalogue = learn_catalogue(as_tables(in_codes(companies(COUNT, seed=3))), cutoff=AS_OF)
    again = type(catalogue).from_json(catalogue.to_json())
    assert again == catalogue
    feature: Feature = again.feature("industry")
    assert feature.not_comparable == OTHER_VALUES
