// What a list is for: its goals, segments and rules, and the form that changes them.

import { element } from "./dom.js";
import { day, number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { editing } from "./list-form.js";
import { button, done, fact } from "./list-parts.js";

export function show(main, context) {
  const { target_list: list } = context.detail;
  const edit = () => {
    const form = editing({ detail: context.detail, stored: () => done(context, t("l_stored")) });
    form.querySelector(".form-actions").prepend(button(t("l_cancel"), () => show(main, context)));
    main.replaceChildren(form);
    form.querySelector("input").focus();
  };
  const segments = list.segments.map((one) => element("li", {}, element("strong", {}, one.name), ` – ${t(`basis_${one.basis}`)}`, one.description && `: ${one.description}`));
  const goals = list.goals.map((one) => element("li", {}, goalInWords(one)));
  const some = (list, none) => (list.length ? element("ul", { class: "facts-list" }, list) : element("p", { class: "small" }, t(none)));
  main.replaceChildren(
    element(
      "div",
      { class: "halves" },
      element(
        "section",
        { class: "card list-about" },
        element("div", { class: "list-card-head" }, element("h2", {}, t("l_part_about")), context.may && button(t("l_edit"), edit)),
        element(
          "dl",
          { class: "about-facts" },
          fact(t("l_owner"), list.owner),
          fact(t("l_purpose"), list.purpose),
          fact(t("l_pilot"), list.pilot ? [t("l_pilot_yes"), list.sub_industry].filter(Boolean).join(": ") : t("l_pilot_no")),
          fact(t("l_size"), number(list.size)),
        ),
        element("h3", {}, t("l_goals")),
        some(goals, "l_no_goals"),
        element("h3", {}, t("l_segments")),
        some(segments, "l_no_segments"),
      ),
      element("section", { class: "card list-about" }, element("h2", {}, t("l_rules")), element("p", { class: "small" }, t("l_rules_text")), element("ul", { class: "facts-list" }, rules(list.rules).map((one) => element("li", {}, one)))),
    ),
  );
}

// The rules of a list in sentences.
export function rules(told) {
  const { filters } = told;
  const names = (list) => list.join(", ");
  const quotas = (list) => list.map(({ name, most }) => `${name} ≤ ${number(most)}`).join(", ");
  return [
    told.customers && t("rules_customers"),
    told.open_opportunities && t("rules_open"),
    told.opted_out && t("rules_opted_out"),
    told.product && t("rules_product", { product: told.product }),
    ...told.where.map((one) => t("rules_where", { name: one.name, attribute: one.attribute, values: names(one.values) })),
    ...["industries", "countries", "territories", "owners", "technologies"].map((name) => filters[name] && t("rules_only", { what: t(`rules_${name}`), values: names(filters[name]) })),
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

// A goal as a sentence.
export function goalInWords({ metric, segment, baseline, target, unit, date: by }) {
  const sign = target > 0 ? "+" : "";
  const end = unit === "percent_change" ? `${sign}${number(target, target % 1 ? 1 : 0)} %` : number(target, target % 1 ? 2 : 0);
  const start = baseline === null ? "" : ` ${t("l_from", { value: number(baseline, baseline % 1 ? 2 : 0) })}`;
  const where = segment ? ` (${segment})` : "";
  return `${api.word("metric", metric)}${where} ${end}${start} ${t("l_until", { date: day(by) })}`;
}
