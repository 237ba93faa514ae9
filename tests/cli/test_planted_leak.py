"""A leak in a source on its whole way: found, named, refused, and served only for a reason that is kept."""

from __future__ import annotations

from pathlib import Path

from leaky_market import PLANTED, REASON, Leaky


def test_the_audit_blocks_and_names_the_planted_column(leaky: Leaky) -> None:
    assert leaky.said["ingest"].code == 0
    done = leaky.said["audit"]
    assert done.code == 1
    assert done.document["blocks"] is True
    found = done.document["audits"]["fit"]["findings"]
    blocking = [one for one in found if one["severity"] == "blocks"]
    assert [one["column"] for one in blocking] == [PLANTED]
    assert blocking[0]["why"]
    assert blocking[0]["fix"]


def test_a_training_goes_on_and_says_so(leaky: Leaky) -> None:
    done = leaky.said["train"]
    assert done.code == 0
    audit = done.document["models"]["fit"]["audit"]
    assert [one["column"] for one in audit["findings"] if one["severity"] == "blocks"] == [PLANTED]
    page = Path(done.document["report"]).read_text(encoding="utf-8")
    assert PLANTED in page


def test_a_promotion_is_refused_and_names_the_column(leaky: Leaky) -> None:
    done = leaky.said["refused"]
    assert done.code == 2
    error = done.document["error"]
    assert "the leakage audit of icp_fit" in error["sentence"]
    assert PLANTED in error["sentence"]
    assert "--waive COLUMN=REASON" in error["fix"]


def test_a_refused_promotion_serves_nothing(leaky: Leaky) -> None:
    assert leaky.said["nothing served"].code == 0
    assert leaky.said["nothing served"].document == {"releases": []}


def test_a_waived_release_keeps_who_answers_for_what_and_why(leaky: Leaky) -> None:
    promoted, listed = leaky.said["promote"], leaky.said["releases"]
    assert (promoted.code, listed.code) == (0, 0)
    (entry,) = listed.document["releases"]
    assert (entry["why"], entry["answers"]) == ("to try it out", True)
    fit = [one for one in entry["waivers"] if one["model"] == entry["models"]["fit"]]
    assert {one["column"]: one["why"] for one in fit} == {PLANTED: REASON}
    assert all(one["who"] == entry["who"] and one["at"].endswith("Z") for one in entry["waivers"])
