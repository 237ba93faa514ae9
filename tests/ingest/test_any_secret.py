"""Whatever the secret of the workspace, the order of rows and the files: the tables say the same."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from loading import KNOWN_ACCOUNTS, NOW, VISITS, load
from small_sources import write_csv

from features.catalogue import learn_catalogue
from features.point_in_time import build_features
from features.privacy.addresses import SECRET_FILE, keyed_digest
from features.report import IngestReport
from features.workspace import Workspace

MAPPING = f"""{KNOWN_ACCOUNTS}
[[sources]]
table = "contacts"
path = "people*.csv"
known_at = "Since"
[sources.columns]
contact_id = "Person"
account_id = "Account"
title = "Job"
email = "Mail"
consent_basis = "Basis"

[[sources]]
table = "contacts"
name = "leads"
path = "leads*.csv"
optional = true
known_at = "Since"
[sources.columns]
contact_id = "Person"
account_id = "Account"
title = "Job"
email = "Mail"
consent_basis = "Basis"
role = {{ column = "Role" }}
{VISITS}activity_id = "Id"
"""
PEOPLE = ("Person", "Account", "Job", "Mail", "Basis", "Since", "Role")
VISITS = ("Id", "Account", "Person", "Kind", "When")
KEYED = {"contacts": ["contact_id", "email"], "activities": ["contact_id"]}
ADDRESSES = ("ann@x.example", "bob@x.example", "cid@x.example")

Rows = list[tuple[str, ...]]
Export = dict[str, Rows]

visit = st.tuples(
    st.sampled_from(["v1", "v2"]),
    st.sampled_from(["a1", "a2"]),
    st.sampled_from([*ADDRESSES, "c1", ""]),
    st.sampled_from(["web_visit", "email"]),
    st.sampled_from(["2023-02-01T00:00:00Z", "2023-02-02T00:00:00Z"]),
)
contact = st.tuples(
    st.sampled_from(["c1", ADDRESSES[0]]),
    st.just("a1"),
    st.sampled_from(["Angler", ""]),
    st.sampled_from([*ADDRESSES, ""]),
    st.sampled_from(["consent", "none", ""]),
    st.sampled_from(["2023-01-01T00:00:00Z", "2023-01-02T00:00:00Z", "2023-01-03T00:00:00Z"]),
    st.just(""),
)
lead = st.builds(lambda row, role: (*row[:-1], role), contact, st.sampled_from(["user", ""]))


def _write(folder: Path, rows: Export, *, part: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    write_csv(folder / "accounts.csv", ["Id"], [["a1"], ["a2"]])
    for name, told in rows.items():
        write_csv(folder / f"{name}{part}.csv", VISITS if name == "visits" else PEOPLE, told)
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    return folder / "mapping.toml"


def _load(mapping: Path, *, secret: bytes) -> tuple[IngestReport, Workspace]:
    home = mapping.parent / "workspace"
    home.mkdir(exist_ok=True)
    (home / SECRET_FILE).write_bytes(secret)
    return load(mapping)


def _told(workspace: Workspace) -> list[object]:
    """Every table without the columns that hold hashes."""
    tables = workspace.tables()
    frames = [tables.read(name).drop(columns=columns) for name, columns in KEYED.items()]
    return [sorted(map(str, frame.to_dict("records"))) for frame in frames]


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    st.lists(visit, min_size=4, max_size=16),
    st.lists(contact, min_size=3, max_size=12),
    st.lists(lead, min_size=2, max_size=10),
    st.randoms(use_true_random=False),
)
def test_no_secret_and_no_split_changes_what_the_tables_say(
    visits: Rows, people: Rows, leads: Rows, chance: random.Random
) -> None:
    rows = {"visits": visits, "people": people, "leads": leads}
    with TemporaryDirectory() as place:
        folder = Path(place)
        first, whole = _load(_write(folder / "one", rows), secret=EITHER_WAY[0])
        early = {name: [row for row in told if chance.random() < 0.5] for name, told in rows.items()}
        late = {name: [row for row in told if row not in early[name]] for name, told in rows.items()}
        _load(
            _write(folder / "two", {n: chance.sample(r, len(r)) for n, r in early.items()}),
            secret=EITHER_WAY[1],
        )
        second, parts = _load(_write(folder / "two", late, part=1), secret=EITHER_WAY[1])
        assert _told(parts) == _told(whole)
        assert second.fingerprint == first.fingerprint


def _in_order(secret: bytes) -> bool:
    return str(keyed_digest(secret, ADDRESSES[0])) < str(keyed_digest(secret, ADDRESSES[1]))


EITHER_WAY = [
    next(key for number in range(256) if _in_order(key := bytes([number]) * 32) is first)
    for first in (True, False)
]
"""A secret under which Ann's hash goes before Bob's, and one under which it does not."""

VISIT = ("v1", "a1", "ann@x.example", "web_visit", "2023-02-01T00:00:00Z")


@pytest.mark.parametrize(
    ("others", "stays", "set_aside"),
    [
        # Nobody can tell whose it is: it counts for no one.
        ([{"Person": "bob@x.example"}], 0, 2),
        ([{"Person": "bob@x.example"}, {"Person": ""}], 0, 3),
        # An identifier that is no address goes before one that is; the same address twice is one row.
        ([{"Person": "c1"}], 1, 1),
        ([{"Person": " Ann@X.example"}], 1, 0),
        # What differs beside the person decides, and is the same in every workspace.
        ([{"Person": "bob@x.example", "Kind": "email"}], 1, 1),
        ([{"Person": "bob@x.example", "When": "2023-01-31T00:00:00Z"}], 1, 1),
    ],
)
def test_an_activity_of_several_addresses_is_nobody_s(
    tmp_path: Path, others: list[dict[str, str]], stays: int, set_aside: int
) -> None:
    visits: Rows = [VISIT, *(tuple((dict(zip(VISITS, VISIT, strict=True)) | row).values()) for row in others)]
    people: Rows = [("c1", "a1", "Angler", "", "consent", "2023-01-01T00:00:00Z", "")]
    seen = []
    for number, secret in enumerate(EITHER_WAY):
        mapping = _write(tmp_path / str(number), {"visits": visits, "people": people})
        report, workspace = _load(mapping, secret=secret)
        told = report.table("activities")
        assert (told.rows, sum(told.quarantined.values())) == (stays, set_aside)
        tables = workspace.tables()
        catalogue = learn_catalogue(tables, cutoff=NOW)
        keys = pd.DataFrame({"account_id": ["a1"], "as_of": pd.to_datetime(["2023-03-01"])})
        seen.append((report.fingerprint, build_features(tables, keys, catalogue=catalogue).to_json()))
    assert len(set(seen)) == 1
