// Which companies an expansion starts from: a list of one's own, all customers, a saved list, or a filter.

import * as api from "./api.js";
import { element } from "./dom.js";
import { field, choice, radios } from "./expand-fields.js";
import { keep } from "./expand-kept.js";
import { figure, names } from "./expand-rules-data.js";
import { number, t } from "./i18n.js";
import { own } from "./seeds-own.js";

const SOURCES = ["own", "all", "list", "filter"];

// draft: what was entered. changed: called when what the search starts from has changed.
export function seeds({ draft, changed }) {
  const holder = element("div", { class: "seeds-source" });
  const set = (source) => {
    draft.source = source;
    keep();
    show();
    changed();
  };
  let shown = null;

  function show() {
    shown?.leave?.();
    shown = { own, all, list: savedList, filter }[draft.source]({ draft, changed });
    holder.replaceChildren(shown.node);
  }

  show();
  const node = element(
    "section",
    { class: "card form seeds", "aria-labelledby": "seeds-title" },
    element("h2", { id: "seeds-title" }, element("span", { class: "step", "aria-hidden": "true" }, "1"), t("seeds_title")),
    radios({
      legend: t("seeds_from"),
      name: "source",
      value: draft.source,
      set,
      kind: "pills",
      options: SOURCES.map((source) => [source, t(`seeds_${source}`)]),
    }),
    holder,
  );
  return { node, leave: () => shown?.leave?.(), request: () => shown.request(), fault: (text) => shown.fault?.(text) };
}

function all() {
  return { node: element("p", { class: "about" }, t("seeds_all_text")), request: () => ({}) };
}

function savedList({ draft, changed }) {
  const node = element("div", {}, element("p", { class: "hint" }, t("expand_loading")));
  const set = (id) => {
    draft.list_id = id ? Number(id) : null;
    keep();
    changed();
  };
  listsToChoose().then(
    (lists) => {
      if (!lists.some(({ id }) => id === draft.list_id)) draft.list_id = lists[0]?.id ?? null;
      const options = lists.map(({ id, name, state, size }) => [id, t("seeds_list_option", { name, size: number(size), state: t(`seeds_state_${state}`) })]);
      node.replaceChildren(
        lists.length
          ? choice({ label: t("seeds_list_label"), value: draft.list_id, set, path: "list_id", options, hint: t("seeds_list_hint") })
          : element("p", { class: "about" }, t("seeds_no_list")),
      );
      changed();
    },
    (problem) => node.replaceChildren(element("p", { class: "fault", role: "alert" }, problem.detail || t("error_offline"))),
  );
  return { node, request: () => (draft.list_id ? { list_id: draft.list_id } : null) };
}

// All lists there are, the newest first.
export async function listsToChoose() {
  const found = [];
  let page = "";
  do {
    const answer = await api.call(`/v1/lists?limit=50${page && `&page=${encodeURIComponent(page)}`}`);
    found.push(...answer.lists);
    page = answer.next_page;
  } while (page);
  return found;
}

function filter({ draft, changed }) {
  const told = draft.filters;
  const entry = (name, rest = {}) =>
    field({
      label: t(`limits_${name}`),
      value: told[name],
      path: `filters.${name}`,
      set: (text) => {
        told[name] = text;
        keep();
        changed();
      },
      ...rest,
    });
  const count = { type: "number", min: 0, inputmode: "numeric" };
  const node = element(
    "div",
    { class: "grid" },
    element("p", { class: "about whole" }, t("seeds_filter_text")),
    entry("industries", { hint: t("limits_commas"), placeholder: t("limits_industries_example") }),
    entry("countries", { placeholder: t("limits_countries_example") }),
    entry("territories"),
    element("div", { class: "grid" }, entry("employees_from", count), entry("employees_to", count)),
  );
  return {
    node,
    request() {
      const filters = {};
      for (const name of ["industries", "countries", "territories"]) if (names(told[name])) filters[name] = names(told[name]);
      for (const name of ["employees_from", "employees_to"]) if (figure(told[name]) !== null) filters[name] = figure(told[name]);
      return Object.keys(filters).length ? { filters } : null;
    },
  };
}
