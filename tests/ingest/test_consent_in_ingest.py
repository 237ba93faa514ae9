"""From a mapping's entry of consent to the columns of contacts, and what reports say and never show."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pandas as pd
import pytest
from loading import NOW, load
from small_sources import write_csv

from features.dry_run import dry_run
from features.errors import ConfigError, EngineError, InputError, WorkspaceError
from features.mapping import load_config
from features.privacy.addresses import SECRET_FILE, email_digest, normalised_address
from features.workspace import Workspace

HEAD = """
[workspace]
name = "people"
PRIVACY

[[sources]]
table = "accounts"
path = "accounts.csv"
known = "start_of_time"
[sources.columns]
account_id = "Id"

[[sources]]
table = "activities"
path = "activities.csv"
known_immediately = true
[sources.columns]
account_id = "Account"
contact_id = "Person"
channel = { value = "web_visit" }
direction = { value = "inbound" }
occurred_at = "When"

[[sources]]
table = "contacts"
name = "people"
path = "contacts*.csv"
KNOWN
CONSENT
[sources.columns]
contact_id = "Person"
account_id = "Account"
MORE
"""
JANUARY, JUNE = "2023-01-01T00:00:00Z", "2023-06-01T00:00:00Z"
VISITS = (("a1", "p1", "2023-02-01T10:00:00Z"), ("a1", "ann@example.com", "2023-02-02T10:00:00Z"))


def write(
    folder: Path,
    people: list[dict[str, str]],
    *,
    consent: str = "",
    more: str = "",
    known: str = 'known_at = "Since"',
    privacy: str = "",
) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "accounts.csv").write_text("Id\na1\n", encoding="utf-8")
    write_csv(folder / "activities.csv", ("Account", "Person", "When"), VISITS)
    usual = {"Person": "p1", "Account": "a1", "Since": JANUARY, "Mail": "", "Job": ""}
    frame = pd.DataFrame([usual | row for row in people])
    frame.to_csv(folder / "contacts.csv", index=False)
    told = {"KNOWN": known, "CONSENT": consent, "MORE": more, "PRIVACY": privacy}
    text = HEAD
    for word, given in told.items():
        text = text.replace(word, given)
    (folder / "mapping.toml").write_text(text, encoding="utf-8")
    return folder / "mapping.toml"


def contacts(workspace: Workspace) -> pd.DataFrame:
    return workspace.tables().read("contacts").sort_values(["contact_id", "known_at"])


@pytest.mark.parametrize(
    ("consent", "more", "message"),
    [
        ("", "", r"bind a column \(consent_basis.*name the assumption: consent = \{ assume = "),
        ("consent = { assume = ' ' }", "", "assume"),
        ('consent = { told_by = "others" }', "", "no source of contacts called 'others'"),
        ('consent = { told_by = "people" }', "", "no source of contacts called 'people'"),
        ('consent = { told_by = "others" }', 'consent_basis = "Basis"', "told twice"),
    ],
)
def test_a_mapping_says_on_what_basis_people_may_be_addressed(tmp_path, consent, more, message):
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, [{}], consent=consent, more=more))


def test_consent_belongs_to_contacts(tmp_path):
    mapping = write(tmp_path, [{}], consent='consent = { assume = "contract" }')
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace('known = "start_of_time"', 'known = "start_of_time"\nconsent = {}'))
    with pytest.raises(ConfigError, match="consent belongs to contacts, not to accounts"):
        load_config(mapping)


FLAG, DATE, BASIS = 'consent = { opted_out = "Out" }', 'opted_out_at = "Date"', 'consent_basis = "Basis"'


@pytest.mark.parametrize(
    ("consent", "more", "row", "expected"),
    [
        # A flag without a date counts from when its row was known.
        (FLAG, "", {"Out": "yes"}, ("unknown", JANUARY)),
        (FLAG, "", {"Out": "false"}, ("unknown", None)),
        (FLAG, "", {"Out": ""}, (None, None)),
        # A date counts from itself on, also one after the row was known; a flag that says no goes before it.
        ("", DATE, {"Date": JUNE}, ("unknown", JUNE)),
        ("", DATE, {"Date": ""}, ("unknown", None)),
        (FLAG, DATE, {"Out": "1", "Date": JUNE}, ("unknown", JUNE)),
        (FLAG, DATE, {"Out": "0", "Date": JUNE}, ("unknown", None)),
        (FLAG, DATE, {"Out": "", "Date": JUNE}, ("unknown", JUNE)),
        # A basis becomes a category; to have none is to have opted out.
        ("", BASIS, {"Basis": "Legitimate interest – lead"}, ("legitimate_interest_lead", None)),
        ("", BASIS, {"Basis": "6(1)(f) GDPR"}, ("basis_6_1_f_gdpr", None)),
        ("", BASIS, {"Basis": "同意"}, ("unknown", None)),
        ("", BASIS, {"Basis": ""}, (None, None)),
        ("", BASIS, {"Basis": "None"}, ("none", JANUARY)),
        (FLAG, BASIS, {"Out": "no", "Basis": "Consent"}, ("consent", None)),
        # An assumption is none of the person's words: the row stays silent, so that it brings nobody back.
        ('consent = { assume = "contract" }', "", {}, (None, None)),
    ],
)
def test_what_a_row_says_of_consent(tmp_path, consent, more, row, expected):
    """Basis and time of the opt-out."""
    basis, opted_out_at = expected
    _, workspace = load(write(tmp_path, [row], consent=consent, more=more))
    (found,) = contacts(workspace).to_dict("records")
    assert (found["consent_basis"] if isinstance(found["consent_basis"], str) else None) == basis
    moment = None if opted_out_at is None else pd.Timestamp(opted_out_at).tz_localize(None)
    assert (None if pd.isna(found["opted_out_at"]) else found["opted_out_at"]) == moment


def test_an_undated_opt_out_holds_since_ever(tmp_path):
    _, workspace = load(write(tmp_path, [{"Out": "yes"}], consent=FLAG, known="undated = true"))
    assert contacts(workspace)["opted_out_at"].tolist() == [pd.Timestamp(0)]


def test_of_two_rows_about_one_moment_the_opt_out_stays(tmp_path):
    """The other one tells more cells."""
    rows = [
        {"Out": "no", "Job": "Chief buyer", "Mail": "p1@example.com"},
        {"Out": "yes", "Job": "", "Mail": ""},
    ]
    more = 'title = "Job"\nemail = "Mail"'
    _, workspace = load(write(tmp_path, rows, consent=FLAG, more=more))
    assert contacts(workspace)["opted_out_at"].notna().tolist() == [True]


def test_every_report_names_the_assumption_and_counts_who_opted_out(tmp_path):
    people = [
        {"Person": "p1", "Out": "yes"},
        {"Person": "p2", "Out": "no"},
        {"Person": "p3", "Out": ""},
        {"Person": "p4", "Out": "yes", "Since": JANUARY},
        {"Person": "p4", "Out": "no", "Since": JUNE},
        {"Person": "p5", "Out": "yes", "Account": "nobody's"},
    ]
    consent = 'consent = { opted_out = "Out", assume = "contract: customers of the last year" }'
    mapping = write(tmp_path, people, consent=consent)
    report, workspace = load(mapping)
    told = report.to_dict()["consent"]
    assert told == {
        "contacts": 4,
        "opted_out": 1,
        "untold": 1,
        "set_aside": 1,
        "nameless": 0,
        "assumed": {"people": "contract: customers of the last year"},
    }
    for sentence in (
        "contacts: 4; opted out: 1; nothing told: 1",
        "opt-outs in rows that were set aside: 1",
        "consent assumed for people, not told by the data: contract: customers of the last year",
    ):
        assert sentence in str(report)
    assert workspace.tables().assumed == told["assumed"]
    assert workspace.tables().known_before(NOW).assumed == told["assumed"]
    assert "contract: customers" in json.dumps(dry_run(load_config(mapping)).to_dict())
    # Other words are no other rows: nothing need be read again.
    mapping.write_text(mapping.read_text().replace("of the last year", "of any year"))
    again, _ = load(mapping)
    assert again.known_files == 3
    assert again.assumed == {"people": "contract: customers of any year"}


MAIL = 'email = "Mail"\ntitle = "Job"'
ASSUMED = 'consent = { assume = "contract" }'


@pytest.mark.parametrize(
    ("written", "spelling"),
    [
        (" Ann.Lee@Example.COM ", "ann.lee@example.com"),
        ("Ann Lee <ann.lee@example.com>", "ann.lee@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ａｎｎ＠example.com", "ann@example.com"),
        ("ann@example.com, bob@example.com", None),
        ("ann at example.com", None),
        ("@example.com", None),
        ("ann@", None),
        ("", None),
    ],
)
def test_an_address_has_one_spelling(written, spelling):
    assert normalised_address(written) == spelling


def test_addresses_are_kept_as_hashes_that_only_their_workspace_can_make(tmp_path):
    rows = [{"Person": "p1", "Mail": "Ann@Example.com "}, {"Person": "p2", "Mail": "nobody"}]
    loaded = [load(write(tmp_path / name, rows, consent=ASSUMED, more=MAIL)) for name in ("one", "two")]
    (one, home), (two, other) = loaded
    first, second = contacts(home)["email"]
    assert first == email_digest(home, "ann@example.com")
    assert pd.isna(second)
    assert len(first) == 64
    assert first != email_digest(other, "ann@example.com")
    assert one.table("contacts").unread == {"email": 1}
    # The data are the same, and so is their fingerprint, whatever the secret.
    assert one.fingerprint == two.fingerprint
    assert one.snapshot != two.snapshot


def test_the_secret_is_its_owner_s_alone(tmp_path):
    _, workspace = load(write(tmp_path, [{}], consent=ASSUMED))
    file = workspace.home / SECRET_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="no e-mail address"):
        email_digest(workspace, "nobody")
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(WorkspaceError, match="secret of the workspace is damaged"):
        email_digest(workspace, "ann@example.com")


def test_who_asks_for_addresses_gets_them_in_one_spelling(tmp_path):
    rows = [{"Mail": "Ann@Example.com "}]
    plain = '\n[privacy]\nemails = "plain"'
    _, workspace = load(write(tmp_path, rows, consent=ASSUMED, more=MAIL, privacy=plain))
    assert contacts(workspace)["email"].tolist() == ["ann@example.com"]
    assert not (workspace.home / SECRET_FILE).exists()


def test_going_on_with_addresses_kept_otherwise_is_refused(tmp_path):
    mapping = write(tmp_path, [{"Mail": "ann@example.com"}], consent=ASSUMED, more=MAIL)
    load(mapping)
    (tmp_path / "contacts.csv").write_text("Person,Account,Since,Mail,Job\np2,a1,2023-01-02T00:00:00Z,,\n")
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace('name = "people"\n', 'name = "people"\n[privacy]\nemails = "plain"\n', 1))
    with pytest.raises(ConfigError, match="addresses were kept otherwise"):
        load(mapping)


def test_going_on_without_the_secret_is_refused(tmp_path):
    mapping = write(tmp_path, [{"Mail": "ann@example.com"}], consent=ASSUMED, more=MAIL)
    _, workspace = load(mapping)
    (workspace.home / SECRET_FILE).unlink()
    before = (tmp_path / "contacts.csv").read_text(encoding="utf-8")
    (tmp_path / "contacts.csv").write_text(before.replace("ann@", "bob@"), encoding="utf-8")
    with pytest.raises(WorkspaceError, match="not the secret under which addresses were hashed"):
        load(mapping)
    # With every file as it was, all of them are read again instead, under a new secret.
    (tmp_path / "contacts.csv").unlink()
    write(tmp_path, [{"Mail": "ann@example.com"}], consent=ASSUMED, more=MAIL)
    load(mapping, rebuild=True)
    assert contacts(workspace)["email"].tolist() == [email_digest(workspace, "ann@example.com")]


def test_an_address_that_serves_as_an_identifier_is_hashed_alike_everywhere(tmp_path):
    rows = [{"Person": "Ann@example.com"}, {"Person": "p1"}]
    loaded = [load(write(tmp_path / name, rows, consent=ASSUMED)) for name in ("one", "two")]
    (one, workspace), (two, _) = loaded
    digest = email_digest(workspace, "ann@example.com")
    for table in ("contacts", "activities"):
        assert set(workspace.tables().read(table)["contact_id"]) == {digest, "p1"}
    assert one.fingerprint == two.fingerprint


PERSONAL = ("ann@example.com", "Ann.Lee", "Lee", "+49 30 1234", "Chief Wizard", "Example.com")


def test_no_report_and_no_row_set_aside_shows_who_a_person_is(tmp_path, monkeypatch):
    ann = {"Mail": "Ann.Lee@Example.com", "Job": "Chief Wizard", "Name": "Ann Lee", "Phone": "+49 30 1234"}
    people = [
        {"Person": "p1"} | ann,
        {"Person": "p1", "Account": "nobody's"} | ann,
        {"Person": "p2", "Since": "yesterday"} | ann,
        {"Person": "p3", "Mail": "Ann.Lee@Example.com", "Job": "=Chief Wizard", "Name": "Ann Lee"},
        {"Person": "ann@example.com", "Since": ""} | ann,
        {"Person": "p4"} | ann,
        {"Person": "p4"} | ann | {"Job": "Chief Wizard's aide"},
    ]
    mapping = write(tmp_path, people, consent=ASSUMED, more=MAIL)
    file = tmp_path / "contacts.csv"
    file.write_text(file.read_text() + 'p9,a1,"Ann Lee",ann@example.com,Chief Wizard,+49 30 1234,,,,,Lee\n')
    report, workspace = load(mapping)
    reasons = report.table("contacts").quarantined
    assert set(reasons) == {
        *("unknown account", "wrong type", "formula or error of a spreadsheet", "missing value"),
        *("conflicting duplicate", "malformed line"),
    }
    monkeypatch.setenv("COLUMNS", "300")
    tried = dry_run(load_config(mapping))
    set_aside = pd.concat(
        pd.read_parquet(path).astype(str) for path in (workspace.home / "snapshots").rglob("quarantine/*")
    )
    shown = {
        "report": str(report),
        "json": json.dumps(report.to_dict()),
        "dry run": json.dumps(tried.to_dict()),
        "quarantine": set_aside.to_csv(),
        "manifest": workspace.manifest_path.read_text(),
    }
    for what, text in shown.items():
        assert [word for word in PERSONAL if word.lower() in text.lower()] == [], what
    # Still useful: where the row stands, what is wrong and what kind of cell it was.
    (example,) = [one for one in report.table("contacts").examples if one.reason.startswith("formula")]
    assert (example.column, example.got, example.line) == ("title", "[text, 13 characters]", 5)
    (unbound,) = [c for s in tried.sources for c in s.columns if c.column == "Phone"]
    assert unbound.examples == ("[number, 11 characters]",)


@pytest.mark.parametrize("tried", [load, lambda mapping: dry_run(load_config(mapping))])
def test_a_failing_query_does_not_quote_the_cell_of_a_person(tmp_path, tried):
    mapping = write(tmp_path, [{"Job": "Ann Lee"}], consent=ASSUMED, more='title = "Job"')
    text = mapping.read_text(encoding="utf-8").replace(
        'path = "contacts*.csv"',
        'path = "contacts*.csv"\nquery = "SELECT * REPLACE (CAST(Job AS DATE) AS Job) FROM files"',
    )
    mapping.write_text(text, encoding="utf-8")
    with pytest.raises((ConfigError, EngineError), match=r"\[text, 7 characters\]") as caught:
        tried(mapping)
    assert "Lee" not in str(caught.value)
