// A failure as it is told: what was wrong, what is allowed, and what to do next.

import { element } from "./dom.js";
import { t } from "./i18n.js";

const HEADINGS = { 409: "expand_changed", 413: "seeds_too_large", 422: "error_422", 503: "error_503" };

export function failure(problem, { again = null, words = "retry", heading = null } = {}) {
  const title = heading ?? t(problem.offline ? "error_offline" : (HEADINGS[problem.status] ?? "error_other"));
  // The detail tells the faults already, where none of them found a place beside its field.
  const told = problem.detail ? [] : [...new Set((problem.errors ?? []).map(sentence))];
  return element(
    "div",
    { class: "card failure", role: "alert" },
    element("h2", {}, title),
    problem.offline && element("p", {}, t("error_offline_text")),
    problem.detail && element("p", { class: "detail" }, problem.detail),
    told.length > 0 && element("ul", {}, told.map((text) => element("li", {}, text))),
    again && element("button", { type: "button", class: "quiet", on: { click: again } }, t(words)),
    problem.request_id && element("p", { class: "small" }, t("request_id", { id: problem.request_id })),
  );
}

export function sentence({ field, what, got, allowed, fix }) {
  const parts = [`${field ? `${field}: ` : ""}${what}`, got && t("expand_got", { got }), allowed && t("expand_allowed", { allowed }), fix];
  return parts.filter(Boolean).join("; ");
}

// Who was left out, in the language of the page where the reason is one that it knows; others are as they are told.
export function reason(said) {
  const owners = said.match(/^owners of (.+) that are no seeds$/);
  if (owners) return t("left_owners", { product: owners[1] });
  for (const key of [`left_${said.replace(/ /g, "_")}`, `rule_${said.replace(/ /g, "_")}`]) if (t(key) !== key) return t(key);
  return said;
}

// What is no problem of the service is a fault of the page.
export function told(problem) {
  if (!problem || !("errors" in problem)) throw problem;
  return problem;
}

export function waiting(blocks = 2) {
  const line = (size) => element("span", { class: `bone ${size}` });
  const block = () => element("div", { class: "card" }, line("short"), line(""), line("big"));
  return element("div", { class: "waiting", "aria-hidden": "true" }, Array.from({ length: blocks }, block));
}
