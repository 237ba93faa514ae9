"""The published tables of few rows: which halves there are, and which way is better."""

from __future__ import annotations

from training.publishing.few_rows import both_few_rows_figures

LEAD = {"value": 0.0213, "low": 0.01, "high": 0.0325, "base": 0.0}
LESS = {"value": -0.004, "low": -0.006, "high": -0.002, "base": 0.0}
SIZE = {
    "accounts_with_event": 40,
    "samples": 6,
    "judged_rows": 6_903,
    "base_rate": 0.0366,
    "roc_auc": {"few_rows": {"value": 0.71, "low": 0.69, "high": 0.73, "base": 0.5}},
    "log_loss": {"few_rows": {"value": 0.155, "low": 0.15, "high": 0.16, "base": 0.0366}},
    "few_rows_minus": {
        "trees": {"roc_auc": LEAD, "log_loss": LESS},
        "base_rate": {"roc_auc": LEAD, "log_loss": LESS},
    },
}


def test_a_half_that_was_not_measured_has_no_table() -> None:
    assert list(both_few_rows_figures({})) == []
    assert list(both_few_rows_figures({"intent": []})) == []


def test_intent_is_told_with_its_base_rate_and_every_lead_with_its_interval() -> None:
    lines = list(both_few_rows_figures({"intent": [SIZE]}))
    assert "6,903 others of another market (base rate 3.7%)" in lines[0]
    # Any ranking is ahead of a base rate that ranks nobody: of that only the log loss tells something.
    assert lines[2] == "| accounts with it | samples | ROC AUC | minus boosted trees |"
    assert lines[4] == "| 40 | 6 | 0.7100 (0.6900 to 0.7300) | +0.0213 (+0.0100 to +0.0325) |"
    assert (
        lines[6] == "| accounts with it | samples | log loss | minus boosted trees | minus base rate alone |"
    )
    assert lines[8].count("-0.0040 (-0.0060 to -0.0020)") == 2
