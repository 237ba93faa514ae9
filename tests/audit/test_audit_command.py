"""`spearfish audit`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from made_lists import filled, leads
from typer.testing import CliRunner

from features.errors import ConfigError, ContractError, InputError
from training.audit.sources import read_list
from training.cli.app import app

RUN = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lists")
    honest = leads()
    honest.to_csv(made / "honest.csv", index=False)
    honest.assign(late=filled(honest, won=0.8, lost=0.2)).to_csv(made / "leaky.csv", index=False)
    honest.assign(won=honest["won"].map({0: "verloren", 1: "gewonnen"})).to_parquet(made / "german.parquet")
    (made / "broken.csv").write_bytes(b"\xff\xfe\x00")
    return made


@pytest.mark.parametrize(
    ("arguments", "code", "blocking"),
    [
        (("honest.csv",), 0, []),
        (("leaky.csv",), 1, ["late"]),
        (("german.parquet", "--event", "Gewonnen"), 0, []),
    ],
)
def test_a_file_is_audited(folder: Path, arguments: tuple[str, ...], code: int, blocking: list[str]) -> None:
    file, *options = arguments
    done = RUN.invoke(app, ["audit", str(folder / file), "--outcome", "won", *options, "--json"])
    assert done.exit_code == code
    document = json.loads(done.stdout)
    assert document["blocks"] is bool(blocking)
    findings = document["audits"][file]["findings"]
    assert [one["column"] for one in findings if one["severity"] == "blocks"] == blocking
    assert all(one["why"] and one["fix"] for one in findings)


def test_people_read_a_table_with_what_to_do(folder: Path) -> None:
    done = RUN.invoke(app, ["audit", str(folder / "leaky.csv"), "--outcome", "won"], env={"COLUMNS": "160"})
    assert done.exit_code == 1
    for words in ("late", "blocks", "today's value only", "leave the column out"):
        assert words in done.stdout


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (("honest.csv",), ConfigError, "--outcome COLUMN"),
        (("honest.csv", "--outcome", "win"), ContractError, "no column 'win'"),
        (("absent.csv", "--outcome", "won"), InputError, "no such file"),
        (("broken.csv", "--outcome", "won"), InputError, "not written in UTF-8"),
        (("list.xlsx", "--outcome", "won"), ConfigError, "'.xlsx'"),
        ((), ConfigError, "nothing to audit"),
        (("honest.csv", "--outcome", "won", "--cutoff", "2024-01-01"), ConfigError, "nothing beside a file"),
    ],
)
def test_what_cannot_be_audited_is_refused(
    folder: Path, arguments: tuple[str, ...], error: type[Exception], told: str
) -> None:
    file, options = arguments[:1], arguments[1:]
    done = RUN.invoke(app, ["audit", *(str(folder / one) for one in file), *options])
    assert isinstance(done.exception, error)
    assert told in str(done.exception)


def test_an_outcome_without_a_file_is_refused() -> None:
    done = RUN.invoke(app, ["audit", "--config", "any.toml", "--outcome", "won"])
    assert isinstance(done.exception, ConfigError)
    assert "--outcome does nothing without a file" in str(done.exception)


def test_columns_of_any_type_are_read(tmp_path: Path) -> None:
    honest = leads(3)
    dated = honest.assign(
        made=pd.Timestamp("2024-01-01") + pd.to_timedelta(honest["employees"] % 90, unit="D"),
        flag=honest["employees"] % 2 == 0,
    )
    dated.to_parquet(tmp_path / "typed.parquet")
    assert RUN.invoke(app, ["audit", str(tmp_path / "typed.parquet"), "--outcome", "won"]).exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, r"gone\.csv: no such file; correct the path"),
        ("empty.csv", b"", r"the file is empty \(allowed a header and rows\)"),
        ("header.csv", b"a,y\n", r"a header and no rows \(allowed at least one row\)"),
        ("torn.csv", b'a,y\n1,0\n1,"x', r"torn, or no CSV file \(got EOF inside string starting at row 2\)"),
        (
            "wide.csv",
            b"a,y\n1,0\n1,2,3\n",
            r"torn, or no CSV file \(got Expected 2 fields in line 3, saw 3\)",
        ),
        ("latin.csv", b"a,y\n\xe4,0\n", r"not written in UTF-8 \(got byte 0xe4 at 4\); save it"),
        ("torn.parquet", b"PAR1 and no end", r"torn, or no parquet file \(got .*\); write it again"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_list(tmp_path / name)
