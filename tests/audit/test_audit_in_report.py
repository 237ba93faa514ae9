"""The page of a training tells what its audit found."""

from __future__ import annotations

from training.audit.finding import Audit, Finding
from training.report import _environment


def test_findings_stand_on_the_page_with_what_to_do() -> None:
    template = _environment().get_template("report.html.j2")
    finding = Finding("one_class", "blocks", "tags", "'a' <b> only with the event", "leave the column out")
    model: dict[str, object] = {
        "title": "ICP fit",
        "version": "1",
        "meaning": "",
        "label": "",
        "base_rate": "",
        "headline": "",
        "counts": [],
        "metrics": [],
        "grades": [],
        "features": [],
        "plots": "",
        "parameters": [],
        "origin": None,
        "assumed": [],
        "audit": Audit(rows=10, events=5, columns=2, checked={}, findings=(finding,)),
    }
    page = template.render(name="x", cutoff="2026-01-01", models=[model], absent=[])
    assert "1 finding blocks (tags)" in page
    assert "&#39;a&#39; &lt;b&gt; only with the event" in page
    assert "leave the column out" in page
