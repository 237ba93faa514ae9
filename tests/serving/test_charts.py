"""Charts: figures that are drawn are those that were given, and nothing is in a picture that could run."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from xml.etree import ElementTree

import httpx
import pandas as pd
import pytest
import small_workspace

from serving.charts import EngagedWeek, Expected, Step, draw, engagement, waterfall, wins
from serving.desk import Desk
from serving.engaged import WEEKS, engaged_weeks

STEPS = [Step("12 visits", 0.9), Step("no webinar", -0.6), Step("所属行业：软件", 0.25)]
BASELINE = Step("before anything", -3.2)
ASKED = {
    "title": "Intent",
    "axis": "probability",
    "baseline": {"label": "before anything", "share": -3.2},
    "steps": [{"label": "<script>alert(1)</script>", "share": 0.9}, {"label": "b & c", "share": -0.5}],
    "width": 360,
}


def sizes(svg: str) -> tuple[str | None, set[str]]:
    """The width of a picture, and the names of its elements."""
    root = ElementTree.fromstring(svg)
    return root.get("width"), {node.tag.rpartition("}")[2] for node in root.iter()}


def test_each_step_begins_where_the_one_before_it_ended_and_the_last_is_the_sum() -> None:
    rows = waterfall(STEPS, baseline=BASELINE, total="Intent", axis="p", width=400)["data"]["values"]
    ends = [(row["start"], row["end"]) for row in rows]
    expected = [(-3.2, -3.2), (-3.2, -2.3), (-2.3, -2.9), (-2.9, -2.65), (-3.2, -2.65)]
    assert [(pytest.approx(a), pytest.approx(b)) for a, b in ends] == expected
    assert [row["kind"] for row in rows] == ["sum", "for", "against", "for", "sum"]
    assert [row["told"] for row in rows] == ["-3.20", "+0.90", "-0.60", "+0.25", "-2.65"]


def test_the_bars_are_as_long_as_their_shares() -> None:
    chart = waterfall(STEPS, baseline=BASELINE, total="Intent", axis="p", width=400)
    svg = draw(chart, width=400, title="t", words="w")
    bars = {
        node.get("aria-label"): corners(node.get("d", ""))
        for node in ElementTree.fromstring(svg).iter()
        if node.get("aria-roledescription") == "bar"
    }
    visits, webinar = bars["12 visits: +0.90"], bars["no webinar: -0.60"]
    assert (webinar[1] - webinar[0]) / (visits[1] - visits[0]) == pytest.approx(0.6 / 0.9, abs=0.01)
    assert webinar[1] == pytest.approx(visits[1], abs=0.1)


def corners(path: str) -> tuple[float, float]:
    """Where a bar begins and ends, from left to right, in pixels."""
    across = [float(pair.split(",")[0]) for pair in re.findall(r"[ML]([-\d.]+,[-\d.]+)", path)]
    return min(across), max(across)


@pytest.mark.parametrize("width", [240, 390, 1600])
def test_a_picture_is_as_wide_as_asked_and_holds_nothing_that_runs_or_loads(width: int) -> None:
    curve = [Expected(n, n / 10, n / 20, n / 5) for n in range(0, 101, 10)]
    weeks = [EngagedWeek(date(2026, 1, 5), "web_visit", 3), EngagedWeek(date(2026, 1, 12), "email", 1)]
    for chart in (
        waterfall(STEPS, baseline=BASELINE, total="Intent", axis="p", width=width),
        wins(curve, chosen=40, accounts="accounts", expected="wins"),
        engagement(weeks, first=date(2026, 1, 5), last=date(2026, 1, 12), count="activities"),
    ):
        svg = draw(chart, width=width, title="what it is", words="what it shows")
        drawn, names = sizes(svg)
        assert drawn == str(width)
        assert names <= {"svg", "g", "path", "text", "line", "rect", "defs", "clipPath", "title", "desc"}
        assert not re.search(r"\s(style|href|on\w+)=", svg)


SVG = "{http://www.w3.org/2000/svg}"


def spoken(svg: str) -> tuple[str | None, str | None, str | None]:
    """The role of a picture, and the name and the description that are the first of what is in it."""
    root = ElementTree.fromstring(svg)
    title, desc, *_ = root
    assert (title.tag, desc.tag) == (f"{SVG}title", f"{SVG}desc")
    return root.get("role"), title.text, desc.text


def test_a_picture_says_what_it_shows_whatever_stands_in_its_words() -> None:
    chart = waterfall(STEPS, baseline=BASELINE, total="Intent", axis="p", width=400)
    told = spoken(draw(chart, width=400, title="A & B <b>\x00", words="12 visits: +0.90; 所属行业：软件"))
    assert told == ("img", "A & B <b> ", "12 visits: +0.90; 所属行业：软件")


def test_a_picture_says_what_it_shows_in_the_language_asked(client: httpx.Client) -> None:
    drawn = client.post("/v1/charts/waterfall", json=ASKED).text
    label = "<script>alert(1)</script>"
    sums = f"before anything: -3.20; {label}: +0.90; b & c: -0.50; Intent: -2.80"
    assert spoken(drawn) == ("img", "Intent", sums)
    asked = {"account_id": "acc-00"}
    zh = {"Accept": "image/svg+xml", "Accept-Language": "zh"}
    role, title, words = spoken(client.get("/v1/charts/engagement", params=asked, headers=zh).text)
    counts: Counter[str] = Counter()
    for one in client.get("/v1/charts/engagement", params=asked).json()["weeks"]:
        counts[one["channel"]] += one["activities"]
    assert (role, title) == ("img", f"Company 0：26周内{counts.total()}次互动")
    assert words == "、".join(f"{name} {count} 次" for name, count in counts.most_common())
    nothing = client.get("/v1/charts/engagement", params={"account_id": "acc-05"}, headers=zh).text
    assert spoken(nothing)[2] == "没有已知的互动"
    curve = spoken(client.get("/v1/charts/wins", params=PLANNED, headers={"Accept-Language": "zh"}).text)
    assert curve[1] == "预期赢单数与名单长度"
    assert re.fullmatch(r"[\d,]+ 个客户预计带来 [\d,.]+ 个赢单", curve[2] or "")


def test_a_sum_is_drawn_as_it_was_sent(client: httpx.Client) -> None:
    answer = client.post("/v1/charts/waterfall", json=ASKED)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    texts = {node.text for node in ElementTree.fromstring(answer.text).iter() if node.text}
    assert {"+0.90", "-0.50", "-2.80", "b & c"} <= texts
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"width": 100}, "width"),
        ({"steps": [{"label": "a", "share": 1.0}] * 41}, "steps"),
        ({"title": "a\u0000b"}, "title"),
        ({"baseline": {"label": "a", "share": "1"}}, "baseline.share"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_drawn_is_refused(client: httpx.Client, change: dict[str, object], field: str) -> None:
    answer = client.post("/v1/charts/waterfall", json=ASKED | change)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def counted(activities: pd.DataFrame, *, first: date) -> Counter[tuple[date, str]]:
    """Activities by week and channel, one by one."""
    found: Counter[tuple[date, str]] = Counter()
    for row in activities.itertuples():
        day = row.occurred_at.date()
        week = day - timedelta(days=day.weekday())
        if week >= first:
            found[week, row.channel] += 1
    return found


def test_engagement_is_what_the_tables_hold(desk: Desk) -> None:
    rows = desk.snapshot.tables.read("activities")
    busiest = str(rows["account_id"].value_counts().idxmax())
    account, own = desk.snapshot.accounts.by_id(busiest), rows[rows["account_id"] == busiest]
    as_of, weeks = engaged_weeks(desk, account, now=small_workspace.NOW)
    assert as_of == own["known_at"].max() + timedelta(seconds=1)
    last = as_of.date() - timedelta(days=as_of.weekday())
    expected = counted(own, first=last - timedelta(weeks=WEEKS - 1))
    assert {(one.week, one.channel): one.activities for one in weeks} == expected
    assert sum(expected.values()) > 3


def test_engagement_over_http_is_figures_or_a_picture(client: httpx.Client) -> None:
    asked = {"account_id": "acc-00", "width": "300"}
    figures = client.get("/v1/charts/engagement", params=asked).json()
    assert figures["account"]["account_id"] == "acc-00"
    assert figures["weeks"]
    picture = client.get("/v1/charts/engagement", params=asked, headers={"Accept": "image/svg+xml"})
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert sizes(picture.text)[0] == "300"
    channels = {one["channel"] for one in figures["weeks"]}
    assert channels <= set(re.findall(r">([^<>]+)</text>", picture.text))


def test_an_account_without_activities_has_no_weeks(client: httpx.Client) -> None:
    answer = client.get("/v1/charts/engagement", params={"account_id": "acc-05"})
    assert (answer.status_code, answer.json()["weeks"]) == (200, [])


@pytest.mark.parametrize(
    ("asked", "status"),
    [({}, 422), ({"account_id": "nobody"}, 404), ({"account_id": "acc-00", "width": "1e3"}, 422)],
)
def test_engagement_says_what_is_wrong(client: httpx.Client, asked: dict[str, str], status: int) -> None:
    assert client.get("/v1/charts/engagement", params=asked).status_code == status


PLANNED = {"reps": "2", "wins_per_rep": "3", "win_rate": "0.5", "account_to_opportunity": "0.2"}


def test_the_curve_of_wins_is_that_of_the_plan_with_the_chosen_length_marked(client: httpx.Client) -> None:
    plan = client.get("/v1/plan", params=PLANNED).json()
    last = plan["curve"][-1]
    asked = PLANNED | {"width": "320", "chosen": str(last["accounts"])}
    picture = client.get("/v1/charts/wins", params=asked, headers={"Accept-Language": "en"})
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert sizes(picture.text)[0] == "320"
    names = re.findall(r'aria-label="([^"]+)"', picture.text)
    assert f"accounts of the list: {last['accounts']}" in names
    assert (
        f"X-axis titled 'accounts of the list' for a linear scale with values from 0 to {last['accounts']:,}"
        in names
    )
    dashed = [node for node in ElementTree.fromstring(picture.text).iter() if node.get("stroke-dasharray")]
    assert len(dashed) == 1
    unmarked = client.get("/v1/charts/wins", params=PLANNED)
    assert "stroke-dasharray" not in unmarked.text


@pytest.mark.parametrize(
    ("change", "field"),
    [({"chosen": "0"}, "chosen"), ({"width": "9"}, "width"), ({"reps": "x"}, "reps")],
)
def test_a_curve_that_cannot_be_drawn_says_why(
    client: httpx.Client, change: dict[str, str], field: str
) -> None:
    answer = client.get("/v1/charts/wins", params=PLANNED | change)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
