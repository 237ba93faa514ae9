"""The ids of a Salesforce source in their one spelling, wherever its rows enter.

Reports export an id with 15 characters, in which case tells records apart; everything else exports it with
18, the last three of which say which of the others are capital letters. In a source that is declared as
Salesforce's, columns that hold ids become ids of 18 characters before any query reads them: rows of both
kinds meet. Of 18 characters in another case, as systems that know no case write them, it is restored. What
has 18 characters whose last three do not fit names no record: it stays as it is, and its row is set aside.
Time rule: none. Null rule: nothing stays nothing; a text of another length is no id and stays as it is.
"""

from __future__ import annotations

import re

from features.bindings import Source

__all__ = ["IDENTIFIERS", "holds_ids"]

IDENTIFIERS = ("account_id", "contact_id", "opportunity_id")
"""Columns of the contract that an id of Salesforce may fill."""

_NAME = re.compile("(?i:(^|[ _])id)$|[a-z]Id$")
"""How Salesforce calls the columns that hold ids, in its API, in reports and in replicas."""


def holds_ids(source: Source, column: str) -> bool:
    """Whether a column of a source holds ids of Salesforce.

    Those of a source with system = "salesforce" that are bound to an identifier, or are called so: id,
    account_id, AccountId, Account ID.
    """
    if source.system != "salesforce":
        return False
    bound = {source.columns[name].column for name in IDENTIFIERS if name in source.columns}
    return column in bound or _NAME.search(column) is not None
