// The accounts on a list: looked for, filtered, sorted and paged by the service, opened beside, decided of.

import { element } from "./dom.js";
import { number, percent, t } from "./i18n.js";
import * as api from "./list-api.js";
import { decide, possible } from "./list-decide.js";
import { button } from "./list-parts.js";
import { panel } from "./panel.js";
import { table } from "./table.js";

const FILTERS = ["search", "status", "segment", "decided", "industry", "country", "owner", "minimum_score"];

const LIMIT = 50;

// The first page is asked for while the list itself is: whoever opens a list waits for one answer, not for two.
let ahead = null;

export function prepare(id) {
  const { filters, sort, order, pages } = address();
  const values = asking(filters, { sort, order, page: pages?.at(-1), limit: LIMIT });
  ahead = { id, values: api.query(values), answer: api.accounts(id, values) };
  ahead.answer.catch(() => {});
}

const asking = (filters, rest) => ({ ...filters, minimum_score: filters.minimum_score?.replace(",", "."), ...rest });

function ask(id, values, signal) {
  const fits = ahead?.id === id && ahead.values === api.query(values);
  const prepared = fits ? ahead.answer : null;
  ahead = null;
  return prepared ?? api.accounts(id, values, signal);
}

export function show(main, context) {
  const { id, detail } = context;
  const asked = address();
  const chosen = new Map();
  const bulk = element("div", { class: "bulk", role: "region", "aria-label": t("l_chosen"), hidden: true });
  const filters = filtering({ context, values: asked.filters, changed: () => grid.again() });
  const showBulk = () => choosing(bulk, { context, chosen, grid });

  const read = async ({ sort, order, page, limit }, signal) => {
    const found = await ask(id, asking(filters.told(), { sort, order, page, limit }), signal);
    filters.learn(found.accounts);
    return { rows: found.accounts, total: found.total, next_page: found.next_page };
  };
  const openOne = (row) =>
    panel({
      context,
      account_id: row.account_id,
      around: grid.rows(),
      changed: () => grid.load({ silent: true }),
      shown: (accountId) => keep({ account: accountId }),
      closed: () => {
        // To the row of whom was looked at last, which may have been drawn anew meanwhile.
        const last = opened;
        keep({ account: null });
        grid.focus(last);
      },
    });
  let at = { sort: asked.sort, order: asked.order, pages: asked.pages };
  let opened = asked.account;
  const here = location.hash.split("?")[0];
  const keep = (more = {}) => {
    if ("account" in more) opened = more.account;
    // A panel that closes because somebody goes elsewhere leaves that address alone.
    if (location.hash.split("?")[0] !== here) return;
    const { sort, order, pages } = at;
    const plain = sort === "score" && order === "desc";
    api.remember({ ...filters.told(), ...(plain ? {} : { sort, order }), account: opened }, { pages });
  };
  const grid = table({
    caption: t("l_accounts_of", { name: detail.target_list.name }),
    columns: columns(openOne),
    read,
    id: (row) => row.account_id,
    place: at,
    moved: (place) => {
      at = place;
      keep();
    },
    chosen: context.may ? chosen : null,
    changed: showBulk,
    open: openOne,
    empty: () => nothing({ context, filters }),
    limit: LIMIT,
  });
  grid.decided = () => {
    showBulk();
    return grid.load({ silent: true });
  };
  // Nothing can be looked for on a list that was never drawn.
  filters.node.hidden = !detail.target_list.refreshed_at && !detail.counts.length;
  main.replaceChildren(filters.node, bulk, grid.node);
  grid.load({ silent: true }).then(() => opened && openOne({ account_id: opened }));
}

// What of the table is in the address, and so outlives a reload.
function address() {
  const { query } = api.address();
  const filters = Object.fromEntries(FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
  const sorts = ["score", "probability", "name", "segment", "industry", "country", "owner"];
  const sort = sorts.includes(query.get("sort")) ? query.get("sort") : "score";
  const order = ["asc", "desc"].includes(query.get("order")) ? query.get("order") : sort === "score" ? "desc" : "asc";
  return { filters, sort, order, account: query.get("account"), pages: history.state?.pages ?? null };
}

function columns(openOne) {
  const quiet = (value) => value ?? element("span", { class: "small" }, "–");
  return [
    { key: "name", label: t("l_account"), sort: true, className: "account-cell", cell: (row) => nameCell(row, openOne) },
    { key: "score", label: t("l_score"), sort: true, first: "desc", className: "figure", cell: (row) => (row.score === null ? "–" : number(row.score, 2)) },
    { key: "probability", label: t("l_chance"), sort: true, first: "desc", className: "figure", less: true, cell: chance },
    { key: "segment", label: t("l_segment"), sort: true, less: true, empty: (row) => !row.segment, cell: (row) => quiet(row.segment) },
    { key: "industry", label: t("l_industry"), sort: true, less: true, cell: (row) => quiet(row.industry) },
    { key: "country", label: t("l_country"), sort: true, less: true, cell: (row) => quiet(row.country) },
    { key: "owner", label: t("l_account_owner"), sort: true, less: true, className: "wide-only", empty: (row) => !row.account_owner, cell: (row) => quiet(row.account_owner) },
    { key: "why", label: t("l_standing"), className: "standing", less: true, cell: standing },
  ];
}

function nameCell(row, openOne) {
  const about = [row.industry, row.country, row.segment].filter(Boolean).join(" · ");
  return [
    element("button", { type: "button", class: "name", "aria-haspopup": "dialog", on: { click: () => openOne(row) } }, row.name ?? row.account_id),
    element("span", { class: "small domain" }, row.domain ?? row.account_id),
    about && element("span", { class: "small traits-of" }, about),
    row.why !== "suggested" && element("span", { class: "name-cell-badge" }, standing(row)),
  ].filter(Boolean);
}

function chance({ probability, probability_low: low, probability_high: high }) {
  // An interval from nothing to everything says nothing.
  if (probability === null) return low === null || (low === 0 && high === 1) ? "–" : element("span", { class: "small" }, `${percent(low)}–${percent(high)}`);
  return [element("span", {}, percent(probability)), low !== null && element("span", { class: "small block" }, `${percent(low)}–${percent(high)}`)].filter(Boolean);
}

// What people decided stands out; what the machine says is the rule.
const standing = ({ why }) => element("span", { class: why === "suggested" ? "small" : `badge ${why}` }, api.word("why", why));

function filtering({ context, values, changed }) {
  const { target_list: list } = context.detail;
  const own = {};
  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(changed, 250);
  };
  const field = (name, input, event) => {
    input.id = `filter-${name}`;
    input.value = values[name] ?? "";
    own[name] = input;
    input.addEventListener(event, event === "input" ? later : changed);
    return element("div", { class: "field" }, element("label", { for: input.id }, t(`l_filter_${name}`)), input);
  };
  const options = (pairs) => element("select", {}, pairs.map(([value, label]) => element("option", { value }, label)));
  const known = { industry: new Set(), country: new Set(), owner: new Set() };
  const lists = Object.fromEntries(Object.keys(known).map((name) => [name, element("datalist", { id: `known-${name}` })]));
  const text = (name) => element("input", { type: "text", list: `known-${name}`, autocomplete: "off", maxlength: 200 });
  const segments = [...new Set([...list.segments.map(({ name }) => name), ...context.detail.counts.map(({ segment }) => segment)])].filter(Boolean);
  const further = element(
    "details",
    { class: "more further" },
    element("summary", {}, t("l_more_filters")),
    element(
      "div",
      { class: "filter-grid" },
      field("industry", text("industry"), "change"),
      field("country", text("country"), "change"),
      field("owner", text("owner"), "change"),
      field("minimum_score", element("input", { type: "text", inputmode: "decimal", autocomplete: "off" }), "change"),
      ...Object.values(lists),
    ),
  );
  further.open = ["industry", "country", "owner", "minimum_score"].some((name) => values[name]);
  const node = element(
    "form",
    { class: "card filters", role: "search", on: { submit: (event) => event.preventDefault() } },
    element(
      "div",
      { class: "filter-grid" },
      field("search", element("input", { type: "search", autocomplete: "off", maxlength: 200, placeholder: t("l_search_hint") }), "input"),
      field("status", options([["", t("status_target")], ["dropped", t("status_dropped")], ["all", t("status_all")]]), "change"),
      segments.length > 0 && field("segment", options([["", t("l_any_segment")], ...segments.map((one) => [one, one])]), "change"),
      field("decided", options([["", t("l_anybody")], ["true", t("l_people")], ["false", t("l_machine")]]), "change"),
    ),
    further,
  );
  const told = () => Object.fromEntries(FILTERS.filter((name) => own[name]).map((name) => [name, own[name].value.trim()]));
  return {
    node,
    told,
    any: () => Object.values(told()).some(Boolean),
    clear: () => {
      for (const input of Object.values(own)) input.value = "";
      changed();
    },
    // What rows show can be looked for.
    learn: (rows) => {
      for (const row of rows) {
        for (const [name, value] of [["industry", row.industry], ["country", row.country], ["owner", row.account_owner]]) {
          if (!value || known[name].has(value) || known[name].size > 200) continue;
          known[name].add(value);
          lists[name].append(element("option", { value }));
        }
      }
    },
  };
}

function choosing(bulk, { context, chosen, grid }) {
  bulk.hidden = !chosen.size;
  if (bulk.hidden) return bulk.replaceChildren();
  const rows = () => [...chosen.values()];
  const segments = context.detail.target_list.segments;
  const act = (kind) => async () => {
    if (await decide(context, kind, rows().map((row) => ({ ...row })), { chosen })) chosen.clear();
    await grid.decided();
  };
  const kinds = ["pin", "drop", "move"].filter((kind) => rows().some((row) => possible(row, segments).includes(kind)));
  const clear = () => {
    chosen.clear();
    grid.show();
    choosing(bulk, { context, chosen, grid });
    grid.node.querySelector(".pick input")?.focus();
  };
  return bulk.replaceChildren(
    element("p", {}, t("l_chosen_count", { count: number(chosen.size) })),
    ...kinds.map((kind) => button(t(`l_do_${kind}`), act(kind))),
    button(t("l_unchoose"), clear),
  );
}

function nothing({ context, filters }) {
  if (filters.any()) {
    return element(
      "div",
      { class: "card empty" },
      element("h2", {}, t("l_no_match")),
      element("p", {}, t("l_no_match_text")),
      element("p", { class: "empty-actions" }, button(t("l_clear"), filters.clear)),
    );
  }
  return element(
    "div",
    { class: "card empty" },
    element("h2", {}, t("l_no_accounts")),
    element("p", {}, t(context.may ? "l_no_accounts_text" : "l_no_accounts_viewer")),
    context.may && element("p", { class: "empty-actions" }, element("a", { class: "primary link", href: `#/expand?list=${context.id}` }, t("l_find"))),
  );
}
