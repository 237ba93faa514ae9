// What the views of lists are put together from: states, facts, waiting, failures, and tables to read.

import { announce, element } from "./dom.js";
import { day, number, t } from "./i18n.js";
import { word } from "./list-api.js";

export const button = (label, click, { tone = "quiet", ...more } = {}) =>
  element("button", { type: "button", class: tone, on: { click }, ...more }, label);

export const badge = (kind, value) => element("span", { class: `badge ${value}` }, word(kind, value));

export const fact = (label, ...values) => element("div", {}, element("dt", {}, label), element("dd", {}, ...values));

// A moment as a day, with the time for whoever points at it.
export const date = (iso) => element("time", { datetime: iso, title: iso }, day(iso));

export function waiting(blocks = 2) {
  const line = (size) => element("span", { class: `bone ${size}` });
  const block = () => element("div", { class: "card" }, line("short"), line(""), line("big"));
  return element("div", { class: "waiting", "aria-hidden": "true" }, Array.from({ length: blocks }, block));
}

// What the service said, as it said it: what, got, allowed, fix.
export function told(problem) {
  const errors = problem.errors ?? [];
  return [
    element("p", { class: "detail" }, problem.offline ? t("error_offline_text") : problem.detail || problem.title || t("error_other")),
    errors.length > 1 &&
      element("ul", {}, errors.map((one) => element("li", {}, element("code", {}, one.field), ` ${[one.what, one.fix].filter(Boolean).join("; ")}`))),
    problem.request_id && element("p", { class: "small" }, t("request_id", { id: problem.request_id })),
  ].filter(Boolean);
}

export function failure(problem, again) {
  const key = problem.offline ? "error_offline" : problem.status === 404 ? "l_gone" : problem.status === 503 ? "error_503" : "error_other";
  return element(
    "div",
    { class: "card failure", role: "alert" },
    element("h2", {}, t(key)),
    ...told(problem),
    problem.status === 404 && element("a", { class: "quiet link", href: "#/lists" }, t("l_all")),
    again && problem.status !== 404 && button(t("retry"), again),
  );
}

// Runs a reading into a place: waits, shows, or says why not. Whoever asks again ends what ran before.
export function reader(place, { read, show, blocks }) {
  let running = null;
  return async function load({ silent = false } = {}) {
    running?.abort();
    const mine = (running = new AbortController());
    place.setAttribute("aria-busy", "true");
    if (!silent) place.replaceChildren(waiting(blocks));
    try {
      const found = await read(mine.signal);
      if (running === mine) place.replaceChildren(...[show(found)].flat().filter(Boolean));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (!("errors" in problem)) throw problem;
      if (running === mine) place.replaceChildren(failure(problem, () => load()));
    } finally {
      if (running === mine) place.removeAttribute("aria-busy");
    }
  };
}

// A table to read, in a box that scrolls by itself where it is too wide. rows: lists of cells.
export function plainTable({ caption, heads, rows, className = "" }) {
  const cell = (content, place) => element(place ? "td" : "th", place ? {} : { scope: "row" }, content ?? "–");
  return element(
    "div",
    { class: "scrolling", tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table",
      { class: `plain ${className}` },
      element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, rows.map((cells) => element("tr", {}, cells.map(cell)))),
    ),
  );
}

// Pages of something that the service tells with next_page, added below one another.
export function growing({ read, show, label }) {
  const place = element("div", { class: "growing" });
  const more = element("div", { class: "more-of-it" });
  const next = async (page) => {
    more.replaceChildren(element("p", { class: "small", role: "status" }, t("l_loading")));
    try {
      const found = await read(page);
      const node = show(found, !page);
      place.append(node);
      const further = found.next_page && button(label ?? t("l_more"), () => next(found.next_page));
      more.replaceChildren(...(further ? [further] : []));
      if (page) node.querySelector("a, button, [tabindex]")?.focus({ preventScroll: true });
    } catch (problem) {
      if (!("errors" in problem)) throw problem;
      more.replaceChildren(failure(problem, () => next(page)));
    }
  };
  next(null);
  return element("div", {}, place, more);
}

// What the service keeps of a change in English words of its own, in the reader's; what people wrote stays as it is.
export function detailInWords({ action, detail }) {
  const counts = /^(\d+) added, (\d+) dropped, (\d+) moved$/.exec(detail);
  if (counts) {
    const told = CHANGES.map((one, place) => [one, Number(counts[place + 1])]).filter(([, count]) => count);
    return told.map(([one, count]) => t(`l_so_many_${one}`, { count: number(count) })).join(" · ") || t("l_no_change");
  }
  const named = action === "exclude" && /^(\d+) accounts and domains$/.exec(detail);
  if (named) return t("l_excluded_count", { count: number(named[1]) });
  const file = action === "export" && /^(\w+), (\d+) targets, (\d+) that are none any more$/.exec(detail);
  if (file) return `${t(`format_${file[1]}`)} · ${t("l_file_rows", { count: number(file[2]), leavers: number(file[3]) })}`;
  if (action === "approve" && ["marketing", "sales"].includes(detail)) return t(`side_${detail}`);
  const facts = action === "edit" && detail.split(", ");
  if (facts && facts.every((one) => FACTS.includes(one))) return facts.map((one) => t(`l_${one}`)).join(" · ");
  return detail;
}

const CHANGES = ["added", "dropped", "moved"];
const FACTS = ["name", "owner", "purpose", "pilot", "sub_industry", "size", "segments", "goals", "rules"];

// After something was done: say so, and show the list as it is now.
export async function done(context, text, { whole = true } = {}) {
  announce(text);
  await context.again({ whole });
}
