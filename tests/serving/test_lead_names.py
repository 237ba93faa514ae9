"""Names of companies are read once, and where others wait, beside the questions."""

from __future__ import annotations

import threading
from typing import Any

import duckdb
import pandas as pd
import pytest
from server_process import until

from serving.company_names import CompanyNames
from serving.problems import NotReadyError

NAMES = {"a": "Zephyr Turbines", "b": "Boreas Foods"}


class Index:
    """Names that arrive when they are let."""

    def __init__(self, *, fails: int = 0, **names: str) -> None:
        self.let, self.asked, self._fails, self._names = threading.Event(), 0, fails, names

    def companies(self) -> pd.DataFrame:
        self.asked += 1
        self.let.wait()
        if self.asked <= self._fails:
            raise duckdb.ConnectionException("closed")
        told = {"account_id": self._names.keys(), "name": self._names.values()}
        return pd.DataFrame(told).assign(domain=None, country=None).astype(object)


def names(index: Any, **options: Any) -> CompanyNames:
    return CompanyNames(index, **options)


def found(asked: CompanyNames, company: str = "Zephyr Turbines") -> str | None:
    return asked.match(company, country=None)[0]


def answers(asked: CompanyNames, company: str = "Zephyr Turbines") -> str | None:
    """The account once names were read."""
    told: list[str | None] = []

    def is_answered() -> bool:
        try:
            told.append(found(asked, company))
        except NotReadyError:
            return False
        return True

    until(is_answered)
    return told[-1]


def test_who_may_wait_waits() -> None:
    index = Index(**NAMES)
    threading.Timer(0.1, index.let.set).start()
    asked = names(index)
    assert [found(asked), found(asked), index.asked] == ["a", "a", 1]


def test_where_others_wait_a_question_comes_again() -> None:
    index = Index(**NAMES)
    asked = names(index, patient=False)
    for _ in range(3):
        with pytest.raises(NotReadyError, match="try again in a moment, or send a domain"):
            found(asked)
    index.let.set()
    assert (answers(asked), index.asked) == ("a", 1)


def test_names_that_could_not_be_read_are_read_again() -> None:
    index = Index(fails=1, **NAMES)
    index.let.set()
    asked = names(index, patient=False)
    assert (answers(asked), index.asked) == ("a", 2)


def test_the_names_before_answer_while_new_ones_are_read() -> None:
    first, second, third = Index(**NAMES), Index(**NAMES, c="Notos Ships"), Index(d="Zephyr Turbines")
    first.let.set()
    before = names(first)
    before.read()
    asked = names(second, patient=False, before=before)
    assert (found(asked), found(asked, "Notos Ships")) == ("a", None)
    until(lambda: second.asked == 1)
    last = names(third, patient=False, before=asked)
    assert found(last) == "a"
    second.let.set()
    third.let.set()
    until(lambda: found(asked, "Notos Ships") == "c")
    until(lambda: found(last) == "d")


def test_names_that_nobody_asked_for_are_not_read() -> None:
    first, second = Index(**NAMES), Index(**NAMES)
    names(second, patient=False, before=names(first, patient=False))
    assert (first.asked, second.asked) == (0, 0)
