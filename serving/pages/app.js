// The shell: header, navigation and the view that the address names. A later view is one more entry of VIEWS.

import * as access from "./access.js";
import { overview } from "./api.js";
import { element } from "./dom.js";
import { apply, day, number, setLanguage, t } from "./i18n.js";
import * as profile from "./profile.js";
import * as score from "./score.js";

const VIEWS = [
  { path: "#/score", label: "nav_score", view: score },
  { path: "#/profile", label: "nav_profile", view: profile },
];

const state = { facts: null };

function current() {
  return VIEWS.find((entry) => entry.path === location.hash) ?? VIEWS[0];
}

function showNavigation() {
  const links = VIEWS.map(({ path, label }) =>
    element("a", { href: path, "aria-current": current().path === path ? "page" : null }, t(label)),
  );
  document.getElementById("nav").replaceChildren(...links);
}

function showFacts() {
  const { facts } = state;
  const parts = facts
    ? [
        t("accounts", { count: number(facts.accounts) }),
        facts.data_through && t("data_through", { date: day(facts.data_through) }),
        t("release", { id: facts.release }),
      ].filter(Boolean)
    : [t(access.isRefused(state.problem) ? "key_needed" : "not_ready")];
  document.getElementById("facts").replaceChildren(...parts.map((part) => element("span", {}, part)));
  document.getElementById("facts").classList.toggle("warning", !facts);
}

function show() {
  apply();
  showNavigation();
  showFacts();
  document.title = `${t(current().label)} · Spearfish`;
  const main = document.getElementById("main");
  if (access.isRefused(state.problem)) access.show(main, { problem: state.problem, again: load });
  else current().view.show(main, state);
}

async function load() {
  try {
    state.facts = await overview();
    state.problem = null;
  } catch (problem) {
    state.facts = null;
    state.problem = problem;
  }
  show();
  // Not ready is a passing state: a release may be promoted at any moment.
  if (!state.facts && !access.isRefused(state.problem)) setTimeout(load, 3000);
}

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    setLanguage(button.dataset.language);
    show();
  });
}
addEventListener("hashchange", show);
apply();
load();
