"""Why a score changed: the parts add up, and each of them is 0 where nothing of its kind happened."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trained_market import MARKET

from features.errors import InputError
from features.ingest import ingest
from features.mapping import Config, load_config
from features.point_in_time import FeatureEngine
from features.tables import Tables
from features.workspace import Workspace
from models.bundle import Bundle
from models.calibration import Calibration
from models.making import with_name
from models.scoring import Scorer
from serving.store import Draft, Store, StoredBundle
from training.changes import ChangeReport, explain_change
from training.changes.rows import AccountHistory
from training.changes.shown import change_sentence, to_json
from training.changes.splitting import Change, Judge, split
from training.fit import Training
from training.market.write import simulate

Judges = dict[str, Judge]
NOW = MARKET.end + timedelta(days=5)
FIRST = MARKET.end - timedelta(days=10)
"""When the first release began to answer; the second did when the market ended."""


@pytest.fixture(scope="module")
def judges(fit_training: Training, intent_training: Training) -> Judges:
    """Models that may have scored before and after: other trees, other columns, another calibration."""
    bolder = replace(intent_training.bundle, calibration=Calibration(slope=1.7, intercept=-0.4))
    bundles = {"intent": intent_training.bundle, "fit": fit_training.bundle, "bolder": bolder}
    return {name: Judge(bundle, bundle.cuts) for name, bundle in bundles.items()}


def changed(history: AccountHistory, old: Judge, new: Judge, *, start: datetime, end: datetime) -> Change:
    first, second = old.bundle.catalogue, new.bundle.catalogue
    before, aged = history.rows(first, known_before=start, moments=(start, end))
    (fresh,) = history.rows(first, known_before=end, moments=(end,))
    (after,) = history.rows(second, known_before=end, moments=(end,))
    return split(old, new, before=before, aged=aged, fresh=fresh, after=after)


def require_sum(change: Change) -> None:
    assert math.fsum(part.total for part in change.parts) == pytest.approx(change.difference, abs=1e-9)
    for part in change.parts:
        assert math.fsum(part.groups.values()) == pytest.approx(part.total, abs=1e-9)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    account=st.integers(0, 999),
    day=st.integers(200, 1_000),
    lasts=st.integers(0, 300),
    pair=st.sampled_from([("intent", "intent"), ("intent", "bolder"), ("fit", "intent"), ("intent", "fit")]),
)
def test_the_parts_add_up_whatever_happened(
    market: Tables, judges: Judges, *, account: int, day: int, lasts: int, pair: tuple[str, str]
) -> None:
    history = AccountHistory.of(market, account_id=f"account-{account:07d}")
    start = MARKET.end - timedelta(days=1_110) + timedelta(days=day)
    old, new = (judges[name] for name in pair)
    change = changed(history, old, new, start=start, end=start + timedelta(days=lasts))
    require_sum(change)
    assert (change.part("model").total == 0.0) is (pair == ("intent", "intent"))


def test_both_ends_are_what_the_whole_tables_say(market: Tables, judges: Judges) -> None:
    start, end = MARKET.end - timedelta(days=200), MARKET.end
    judge = judges["intent"]
    with FeatureEngine(market, judge.bundle.catalogue, threads=1) as engine:
        for account in ("account-0000003", "account-0000500"):
            change = changed(
                AccountHistory.of(market, account_id=account), judge, judge, start=start, end=end
            )
            for moment, said in ((start, change.before), (end, change.after)):
                row = engine.build_one(account, moment)
                assert Scorer(judge.bundle, threads=1).explain_row(row).logit == said.logit


def facts(*employees: tuple[str, int], judge: Judge) -> AccountHistory:
    """An account of which nothing but its number of employees was ever told."""
    told = pd.DataFrame(
        {
            "account_id": "a",
            "known_at": pd.to_datetime([at for at, _ in employees]).astype("datetime64[us]"),
            "employees": pd.array([count for _, count in employees], dtype="Int64"),
        }
    )
    tables = Tables.from_frames({"accounts": told}, attributes=judge.bundle.catalogue.attributes)
    return AccountHistory.of(tables, account_id="a")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_new_fact_alone_is_all_data(judges: Judges) -> None:
    fit = judges["fit"]
    history = facts(("2024-01-01", 20), ("2024-02-10", 300), judge=fit)
    change = changed(history, fit, fit, start=moment("2024-02-10"), end=moment("2024-02-10T00:00:01"))
    assert change.part("decay").total == 0.0
    assert change.part("model").total == 0.0
    assert change.part("data").total == change.difference != 0.0
    ideas = [idea for idea in change.part("data").ideas if idea.changed]
    assert ideas[0].sentence() == "employees: 20 → employees: 300"
    assert ideas[0].sentence("zh") == "员工人数：20 → 员工人数：300"


def test_time_alone_is_all_decay(market: Tables, judges: Judges) -> None:
    """After the last fact of the market only time passes."""
    judge = judges["intent"]
    history = AccountHistory.of(market, account_id="account-0000042")
    change = changed(history, judge, judge, start=MARKET.end, end=MARKET.end + timedelta(days=150))
    assert change.part("data").total == 0.0
    assert change.part("data").groups == {}
    assert change.part("model").total == 0.0
    assert change.part("decay").total == change.difference != 0.0


def test_another_model_at_one_moment_is_all_model(market: Tables, judges: Judges) -> None:
    history = AccountHistory.of(market, account_id="account-0000042")
    change = changed(history, judges["intent"], judges["bolder"], start=MARKET.end, end=MARKET.end)
    assert change.part("decay").total == change.part("data").total == 0.0
    margin = (change.before.logit - judges["intent"].bundle.calibration.intercept) / judges[
        "intent"
    ].bundle.calibration.slope
    assert change.part("model").total == pytest.approx(1.7 * margin - 0.4 - change.before.logit, abs=1e-12)
    assert "baseline" in change.part("model").groups


@pytest.fixture(scope="module")
def workspace(
    tmp_path_factory: pytest.TempPathFactory,
    fit_training: Training,
    intent_training: Training,
    judges: Judges,
) -> Workspace:
    """The market in a workspace, with two releases: both models, then a bolder intent model alone."""
    home = tmp_path_factory.mktemp("changes")
    folder = simulate(MARKET, directory=home / "market").directory
    found = Workspace(home / "workspace")
    path = Path(__file__).parents[2] / "configs" / "simulated_market.toml"
    mapping: Config = load_config(path, overrides={"folder": str(folder)})
    ingest(mapping, workspace=found)
    both = [fit_training.bundle, intent_training.bundle]
    with Store.open(found.store_url) as store:
        for bundles, at in ((both, FIRST), ([judges["bolder"].bundle], MARKET.end)):
            draft = Draft(tuple(map(stored, bundles)), created_by="test", reason="test", settings={})
            store.publish(draft, activate_at=None, now=at)
    return found


def stored(bundle: Bundle) -> StoredBundle:
    return StoredBundle(bundle.key, bundle.name, bundle.fingerprint, bundle.to_bytes())


def asked(
    workspace: Workspace, start: str, end: str, account: str = "account-0000042", **more: int
) -> ChangeReport:
    return explain_change(
        workspace, account_id=account, start=moment(start), end=moment(end), now=NOW, **more
    )


def test_a_change_between_two_releases_is_told(workspace: Workspace) -> None:
    report = asked(workspace, "2024-06-01", "2024-12-01", old_release=1)
    change = report.changes["intent"]
    require_sum(change)
    assert (report.old_release, report.new_release) == (1, 2)
    assert report.absent == {"fit": "release 2 of --to holds no fit model"}
    said = change_sentence("intent", change)
    assert f"{100 * change.before.probability:.1f} %" in said
    assert f"{change.part('data').total:+.2f} from new facts" in said
    document = to_json(report)
    assert document["intent"]["parts"]["model"]["total"] == change.part("model").total
    assert "time first, then the new facts" in document["path"]
    assert to_json(report, language="zh")["intent"]["sentence"].startswith("购买意向：概率由")


@pytest.mark.parametrize(
    ("start", "end", "releases"),
    [
        ("2024-12-23", "2025-01-03", (1, 2)),
        ("2024-06-01", "2024-12-01", (2, 2)),
        ("2024-06-01", "2024-12-25", (1, 1)),
    ],
    ids=["one and the next", "before the first: today's", "the first alone"],
)
def test_each_moment_is_scored_by_what_answered_then(
    workspace: Workspace, start: str, end: str, releases: tuple[int, int]
) -> None:
    report = asked(workspace, start, end)
    assert (report.old_release, report.new_release) == releases


def test_data_that_end_before_are_mentioned(workspace: Workspace) -> None:
    notes = asked(workspace, "2024-06-01", "2025-01-03").notes
    assert len(notes) == 1
    assert "after it only time passes" in notes[0]
    assert "nothing but time passed" in asked(workspace, "2025-01-02", "2025-01-03").notes[0]


@pytest.mark.parametrize(
    ("start", "end", "account", "words"),
    [
        ("2024-06-01", "2024-05-01", "account-0000042", "swap them"),
        ("2024-06-01", "2024-06-01", "account-0000042", "another release"),
        ("1999-01-01", "2024-06-01", "account-0000042", "not known yet at --from"),
        ("2024-01-01", "2024-06-01", "nobody", "no such account"),
    ],
)
def test_a_question_without_an_answer_says_why(
    workspace: Workspace, start: str, end: str, account: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        asked(workspace, start, end, account)


def test_an_account_outside_the_population_has_no_intent_to_change(
    workspace: Workspace, market: Tables
) -> None:
    won = market.read("opportunities").query("outcome == 'won'").sort_values("known_at").iloc[0]
    start = won["known_at"].to_pydatetime() + timedelta(days=1)
    report = explain_change(
        workspace,
        account_id=won["account_id"],
        start=start,
        end=MARKET.end,
        now=NOW,
        old_release=1,
        new_release=1,
    )
    assert "is a customer" in report.absent["intent"]
    assert np.isfinite(report.changes["fit"].difference)


def test_an_account_that_the_labels_leave_out_has_no_score_to_change(
    workspace: Workspace, fit_training: Training
) -> None:
    """The third release would be the current one for whoever asks later: it is published last."""
    rules = {"labels": {"fit": {"exclude": [{"name": "competitors", "accounts": ["account-0000042"]}]}}}
    draft = Draft((stored(fit_training.bundle),), created_by="test", reason="test", settings=rules)
    with Store.open(workspace.store_url) as store:
        number = store.publish(draft, activate_at=None, now=MARKET.end).release.id
    both = {"old_release": 1, "new_release": number}
    absent = asked(workspace, "2024-06-01", "2024-12-01", **both).absent["fit"]
    assert absent.startswith("the fit model does not speak of the account at --to (2024-12-01T00:00:00Z)")
    assert absent.endswith("leave out: competitors")
    assert "fit" in asked(workspace, "2024-06-01", "2024-12-01", "account-0000043", **both).changes


def test_the_notes_say_why_another_named_model_answers(
    workspace: Workspace, fit_training: Training, market: Tables
) -> None:
    """Release 1 has one fit model; the other has a second one for accounts that are known for long."""
    known_at = market.read("accounts").query("account_id == 'account-0000042'")["known_at"].min()
    days = (moment("2024-09-01") - known_at).days
    rules = {"named_labels": {"fit.settled": {"minimum_account_days": days}}}
    settled = with_name(fit_training.bundle, key="fit.settled", place=0)
    models = tuple(map(stored, (settled, fit_training.bundle)))
    draft = Draft(models, created_by="test", reason="test", settings=rules)
    with Store.open(workspace.store_url) as store:
        number = store.publish(draft, activate_at=None, now=MARKET.end).release.id

    def noted(old: int) -> tuple[str, ...]:
        report = asked(workspace, "2024-06-01", "2024-12-01", old_release=old, new_release=number)
        told = to_json(report)["fit"]
        require_sum(report.changes["fit"])
        assert (told["before"]["model"], told["after"]["model"]) == ("icp_fit", "icp_fit.settled")
        return report.notes

    both = "icp_fit answered at the earlier moment, icp_fit.settled at the later one, as "
    assert noted(number) == (both + "the account's population changed",)
    assert noted(1) == (both + "the releases hold other models or populations",)
