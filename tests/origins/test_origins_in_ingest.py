"""Where accounts come from is kept through merging, and columns are compared between the origins."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from features.errors import ConfigError
from features.ingest import ingest
from features.mapping import load_config
from features.origins import EMPTY_ELSEWHERE, OTHER_VALUES, account_origins
from features.report import IngestReport
from features.workspace import Workspace
from training.catalogue.pages import write_catalogue
from training.cli.app import app
from training.feature_table import feature_table
from training.origins.check import check_workspace

MAPPING = """
[workspace]
name = "test"
SECTIONS
[[sources]]
table = "accounts"
name = "our CRM"
path = "crm*.csv"
known_at = "Since"
[sources.columns]
account_id = "Id"
name = "Name"
domain = "Web"
industry = "Industry"
employees = "Staff"
country = "Country"
[sources.attributes]
tier = { column = "Tier", type = "category" }

[[sources]]
table = "accounts"
name = "a register"
origin = "universe"
path = "register*.csv"
known_at = "Since"
[sources.columns]
account_id = "Id"
name = "Name"
domain = "Web"
industry = "Industry"
employees = "Staff"
country = "Country"
"""

MERGE = "[identity]\nmerge = true\n"
SINCE, LATER = "2023-01-01T00:00:00Z", "2023-06-01T00:00:00Z"
INDUSTRIES = {"crm": ("Software", "Retail"), "register": ("6201", "4711")}


def rows(source: str, count: int, *, start: int = 0) -> pd.DataFrame:
    """Companies whose staff and country both origins tell, whose tier the CRM tells alone."""
    numbers = range(start, start + count)
    return pd.DataFrame(
        {
            "Id": [f"{source[0]}{n}" for n in numbers],
            "Name": [f"Company {chr(65 + n % 26)}{chr(97 + n // 26 % 26)}zyx{n} Works" for n in numbers],
            "Web": [f"company{n}.com" for n in numbers],
            "Industry": [INDUSTRIES[source][n % 2] for n in numbers],
            "Staff": [10 + n for n in numbers],
            "Country": ["DE" if n % 3 or source == "crm" else "FR" for n in numbers],
            "Tier": "gold" if source == "crm" else None,
            "Since": SINCE if source == "crm" else LATER,
        }
    )


def write(folder: Path, *, sections: str = MERGE, **files: pd.DataFrame) -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in files.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    (folder / "mapping.toml").write_text(MAPPING.replace("SECTIONS", sections), encoding="utf-8")
    return folder / "mapping.toml"


def load(mapping: Path) -> tuple[IngestReport, Workspace]:
    workspace = Workspace(mapping.parent / "workspace")
    report = ingest(load_config(mapping), workspace=workspace, now=datetime.fromisoformat("2024-01-01"))
    return report, workspace


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[IngestReport, Workspace]:
    """Sixty companies of the CRM, eighty of the register; thirty are in both."""
    folder = tmp_path_factory.mktemp("origins")
    return load(write(folder, crm=rows("crm", 60), register=rows("register", 80, start=30)))


def test_an_account_of_both_has_both_origins(loaded: tuple[IngestReport, Workspace]) -> None:
    report, workspace = loaded
    assert report.identity.merged == 30
    origins = account_origins(workspace.tables())
    assert origins["origins"].value_counts().to_dict() == {
        ("universe",): 50,
        ("crm",): 30,
        ("crm", "universe"): 30,
    }
    assert (origins["worked"] == origins["origins"].map(lambda names: "crm" in names)).all()
    assert report.comparison.accounts == {"crm": 60, "universe": 80}
    assert report.comparison.several == 30


def test_an_origin_counts_from_when_it_was_known(loaded: tuple[IngestReport, Workspace]) -> None:
    early = account_origins(loaded[1].tables(), as_of=datetime.fromisoformat("2023-03-01"))
    assert set(early["origins"]) == {("crm",)}
    assert len(early) == 60


def test_columns_are_compared_and_the_report_says_so(loaded: tuple[IngestReport, Workspace]) -> None:
    report, workspace = loaded
    columns = {column.name: column for column in report.comparison.columns}
    assert columns["tier"].filled == {"crm": 60, "universe": 0}
    assert columns["industry"].shared == {"crm": 0.0, "universe": 0.0}
    # All countries of the CRM are in the register, which has one more.
    assert columns["country"].shared["crm"] == 1.0
    assert report.comparison.not_comparable == {"tier": EMPTY_ELSEWHERE, "industry": OTHER_VALUES}
    assert "industry (other values)" in str(report)
    assert "60 crm (worked by sales), 80 universe (not worked)" in str(report)
    assert workspace.manifest().comparison == report.comparison


def test_one_source_of_accounts_leaves_a_workspace_as_it_was(tmp_path: Path) -> None:
    mapping = write(tmp_path, crm=rows("crm", 5))
    text = mapping.read_text().partition('[[sources]]\ntable = "accounts"\nname = "a register"')[0]
    mapping.write_text(text, encoding="utf-8")
    report, workspace = load(mapping)
    before = workspace.manifest()
    mapping.write_text(text.replace('name = "our CRM"', 'name = "our CRM"\norigin = "crm"'))
    again, _ = load(mapping)
    assert not again.changed
    assert "origins" not in before.to_json()
    assert "origin" not in str(report)
    assert "origins" not in report.to_dict()
    assert set(account_origins(workspace.tables())["origins"]) == {("crm",)}


def test_the_same_row_of_two_origins_has_both(tmp_path: Path) -> None:
    both = rows("crm", 3).assign(Tier=None)
    _, workspace = load(write(tmp_path, crm=both, register=both))
    assert set(account_origins(workspace.tables())["origins"]) == {("crm", "universe")}


def test_any_order_of_the_files_gives_the_same_origins(tmp_path: Path) -> None:
    crm, register = rows("crm", 40), rows("register", 40, start=20)
    whole, one = load(write(tmp_path / "one", crm=crm, register=register))
    mapping = write(tmp_path / "two", register=register[:10], crm=crm[30:])
    load(mapping)
    write(tmp_path / "two", crm2=crm[:30])
    load(mapping)
    write(tmp_path / "two", register2=register[10:])
    parts, two = load(mapping)
    assert whole.comparison == parts.comparison
    pd.testing.assert_frame_equal(account_origins(one.tables()), account_origins(two.tables()))


def test_changed_settings_compare_anew(tmp_path: Path) -> None:
    load(write(tmp_path, crm=rows("crm", 40), register=rows("register", 40)))
    report, _ = load(write(tmp_path, sections=MERGE + "[origins]\nshared_values = 0.0\n"))
    assert report.changed
    assert report.comparison.not_comparable == {"tier": EMPTY_ELSEWHERE}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ('[origins]\nworked = ["crn"]\n', r"worked names 'crn'.*crm, universe.*did you mean"),
        ("[origins]\nworked = []\n", r"say where sales works"),
        ("[origins]\nnearly_none = 2\n", r"nearly_none"),
    ],
)
def test_wrong_origins_are_refused(tmp_path: Path, sections: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, sections=sections, crm=rows("crm", 1)))


def test_only_accounts_have_an_origin(tmp_path: Path) -> None:
    mapping = write(tmp_path, crm=rows("crm", 1))
    contacts = '[[sources]]\ntable = "contacts"\norigin = "universe"\npath = "c.csv"\nknown_at = "K"\n'
    contacts += 'consent = { assume = "a test" }\n[sources.columns]\ncontact_id = "Id"\naccount_id = "A"\n'
    mapping.write_text(mapping.read_text() + contacts, encoding="utf-8")
    with pytest.raises(ConfigError, match="origin belongs to accounts"):
        load_config(mapping)


def test_the_catalogue_shows_it(loaded: tuple[IngestReport, Workspace], tmp_path: Path) -> None:
    table = feature_table(loaded[1])
    told = table.to_json()
    assert told["not_comparable"] == {"tier": EMPTY_ELSEWHERE, "industry": OTHER_VALUES}
    write_catalogue(table, folder=tmp_path / "pages")
    pages = {
        name: (tmp_path / "pages" / "features" / f"{name}.html").read_text()
        for name in ("tier", "industry", "employees", "tier.zh")
    }
    assert "only some of them tell this" in pages["tier"]
    assert "use different words here" in pages["industry"]
    assert "不可比" in pages["tier.zh"]
    assert "not comparable" not in pages["employees"]
    # Sixty of the CRM have a tier, none of the eighty of the register.
    cells = re.findall(r"<td>(crm|universe)</td><td class=\"n\">([^<]*)</td>", pages["tier"])
    assert cells == [("crm", "100 %"), ("universe", "0 %")]


def test_the_catalogue_of_one_origin_says_nothing_of_origins(tmp_path: Path) -> None:
    _, workspace = load(write(tmp_path, crm=rows("crm", 40), register=rows("register", 0)))
    table = feature_table(workspace)
    assert table.catalogue.not_comparable == {}


def test_what_leads_lack_is_not_compared(tmp_path: Path) -> None:
    """Ten times as many leads as accounts say nothing of a staff: that is no matter of the origin."""
    leads = """
[[sources]]
table = "accounts"
name = "leads"
path = "leads.csv"
known_at = "Since"
[sources.columns]
account_id = "Id"
name = "Name"
domain = "Web"
"""
    named = rows("crm", 400, start=50).assign(Id=[f"l{n}" for n in range(400)])
    mapping = write(
        tmp_path,
        sections='[identity]\nleads = ["leads"]\n',
        crm=rows("crm", 40),
        register=rows("register", 40, start=50),
        leads=named[["Id", "Name", "Web", "Since"]],
    )
    mapping.write_text(mapping.read_text() + leads, encoding="utf-8")
    report, workspace = load(mapping)
    assert report.comparison.accounts == {"crm": 40, "universe": 40}
    assert report.comparison.not_comparable == {"tier": EMPTY_ELSEWHERE, "industry": OTHER_VALUES}
    origins = account_origins(workspace.tables())
    # Forty of the leads speak of companies of the register; the other 360 are companies of the CRM alone.
    assert (origins["origins"] == ("crm", "universe")).sum() == 40
    assert (origins["origins"] == ("crm",)).sum() == 40 + 360
    assert origins["compared"].sum() == 80


@pytest.mark.parametrize("first", ["crm", "universe"])
def test_an_account_of_the_crm_keeps_its_identity(tmp_path: Path, first: str) -> None:
    mapping = write(tmp_path, crm=rows("crm", 5), register=rows("register", 5).assign(Since=SINCE))
    head, *sources = mapping.read_text().split("[[sources]]")
    ordered = sources if first == "crm" else sources[::-1]
    mapping.write_text("[[sources]]".join([head, *(f"{source.rstrip()}\n" for source in ordered)]))
    _, workspace = load(mapping)
    assert set(account_origins(workspace.tables())["account_id"]) == {f"c{n}" for n in range(5)}


def test_undated_accounts_have_origins_too(tmp_path: Path) -> None:
    mapping = write(tmp_path, crm=rows("crm", 40), register=rows("register", 60, start=20))
    mapping.write_text(mapping.read_text().replace('known_at = "Since"', "undated = true"), encoding="utf-8")
    report, workspace = load(mapping)
    assert report.comparison.accounts == {"crm": 40, "universe": 60}
    plain = workspace.tables().without_times()
    for tables in (workspace.tables(), plain, plain.known_before(datetime.fromisoformat("2024-01-01"))):
        assert account_origins(tables)["origins"].map(len).value_counts().to_dict() == {1: 60, 2: 20}
    check = check_workspace(workspace, config=load_config(mapping))
    assert check.accounts == {"crm": 20, "universe": 40}
    assert feature_table(workspace).catalogue.not_comparable["tier"] == EMPTY_ELSEWHERE


def test_the_command_refuses_what_it_cannot_tell(loaded: tuple[IngestReport, Workspace]) -> None:
    workspace = loaded[1]
    arguments = [
        "check-origin",
        "-w",
        str(workspace.home),
        "--config",
        str(workspace.home.parent / "mapping.toml"),
    ]
    shown = CliRunner().invoke(app, arguments, catch_exceptions=False).output
    assert "Columns of accounts by origin" in shown
    assert "ROC AUC" in shown
    for more, message in ((["--model", "both"], "unknown model"), (["--origin", "web"], "unknown origin")):
        with pytest.raises(ConfigError, match=message):
            CliRunner().invoke(app, [*arguments, *more], catch_exceptions=False)
