"""A row that was deleted in its source counts up to that moment, and after it as if it had never been."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_rows import AS_OF, CATALOGUE, all_keys, as_tables, tables_of_rows

from features.catalogue import learn_catalogue
from features.point_in_time import FeatureEngine, build_features


def _withdrawn(rows, *, chosen, moment: datetime):
    return {
        table: [
            row | {"withdrawn_at": moment if (table, k) in chosen else None} for k, row in enumerate(found)
        ]
        for table, found in rows.items()
    }


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(rows=tables_of_rows, moment=st.sampled_from(AS_OF), seed=st.integers(0, 1_000), resident=st.booleans())
def test_withdrawn_rows_count_until_they_are_withdrawn(rows, moment, seed, resident):
    chance = Random(seed)
    # Who is deleted has not opted in again: what was said of consent stands.
    chosen = {
        (table, k)
        for table, found in rows.items()
        for k, row in enumerate(found)
        if chance.random() < 0.5 and not (row.get("consent_basis") or row.get("opted_out_at"))
    }
    left = {
        table: [row for k, row in enumerate(found) if (table, k) not in chosen]
        for table, found in rows.items()
    }
    tables, keys = as_tables(_withdrawn(rows, chosen=chosen, moment=moment)), all_keys()
    with FeatureEngine(tables, CATALOGUE, resident=resident) as engine:
        built = engine.build(keys)
    after = keys["as_of"] > moment
    for part, same in ((keys[after], left), (keys[~after], rows)):
        expected = build_features(as_tables(same), part, catalogue=CATALOGUE)
        pd.testing.assert_frame_equal(built.loc[expected.index], expected, check_exact=True)
    for cutoff, same in ((moment + timedelta(seconds=1), left), (moment, rows)):
        expected = learn_catalogue(as_tables(same), cutoff=cutoff)
        assert learn_catalogue(tables, cutoff=cutoff).names == expected.names
        known = tables.known_before(cutoff)
        assert learn_catalogue(known, cutoff=cutoff).names == expected.names
