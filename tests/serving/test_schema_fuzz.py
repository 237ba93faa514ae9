"""Every route of /docs.json answers whatever is sent as the document says, on a real server."""

from __future__ import annotations

import json
from pathlib import Path

from fuzz import fuzz
from server_process import Server

from serving.web.routes import ENDPOINTS

FEW = ["--max-examples", "6", "--seed", "20260501"]
"""Enough to see every field broken once; `python tests/serving/fuzz.py` has no end."""


def test_the_service_answers_as_its_document_says(keyed_server: Server, key: str, tmp_path: Path) -> None:
    told = ["--report", "json", "--report-json-path", "told.json"]
    assert fuzz(keyed_server, key=key, folder=tmp_path, options=[*FEW, *told]) == 0
    report = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert report["operations"]["tested"] == len(ENDPOINTS)
    assert all(phase["status"] == "success" for phase in report["phases"].values())
    accepted = report["valid_rates"]["POST /v1/score"]["fuzzing"]["accepted"]
    assert accepted, "what is sent reaches the work behind the request"
