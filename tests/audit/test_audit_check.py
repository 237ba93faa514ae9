"""The yardstick: the late columns and identifiers of real lists, unaided."""

from __future__ import annotations

from pathlib import Path

from training.audit.columns import raw_table
from training.audit.running import audit_table
from training.audit.sources import read_list
from training.checks.audit import LEADS, judged
from training.publishing.audit import audit_figures


def test_the_late_columns_and_identifiers_of_real_leads_are_named(shared_data: Path) -> None:
    leads = read_list(shared_data / "x_education_leads" / "leads.csv")
    found = judged(audit_table(raw_table(leads, outcome="Converted")), known=LEADS)
    assert found["identifiers"]["missed"] == []
    assert found["late"]["missed"] == []
    assert found["wrong"] == []


def test_names_of_columns_make_no_difference(shared_data: Path) -> None:
    """Neither do their order and that of the rows: unaided means by what the cells say."""
    leads = read_list(shared_data / "x_education_leads" / "leads.csv")
    renamed = leads.rename(columns={name: f"c{at}" for at, name in enumerate(leads.columns)})
    outcome = f"c{list(leads.columns).index('Converted')}"
    original = dict(zip(renamed.columns, leads.columns, strict=True))
    audit = audit_table(raw_table(renamed[renamed.columns[::-1]], outcome=outcome))
    named = {original[finding.column] for finding in audit.blocking}
    assert named == {*LEADS.late, *LEADS.identifiers, *LEADS.disputed}


def test_sessions_of_a_shop_block_nothing(shared_data: Path) -> None:
    sessions = read_list(shared_data / "online_shoppers" / "online_shoppers_intention.csv")
    assert audit_table(raw_table(sessions, outcome="Revenue")).blocking == ()


def test_the_figures_are_a_table_with_what_was_missed() -> None:
    split = {"found": ["a", "b"], "missed": ["c"]}
    counted = {"audits": 8, "blocking": 0, "low": 0.0, "high": 0.369, "named": []}
    found = {
        "lists": {
            "leads": {
                "rows": 9240,
                "events": 3561,
                "late": split,
                "identifiers": {"found": ["id"], "missed": []},
                "wrong": [],
                "disputed": ["d"],
            }
        },
        "tries": {"as it is": {"late": 2, "wrong": []}, "other": {"late": 1, "wrong": ["e"]}},
        "shuffled": {"runs": 10, "named": 0},
        "markets": {
            "accounts": 2000,
            "clean": counted,
            "clean_all_marked": counted | {"blocking": 1, "named": ["industry"]},
            "planted": {"leaks": 32, "named": 32, "wrong": 0},
        },
    }
    text = "\n".join(audit_figures(found))
    assert "| leads | 9,240 (38.5 % with the event) | 2 of 3 (missed: c) | 1 of 1 | none | d |" in text
    assert "0 of 8 audits of markets that leak nothing block (0.0 % to 36.9 %)" in text
    assert "32 of 32 planted leaks" in text
