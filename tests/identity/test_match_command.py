"""`spearfish match`: leads in, matches and a review file out."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from loading import KNOWN_ACCOUNTS, load
from typer.testing import CliRunner

from features.errors import ContractError, InputError
from training.cli.app import app

MAPPING = f"""{KNOWN_ACCOUNTS}name = "Name"
domain = "Web"
country = "Country"
"""

ACCOUNTS = """Id,Name,Web,Country
a1,Zephyr Foods Inc.,zephyr.com,USA
a2,Boreas Energy,,Germany
"""

LEADS = """Lead,Company,Email,Country
l1,,ann@mail.zephyr.com,
l2,BOREAS ENERGY GmbH,bob@gmail.com,DE
l3,Boreas Energy,carl@gmail.com,France
l4,Nobody Knows,dora@gmail.com,
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, text in (("accounts.csv", ACCOUNTS), ("mapping.toml", MAPPING), ("leads.csv", LEADS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    load(tmp_path / "mapping.toml")
    return tmp_path


def test_leads_find_their_accounts(home: Path) -> None:
    files = ["--out", str(home / "out.csv"), "--review", str(home / "review.csv")]
    done = CliRunner().invoke(
        app,
        ["match", str(home / "leads.csv"), "--id", "Lead", "-w", str(home / "workspace"), "--json", *files],
        catch_exceptions=False,
    )
    assert json.loads(done.stdout)["by_rule"] == {"domain": 1, "name": 1}
    matched = pd.read_csv(home / "out.csv")
    assert matched[["lead_id", "account_id"]].to_numpy().tolist() == [["l1", "a1"], ["l2", "a2"]]
    review = pd.read_csv(home / "review.csv")
    assert review[["record_id", "account_id", "reason"]].to_numpy().tolist() == [
        ["l3", "a2", "other country"]
    ]
    assert "gmail" not in (home / "out.csv").read_text() + (home / "review.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["leads.csv"], ContractError, "no column 'Id'"),
        (["nothing.csv"], InputError, "cannot be read as CSV"),
        (["workspace"], InputError, "cannot be read as CSV"),
    ],
)
def test_a_file_that_holds_no_leads_is_refused(
    home: Path, arguments: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        CliRunner().invoke(
            app,
            [
                "match",
                str(home / arguments[0]),
                "-w",
                str(home / "workspace"),
                "--out",
                str(home / "out.csv"),
            ],
            catch_exceptions=False,
        )
    assert not (home / "out.csv").exists()
