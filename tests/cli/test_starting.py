"""`spearfish init` writes a mapping that fits the export, and `ingest` takes it as it is."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from features.errors import ConfigError
from features.ingest import ingest
from features.mapping import load_config
from features.workspace import Workspace
from training.starting.starting import start_mapping

EXPORTS = Path(__file__).resolve().parents[1] / "ingest" / "exports"


@pytest.mark.parametrize(
    ("export", "system", "accounts"),
    [
        # In three of them one more than the export has: a company that only a lead names.
        ("salesforce", "salesforce", 4),
        ("salesforce_reports", "salesforce", 2),
        ("hubspot", "hubspot", 3),
        ("hubspot_reports", "hubspot", 3),
        ("hubspot_reports", "csv", 2),
    ],
)
def test_what_it_writes_loads_the_export_without_an_edit(
    tmp_path: Path, export: str, system: str, accounts: int
) -> None:
    started = start_mapping(system, folder=EXPORTS / export, out=tmp_path / "m.toml")
    assert started.preset == ("csv" if system == "csv" else export)
    assert "\n# " in started.file.read_text(encoding="utf-8")
    ingest(load_config(started.file), workspace=Workspace(tmp_path / "workspace"))
    frame = Workspace(tmp_path / "workspace").tables().read("accounts")
    assert frame["account_id"].nunique() == accounts


@pytest.mark.parametrize(
    ("day", "layout"),
    [
        ("31.01.2024", "%d.%m.%Y"),
        ("31/01/2024", "%d/%m/%Y"),
        ("1/31/2024", "%m/%d/%Y"),
        ("1/2/2024", "%m/%d/%Y"),
        ("2024/1/31", "%Y/%m/%d"),
    ],
)
def test_the_order_of_day_and_month_is_taken_from_the_files(tmp_path: Path, day: str, layout: str) -> None:
    text = f"Account ID,Account Name,Created Date\n001,北京公司,{day}\n"
    (tmp_path / "accounts.csv").write_bytes(text.encode("gb18030"))
    started = start_mapping("salesforce", folder=tmp_path, out=tmp_path / "m.toml")
    parameters = tomllib.loads(started.file.read_text(encoding="utf-8"))["parameters"]
    assert parameters["date_format"] == layout
    assert parameters["encoding"] == "gb18030"
    assert ("no file proves" in started.told) == (day == "1/2/2024")
    ingest(load_config(started.file), workspace=Workspace(tmp_path / "workspace"))
    assert Workspace(tmp_path / "workspace").tables().read("accounts")["name"].tolist() == ["北京公司"]


def test_a_folder_without_known_files_and_a_file_that_is_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no file that the presets for hubspot know \(got an empty"):
        start_mapping("hubspot", folder=tmp_path, out=tmp_path / "m.toml")
    with pytest.raises(ConfigError, match="no table of companies"):
        start_mapping("csv", folder=tmp_path, out=tmp_path / "m.toml")
    with pytest.raises(ConfigError, match="did you mean 'hubspot'"):
        start_mapping("hubspott", out=tmp_path / "m.toml")
    with pytest.raises(ConfigError, match="no such shape"):
        start_mapping("hubspot", shape="round", folder=tmp_path, out=tmp_path / "m.toml")
    start_mapping("csv", out=tmp_path / "m.toml")
    with pytest.raises(ConfigError, match="the file is there already"):
        start_mapping("csv", out=tmp_path / "m.toml")
    assert start_mapping("hubspot", out=tmp_path / "m.toml", force=True).preset == "hubspot"


def test_a_guess_binds_what_names_tell_and_invents_no_time(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "companies.csv").write_text("id;Company;Staff;Colour\n1;Ada;2-50;red\n", encoding="utf-8")
    (folder / "web visits.csv").write_text(
        "company_id,time,User Agent\n1,2024-01-01,Googlebot/2.1\n", encoding="utf-8"
    )
    (folder / "notes.csv").write_text("text\nx\n", encoding="utf-8")
    started = start_mapping("csv", folder=folder, out=tmp_path / "m.toml")
    accounts, visits = tomllib.loads(started.file.read_text(encoding="utf-8"))["sources"]
    assert accounts["columns"] == {
        "account_id": "id",
        "name": "Company",
        "employees": {"column": "Staff", "normalise": "employees"},
    }
    assert (accounts["undated"], visits["known_immediately"]) == (True, True)
    assert '# colour = { column = "Colour"' in started.file.read_text(encoding="utf-8")
    assert "# notes.csv is not bound. Its columns: text" in started.file.read_text(encoding="utf-8")
    report = ingest(load_config(started.file), workspace=Workspace(tmp_path / "workspace"))
    assert (report.table("accounts").loaded, report.table("activities").loaded) == (1, 1)
    assert report.traffic == {"bot": 1}


def test_nobody_but_the_user_names_a_basis_for_consent(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "companies.csv").write_text("id,created\n1,2024-01-01\n", encoding="utf-8")
    (folder / "contacts.csv").write_text("id,company_id\np,1\n", encoding="utf-8")
    started = start_mapping("csv", folder=folder, out=tmp_path / "m.toml")
    assert started.told.endswith("say in it on what basis people may be addressed")
    with pytest.raises(ConfigError, match="say on what basis these people may be addressed"):
        load_config(started.file)
    text = started.file.read_text(encoding="utf-8")
    started.file.write_text(text.replace("# consent = { assume", "consent = { assume"), encoding="utf-8")
    assert ingest(load_config(started.file), workspace=Workspace(tmp_path / "w")).table("contacts").rows == 1


def test_the_commands_print_one_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from training.cli.app import app

    monkeypatch.chdir(tmp_path)
    command = CliRunner()
    folder = str(EXPORTS / "hubspot_reports")
    made = command.invoke(app, ["init", "hubspot", "--folder", folder, "--json"])
    assert json.loads(made.stdout)["preset"] == "hubspot_reports"
    tried = command.invoke(app, ["ingest", "--config", "hubspot.toml", "--dry-run", "--json"])
    assert (tried.exit_code, json.loads(tried.stdout)["tables"]["accounts"]["loaded"]) == (0, 5)
    assert not (tmp_path / "workspace").exists()
