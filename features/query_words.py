"""Words that a mapping's query may use beside DuckDB's own.

Turns texts of cells into texts of cells, so that what is no time stays as it is and the row is set aside by
name later. Time rule: times are compared as they are written; both have to be in one zone. Null rule: a
blank cell counts as empty, and an empty one never wins.
"""

from __future__ import annotations

import duckdb

from features.identity.identifiers_in_sql import salesforce_id_sql

__all__ = ["define_words"]

_DAY = r"'^\d{4}-\d\d-\d\d([T ]0?0:00(:00([.]0+)?)?)?$'"

_ZONE = r":\d\d(?:[.]\d+)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)$"

_WAYS = "[day, day || ', %H:%M', day || ' %H:%M', day || ', %I:%M %p', day || ' %I:%M %p',"
_WAYS += " '%Y-%m-%d', '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S']"

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
    "second_before(moment)": "strftime(TRY_CAST(moment AS TIMESTAMP) - INTERVAL 1 SECOND,"
    " '%Y-%m-%d %H:%M:%S')"
    rf" || regexp_extract(trim(moment), '{_ZONE}', 1)",
    "company_domain(text)": "NULLIF(normalise('company_domain', text), '')",
    "members(text)": "CASE WHEN NULLIF(trim(text, ' ;'), '') IS NULL THEN [NULL] ELSE"
    " list_sort(list_distinct(list_transform(string_split(text, ';'),"
    " lambda one: NULLIF(trim(one), '')))) END",
    "lead_company(email, website, company)": "'lead-' || coalesce(company_domain(email),"
    " company_domain(website), NULLIF(normalise('company_key', company), ''))",
    "salesforce_id(text)": salesforce_id_sql("text"),
    "with_currency(amount, code)": "CASE WHEN given(amount) IS NOT NULL"
    " THEN concat_ws(' ', trim(amount), given(code)) END",
    "in_currency(amount, code, target)": "CASE WHEN given(amount) IS NULL OR given(code) IS NULL"
    " OR upper(trim(code)) = upper(target) THEN amount"
    " ELSE coalesce(CASE WHEN starts_with(trim(amount), '-') THEN '-' ELSE '' END"
    " || NULLIF(normalise('revenue_' || target, concat(ltrim(coalesce(format('{:.2f}',"
    " TRY_CAST(amount AS DOUBLE)), trim(amount)), '-'), ' ', code)), ''), concat(amount, ' ', code)) END",
    "or_none(amount)": "CASE WHEN regexp_matches(trim(amount), '[[:alpha:]]$') THEN [amount, NULL]"
    " ELSE [amount] END",
    "told_industry(text, naics, sic)": "CASE WHEN NULLIF(normalise('industry', text), '') IS NOT NULL"
    " THEN text ELSE coalesce('NAICS ' || given(naics), 'SIC ' || given(sic), text) END",
    "moment_of(text, day)": f"try_strptime(trim(text), {_WAYS})"
    " + CASE WHEN contains(text, ':') THEN INTERVAL 0 SECOND ELSE INTERVAL 86399 SECOND END",
    "known_by(first, second, day)": "CASE WHEN given(second) IS NOT NULL AND moment_of(second, day) IS NULL"
    " THEN second ELSE coalesce(strftime(greatest(moment_of(first, day), moment_of(second, day)),"
    " '%Y-%m-%d %H:%M:%S'), first) END",
    "earlier(first, second)": "CASE WHEN NULLIF(trim(first), '') IS NULL THEN second"
    " WHEN NULLIF(trim(second), '') IS NULL OR TRY_CAST(first AS TIMESTAMP) IS NULL THEN first"
    " WHEN coalesce(TRY_CAST(second AS TIMESTAMP) >= TRY_CAST(first AS TIMESTAMP), false) THEN first"
    " ELSE second END",
}
"""given: the text, unless it is blank.        filled: the first that is not blank.
yes: whether a yes/no cell says yes.        end_of_day: a day without a time as its last second.
is_before, is_same_day: false when either is no time.
second_before: of a time, in its own zone.
later, earlier: of two times; one that is no time wins, so that it is noticed.
members: what a cell parts by semicolons, each once and sorted; of a blank cell one empty member.
company_domain: the domain of an address or a web site that a company can be known by.
lead_company: the identifier of the company that a lead names, by its domain, else by its name.
or_none: in a list, an amount, and an empty one beside an amount that ends in letters and is no number.
salesforce_id: an id of 15 characters with its 18; anything else as it is."""


def define_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the words known to a connection."""
    for word, meaning in _WORDS.items():
        connection.execute(f"CREATE OR REPLACE TEMP MACRO {word} AS {meaning}")
