"""Registration numbers and Salesforce ids: one spelling, verified."""

from __future__ import annotations

import random
import re
import string

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError
from features.identity.identifiers import registration_number, salesforce_id
from features.identity.identifiers_in_sql import is_odd_salesforce_id_sql, salesforce_id_sql

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: digits and capital letters without I, O, S, V and Z."""


def check_character(seventeen: str) -> str:
    """GB 32100-2015, worked out: weights are powers of 3 modulo 31, the sum with the last is 0 modulo 31."""
    total = sum(ALPHABET.index(letter) * pow(3, place, 31) for place, letter in enumerate(seventeen))
    return ALPHABET[(31 - total % 31) % 31]


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9))
def test_a_chinese_code_is_known_by_its_check_character(organisation: str) -> None:
    seventeen = "91110000" + organisation
    right = check_character(seventeen)
    assert (
        registration_number(f" {seventeen[:8]}-{seventeen[8:]}{right}".lower())
        == f"cn.uscc:{seventeen}{right}"
    )
    wrong = ALPHABET[(ALPHABET.index(right) + 1) % 31]
    assert registration_number(seventeen + wrong, register="cn.uscc") is None


@pytest.mark.parametrize("text", [None, "", "  ", "12345", "not a number"])
def test_what_is_no_number_is_none(text: str | None) -> None:
    assert registration_number(text) is None


def test_a_declared_register_is_used_and_an_unknown_one_refused() -> None:
    assert registration_number("7010401022924", register="jp.cn") == "jp.cn:7010401022924"
    with pytest.raises(ConfigError, match=r"cn\.uscc"):
        registration_number("1", register="xx.none")


def slow_suffix(short: str) -> str:
    """The documentation's table, character by character."""
    table = dict(
        zip([f"{number:05b}" for number in range(32)], "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", strict=True)
    )
    marks = ["1" if letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" else "0" for letter in short]
    return "".join(table["".join(reversed(marks[at : at + 5]))] for at in (0, 5, 10))


@given(st.from_regex("[0-9A-Za-z]{15}", fullmatch=True))
def test_a_salesforce_id_of_15_and_of_18_characters_is_one(short: str) -> None:
    whole = short + slow_suffix(short)
    assert salesforce_id(short) == whole
    assert salesforce_id(f" {whole} ") == whole
    assert salesforce_id(whole.lower()) == whole
    assert salesforce_id(whole.upper()) == whole


@pytest.mark.parametrize(
    "text", [None, "", "001", "001A0000006Vm9uIAD", "001A0000006Vm9uIAC9", "001A0000006Vm9!"]
)
def test_what_is_no_salesforce_id_is_none(text: str | None) -> None:
    assert salesforce_id(text) is None


def in_sql(texts: list[str | None]) -> list[tuple[str | None, bool | None]]:
    rows = "SELECT unnest(?::VARCHAR[]) AS text, generate_subscripts(?, 1) AS place"
    read = f"SELECT {salesforce_id_sql('text')} AS id, place FROM ({rows})"
    sql = f"SELECT id, {is_odd_salesforce_id_sql('id')} FROM ({read}) ORDER BY place"
    with duckdb.connect() as connection:
        return connection.execute(sql, [texts, texts]).fetchall()


def test_sql_reads_salesforce_ids_as_worked_out_by_hand() -> None:
    """001A0 has a capital as its fourth character: 8, I; 00000 none: 0, A; 6Vm9u as its second: 2, C."""
    assert (
        in_sql(["001A0000006Vm9u", "001A0000006Vm9uIAC", "001a0000006vm9uiac", "001A0000006VM9UIAC"])
        == [("001A0000006Vm9uIAC", False)] * 4
    )
    # The last letter would be capital, too: 2 + 16 = 18, S. Another case of 15 characters is another record.
    assert in_sql(["001A0000006Vm9U"]) == [("001A0000006Vm9UIAS", False)]
    # D is 3: the digit 6 would be a capital letter.
    assert in_sql(["001A0000006Vm9uIAD", "001A", "lead-acme.example", "", None]) == [
        ("001A0000006Vm9uIAD", True),
        ("001A", False),
        ("lead-acme.example", False),
        ("", False),
        (None, None),
    ]


def test_sql_and_python_read_the_same_salesforce_ids() -> None:
    draw = random.Random(7)
    signs = string.ascii_letters + string.digits
    short = ["".join(draw.choices(signs, k=15)) for _ in range(500)]
    whole = [one + slow_suffix(one) for one in short]
    other = [one + "".join(draw.choices(signs, k=3)) for one in short]
    texts = [*short, *whole, *map(str.lower, whole), *map(str.upper, whole), *other]
    for text, (found, odd) in zip(texts, in_sql([*texts]), strict=True):
        assert found == (salesforce_id(text) or text)
        # Letters beyond those of the code make no id of 18 characters at all.
        assert odd == (salesforce_id(text) is None and re.fullmatch(".{15}[A-Za-z0-5]{3}", text) is not None)
