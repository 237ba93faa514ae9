// The shell: header, navigation and the view that the address names. A later view is one more entry of VIEWS; what
// follows its path in the address, as 7 in #/lists/7, is the view's own.

import * as access from "./access.js";
import { overview, session } from "./api.js";
import { element } from "./dom.js";
import * as expand from "./expand.js";
import { apply, day, number, setLanguage, t } from "./i18n.js";
import * as lists from "./lists.js";
import * as plan from "./plan.js";
import * as profile from "./profile.js";
import * as score from "./score.js";

const VIEWS = [
  { path: "#/score", label: "nav_score", view: score },
  { path: "#/expand", label: "nav_expand", view: expand },
  { path: "#/lists", label: "nav_lists", view: lists },
  { path: "#/profile", label: "nav_profile", view: profile },
  { path: "#/plan", label: "nav_plan", view: plan },
];

const state = { facts: null, who: null, link: null, ended: false };

function current() {
  const asked = location.hash.split("?")[0];
  return VIEWS.find(({ path }) => asked === path || asked.startsWith(`${path}/`)) ?? VIEWS[0];
}

function showNavigation() {
  const links = VIEWS.map(({ path, label }) =>
    element("a", { href: path, "aria-current": current().path === path ? "page" : null }, t(label)),
  );
  const nav = document.getElementById("nav");
  nav.replaceChildren(...links);
  // On narrow screens the views go beyond the edge.
  const shown = nav.querySelector("[aria-current]");
  nav.scrollLeft = shown.offsetLeft - nav.offsetLeft - (nav.clientWidth - shown.clientWidth) / 2;
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
  access.showPerson(document.getElementById("account"), { who: state.who, again: load });
  document.title = `${t(current().label)} · Spearfish`;
  const main = document.getElementById("main");
  if (state.link) access.showRefusedLink(main, { problem: state.link, who: state.who, again: forgetLink });
  else if (access.isRefused(state.problem)) access.show(main, { problem: state.problem, ended: state.ended, again: load });
  else current().view.show(main, state);
}

function forgetLink() {
  state.link = null;
  show();
}

async function load({ waiting = false } = {}) {
  const before = JSON.stringify([state.who, state.problem]);
  if (access.isLink()) state.link = await access.redeem(document.getElementById("main"));
  const [who, facts] = await Promise.allSettled([session(), overview()]);
  state.who = who.value ?? null;
  if (state.who) state.ended = false;
  state.facts = facts.value ?? null;
  state.problem = facts.reason ?? null;
  // Whoever types while a release is waited for goes on typing.
  if (!waiting || state.facts || !sameAs(before)) show();
  // Not ready is a passing state: a release may be promoted at any moment.
  if (!state.facts && !access.isRefused(state.problem)) setTimeout(() => load({ waiting: true }), 3000);
}

// Whether what is told is what was told before, but for the name of the request.
const sameAs = (before) => {
  const plain = (text) => text.replace(/"request_id":"[^"]*"/, "");
  return plain(JSON.stringify([state.who, state.problem])) === plain(before);
};

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    setLanguage(button.dataset.language);
    show();
  });
}
addEventListener("hashchange", () => (access.isLink() ? load() : forgetLink()));
addEventListener("signed-out", () => {
  state.ended = true;
  load();
});
apply();
load();
