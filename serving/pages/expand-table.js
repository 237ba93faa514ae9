// The accounts that a search found, a page of them at a time from the service: place, how alike, how sure, why, and the
// nearest seed. A row opens the account with all of its reasons.

import * as api from "./api.js";
import { announce, element } from "./dom.js";
import { account } from "./expand-account.js";
import { failure, told, waiting } from "./expand-problem.js";
import { number, percent, t } from "./i18n.js";

const LENGTHS = [25, 50, 100, 200];
let length = 50;

export function table({ found, path, signal }) {
  const holder = element("div", { class: "rows-of", tabindex: "0", role: "region", "aria-label": t("expand_accounts") });
  const where = element("p", { class: "where", role: "status" });
  const [first, before, after] = [
    ["expand_page_first", () => go([""])],
    ["expand_page_before", () => go(pages.slice(0, -1))],
    ["expand_page_after", () => go([...pages, next])],
  ].map(([words, click]) => element("button", { type: "button", class: "quiet", on: { click } }, t(words)));
  const lengths = element(
    "select",
    { "aria-label": t("expand_page_length"), on: { change: () => ((length = Number(lengths.value)), go([""])) } },
    LENGTHS.map((count) => element("option", { value: count, selected: count === length }, t("expand_page_rows", { count: number(count) }))),
  );
  // The texts that name the pages up to the one that is shown; the first one has none.
  let pages = [""];
  let next = null;
  let shown = 0;

  async function go(wanted) {
    holder.setAttribute("aria-busy", "true");
    if (!shown) holder.replaceChildren(waiting(1));
    for (const button of [first, before, after]) button.disabled = true;
    const page = wanted.at(-1);
    try {
      const answer = await api.call(`${path}/accounts?limit=${length}${page && `&page=${encodeURIComponent(page)}`}`, { signal });
      pages = wanted;
      next = answer.next_page;
      show(answer);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      holder.replaceChildren(failure(told(problem), { again: () => go(wanted) }));
    } finally {
      holder.removeAttribute("aria-busy");
      first.disabled = before.disabled = pages.length < 2;
      after.disabled = !next;
    }
  }

  function show({ accounts, total }) {
    const top = Math.max(...accounts.map((one) => one.times_as_dense.value ?? 0), 0);
    const columns = { blended: accounts.some((one) => one.parts?.length), chances: accounts.some(({ probability }) => isTold(probability)) };
    holder.replaceChildren(
      element(
        "table",
        { class: "accounts" },
        element("caption", { class: "unseen" }, t("expand_accounts")),
        element("thead", {}, element("tr", {}, headings(columns).map(([key, name]) => element("th", { scope: "col", class: name, "aria-sort": name === "place" ? "ascending" : null }, t(key))))),
        element("tbody", {}, accounts.map((one) => row(one, { top, columns, found, path, signal }))),
      ),
    );
    const [from, to] = [accounts[0]?.place ?? 0, accounts.at(-1)?.place ?? 0];
    const words = t("expand_page_where", { from: number(from), to: number(to), total: number(total) });
    where.textContent = words;
    if (shown) {
      announce(words);
      holder.scrollTop = 0;
    }
    shown = accounts.length;
  }

  go([""]);
  return element(
    "section",
    { class: "card listing", "aria-labelledby": "listing-title" },
    element("div", { class: "listing-head" }, element("h3", { id: "listing-title" }, t("expand_accounts")), where),
    holder,
    element("div", { class: "paging", role: "group", "aria-label": t("expand_page_pages") }, first, before, after, lengths),
  );
}

const headings = ({ blended, chances }) => [
  ["expand_col_place", "place"],
  ["expand_col_account", "company"],
  ["expand_col_likeness", "likeness"],
  blended && ["expand_col_parts", "parts-of"],
  chances && ["expand_col_chance", "chance"],
  ["expand_col_why", "why"],
  ["expand_col_nearest", "nearest"],
].filter(Boolean);

function row(one, { top, columns, found, path, signal }) {
  const { times_as_dense: times, probability, why } = one;
  const open = element(
    "button",
    { type: "button", class: "name", "aria-haspopup": "dialog", on: { click: () => account(one, { found, path, signal, opener: open }) } },
    one.name ?? one.domain ?? one.account_id,
  );
  const near = why.nearest[0];
  return element(
    "tr",
    {},
    element("td", { class: "place" }, number(one.place)),
    element("th", { scope: "row", class: "company" }, open, element("span", { class: "small" }, one.domain ?? one.account_id), element("span", { class: "small narrow-only" }, why.reasons_for[0]?.sentence)),
    element("td", { class: "likeness" }, times.value === null ? t("times_unknown") : [element("strong", {}, t("times", { value: compact(times.value) })), bar(times.value / (top || 1)), element("span", { class: "small" }, range(times, compact))]),
    columns.blended && element("td", { class: "parts-of" }, one.parts.map(part)),
    columns.chances && element("td", { class: "chance" }, chanceOf(probability)),
    element("td", { class: "why" }, why.reasons_for.slice(0, 2).map(({ sentence }) => element("span", { class: "reason" }, sentence))),
    element("td", { class: "nearest" }, near && [element("span", {}, near.name ?? near.account_id), element("span", { class: "small" }, near.shared.slice(0, 2).join("; "))]),
  );
}

function part({ part: name, share }) {
  return element("span", { class: "part" }, element("span", { class: "small" }, t(`weigh_${name}`)), share === null ? element("span", { class: "small none" }, t("weigh_unknown")) : [bar(share), element("span", { class: "small" }, percent(share))]);
}

function bar(share) {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return element("span", { class: "small-bar", "aria-hidden": "true" }, fill);
}

// Bounds of nothing and of all tell nothing.
export const isTold = ({ value, low, high }) => (value !== null && value !== undefined) || low > 0 || high < 1;

function chanceOf({ value, low, high }) {
  if (value !== null && value !== undefined) return [element("strong", {}, percent(value)), element("span", { class: "small" }, t("interval_of", { low: percent(low), high: percent(high) }))];
  return element("span", { class: "small" }, !isTold({ value, low, high }) ? t("chance_unknown") : t("chance_bounds", { low: percent(low), high: percent(high) }));
}

export const compact = (value) => number(value, value < 10 ? 1 : 0);

// An end that nothing bounds is said as such.
export function range({ low, high }, shown) {
  return high === null || high === undefined || !Number.isFinite(high) ? t("interval_from", { low: shown(low) }) : t("interval_of", { low: shown(low), high: shown(high) });
}
