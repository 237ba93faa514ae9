"""Words that a mapping's query may use beside DuckDB's own.

Turns texts of cells into texts of cells, so that what is no time stays as it is and the row is set aside by
name later. Time rule: times are compared as they are written; both have to be in one zone. Null rule: a
blank cell counts as empty, and an empty one never wins.
"""

from __future__ import annotations

import duckdb

__all__ = ["define_words"]

_DAY = r"'^\d{4}-\d\d-\d\d([T ]0?0:00(:00([.]0+)?)?)?$'"

_WORDS = {
    "given(text)": "NULLIF(trim(text), '')",
    "filled(first, second)": "coalesce(NULLIF(trim(first), ''), NULLIF(trim(second), ''))",
    "yes(text)": "coalesce(lower(trim(text)) IN ('true', 't', 'yes', 'y', '1'), false)",
    "end_of_day(moment)": f"CASE WHEN regexp_full_match(trim(moment), {_DAY})"
    " THEN concat(left(trim(moment), 10), ' 23:59:59') ELSE moment END",
    "is_before(first, second)": "coalesce(TRY_CAST(first AS TIMESTAMP)"
    " < TRY_CAST(second AS TIMESTAMP), false)",
    "is_same_day(first, second)": "coalesce(CAST(TRY_CAST(first AS TIMESTAMP) AS DATE)"
    " = CAST(TRY_CAST(second AS TIMESTAMP) AS DATE), false)",
    "later(first, second)": "CASE WHEN NULLIF(trim(first), '') IS NULL THEN second"
    " WHEN NULLIF(trim(second), '') IS NULL OR TRY_CAST(first AS TIMESTAMP) IS NULL THEN first"
    " WHEN coalesce(TRY_CAST(second AS TIMESTAMP) <= TRY_CAST(first AS TIMESTAMP), false) THEN first"
    " ELSE second END",
    "company_domain(text)": "NULLIF(normalise('company_domain', text), '')",
    "members(text)": "CASE WHEN NULLIF(trim(text, ' ;'), '') IS NULL THEN [NULL] ELSE"
    " list_sort(list_distinct(list_transform(string_split(text, ';'),"
    " lambda one: NULLIF(trim(one), '')))) END",
    "lead_company(email, website, company)": "'lead-' || coalesce(company_domain(email),"
    " company_domain(website), NULLIF(normalise('company_key', company), ''))",
    "earlier(first, second)": "CASE WHEN NULLIF(trim(first), '') IS NULL THEN second"
    " WHEN NULLIF(trim(second), '') IS NULL OR TRY_CAST(first AS TIMESTAMP) IS NULL THEN first"
    " WHEN coalesce(TRY_CAST(second AS TIMESTAMP) >= TRY_CAST(first AS TIMESTAMP), false) THEN first"
    " ELSE second END",
}
"""given: the text, unless it is blank.        filled: the first that is not blank.
yes: whether a yes/no cell says yes.        end_of_day: a day without a time as its last second.
is_before, is_same_day: false when either is no time.
later, earlier: of two times; one that is no time wins, so that it is noticed.
members: what a cell parts by semicolons, each once and sorted; of a blank cell one empty member.
company_domain: the domain of an address or a web site that a company can be known by.
lead_company: the identifier of the company that a lead names, by its domain, else by its name."""


def define_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the words known to a connection."""
    for word, meaning in _WORDS.items():
        connection.execute(f"CREATE OR REPLACE TEMP MACRO {word} AS {meaning}")
