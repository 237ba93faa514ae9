// The view of target account lists: all of them at #/lists, a new one at #/lists/new, one at #/lists/ID.

import { announce, element } from "./dom.js";
import { number, t } from "./i18n.js";
import { address, lists, mayWrite, remember, word } from "./list-api.js";
import { drafts } from "./list-drafts.js";
import { goalInWords } from "./list-facts.js";
import { show as showForm } from "./list-form.js";
import { show as showOne } from "./list-one.js";
import { badge, date, growing } from "./list-parts.js";

const STATES = ["draft", "review", "approved", "archived"];

export function show(main, { who }) {
  if (who) drafts.of(`${who.kind} ${who.name}`);
  const { id } = address();
  if (id === "new") return showForm(main, { who });
  if (id) return showOne(main, { who, id });
  return showAll(main, { who });
}

function showAll(main, { who }) {
  const chosen = address().query.get("state") ?? "";
  const output = element("section", { class: "output", "aria-label": t("nav_lists") });
  const state = element(
    "select",
    { id: "lists-state" },
    element("option", { value: "" }, t("l_any_state")),
    STATES.map((one) => element("option", { value: one }, word("state", one))),
  );
  state.value = STATES.includes(chosen) ? chosen : "";
  const load = () => output.replaceChildren(pages({ state: state.value, who }));
  state.addEventListener("change", () => {
    remember({ state: state.value });
    load();
  });
  const choice = element("div", { class: "field choice-small" }, element("label", { for: "lists-state" }, t("l_state")), state);
  const begin = mayWrite(who) && element("a", { class: "primary link", href: "#/lists/new" }, t("l_new"));
  main.replaceChildren(
    element(
      "div",
      { class: "head choosing" },
      element("div", {}, element("h1", { tabindex: "-1" }, t("nav_lists")), element("p", {}, t("l_lead"))),
      element("div", { class: "head-actions" }, choice, begin),
    ),
    output,
  );
  load();
}

function pages({ state, who }) {
  return growing({
    read: (page) => lists({ state, page }),
    show: ({ lists: found }, first) => {
      if (first) announce(t("l_count", { count: number(found.length) }));
      if (first && !found.length) return state ? nothingLikeIt() : nothing({ who });
      return element("ul", { class: "list-cards" }, found.map(card));
    },
  });
}

function card(one) {
  const goals = one.goals.length ? one.goals.map(goalInWords).join(" · ") : t("l_no_goals");
  return element(
    "li",
    { class: "card list-card" },
    element(
      "div",
      { class: "list-card-head" },
      element("h2", {}, element("a", { href: `#/lists/${one.id}` }, one.name)),
      element("p", { class: "badges" }, badge("state", one.state), one.pilot && badge("kind", "pilot"), one.due && badge("due", one.due)),
    ),
    element("p", { class: "purpose" }, one.purpose),
    element(
      "dl",
      { class: "figures-row" },
      figure(t("l_owner"), one.owner),
      figure(t("l_room"), t("l_up_to", { count: number(one.size) })),
      figure(t("l_version"), one.refreshed_at ? number(one.version) : t("l_not_drawn")),
      figure(t("l_changed"), date(one.changed_at), element("span", { class: "small" }, t("l_by", { who: one.changed_by }))),
    ),
    element("p", { class: "small goals-line" }, `${t("l_goals")}: ${goals}`),
  );
}

const figure = (label, ...values) => element("div", {}, element("dt", {}, label), element("dd", {}, ...values));

function nothing({ who }) {
  const step = (sign, title, text) =>
    element("li", {}, element("span", { class: "step", "aria-hidden": "true" }, sign), element("div", {}, element("h3", {}, t(title)), element("p", {}, t(text))));
  return element(
    "div",
    { class: "card empty" },
    element("h2", {}, t("l_none")),
    element("p", {}, t(mayWrite(who) ? "l_none_text" : "l_none_viewer")),
    mayWrite(who) && element("p", { class: "empty-actions" }, element("a", { class: "primary link", href: "#/lists/new" }, t("l_new"))),
    element(
      "ol",
      { class: "steps" },
      step("1", "l_step_name", "l_step_name_text"),
      step("2", "l_step_draw", "l_step_draw_text"),
      step("3", "l_step_hand", "l_step_hand_text"),
    ),
  );
}

function nothingLikeIt() {
  return element("div", { class: "card empty" }, element("h2", {}, t("l_none_like_it")), element("p", {}, t("l_none_like_it_text")));
}
