// Who may be on a list: its rules in sentences, whom people keep off by name, and the form that changes both.

import { element } from "./dom.js";
import { clearFaults, showFaults } from "./expand-fields.js";
import { rules as fields } from "./expand-rules.js";
import { fieldsOf, names, rulesOf } from "./expand-rules-data.js";
import { number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { since } from "./list-dialog.js";
import { drafts } from "./list-drafts.js";
import { button, done, reader, told } from "./list-parts.js";
import { productField } from "./products.js";

// edit: shows the form in place of all that is there. back: shows all of that again.
export function rulesCard(context, { edit, back }) {
  const { target_list: list } = context.detail;
  const off = element("div", {});
  const change = context.may && list.state !== "archived" && button(t("l_edit"), () => {}, { "aria-label": t("l_rules_edit"), disabled: true });
  reader(off, {
    read: (signal) => api.excluded(context.id, signal),
    show: ({ entries }) => {
      if (change) {
        change.disabled = false;
        change.addEventListener("click", () => edit(editing(context, { entries, back })));
      }
      return keptOff(entries);
    },
    blocks: 0,
  })();
  return element(
    "section",
    { class: "card list-about" },
    element("div", { class: "list-card-head" }, element("h2", {}, t("l_rules")), change),
    element("p", { class: "small" }, t("l_rules_text")),
    element("ul", { class: "facts-list" }, inWords(list.rules).map((one) => element("li", {}, one))),
    element("h3", {}, t("l_excluded")),
    off,
  );
}

function keptOff(entries) {
  if (!entries.length) return element("p", { class: "small" }, t("l_excluded_none"));
  return element(
    "details",
    { class: "more" },
    element("summary", {}, t("l_excluded_count", { count: number(entries.length) })),
    element("ul", { class: "facts-list kept-off" }, entries.map((one) => element("li", {}, one))),
  );
}

function editing(context, { entries, back }) {
  const { target_list: list } = context.detail;
  const name = `rules-${list.id}-${list.revision}`;
  const before = { rules: fieldsOf(list.rules), product: list.rules.product ?? "", excluded: entries.join("\n") };
  const draft = { ...structuredClone(before), ...drafts.read(name) };
  const store = () => drafts.keep(name, draft);
  const notice = element("div", { "aria-live": "assertive" });
  const go = element("button", { type: "submit", class: "primary" }, t("l_store"));
  let { revision } = list;
  const set = (text) => {
    draft.product = text;
    store();
  };
  const same = (part) => JSON.stringify(draft[part]) === JSON.stringify(before[part]);

  async function send() {
    if (!same("rules") || !same("product")) {
      const rules = rulesOf(draft.rules, { product: draft.product.trim() || null, base: list.rules });
      revision = (await api.edit(list.id, { rules, revision })).target_list.revision;
    }
    if (!same("excluded")) revision = (await api.exclude(list.id, { entries: names(draft.excluded) ?? [], revision })).target_list.revision;
  }

  async function trial(event) {
    event.preventDefault();
    clearFaults(form);
    notice.replaceChildren();
    go.disabled = true;
    try {
      await send();
      drafts.forget(name);
      await done(context, t("l_stored"));
    } catch (problem) {
      if (!("errors" in problem)) throw problem;
      await refuse(problem);
    } finally {
      go.disabled = false;
    }
  }

  async function refuse(problem) {
    const errors = showFaults(form, problem.errors ?? []);
    const placed = problem.errors?.length > 0 && !errors.length;
    const parts = placed ? [] : told({ ...problem, errors });
    if (problem.status === 409) {
      const seen = revision;
      const more = await api.list(list.id).then((detail) => {
        revision = detail.target_list.revision;
        return since(list.id, seen);
      }, () => null);
      parts.unshift(element("h2", {}, t("l_conflict")));
      parts.push(...[more, element("p", {}, t("l_conflict_go_on"))].filter(Boolean));
      go.textContent = t("l_all_the_same", { action: t("l_store") });
    }
    notice.replaceChildren(...(parts.length ? [element("div", { class: "card failure inset", role: "alert" }, ...parts)] : []));
    if (!placed) go.focus();
  }

  const form = element(
    "form",
    { class: "card form rules-form", novalidate: true, "aria-labelledby": "rules-form-title", on: { submit: trial } },
    element("h2", { id: "rules-form-title", tabindex: "-1" }, t("l_rules")),
    productField({ label: t("l_rules_product"), value: draft.product, set, path: "rules.product", hint: t("l_rules_product_hint"), any: t("product_any") }),
    fields({ draft, open: true, store, text: t("l_rules_text") }),
    notice,
    element("div", { class: "form-actions" }, button(t("l_cancel"), back), go),
  );
  return form;
}

// The rules of a list in sentences.
export function inWords(told) {
  const { filters } = told;
  const listed = (list) => list.join(", ");
  const quotas = (list) => list.map(({ name, most }) => `${name} ≤ ${number(most)}`).join(", ");
  return [
    told.customers && t("rules_customers"),
    told.open_opportunities && t("rules_open"),
    told.opted_out && t("rules_opted_out"),
    told.product && t("rules_product", { product: told.product }),
    ...told.where.map((one) => t("rules_where", { name: one.name, attribute: one.attribute, values: listed(one.values) })),
    ...["industries", "countries", "territories", "owners", "technologies"].map((name) => filters[name] && t("rules_only", { what: t(`rules_${name}`), values: listed(filters[name]) })),
    filters.employees_from !== null && filters.employees_from !== undefined && t("rules_from", { count: number(filters.employees_from) }),
    filters.employees_to !== null && filters.employees_to !== undefined && t("rules_to", { count: number(filters.employees_to) }),
    told.parent_column && t("rules_parent"),
    told.minimum_score !== null && t("rules_minimum", { value: number(told.minimum_score, 2) }),
    told.segment_quotas.length > 0 && t("rules_quotas", { what: t("l_segment"), values: quotas(told.segment_quotas) }),
    told.owner_quotas.length > 0 && t("rules_quotas", { what: t("l_account_owner"), values: quotas(told.owner_quotas) }),
    told.most_per_owner !== null && t("rules_most_per_owner", { count: number(told.most_per_owner) }),
    ...told.caps.map(({ fact: about, share }) => t("rules_cap", { fact: api.word("fact", about), share: number(100 * share) })),
  ].filter(Boolean);
}
