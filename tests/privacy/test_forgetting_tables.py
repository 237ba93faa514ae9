"""The tables after forgetting are those of an export that never had the person."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people_sources import Export, Row, day, export, forget, frames, load, without, write

from features.errors import InputError, WorkspaceError
from features.privacy.forgetting import Request, erase, plan, remember
from features.privacy.suppression import FORGOTTEN_FILE, Forgotten
from features.workspace import Workspace

ADA = Request(contacts=("person-1-0",))


def _gone_contact(name: str, row: Row) -> bool:
    return (name == "contacts" and row["id"] == "person-1-0") or row.get("contact") == "person-1-0"


def _of_account(number: int, name: str, row: Row) -> bool:
    account = f"account-{number}"
    if name == "activities" and (row["contact"] or "").startswith(f"person-{number}-"):
        return True
    key = {"accounts": row.get("id"), "stages": f"account-{row.get('deal', '')[5:]}"}
    return key.get(name, row.get("account")) == account


def _filtered(folder: Path, rows: Export) -> Workspace:
    load(write(folder, rows))
    return Workspace(folder / "workspace")


Gone = Callable[[str, Row], bool]


def _gone_company(name: str, row: Row) -> bool:
    return _of_account(2, name, row)


@pytest.fixture(scope="module")
def never(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Gone], tuple[str, dict[str, str], str]]:
    """Of an export without some people: fingerprint and tables, and the fingerprint once accounts changed."""

    @cache
    def ingested(gone: Gone) -> tuple[str, dict[str, str], str]:
        folder = tmp_path_factory.mktemp("never") / "never"
        workspace = _filtered(folder, without(export(), gone))
        before = workspace.manifest().fingerprint, frames(workspace)
        again = [row | {"staff": "77"} for row in without(export(), gone)["accounts"]]
        return *before, load(write(folder, {"accounts": again}, part="2")).fingerprint

    return ingested


@pytest.mark.parametrize(
    ("request_", "gone"),
    [
        (ADA, _gone_contact),
        (Request(emails=("Person-1-0@company-1.EXAMPLE ",)), _gone_contact),
        (Request(accounts=("account-2",)), _gone_company),
    ],
    ids=["contact", "email", "account"],
)
def test_the_tables_are_those_of_an_export_without_them(
    people: Workspace,
    never: Callable[[Gone], tuple[str, dict[str, str], str]],
    request_: Request,
    gone: Gone,
) -> None:
    forget(people, request_)
    fingerprint, tables, later_fingerprint = never(gone)
    assert people.manifest().fingerprint == fingerprint
    assert frames(people) == tables
    # The sources still hold them, and so do a later version of a file and a start from nothing.
    later = [row | {"staff": "77"} for row in export()["accounts"]]
    more = write(people.home.parent, {"accounts": later, "contacts": export()["contacts"]}, part="2")
    report = load(more)
    assert sum(report.forgotten.values()) > 0
    assert "rows of forgotten people that were left out" in str(report)
    assert report.fingerprint == later_fingerprint
    rebuilt = load(more, rebuild=True)
    assert rebuilt.fingerprint == report.fingerprint
    assert "person" not in str(rebuilt)
    assert not load(more).changed


person = st.integers(0, 3)
place = st.integers(0, 2)
contact = st.builds(
    lambda who, where, address, when: {
        "id": f"p{who}",
        "account": f"a{where}",
        "title": "Angler",
        "email": f"mail{address}@example.com" if address < 4 else "",
        "basis": "consent",
        "since": day(when),
        "full_name": "",
    },
    person,
    place,
    st.integers(0, 5),
    st.integers(0, 3),
)
activity = st.builds(
    lambda key, who, where, when: {
        "id": f"v{key}",
        "account": f"a{where}",
        "contact": f"p{who}" if who < 4 else "",
        "kind": "web_visit",
        "at": day(when),
    },
    st.integers(0, 8),
    st.integers(0, 4),
    place,
    st.integers(0, 3),
)
deal = st.builds(
    lambda key, where, when: {"id": f"d{key}", "account": f"a{where}", "at": day(when)},
    st.integers(0, 3),
    place,
    st.integers(0, 2),
)
stage = st.builds(
    lambda key, when: {"deal": f"d{key}", "stage": "open", "at": day(when)},
    st.integers(0, 3),
    st.integers(0, 3),
)
asked = st.sampled_from(
    [
        Request(contacts=("p0",)),
        Request(emails=("mail1@example.com",)),
        Request(accounts=("a1",)),
        Request(contacts=("p2",), accounts=("a2",)),
        Request(emails=("MAIL0@example.com", "mail3@example.com")),
    ]
)


def _gone(rows: Export, request: Request) -> tuple[set[str], set[str], set[str]]:
    """Contacts, accounts and deals to leave out, worked out slowly."""
    accounts = set(request.accounts)
    emails = {email.lower() for email in request.emails}
    contacts = set(request.contacts) | {row["id"] for row in rows["contacts"] if row["email"] in emails}
    for found, name in ((contacts, "contacts"), (deals := set[str](), "deals")):
        for row in rows[name]:
            at = {other["account"] for other in rows[name] if other["id"] == row["id"]}
            if at <= accounts:
                found.add(row["id"])
    return contacts, accounts, deals


export_rows = st.fixed_dictionaries(
    {
        "contacts": st.lists(contact, max_size=10),
        "activities": st.lists(activity, min_size=1, max_size=12),
        "deals": st.lists(deal, max_size=6),
        "stages": st.lists(stage, max_size=4),
    }
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(export_rows, asked, st.randoms(use_true_random=False))
def test_anybody_in_any_order_leaves_what_an_export_without_them_gives(
    told: Export, request_: Request, chance: random.Random
) -> None:
    accounts = [{"id": f"a{k}", "name": f"A{k}", "staff": "1", "since": day(0)} for k in range(3)]
    topics = [{"account": "a1", "topic": "t", "at": day(1), "score": "5"}]
    rows: Export = {"accounts": accounts, "topics": topics, **told}
    people, companies, closed = _gone(rows, request_)
    left = without(
        rows,
        lambda name, row: (
            (name == "contacts" and row["id"] in people)
            or row.get("contact") in people
            or (row["id"] if name == "accounts" else row.get("account")) in companies
            or (name == "deals" and row["id"] in closed)
            or row.get("deal") in closed
        ),
    )
    with TemporaryDirectory() as place:
        folder = Path(place)
        expected = _filtered(folder / "never", left)
        turns = [{name: chance.sample(told, len(told)) for name, told in rows.items()}]
        if chance.random() < 0.5:
            turns = _halves(rows, chance=chance)
        workspace = Workspace(folder / "all" / "workspace")
        for number, turn in enumerate(turns):
            load(write(folder / "all", turn, part=str(number)))
        forget(workspace, request_)
        assert workspace.manifest().fingerprint == expected.manifest().fingerprint
        assert frames(workspace) == frames(expected)


def _halves(rows: Export, *, chance: random.Random) -> list[Export]:
    first: Export = {name: [row for row in told if chance.random() < 0.5] for name, told in rows.items()}
    first["accounts"] = rows["accounts"]
    second = {name: [row for row in told if row not in first[name]] for name, told in rows.items()}
    return [first, second]


def test_who_is_in_no_table_is_left_out_when_an_export_brings_them(tmp_path: Path) -> None:
    mapping = write(tmp_path, without(export(), _gone_contact))
    first, workspace = load(mapping), Workspace(tmp_path / "workspace")
    found = forget(workspace, Request(emails=("person-1-0@company-1.example",)))
    assert (found.unknown, found.rows, found.same_address) == (1, {}, 0)
    assert workspace.manifest().snapshot == first.snapshot
    write(tmp_path, export())
    report = load(mapping)
    assert report.forgotten == {"contacts": 1, "activities": 1}
    assert report.fingerprint == first.fingerprint


def test_a_person_may_be_forgotten_before_there_is_any_table(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    with pytest.raises(WorkspaceError, match="there is no workspace"):
        plan(workspace, ADA)
    workspace.home.mkdir()
    assert forget(workspace, ADA).unknown == 1
    load(write(tmp_path, export()))
    assert "person-1-0" not in frames(workspace)["contacts"] + frames(workspace)["activities"]


def test_looking_changes_nothing(people: Workspace) -> None:
    before = frames(people), sorted(path.name for path in people.home.iterdir())
    found = plan(people, Request(accounts=("account-3",)))
    assert found.rows == {
        "accounts": 1,
        "contacts": 2,
        "activities": 3,
        "intent_topics": 1,
        "opportunities": 1,
        "stage_changes": 1,
    }
    assert (found.contacts, found.accounts, found.opportunities) == (2, 1, 1)
    assert found.mentions.names == ("Company 3 Limited", "company-3.example")
    assert (frames(people), sorted(path.name for path in people.home.iterdir())) == before


def test_forgetting_again_changes_nothing(people: Workspace) -> None:
    forget(people, ADA)
    before = people.manifest(), (people.home / FORGOTTEN_FILE).read_bytes()
    assert forget(people, ADA).rows == {}
    assert not erase(people)
    assert (people.manifest(), (people.home / FORGOTTEN_FILE).read_bytes()) == before


def test_a_contact_is_one_record_and_others_with_its_address_are_told_of(tmp_path: Path) -> None:
    rows = export()
    lead = rows["contacts"][2] | {"id": "lead-1"}
    assert lead["email"] == "person-1-0@company-1.example"
    rows["contacts"].append(lead)
    load(write(tmp_path, rows))
    workspace = Workspace(tmp_path / "workspace")
    assert forget(workspace, ADA).same_address == 1
    assert "lead-1" in frames(workspace)["contacts"]
    assert forget(workspace, Request(emails=(lead["email"],))).rows == {"contacts": 1}


def test_an_address_brings_its_contacts_whatever_row_tells_of_it(tmp_path: Path) -> None:
    """The row with the address and the person's visits may arrive in any order, ingests apart."""
    rows = export()
    person = [row for row in rows["contacts"] if row["id"] == "person-1-0"]
    load(write(tmp_path, without(rows, lambda name, row: name == "contacts" and row["id"] == "person-1-0")))
    workspace = Workspace(tmp_path / "workspace")
    forget(workspace, Request(emails=("person-1-0@company-1.example",)))
    assert "person-1-0" in frames(workspace)["activities"]
    load(write(tmp_path, {"contacts": person}, part="2"))
    assert "person-1-0" not in frames(workspace)["activities"]
    late = [rows["activities"][3] | {"id": "visit-late"}]
    report = load(write(tmp_path, {"activities": late}, part="3"))
    assert report.forgotten == {"activities": 1}


def test_a_salesforce_id_of_15_characters_is_one_with_18(tmp_path: Path) -> None:
    rows = export()
    rows["contacts"][2]["id"] = rows["activities"][3]["contact"] = "003A0000006Vm9uIAC"
    load(write(tmp_path, rows))
    workspace = Workspace(tmp_path / "workspace")
    assert forget(workspace, Request(contacts=("003A0000006Vm9u",))).rows == {"contacts": 1, "activities": 1}


def test_rows_set_aside_go_with_the_person(tmp_path: Path) -> None:
    rows = export()
    rows["contacts"].append(rows["contacts"][2] | {"basis": "NO SUCH BASIS"})
    rows["activities"] += [rows["activities"][3] | {"kind": "No Kind", "id": "bad"}]
    rows["activities"] += [rows["activities"][6] | {"kind": "No Kind", "id": "other"}]
    mapping = write(tmp_path, rows)
    with (tmp_path / "contacts.csv").open("a", encoding="utf-8") as file:
        file.write("person-1-0,account-1,x,person-1-0@company-1.example,consent,too,many,cells,here\n")
    load(mapping)
    workspace = Workspace(tmp_path / "workspace")
    assert {name: sum(told.values()) for name, told in workspace.manifest().quarantine.items()} == {
        "contacts": 2,
        "activities": 2,
    }
    found = forget(workspace, ADA)
    assert found.quarantined["contacts"] >= 1
    # Of a line that is no row, nothing is kept but where it stands: it is nobody's.
    left = {"contacts": 1, "activities": 1}
    assert {name: sum(told.values()) for name, told in workspace.manifest().quarantine.items()} == left
    report = load(mapping, rebuild=True)
    assert {
        table.name: sum(table.quarantined.values()) for table in report.tables if table.quarantined
    } == left


def test_the_list_holds_nothing_readable_and_is_of_no_use_elsewhere(people: Workspace) -> None:
    forget(people, Request(emails=("person-1-0@company-1.example",)))
    hashed = people.tables().read("contacts")["email"].dropna().tolist()
    text = (people.home / FORGOTTEN_FILE).read_text(encoding="utf-8")
    assert "person" not in text
    assert not [one for one in hashed if one in text]
    (people.home / "privacy.key").write_bytes(b"x" * 32)
    with pytest.raises(WorkspaceError, match="made under another secret"):
        Forgotten.read(people)


@pytest.mark.parametrize("damage", ["{", json.dumps({"format": 1}), "[]"])
def test_a_damaged_list_stops_everything(people: Workspace, damage: str) -> None:
    forget(people, ADA)
    (people.home / FORGOTTEN_FILE).write_text(damage, encoding="utf-8")
    with pytest.raises(WorkspaceError, match="the list of forgotten people is damaged"):
        load(people.home.parent / "mapping.toml", rebuild=True)


@pytest.mark.parametrize("emails", [("nobody",), (" ",), ()])
def test_nobody_and_what_is_no_address_are_refused(tmp_path: Path, emails: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"nobody to forget was named|this is no e-mail address"):
        plan(Workspace(tmp_path), Request(emails=emails))


def test_a_reader_keeps_the_older_snapshot_until_it_has_ended(people: Workspace) -> None:
    with people.lease() as held:
        forget(people, ADA)
        assert people.sweep() == (held.snapshot,)
    assert people.sweep() == ()
    assert [one.name for one in people.snapshots.iterdir()] == [people.manifest().snapshot]


def test_the_company_goes_whatever_source_tells_of_it(tmp_path: Path) -> None:
    """Two accounts that are one company, and a decision about another pair."""
    rows = export()
    rows["accounts"].append(rows["accounts"][2] | {"id": "zz-2", "staff": "12", "since": day(100)})
    rows["activities"].append(rows["activities"][6] | {"id": "via-zz", "account": "zz-2", "contact": ""})
    identity = '\n[identity]\nmerge = true\nwithin_origin = true\ndecisions = "../decided.csv"\n'
    (tmp_path / "decided.csv").write_text("record_id,account_id,decision\naccount-0,account-1,same\n")
    load(write(tmp_path / "all", rows, identity=identity))
    workspace = Workspace(tmp_path / "all" / "workspace")
    found = forget(workspace, Request(accounts=("account-2",)))
    assert (found.accounts, found.rows["accounts"], found.rows["activities"]) == (2, 2, 4)
    left = without(rows, lambda name, row: _of_account(2, name, row) or "zz-2" in row.values())
    load(write(tmp_path / "never", left, identity=identity))
    never = Workspace(tmp_path / "never" / "workspace")
    assert workspace.manifest().fingerprint == never.manifest().fingerprint
    assert frames(workspace) == frames(never)
    assert not load(tmp_path / "all" / "mapping.toml").changed


def test_what_was_learned_meanwhile_stays_on_the_list(people: Workspace) -> None:
    first = plan(people, ADA)
    second = plan(people, Request(accounts=("account-2",)))
    remember(people, first.people)
    remember(people, second.people)
    erase(people)
    text = "".join(frames(people).values())
    assert "person-1-0" not in text
    assert "person-2-" not in text
