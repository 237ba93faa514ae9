"""Features that a large job gathers first are those that its parts would have read, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_workspace import AS_OF, NOW, account_id

from features.workspace import Workspace
from serving.desk import Desk
from serving.jobs import gathering
from serving.jobs.asking import Asked
from serving.jobs.desks import job_desk
from serving.jobs.gathering import JobDesk, named_in
from serving.requests import parse_request
from serving.store.door import StoreDoor

ROWS: list[Any] = [
    {"account_id": account_id(7)},
    {"domain": "company3.example"},
    {"account_id": "nobody"},
    {"account_id": account_id(5), "as_of": AS_OF},
    {"account_id": account_id(1)},
    {"account_id": account_id(7)},
]


@pytest.fixture
def own_desk(company: Workspace) -> Iterator[JobDesk]:
    with job_desk(company, StoreDoor(company.store_url), release_id=None, now=NOW) as desk:
        yield desk


def nothing() -> None:
    """There is use in going on."""


def test_gathered_features_are_those_of_the_tables(
    own_desk: JobDesk, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_STRETCH", 2)
    attributes = desk.snapshot.manifest.attributes
    asked: list[Asked] = [parse_request(json.dumps(row).encode(), attributes=attributes) for row in ROWS]
    named = list(named_in(own_desk, asked, first_row=11, now=NOW))
    assert [(row.account_id, row.row) for row in named] == [
        (account_id(number), row) for number, row in ((7, 11), (3, 12), (5, 14), (1, 15), (7, 16))
    ]
    own_desk.gather(named, folder=tmp_path, require=nothing)
    own_desk.turn_to(named[1:])
    moments = [np.datetime64(row.at, "s") for row in named]
    keys = pd.DataFrame(
        {
            "account_id": [*(row.account_id for row in named), account_id(1)],
            "as_of": np.array([*moments, np.datetime64(NOW - timedelta(days=9))], dtype="datetime64[us]"),
        }
    )
    models = {model.key for model in desk.release.models}
    expected = desk.matrices(keys, models)
    reads = list[int]()
    inner = Desk.matrices

    def counting(self: Desk, keys: pd.DataFrame, models: Any) -> Any:
        reads.append(len(keys))
        return inner(self, keys, models)

    monkeypatch.setattr(Desk, "matrices", counting)
    found = own_desk.matrices(keys, models)
    assert reads == [1]
    assert {key: matrix.tobytes() for key, matrix in found.items()} == {
        key: matrix.tobytes() for key, matrix in expected.items()
    }
