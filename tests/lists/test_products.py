"""The product lines that opportunities name, as they were known at a moment."""

from __future__ import annotations

from datetime import datetime

import pytest

from features.workspace import Workspace
from serving.lists.products import product_lines


@pytest.mark.parametrize(
    ("as_of", "lines"),
    [
        # o-3 is lost by then, o-1 won and o-2 open.
        ("2026-03-01", [("crm", 1, 2), ("erp", 0, 1)]),
        # What is known at the moment itself is not known before it.
        ("2026-02-01", [("crm", 0, 1), ("erp", 0, 1)]),
        ("2025-02-01", []),
    ],
)
def test_each_line_is_told_with_its_customers(
    companies: Workspace, as_of: str, lines: list[tuple[str, int, int]]
) -> None:
    found = product_lines(companies.tables(), as_of=datetime.fromisoformat(as_of))
    assert [(one.name, one.customers, one.opportunities) for one in found] == lines
