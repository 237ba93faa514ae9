"""Files that are handed over are read back by the preset for plain tables, in every format that the page
offers, without a warning: the flags of who is a target, and of who has left."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from people_with_keys import Person, people
from server_process import Server

from features.ingest import ingest
from features.mapping import load_config
from features.presets import preset_text
from features.workspace import Workspace
from serving.lists.handing_over import FORMATS, Format

NAME, SEGMENT, REASON = "华东重点客户, “一期”", "华东", "行业：银行, 且有 3 次演示"
STAYS, LEAVES = "acc-08", "acc-00"
COME = ("acc-05", "acc-01", "acc-02")
"""Without a domain, and two that share one: HubSpot cannot find them by it."""

PEOPLE = ("account_id", "{}", "")
COLUMNS: Mapping[Format, tuple[str, str, str]] = {
    "csv": PEOPLE,
    "xlsx": PEOPLE,
    "salesforce": ("Spearfish_Account_Id__c", "Spearfish_{}__c", "#N/A"),
    "hubspot": ("domain", "spearfish_{}", "none"),
}
"""By format: what finds an account, how a field is called, and what stands for nothing."""


_ABSENT = ("domain", "industry", "country")
"""What no file for a CRM tells, which has it already."""


class Told(NamedTuple):
    """What a file says of an account."""

    list: str | None
    segment: str | None
    target: bool
    reason: str | None


def mapping(file: Path, *, file_format: Format) -> str:
    """The preset for plain tables, changed as its comments say: the file, its columns and its attributes."""
    account, field, nothing = COLUMNS[file_format]
    of_crm = file_format in ("salesforce", "hubspot")
    text, lines = preset_text("csv"), []
    for line in text.splitlines():
        name = line.partition(" =")[0]
        if name == "employees" or (of_crm and (line == 'name = "name"' or name in _ABSENT)):
            continue
        if line.startswith("# [sources.attributes]"):
            lines.append("[sources.attributes]")
            lines += attributes(field, nothing=nothing, of_crm=of_crm)
        elif name == "path":
            lines.append(f'path = "{file}"')
        elif name == "account_id":
            lines.append(f'account_id = "{account}"')
        elif name == "known_at":
            lines.append("extracted_at = 2026-03-15T00:00:00Z")
        else:
            lines.append(line)
    return "\n".join(lines)


def attributes(field: str, *, nothing: str, of_crm: bool) -> Iterator[str]:
    names = {"list": "list", "segment": "segment", "target": "target", "reason": "reason_1"}
    if of_crm:
        names["reason"] = "list_reason"
    kinds = {"target": "boolean", "reason": "text"}
    for name, column in names.items():
        capital = field.startswith("Spearfish")
        words = "_".join(word.capitalize() for word in column.split("_")) if capital else column
        empty = f', empty = ["{nothing}"]' if nothing else ""
        kind = kinds.get(name, "category")
        yield f'{name} = {{ column = "{field.format(words)}", type = "{kind}", label = "{name}"{empty} }}'


def read_back(
    content: bytes, folder: Path, caplog: pytest.LogCaptureFixture, *, file_format: Format
) -> dict[str, Told]:
    """A file by what finds its accounts; fails on a warning, and on a row or a cell that is not taken."""
    folder.mkdir()
    file = folder / f"list.{'xlsx' if file_format == 'xlsx' else 'csv'}"
    file.write_bytes(content)
    (folder / "csv.toml").write_text(mapping(file, file_format=file_format), encoding="utf-8")
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        report = ingest(load_config(folder / "csv.toml"), workspace=Workspace(folder / "workspace"))
    assert caplog.messages == []
    table = report.table("accounts")
    faults = (table.quarantined, table.unread, table.withheld, table.collapsed, table.deleted)
    assert not any(faults), faults
    assert table.rows == table.read
    with Workspace(folder / "workspace").tables().connect() as connection:
        rows = connection.execute("SELECT account_id, list, segment, target, reason FROM accounts").fetchall()
    return {account: Told(*row) for account, *row in rows}


@pytest.fixture
def person(keyed_server: Server, keyed: Workspace) -> Iterator[Person]:
    with people(keyed_server, keyed) as found:
        yield found


def sent(client: httpx.Client, path: str, **body: Any) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def approved(ann: httpx.Client, ben: httpx.Client, at: str, accounts: tuple[str, ...]) -> None:
    """A draw of accounts that both sides have approved."""

    def revision() -> Any:
        return ann.get(at).json()["target_list"]["revision"]

    detail = {"reasons_for": [{"sentence": REASON, "contribution": 1.0}], "baseline": 0.0, "other": 0.0}
    nearest = {"account_id": "acc-03", "name": "=2+5", "distance": 0.5, "shared": []}
    said = {**detail, "reasons_against": [], "nearest": [nearest], "segment": SEGMENT}
    suggestions = [{"account_id": name, "score": 9.0 - place, **said} for place, name in enumerate(accounts)]
    first = ann.get(at).json()["target_list"]["refreshed_at"] is None
    kind = "first" if first else "refresh"
    sent(ann, f"{at}/draws", kind=kind, why="due", revision=revision(), suggestions=suggestions)
    if not first:
        sent(ann, f"{at}/proposal", action="accept", revision=revision())
    sent(ann, f"{at}/state", action="submit", revision=revision())
    for client, side in ((ann, "marketing"), (ben, "sales")):
        sent(client, f"{at}/approvals", side=side, decision="approved", revision=revision())


def test_every_file_is_read_back_and_again_after_an_account_left(
    person: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ann, ben = person("Ann"), person("Ben")
    made = sent(
        ann,
        "/v1/lists",
        name=NAME,
        owner="Ann",
        purpose="try it",
        pilot=False,
        size=9,
        segments=[{"name": SEGMENT}],
    )
    at, on_it = f"/v1/lists/{made['id']}", Told(NAME, SEGMENT, True, REASON)
    gone: dict[str, Told] = {}
    for accounts in ((LEAVES, STAYS), (STAYS, *COME)):
        approved(ann, ben, at, accounts)
        expected = dict.fromkeys(accounts, on_it) | gone
        for file_format in FORMATS:
            export = sent(ann, f"{at}/exports", format=file_format)
            content = ann.get(export["file_url"]).content
            folder = tmp_path / f"{len(gone)}-{file_format}"
            found = read_back(content, folder, caplog, file_format=file_format)
            assert found == as_found(expected, file_format=file_format), file_format
            assert (export["targets"], export["leavers"]) == (
                sum(one.target for one in found.values()),
                sum(not one.target for one in found.values()),
            )
        gone = {LEAVES: Told(NAME, SEGMENT, False, None)}
    # The files of the version before are still there, and said to be older.
    made = ann.get(f"{at}/exports").json()["exports"]
    assert [one["current"] for one in made] == [True] * len(FORMATS) + [False] * len(FORMATS)


def as_found(expected: Mapping[str, Told], *, file_format: Format) -> dict[str, Told]:
    """By what the file finds accounts by. Who left keeps the reason in files for people alone."""
    if file_format == "hubspot":
        domain = {name: f"company{int(name[4:])}.example" for name in expected}
        return {domain[name]: told for name, told in expected.items() if name not in COME}
    if file_format == "salesforce":
        return dict(expected)
    return {name: told._replace(reason=REASON) for name, told in expected.items()}
