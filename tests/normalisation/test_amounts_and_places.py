"""Employees, revenue, countries, regions: what people write, and what is read."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.normalisation.amounts import Amount
from features.normalisation.employees import read_employees
from features.normalisation.places import read_country, read_region
from features.normalisation.reading import NOTHING, UNREAD
from features.normalisation.revenue import RATES_YEAR, exchange_rate, read_revenue

NOTHING_SAID = [None, "", "  ", "N/A", "-", "unknown", "未知"]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("51-200", 51, 200),
        ("51 – 200 employees", 51, 200),
        ("２０１－５００", 201, 500),
        ("1 to 10", 1, 10),
        ("11 bis 50 Mitarbeiter", 11, 50),
        ("1k-5k", 1_000, 5_000),
        ("1-5k", 1_000, 5_000),
        ("100-499人", 100, 499),
        ("10,001 or more", 10_001, math.inf),
        ("10001+", 10_001, math.inf),
        (">1000", 1_000, math.inf),
        ("500人以上", 500, math.inf),
        ("<50", 0, 50),
        ("少于50人", 0, 50),
        ("约200人", 200, 200),
        ("100人左右", 100, 100),
        ("ca. 250", 250, 250),
        ("1,234", 1_234, 1_234),
        ("1.234", 1_234, 1_234),
        ("1'234", 1_234, 1_234),
        ("1 234", 1_234, 1_234),
        ("250.0", 250, 250),
        ("1.5k", 1_500, 1_500),
        ("2万", 20_000, 20_000),
        ("1.2万人", 12_000, 12_000),
        ("Self-employed", 1, 1),
        ("10-Jan", 1, 10),
        ("Nov-50", 11, 50),
        ("0", 0, 0),
    ],
)
def test_employees_are_read(text: str, low: float, high: float) -> None:
    assert read_employees(text).value == Amount(low, high)


@pytest.mark.parametrize(
    "text", ["1e9", "-5", "many", "200-51", "3.5", "5,000,001", "1-2-3", "=1+1", "1,23,4"]
)
def test_what_is_no_number_of_people_is_counted_as_unread(text: str) -> None:
    assert read_employees(text) == UNREAD


@pytest.mark.parametrize("text", NOTHING_SAID)
def test_what_says_nothing_is_no_fault(text: str | None) -> None:
    for read in (read_employees, read_revenue, read_country, read_region):
        assert read(text) == NOTHING


@pytest.mark.parametrize(
    ("amount", "middle"),
    [
        (Amount(51, 200), math.sqrt(51 * 200)),
        (Amount(7, 7), 7),
        (Amount(0, 0), 0),
        (Amount(10_001, math.inf), 10_001),
        (Amount(0, 50), math.sqrt(5 * 50)),
    ],
)
def test_one_number_stands_for_a_range(amount: Amount, middle: float) -> None:
    assert amount.middle == pytest.approx(middle)


def test_the_usual_ranges_keep_their_order() -> None:
    ranges = ["1", "2 to 5", "6 to 10", "11 to 25", "26 to 50", "51 to 200", "201 to 1000", "10,001 or more"]
    middles = [amount.middle for text in ranges if (amount := read_employees(text).value)]
    assert len(middles) == len(ranges)
    assert all(one < other for one, other in pairwise(middles))


@given(st.integers(0, 5_000_000))
def test_every_spelling_of_a_number_is_the_number(number: int) -> None:
    for written in (
        f"{number}",
        f"{number:,}",
        f"{number:,}".replace(",", "."),
        f"{number:_}".replace("_", " "),
    ):
        assert read_employees(written).value == Amount(number, number)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("5000000", "USD", 5e6),
        ("$1,234,567.89", "USD", 1_234_567.89),
        ("US$ 5M (USD)", "USD", 5e6),
        ("1.234,56 €", "EUR", 1_234.56),
        ("€1.2M", "EUR", 1.2e6),
        ("1,5 Mrd. EUR", "EUR", 1.5e9),
        ("3 Mio.", "EUR", 3e6),
        ("CNY 3亿", "CNY", 3e8),
        ("人民币5000万元", "CNY", 5e7),
        ("¥500万", "CNY", 5e6),
        ("¥500", "JPY", 500),
        ("2.5 billion yen", "JPY", 2.5e9),
        ("12 crore INR", "INR", 1.2e8),
        ("Rs. 5 lakh", "INR", 5e5),
        ("kr 5M", "SEK", 5e6),
        ("£2bn", "GBP", 2e9),
        ("$0", "USD", 0),
    ],
)
def test_revenue_in_its_own_currency_is_the_amount(text: str, currency: str, amount: float) -> None:
    found = read_revenue(text, currency=currency).value
    assert found is not None
    assert found.low == found.high == pytest.approx(amount)


def test_revenue_is_converted_at_the_mean_rate_of_the_declared_year() -> None:
    # Means of the euro reference rates of 2025, as shipped: 1.12998 dollars, 8.1185 yuan.
    assert RATES_YEAR == 2025
    found = read_revenue("8.1185 million CNY", currency="USD").value
    assert found is not None
    assert found.low == pytest.approx(1_129_980)
    assert exchange_rate("USD", into="CNY") == pytest.approx(8.1185 / 1.12998)
    assert exchange_rate("USD", into="CNY", year=1900) is None


def test_a_range_of_revenue_has_bounds() -> None:
    assert read_revenue("$10M-$50M").value == Amount(1e7, 5e7)
    assert read_revenue("$1B+").value == Amount(1e9, math.inf)


@pytest.mark.parametrize("text", ["¥5000000", "kr 5M", "NT$ 5M", "three", "$", "5 apples", "-5M", "1e14"])
def test_revenue_that_could_mean_several_things_is_unread(text: str) -> None:
    assert read_revenue(text) == UNREAD


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"),
        ("deu", "DE"),
        ("Germany", "DE"),
        ("Deutschland", "DE"),
        ("Allemagne", "DE"),
        ("德国", "DE"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("uk", "GB"),
        ("England", "GB"),
        ("中国", "CN"),
        ("P.R. China", "CN"),
        ("Hong Kong SAR", "HK"),
        ("台灣", "TW"),
        ("Korea, Republic of", "KR"),
        ("South Korea", "KR"),
        ("Côte d’Ivoire", "CI"),
        ("Türkiye", "TR"),
        ("Czech Republic", "CZ"),
        ("russia", "RU"),
    ],
)
def test_a_country_has_one_code(text: str, code: str) -> None:
    assert read_country(text).value == code


@pytest.mark.parametrize("text", ["Atlantis", "EMEA", "12", "U"])
def test_no_country_is_unread(text: str) -> None:
    assert read_country(text) == UNREAD


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("California", "US", "US-CA"),
        ("CA", "US", "US-CA"),
        ("us-tx", None, "US-TX"),
        ("Texas", None, "US-TX"),
        ("Bayern", "DE", "DE-BY"),
        ("NSW", "AU", "AU-NSW"),
        ("浙江省", "CN", "CN-ZJ"),
        ("广西", "CN", "CN-GX"),
        ("Guangxi", "CN", "CN-GX"),
        ("Shanghai", "CN", "CN-SH"),
        ("東京都", "JP", "JP-13"),
        ("Île-de-France", "FR", "FR-IDF"),
    ],
)
def test_a_region_has_one_code(text: str, country: str | None, code: str) -> None:
    assert read_region(text, country=country).value == code


@pytest.mark.parametrize(("text", "country"), [("Punjab", None), ("Nowhere", "US"), ("California", "DE")])
def test_a_region_of_several_countries_or_none_is_unread(text: str, country: str | None) -> None:
    assert read_region(text, country=country) == UNREAD
