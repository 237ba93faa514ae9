"""The ideal customer profile over HTTP and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from openapi_schema_validator import OAS30Validator
from playwright.sync_api import Browser, Page, Route, expect
from server_process import Server
from small_profile import PROFILE

from features.feature import Language
from models.making import with_name
from models.scoring import Scorer
from serving.desk import Desk
from serving.profile import profile_answer
from serving.releases import LoadedRelease, ServedModel

LANGUAGES: tuple[Language, ...] = ("en", "zh")
EN = "51 to 200 people and uses crm: won 22 % of 180, all 7.0 %"
ZH = "员工51至200人，使用crm：180个已成交或丢单客户中赢得22 %，全部客户为7.0 %"


@pytest.mark.parametrize(("language", "sentence"), [("en", EN), ("zh-CN", ZH)])
def test_it_is_told_in_the_language_asked_for(client: httpx.Client, language: str, sentence: str) -> None:
    answer = client.get("/v1/profile", headers={"Accept-Language": language})
    assert answer.status_code == 200
    found = answer.json()["profile"]
    assert found["traits"][0]["sentence"] == sentence
    assert (found["later"]["accounts"], found["later_from"]) == (400, "2025-08-01T00:00:00Z")
    assert [one["verdict"] for one in found["stated"]] == ["conflicts", "no_evidence"]
    assert found["not_stated"] == [found["traits"][0]["words"]]


def test_the_answer_is_the_one_that_the_document_promises(client: httpx.Client) -> None:
    described = client.get("/docs.json").json()
    promised = described["paths"]["/v1/profile"]["get"]["responses"]["200"]["content"]["application/json"]
    schema = promised["schema"] | {"components": described["components"]}
    assert not list(OAS30Validator(schema).iter_errors(client.get("/v1/profile").json()))
    assert client.post("/v1/profile", json={}).status_code == 405


def test_a_release_without_a_profile_says_why(desk: Desk) -> None:
    bare = replace(desk.release, models=desk.release.of_kind("intent"))
    answer = profile_answer(bare, language="en")
    assert answer.profile is None
    assert answer.profile_unavailable_reason is not None
    assert "no fit model" in answer.profile_unavailable_reason
    chinese = profile_answer(bare, language="zh").profile_unavailable_reason
    assert chinese is not None
    assert "契合度模型" in chinese


def only_germany(desk: Desk) -> LoadedRelease:
    """The release, but its fit model is about Germany and named so."""
    (fit,) = desk.release.of_kind("fit")
    bundle = with_name(fit.scorer.bundle, key="fit.germany", place=0)
    german = ServedModel(Scorer(bundle, threads=1), fit.labels)
    return replace(desk.release, models=(german, *desk.release.of_kind("intent")))


def test_a_named_model_has_a_profile_of_its_own(desk: Desk) -> None:
    release = only_germany(desk)
    answer = profile_answer(release, language="en", model="fit.germany")
    assert answer.profile is not None
    assert answer.model is not None
    assert (answer.profile.traits[0].sentence, answer.model.name) == (EN, "icp_fit.germany")
    for model in (None, "fit"):
        silent = profile_answer(release, language="en", model=model)
        assert (silent.profile, silent.model) == (None, None)
        assert "no fit model of all accounts" in str(silent.profile_unavailable_reason)
        assert "it holds fit.germany: ask" in str(silent.profile_unavailable_reason)
    chinese = profile_answer(release, language="zh").profile_unavailable_reason
    assert "现有fit.germany" in str(chinese)


def test_the_models_to_choose_among_say_whom_they_are_about(desk: Desk) -> None:
    (german, *_), (everyone,) = only_germany(desk).models, desk.release.of_kind("fit")
    where = {"country": ("DE", "AT"), "partner": ("true",), "gone": ("x",)}
    labels = german.labels.fit.model_copy(update={"where": where, "product": "CRM"})
    german = replace(german, labels=german.labels.model_copy(update={"fit": labels}))
    release = replace(desk.release, models=(german, everyone))
    told = {
        language: [(one.key, one.about) for one in profile_answer(release, language=language).models]
        for language in LANGUAGES
    }
    assert told["en"] == [
        ("fit", None),
        ("fit.germany", "country DE or AT; partner true; gone x; product CRM"),
    ]
    assert told["zh"][1] == ("fit.germany", "国家为DE或AT；partner为true；gone为x；产品为CRM")


@pytest.mark.parametrize("wrong", ["intent", "fit.germani", "", "fit,fit", "图" * 500])
def test_another_model_is_refused_and_those_that_answer_are_told(client: httpx.Client, wrong: str) -> None:
    refused = client.get("/v1/profile", params={"model": wrong})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    (error,) = refused.json()["errors"]
    assert (error["field"], error["allowed"], len(error["got"]) < 70) == ("model", "fit", True)
    asked = client.get("/v1/profile", params={"model": "fit"}).json()
    assert asked == client.get("/v1/profile").json()


@pytest.fixture(params=[1440, 390], ids=["wide", "narrow"])
def view(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The view in English, at two widths; it may not fail a script or scroll sideways."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": request.param, "height": 900}, locale="en-GB")
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(f"{server.url}/#/profile")
    yield opened
    width = opened.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert faults == []
    assert width <= request.param


def test_the_page_tells_what_the_service_says(view: Page, client: httpx.Client) -> None:
    found = client.get("/v1/profile").json()["profile"]
    expect(view.get_by_role("heading", name="Ideal customer profile")).to_be_visible()
    expect(view.locator(".traits .sentence")).to_have_text([one["words"] for one in found["traits"]])
    expect(view.locator(".traits.for li")).to_contain_text("22% of 180")
    expect(view.locator(".traits.against li")).to_contain_text("1.1% of 90")
    expect(view.locator(".verdict")).to_have_text(["Data conflict", "No evidence"])
    expect(view.locator(".stated .notice")).to_contain_text("51 to 200 people and uses crm")
    view.get_by_role("button", name="中文").click()
    expect(view.get_by_role("heading", name="理想客户画像")).to_be_visible()
    expect(view.locator(".traits .sentence").first).to_have_text("员工51至200人，使用crm")
    view.get_by_role("link", name="客户评分").click()
    expect(view.get_by_role("heading", name="客户评分")).to_be_visible()


def test_the_reader_chooses_a_model_with_the_keyboard(view: Page, client: httpx.Client) -> None:
    everyone = client.get("/v1/profile").json()
    expect(view.locator(".traits .sentence")).to_have_count(2)
    expect(view.get_by_label("Profile of")).to_be_hidden()
    models = [{"key": "fit", "about": None}, {"key": "fit.germany", "about": "country DE or AT"}]
    german = {**everyone["profile"], "traits": everyone["profile"]["traits"][:1]}

    def answer(route: Route) -> None:
        named = "model=fit.germany" in route.request.url
        told = {**everyone, "models": models, "profile": german if named else everyone["profile"]}
        route.fulfill(json=told)

    view.route("**/v1/profile*", answer)
    view.reload()
    choice = view.get_by_role("combobox", name="Profile of")
    expect(choice).to_have_value("fit")
    expect(choice.locator("option")).to_have_text(["All accounts", "germany: country DE or AT"])
    choice.focus()
    choice.press("ArrowDown")
    expect(view.locator(".traits .sentence")).to_have_count(1)
    expect(choice).to_be_focused()
    expect(view.locator("#announcer")).to_have_text("Traits: 1")
    view.get_by_role("button", name="中文").click()
    expect(view.get_by_role("combobox", name="画像对象")).to_have_value("fit.germany")
    expect(view.locator(".traits .sentence")).to_have_count(1)


def test_without_a_model_of_all_accounts_the_first_other_one_is_shown(
    view: Page, client: httpx.Client
) -> None:
    whole = {**client.get("/v1/profile").json(), "models": [{"key": "fit.germany", "about": "country DE"}]}
    none = {"profile": None, "model": None, "profile_unavailable_reason": "no fit model of all accounts"}
    view.route(
        "**/v1/profile*",
        lambda route: route.fulfill(json=whole if "model=fit.germany" in route.request.url else whole | none),
    )
    view.reload()
    expect(view.locator(".traits .sentence")).to_have_count(2)
    expect(view.get_by_label("Profile of")).to_be_hidden()
    expect(view.locator(".summary")).to_contain_text("germany: country DE")


def test_a_bar_ends_at_its_share_of_the_common_scale(view: Page) -> None:
    ruler = view.locator(".traits.for .ruler")
    expect(ruler).to_be_visible()
    track, fill, mark = (
        view.locator(part).first.bounding_box() for part in (".ruler", ".ruler .fill", ".ruler .mark")
    )
    assert track is not None
    assert fill is not None
    assert mark is not None
    best = PROFILE.traits[0].later
    end = best.high * 1.05
    assert fill["width"] == pytest.approx(track["width"] * best.rate / end, abs=1.5)
    assert mark["x"] - track["x"] == pytest.approx(track["width"] * PROFILE.later.rate / end, abs=2.5)
