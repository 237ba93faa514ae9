"""The labelled set: the truth in it is right, and its two parts are apart."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pandas as pd
import pytest

from training.checks.identity_noise import NOISES, chinese_name, core, spoil
from training.checks.identity_set import LabelledSet, labelled_set

WORDS = [
    "Northern",
    "Harbour",
    "Falcon",
    "Copper",
    "Willow",
    "Granite",
    "Meadow",
    "Lantern",
    "Summit",
    "Orchard",
]
BUSINESS = ["Mining", "Energy", "Bank", "Foods", "Software", "Logistics"]


def companies() -> Iterator[dict[str, str]]:
    for at, word in enumerate(f"{one} {other}" for one in WORDS for other in WORDS if one != other):
        for business in BUSINESS:
            name = f"{word} {business} Inc."
            yield {"domain": f"{core(name)}.com", "name": name, "country": "Canada", "city": f"Town {at}"}


@pytest.fixture(scope="module")
def both() -> tuple[LabelledSet, LabelledSet]:
    frame = pd.DataFrame(companies()).sort_values("domain", ignore_index=True)
    choose, report = (
        labelled_set(frame, part=part, seed=1, copies=50, look_alikes=40) for part in ("choose", "report")
    )
    return choose, report


def test_copies_point_at_an_account_and_look_alikes_at_none(both: tuple[LabelledSet, LabelledSet]) -> None:
    records, accounts = both[0].records, set(both[0].accounts["account_id"])
    assert records["account_id"].notna().sum() == 50
    assert len(records) == 90
    assert set(records["account_id"].dropna()) <= accounts


def test_no_company_is_copied_in_both_parts(both: tuple[LabelledSet, LabelledSet]) -> None:
    copied = [set(part.records["account_id"].dropna()) for part in both]
    assert copied[0].isdisjoint(copied[1])


def test_every_copy_is_spoiled_and_no_look_alike_bears_an_accounts_name(
    both: tuple[LabelledSet, LabelledSet],
) -> None:
    names = both[0].accounts.set_index("account_id")["name"]
    for record in both[0].records.itertuples():
        if isinstance(record.account_id, str):
            assert record.name != names[record.account_id]
        else:
            assert record.name not in set(names)


def test_one_seed_makes_one_set() -> None:
    frame = pd.DataFrame(companies()).sort_values("domain", ignore_index=True)
    first, second = (labelled_set(frame, part="report", seed=3, copies=20, look_alikes=20) for _ in "ab")
    pd.testing.assert_frame_equal(first.records, second.records)


@pytest.mark.parametrize("kind", NOISES)
def test_noise_never_empties_a_name(kind: str) -> None:
    rng = random.Random(5)
    for name in (
        "A",
        "Société BIC SA",
        "3M Company",
        "Zhejiang Huamei Holding CO., LTD.",
        "ÅF Pöyry AB (publ)",
    ):
        assert spoil(name, kinds=(kind,), rng=rng).strip()


def test_a_name_that_spells_chinese_has_a_chinese_form() -> None:
    found = chinese_name("Zhejiang Huamei Holding Co., Ltd.", random.Random(1))
    assert found is not None
    assert found.startswith("浙江")
    assert "控股" in found
    assert found.endswith("公司")
    assert chinese_name("Great Wall Movie Co., Ltd.", random.Random(1)) is None
