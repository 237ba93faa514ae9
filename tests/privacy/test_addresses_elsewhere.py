"""An address or a telephone number in a column that tells of no person gets no further than its file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from people_sources import NOW, write
from people_sources import export as made
from workspace_search import found_in

from features.catalogue import learn_catalogue
from features.dry_run import dry_run
from features.ingest import ingest
from features.mapping import load_config
from features.privacy.addresses import email_digest
from features.privacy.masking import tells_of_a_person_sql, without_addresses, without_addresses_sql
from features.report import IngestReport
from features.tables import open_engine
from features.workspace import Workspace

OWNER, TELEPHONE = "Olga.Owner@seller.example", "+49 (0)30 1234-567"
ATTRIBUTES = """
[sources.attributes]
owner = { column = "name", type = "category" }
email = { column = "name", type = "category" }
team = { column = "domain", type = "set" }

[[sources]]
table = "contacts\""""


def _load(folder: Path, rows: dict[str, list[dict[str, str]]]) -> tuple[IngestReport, Workspace, Path]:
    mapping = write(folder, rows)
    text = mapping.read_text(encoding="utf-8").replace('\n[[sources]]\ntable = "contacts"', ATTRIBUTES, 1)
    text = text.replace('created_at = "at"', 'created_at = "at"\nproduct = "account"')
    mapping.write_text(text.replace('account_id = "account"\ncreated', 'account_id = "id"\ncreated'))
    workspace = Workspace(folder / "workspace")
    return ingest(load_config(mapping), workspace=workspace, now=NOW), workspace, mapping


@pytest.mark.parametrize("told", [OWNER, f"Olga <{OWNER}>", f"ask {TELEPHONE}, Olga"])
def test_no_column_of_a_company_tells_how_to_reach_a_person(tmp_path: Path, told: str) -> None:
    rows = made()
    rows["accounts"][1]["name"] = told
    rows["accounts"][2]["domain"] = f"north;{told};south"
    rows["contacts"][0]["title"] = told
    rows["contacts"][1]["basis"] = told
    rows["topics"][3]["topic"] = told
    rows["stages"][0]["stage"] = told
    rows["activities"][4]["account"] = told
    rows["activities"][5]["id"] = f"{told} 2023"
    for deal in rows["deals"]:
        deal["id"], deal["account"] = deal["account"], told
    rows["stages"] = [{"deal": "account-0", "stage": told, "at": rows["stages"][0]["at"]}]
    report, workspace, mapping = _load(tmp_path, rows)
    assert report.table("accounts").withheld == {"domain": 1, "email": 1, "name": 1, "owner": 1, "team": 1}
    assert report.table("contacts").withheld == {"consent_basis": 1, "title": 1}
    assert report.table("opportunities").withheld == {"product": 6}
    for name in ("intent_topics", "stage_changes", "activities"):
        assert report.table(name).quarantined == {"tells of a person": 1}
    printed = " ".join(str(report).split())
    assert "accounts.owner 1" in printed
    assert "bind what names no person" in printed
    (example,) = report.table("intent_topics").examples
    assert "address" in str(example.got) or "telephone" in str(example.got)
    assert example.allowed == "a text without an e-mail address or a telephone number"
    needles = [OWNER, TELEPHONE, email_digest(workspace, OWNER)]
    number = f"{told} 2023" if told is OWNER else ""
    assert found_in(workspace.home, [*needles, *filter(None, [number])]).keys() <= {TELEPHONE}
    shown = f"{report}{report.to_dict()}{dry_run(load_config(mapping)).to_dict()}"
    assert not [needle for needle in needles if needle.lower() in shown.lower()]
    accounts = workspace.tables().read("accounts").sort_values("account_id")
    assert [owner for owner in accounts["owner"] if not pd.isna(owner)] == [
        f"Company {n} Limited" for n in (0, 2, 3, 4, 5)
    ]
    assert [list(team) for team in accounts["team"]][2] == ["north", "south"]
    levels = learn_catalogue(workspace.tables(), cutoff=NOW).to_json()
    assert "seller" not in str(levels).lower()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+49 30 1234567", "[telephone number]"),
        ("call +1 (212) 555-0100 now", "call [telephone number] now"),
        ("+86.10.1234.5678", "[telephone number]"),
        ("10,000+ seats", "10,000+ seats"),
        ("+1,250,000", "+1,250,000"),
        ("C++ 2011 2014 2017", "C++ 2011 2014 2017"),
        ("@handle at Berlin", "@handle at Berlin"),
        ("a@b.example, +4930123456", "[address], [telephone number]"),
    ],
)
def test_what_is_taken_for_an_address_or_a_telephone_number(text: str, shown: str) -> None:
    assert without_addresses(text) == shown
    with open_engine() as connection:
        sql = f"{without_addresses_sql('told')}, {tells_of_a_person_sql('told')} FROM (SELECT $1 AS told)"
        assert connection.execute(f"SELECT {sql}", [text]).fetchone() == (shown, shown != text)


def test_a_reader_of_domains_keeps_the_domain_of_an_address(tmp_path: Path) -> None:
    rows = made(1)
    rows["accounts"][0]["domain"] = "Olga.Owner@company-0.example"
    mapping = write(tmp_path, rows)
    read = 'domain = { column = "domain", normalise = "domain" }'
    mapping.write_text(mapping.read_text(encoding="utf-8").replace('domain = "domain"', read))
    workspace = Workspace(tmp_path / "workspace")
    report = ingest(load_config(mapping), workspace=workspace, now=NOW)
    assert report.table("accounts").withheld == {}
    assert set(workspace.tables().read("accounts")["domain"]) == {"company-0.example"}
