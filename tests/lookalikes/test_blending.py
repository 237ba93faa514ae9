"""Fit, intent and value in one order, and the three ways to ask for a list."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted_likeness import ATTRIBUTES, members, planted_frame, planted_universe
from typer.testing import CliRunner

from features.errors import ConfigError, InputError, NotEnoughDataError
from features.tables import Tables
from models.lookalikes import Weights, blend, expand, prepare, rank_universe
from models.lookalikes.asking import Question
from models.lookalikes.blending import expected_values
from models.lookalikes.documents import document_of, frame_of
from serving.lists.reading import read_suggestions
from training.cli.app import app
from training.lookalikes.asking import expand_workspace

FRAME = planted_frame()
KIN = members(FRAME)
PREPARED = prepare(planted_universe(FRAME))
RANKING = rank_universe(PREPARED, KIN[:40], rankers=["similarity"])
OTHERS = [account for account in PREPARED.universe.account_ids if account not in KIN[:40]]
AS_OF = datetime.fromisoformat("2024-06-01")


def test_each_part_is_the_share_of_accounts_behind_and_the_blend_their_weighted_mean() -> None:
    intent = {account: float(place) for place, account in enumerate(OTHERS)}
    found = blend(RANKING, weights=Weights(fit=3.0, intent=1.0), intent=intent)
    at = PREPARED.universe.account_ids.index(OTHERS[-1])
    fit = np.array([RANKING.scores[PREPARED.universe.account_ids.index(account)] for account in OTHERS])
    behind = ((fit < fit[-1]).sum() + 0.5 * (fit == fit[-1]).sum()) / len(OTHERS)
    assert found.parts["fit"][at] == pytest.approx(behind)
    assert found.parts["intent"][at] == pytest.approx((len(OTHERS) - 0.5) / len(OTHERS))
    assert found.scores[at] == pytest.approx((3.0 * behind + found.parts["intent"][at]) / 4.0)


def test_a_part_that_is_not_known_leaves_the_others() -> None:
    found = blend(RANKING, weights=Weights(fit=1.0, intent=1.0), intent={OTHERS[0]: 0.4})
    at = PREPARED.universe.account_ids.index(OTHERS[1])
    assert np.isnan(found.parts["intent"][at])
    assert found.scores[at] == found.parts["fit"][at]


def test_intent_alone_lists_those_about_to_buy_and_counts_whom_nothing_is_known_of() -> None:
    intent = {OTHERS[5]: 0.2, OTHERS[9]: 0.9, OTHERS[7]: 0.4}
    found = expand(PREPARED, KIN[:40], size=9, weights=Weights(fit=0.0, intent=1.0), intent=intent)
    assert [one.account_id for one in found.suggestions] == [OTHERS[9], OTHERS[7], OTHERS[5]]
    assert found.left_out == {"nothing is known of what weighs": len(OTHERS) - 3}
    assert found.suggestions[0].parts == {"intent": pytest.approx(2.5 / 3)}


def test_fit_alone_is_the_order_of_likeness() -> None:
    one = expand(PREPARED, KIN[:40], size=30, rankers=["similarity"])
    other = expand(PREPARED, KIN[:40], size=30, rankers=["similarity"], weights=Weights(fit=7.0))
    assert [a.account_id for a in one.suggestions] == [b.account_id for b in other.suggestions]
    assert one.suggestions[0].blended is None
    assert other.suggestions[0].blended == pytest.approx(1.0, abs=0.01)


def test_values_follow_what_made_deals_large() -> None:
    known = FRAME.dropna(subset="employees").head(200)
    amounts = dict(zip(known["account_id"], 100.0 * known["employees"], strict=True))
    told = pd.Series(expected_values(PREPARED, amounts), index=PREPARED.universe.account_ids)
    rest = FRAME.dropna(subset="employees").tail(200).set_index("account_id")["employees"]
    assert told.reindex(rest.index).corr(rest, method="spearman") > 0.9
    with pytest.raises(InputError, match="too few won deals"):
        expected_values(PREPARED, dict(list(amounts.items())[:19]))


@pytest.mark.parametrize("text", ["fit=-1", "fit=0", "fat=1", "fit=much", "fit=inf", "fit=nan"])
def test_weights_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Weights.parse(text)


def test_intent_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InputError, match="about to buy") as caught:
        blend(RANKING, weights=Weights(intent=1.0))
    assert "train and promote" in str(caught.value)


def tables() -> Tables:
    """The planted companies, 40 of them customers of the platform and 10 of insights."""
    accounts = FRAME.drop(columns="planted").assign(known_at=pd.Timestamp("2023-01-01"))
    owners = [*((one, "platform") for one in KIN[:40]), *((one, "insights") for one in KIN[40:50])]
    deals = pd.DataFrame(owners, columns=["account_id", "product"]).assign(
        opportunity_id=lambda rows: rows.index.astype(str),
        known_at=pd.Timestamp("2024-01-01"),
        outcome="won",
        amount=1_000.0,
    )
    own = tuple(one for one in ATTRIBUTES if one.name in ("is_public", "customer_tier"))
    return Tables.from_frames({"accounts": accounts, "opportunities": deals}, attributes=own)


def test_all_customers_are_seeds_where_no_file_is_given() -> None:
    asked = expand_workspace(tables(), Question(size=20), as_of=AS_OF)
    assert len(asked.expansion.ranking.seeds) == 50
    assert asked.expansion.left_out == {"customers that are no seeds": 0}


def test_customers_of_another_line_are_candidates_of_a_horizontal_list() -> None:
    asked = expand_workspace(tables(), Question(size=60, product="platform"), as_of=AS_OF)
    suggested = {one.account_id for one in asked.expansion.suggestions}
    assert len(asked.expansion.ranking.seeds) == 40
    assert not suggested & set(KIN[:40])
    assert len(suggested & set(KIN[40:50])) >= 6


def test_customers_are_left_out_of_a_vertical_list_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "seeds.csv"
    file.write_text("\n".join(["domain", *(f"c{int(one[1:])}.example" for one in KIN[:12])]))
    asked = expand_workspace(tables(), Question(size=30), as_of=AS_OF, seeds=file)
    assert asked.expansion.left_out == {"customers that are no seeds": 38}
    assert asked.matches is not None
    assert asked.matches.counts["matched"] == 12
    told = frame_of(map(document_of, asked.expansion.suggestions), language="zh")
    assert told["reason_1"].str.contains("：").any()
    assert asked.document()["seed_rows"]["matched"] == 12


def test_seeds_that_are_no_accounts_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "seeds.csv"
    file.write_text("nobody-knows.io\n")
    with pytest.raises(NotEnoughDataError, match="no row is an account"):
        expand_workspace(tables(), Question(), as_of=AS_OF, seeds=file)


def test_no_cell_of_the_file_is_a_formula(tmp_path: Path) -> None:
    odd = FRAME.assign(name=["=1+1", "+2", "-3", "@x"] * 150)
    made = Tables.from_frames(
        {"accounts": odd.drop(columns="planted").assign(known_at=pd.Timestamp("2023-01-01"))},
        attributes=tuple(one for one in ATTRIBUTES if one.name in ("is_public", "customer_tier")),
    )
    file = tmp_path / "seeds.csv"
    file.write_text("\n".join(["account_id", *KIN[:12]]))
    asked = expand_workspace(made, Question(size=30), as_of=AS_OF, seeds=file)
    asked.write(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 30
    assert {row["name"][:2] for row in rows} <= {"'=", "'+", "'-", "'@"}
    assert all(row["nearest_name_1"].startswith("'") for row in rows)
    # What draws a list reads the file as it was meant.
    for told, one in zip(read_suggestions(tmp_path / "out.csv"), asked.expansion.suggestions, strict=True):
        assert (told.account_id, told.score, told.high) == (one.account_id, one.score, one.chance.high)
        nearest = [(seed["account_id"], seed["name"]) for seed in told.detail["nearest"]]
        assert nearest == [(seed.account_id, seed.name) for seed in one.nearest]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mode", "diagonal"], "allowed vertical, horizontal, intent"),
        (["--mode", "horizontal"], "name it with --product"),
        (["--product", "platform"], "say --mode horizontal"),
        (["--blend", "fit=x"], "the weight of fit is no number"),
        (["--language", "fr"], "allowed en, zh"),
        (["--customers", "drop"], "allowed leave_out, keep"),
        (["--seeds", "absent.csv"], "no tables in the workspace"),
    ],
)
def test_what_the_command_cannot_do_is_told(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["expand", "--workspace", str(tmp_path / "none"), *arguments])
    assert done.exit_code != 0
    assert said in str(done.exception)
