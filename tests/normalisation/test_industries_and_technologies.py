"""Industries in one hierarchy, technologies as a set, and the names under which a mapping asks for them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError
from features.normalisation import industries
from features.normalisation.industries import Industry, Scheme, read_industry
from features.normalisation.normalisers import NORMALISERS, normaliser
from features.normalisation.reading import NOTHING, UNREAD
from features.normalisation.technologies import read_technologies


@pytest.mark.parametrize(
    ("text", "scheme", "place"),
    [
        ("541511", None, "J62"),
        ("541511.0", "naics", "J62"),
        ("NAICS: 5415", None, "J62"),
        ("52", "naics", "K"),
        ("SIC 2834", None, "C21"),
        ("2834", "sic", "C21"),
        ("111", "sic", "A01"),
        ("62.01", None, "J62"),
        ("J62", None, "J62"),
        ("6201", "isic", "J62"),
        ("C", "nace", "C"),
        ("COMPUTER_SOFTWARE", None, "J62"),
        ("Software & IT", None, "J62"),
        ("B2B software company", None, "J62"),
        ("Custom Computer Programming Services", None, "J62"),
        ("Banking/Financial Services", None, "K"),
        ("Semiconductors & Semiconductor Equipment", None, "C26"),
        ("HOSPITAL_HEALTH_CARE", None, "Q86"),
        ("Non-Profit", None, "S94"),
        ("Maschinenbau", None, "C28"),
        ("Educación", None, "P85"),
        ("软件开发", None, "J62"),
        ("工业机器人", None, "C28"),
        ("房地产业", None, "L68"),
    ],
)
def test_an_industry_has_one_place(text: str, scheme: Scheme | None, place: str) -> None:
    assert read_industry(text, scheme=scheme).value == Industry(place[0], place[1:] or None)


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("Other", None),
        ("2834", None),
        ("999999", None),
        ("software", "naics"),
        ("99", "sic"),
        ("ustedes", None),
    ],
)
def test_what_is_in_no_list_is_unread(text: str, scheme: Scheme | None) -> None:
    assert read_industry(text, scheme=scheme) == UNREAD


def test_the_hierarchy_is_whole() -> None:
    titles = industries._titles()
    sections = [code for code in titles if code.isalpha()]
    assert sections == list("ABCDEFGHIJKLMNOPQRSTU")
    assert len(titles) == 21 + 88
    assert Industry("J", "62").section_title == "J Information and communication"
    assert set(industries._phrases().values()) <= set(titles)


def test_providers_industries_are_read(shared_data: Path) -> None:
    companies = pd.read_parquet(shared_data / "company_universe" / "companies.parquet")
    for column in ("industry", "yahoo_industry"):
        assert not [text for text in companies[column].dropna().unique() if read_industry(text).unread]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("AWS; Salesforce.com, aws", ("amazon web services", "salesforce")),
        ('["Node.js", "GA4", null]', ("google analytics", "node.js")),
        ("钉钉、企业微信", ("dingtalk", "wecom")),
        ("Some  Tool|some tool", ("some tool",)),
    ],
)
def test_technologies_are_a_set(text: str, names: tuple[str, ...]) -> None:
    assert read_technologies(text).value == names
    assert read_technologies("; ".join(names)).value == names


@pytest.mark.parametrize("text", [None, "", ";;", "n/a"])
def test_no_technologies_are_nothing(text: str | None) -> None:
    assert read_technologies(text) == NOTHING


def test_broken_json_is_unread() -> None:
    assert read_technologies('["aws"') == UNREAD


@pytest.mark.parametrize(
    ("name", "cell", "canonical"),
    [
        ("employees", "51-200", "101"),
        ("employees", "n/a", ""),
        ("employees", "1e9", None),
        ("revenue_usd", "$10M", "10000000"),
        ("revenue_usd", "?", ""),
        ("country", "德国", "DE"),
        ("region_us", "Texas", "US-TX"),
        ("domain", "HTTP://www.a.com/x", "a.com"),
        ("domain", "nothing here", None),
        ("industry", "education", "P85 Education"),
        ("industry_section", "SaaS", "J Information and communication"),
        ("industry_naics", "611310", "P85 Education"),
        ("industry", "Other", None),
        ("technologies", "b;A", "a;b"),
    ],
)
def test_a_normaliser_tells_nothing_from_unread(name: str, cell: str, canonical: str | None) -> None:
    assert normaliser(name)(cell) == canonical


@pytest.mark.parametrize("name", ["employes", "region_xx", "revenue_abc", ""])
def test_an_unknown_normaliser_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown normaliser"):
        normaliser(name)


@given(cell=st.text(max_size=50), name=st.sampled_from([*NORMALISERS, "region_de", "revenue_cny"]))
def test_no_cell_breaks_a_normaliser(cell: str, name: str) -> None:
    read = normaliser(name)
    canonical = read(cell)
    assert canonical is None or isinstance(canonical, str)
