// How long a list should be: the goal as sliders, the size that follows from it with its interval, and what each length
// of the list is expected to bring. What is set is in the address, so that a plan can be sent and found again.

import * as api from "./api.js";
import { announce, element } from "./dom.js";
import { clearFaults, field, showFaults, slider } from "./expand-fields.js";
import { draft, keep } from "./expand-kept.js";
import { failure, told, waiting } from "./expand-problem.js";
import { number, t } from "./i18n.js";
import { answer } from "./plan-answer.js";
import { productField } from "./products.js";

const GOAL = { reps: 5, wins_per_rep: 8, days: 365 };
const GIVEN = ["product", "win_rate", "account_to_opportunity", "users", "units_each", "unit_price"];
const SHARES = ["win_rate", "account_to_opportunity"];
const PAUSE = 350;
const ADDRESS = "#/plan";

let shown = null;

export function show(main, state) {
  shown?.leave();
  shown = plan(main, { draft: draft(state.who) });
}

addEventListener("hashchange", () => {
  if (location.hash.startsWith(ADDRESS)) return;
  shown?.leave();
  shown = null;
});

function read() {
  const told = Object.fromEntries(new URLSearchParams(location.hash.split("?")[1] ?? ""));
  const values = { ...Object.fromEntries(GIVEN.map((name) => [name, ""])), ...GOAL, size: "", ...told };
  for (const name of Object.keys(GOAL)) values[name] = Number(values[name]) || GOAL[name];
  return values;
}

function plan(main, { draft: kept }) {
  const values = read();
  const output = element("section", { class: "output plan", "aria-label": t("plan_title") });
  const form = element("form", { class: "card form", novalidate: true, on: { submit: (event) => event.preventDefault() } }, fields(values, later));
  let timer = null;
  let running = null;

  main.replaceChildren(
    element("div", { class: "head" }, element("h1", {}, t("plan_title")), element("p", {}, t("plan_lead"))),
    element("div", { class: "columns" }, form, output),
  );
  output.replaceChildren(waiting());
  ask();
  return {
    leave() {
      clearTimeout(timer);
      running?.abort();
    },
  };

  function remember() {
    const said = Object.entries(values).filter(([name, value]) => String(value).trim() && GOAL[name] !== value);
    const query = new URLSearchParams(said).toString();
    history.replaceState(null, "", `${ADDRESS}${query && `?${query}`}`);
  }

  function later() {
    remember();
    clearTimeout(timer);
    output.setAttribute("aria-busy", "true");
    timer = setTimeout(ask, PAUSE);
  }

  async function ask() {
    running?.abort();
    const mine = (running = new AbortController());
    output.setAttribute("aria-busy", "true");
    clearFaults(form);
    try {
      const found = await api.call(`/v1/plan?${question(values)}`, { signal: mine.signal });
      const size = Number(values.size) || null;
      output.replaceChildren(answer({ found, query: question(values), size, signal: mine.signal, chosen, use }));
      announce(t("plan_announced", { count: number(Math.ceil(found.target_accounts.value)) }));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      const errors = showFaults(form, told(problem).errors);
      output.replaceChildren(failure({ ...problem, errors }, { again: ask }));
    } finally {
      if (running === mine) output.removeAttribute("aria-busy");
    }
  }

  function chosen(size) {
    values.size = size;
    remember();
  }

  function use(size) {
    kept.size = size;
    keep();
    location.hash = "#/expand";
  }
}

function fields(values, changed) {
  const set = (name) => (value) => {
    values[name] = value;
    changed();
  };
  const goal = (name, rest) => slider({ label: t(`plan_${name}`), value: values[name], set: set(name), path: name, min: 1, exact: true, ...rest }).node;
  const entry = (name, rest = {}) => field({ label: t(`plan_${name}`), value: values[name], set: set(name), path: name, type: "number", min: 0, step: "any", inputmode: "decimal", ...rest });
  return [
    element("h2", {}, t("plan_goal")),
    goal("reps", { max: 50, hint: null }),
    goal("wins_per_rep", { max: 50, hint: t("plan_wins_per_rep_hint") }),
    goal("days", { min: 30, max: 730, step: 5 }),
    productField({ label: t("plan_product"), value: values.product, set: set("product"), hint: t("plan_product_hint"), any: t("product_any") }),
    element(
      "details",
      { class: "more", open: SHARES.some((name) => values[name]) },
      element("summary", {}, t("plan_rates")),
      element("p", { class: "small" }, t("plan_rates_text")),
      element("div", { class: "grid" }, SHARES.map((name) => entry(name, { max: 100, placeholder: t("plan_counted") }))),
    ),
    element(
      "details",
      { class: "more", open: ["users", "units_each", "unit_price"].some((name) => values[name]) },
      element("summary", {}, t("plan_market")),
      element("p", { class: "small" }, t("plan_market_text")),
      element("div", { class: "grid" }, entry("users"), entry("units_each"), entry("unit_price")),
    ),
  ];
}

// What the service is asked: shares are typed as percent.
export function question(values) {
  const query = new URLSearchParams();
  for (const name of Object.keys(GOAL)) query.set(name, values[name]);
  for (const name of GIVEN) {
    const typed = String(values[name]).trim();
    if (typed) query.set(name, SHARES.includes(name) && Number.isFinite(Number(typed)) ? Number(typed) / 100 : typed);
  }
  return query.toString();
}
