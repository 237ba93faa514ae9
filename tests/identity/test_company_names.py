"""Company names: spellings of one name meet, other names stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.identity.names import company_name
from features.identity.similarity import WordWeights, name_similarity

TREES = ["Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple", "Oak", "Pine", "Rowan", "Yew"]
CROWD = [
    f"{tree} {business}"
    for tree in TREES
    for business in ("Holdings Group Ltd", "Technology", "Manufacturing Inc.", "International plc", "Mars")
]
WEIGHTS = WordWeights([company_name(name) for name in CROWD])


def likeness(one: str, other: str) -> float:
    return name_similarity(company_name(one), company_name(other), weights=WEIGHTS)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Acme Inc.", ("acme",)),
        ("ACME, S.p.A.", ("acme",)),
        ("Acme Co., Ltd.", ("acme",)),
        ("ACME CO,LTD", ("acme",)),
        ("Acme Public Company Limited", ("acme",)),
        ("PT Acme Tbk", ("acme",)),
        ("Acme AB (publ)", ("acme",)),
        ("Acme S.A.B. de C.V.", ("acme",)),
        ("Acme GmbH & Co. KGaA", ("acme",)),
        ("Acme Sp. z o.o.", ("acme",)),
        ("Acme Anonim Sirketi", ("acme",)),
        ("ООО Акме", ("akme",)),
        ("Société Anonyme Acme", ("acme",)),
        ("The Acme Company", ("acme",)),
        ("K. W. Acme", ("kw", "acme")),
        ("Acme Int'l Technologies", ("acme", "international", "technology")),
        ("Smith & Sons", ("smith", "son")),
        ("ÅF Pöyry", ("af", "poyry")),
        ("Company Limited", ("company",)),
        ("", ()),
        ("!?", ()),
    ],
)
def test_what_is_left_of_a_name(written: str, words: tuple[str, ...]) -> None:
    assert company_name(written).words == words


@pytest.mark.parametrize(
    ("written", "characters", "words"),
    [
        ("腾讯控股有限公司", "腾讯控股", ("tengxun", "holding")),
        ("騰訊控股有限公司", "腾讯控股", ("tengxun", "holding")),
        ("浙江华美科技股份有限公司", "浙江华美科技", ("zhejiang", "huamei", "technology")),
        ("TCL科技集团", "科技集团", ("tcl", "technology", "group")),
        ("华美（Huamei Group）", "华美", ("huamei", "group")),
        ("삼성전자 주식회사", "삼성전자", ("samseongjeonja",)),
    ],
)
def test_chinese_and_korean_names(written: str, characters: str, words: tuple[str, ...]) -> None:
    name = company_name(written)
    assert (name.characters, name.words) == (characters, words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zephyr Holdings Group Ltd", "ZEPHYR HLDGS. GRP"),
        ("Zephyr Technology Co., Ltd.", "Technology Zephyr"),
        ("Zephyr Manufacturing Inc.", "Zephyr Mfg Corp"),
        ("Zéphyr International plc", "Zephyr Intl"),
        ("Zephyrus Manufacturing Inc.", "Zephyrsu Manufacturing Inc"),
        ("Bio Zephyr Technology", "BioZephyr Technology"),
        ("Zhejiang Huamei Technology Co., Ltd.", "浙江华美科技有限公司"),
    ],
)
def test_spellings_of_one_name_are_alike(one: str, other: str) -> None:
    assert likeness(one, other) >= 0.86
    assert likeness(one, other) == pytest.approx(likeness(other, one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zephyr Technology", "Zephyr Manufacturing"),
        ("Zephyr Technology", "Boreas Technology"),
        ("Zephyr Acquisition Corp II", "Zephyr Acquisition Corp III"),
        ("Zephyr Technology", "New Zephyr Technology"),
        ("Zephyr", "Zephyr Airways"),
        ("Oak Technology", "Elm Technology"),
        ("浙江华美科技有限公司", "浙江华媒科技有限公司"),
        ("", "Zephyr"),
        ("", ""),
    ],
)
def test_other_names_are_not(one: str, other: str) -> None:
    assert likeness(one, other) < 0.86


def test_a_slip_that_makes_another_known_word_counts_more() -> None:
    assert (
        likeness("Harbour Technology", "Harbuor Technology")
        > likeness("Alder Technology", "Elder Technology") - 1
    )
    known = WordWeights([company_name(name) for name in ("Larch Foods", "March Foods")])
    one, other = company_name("Larch Foods"), company_name("March Foods")
    assert name_similarity(one, other, weights=known) < 0.86 < likeness("Larch Foods", "March Foods")


@given(st.text(max_size=40))
def test_any_text_is_a_name_like_itself(text: str) -> None:
    name = company_name(text)
    assert name_similarity(name, name, weights=WEIGHTS) == (1.0 if name.words else 0.0)
