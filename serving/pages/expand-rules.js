// Who may be on a list: exclusions, filters, quotas, caps. They are applied when a list is drawn, which counts whom each
// of them left out.

import { element } from "./dom.js";
import { check, field } from "./expand-fields.js";
import { keep } from "./expand-kept.js";
import { excludedFile } from "./expand-excluded.js";
import { CAPS, OTHERS, names, rulesSet } from "./expand-rules-data.js";
import { number, t } from "./i18n.js";

// draft: its rules and whom it excludes, as fields hold them. store: called when anything was entered.
export function rules({ draft, open = false, store = keep, text: about = t("limits_text") }) {
  const fields = draft.rules;
  const count = element("span", { class: "small" });
  const show = () => {
    const own = rulesSet(fields) + (names(draft.excluded) ? 1 : 0);
    count.textContent = own ? ` ${t("limits_set", { count: number(own) })}` : ` ${t("limits_usual")}`;
  };
  const tell = () => {
    show();
    store();
  };
  const entry = (name, rest = {}) =>
    field({
      label: t(`limits_${name}`),
      value: fields[name],
      path: rest.path ?? `rules.filters.${name}`,
      set: (text) => {
        fields[name] = text;
        tell();
      },
      ...rest,
    });
  const off = (name) =>
    check({
      label: t(`limits_off_${name}`),
      value: fields[name],
      path: `rules.${name}`,
      set: (value) => {
        fields[name] = value;
        tell();
      },
    });
  const cap = (fact) =>
    field({
      label: t(`limits_cap_${fact}`),
      value: fields.caps[fact],
      path: `rules.caps.${fact}`,
      set: (text) => {
        fields.caps[fact] = text;
        tell();
      },
      type: "number",
      min: 1,
      max: 100,
      inputmode: "numeric",
      placeholder: t("limits_no_cap"),
    });
  const other = (name) => [
    entry(`${name}_column`, { path: `rules.where.${OTHERS.indexOf(name)}.attribute` }),
    entry(`${name}_values`, { path: `rules.where.${OTHERS.indexOf(name)}.values`, placeholder: "true" }),
  ];
  const quota = (name) => entry(name, { path: `rules.${name}`, type: "area", rows: 2, hint: t("limits_quotas_hint") });
  const excluded = field({
    label: t("limits_excluded_label"),
    value: draft.excluded,
    path: "entries",
    type: "area",
    rows: 3,
    hint: t("limits_excluded_hint"),
    set: (text) => {
      draft.excluded = text;
      tell();
    },
  });
  const amount = { type: "number", min: 0, inputmode: "numeric" };
  const part = (title, ...children) => element("fieldset", { class: "rules-part" }, element("legend", {}, t(title)), children);
  show();
  return element(
    "details",
    { class: "more rules", open },
    element("summary", {}, t("limits_title"), count),
    element("p", { class: "small" }, about),
    part("limits_off", off("customers"), off("open_opportunities"), off("opted_out")),
    part(
      "limits_excluded",
      excluded,
      excludedFile({
        add(accounts) {
          draft.excluded = [...new Set([...(names(draft.excluded) ?? []), ...accounts])].join("\n");
          excluded.querySelector("textarea").value = draft.excluded;
          tell();
        },
      }),
      element("div", { class: "grid" }, OTHERS.flatMap(other)),
    ),
    part(
      "limits_only",
      element("p", { class: "hint" }, t("limits_commas")),
      element(
        "div",
        { class: "grid" },
        entry("industries", { placeholder: t("limits_industries_example") }),
        entry("countries", { placeholder: t("limits_countries_example") }),
        entry("territories"),
        entry("technologies"),
        entry("employees_from", amount),
        entry("employees_to", amount),
        entry("owners"),
        entry("minimum_score", { path: "rules.minimum_score", type: "number", step: "any", hint: t("limits_minimum_score_hint") }),
      ),
    ),
    part(
      "limits_balance",
      element("div", { class: "grid" }, CAPS.map(cap)),
      element(
        "div",
        { class: "grid" },
        quota("owner_quotas"),
        quota("segment_quotas"),
        entry("most_per_owner", { ...amount, path: "rules.most_per_owner" }),
        entry("owner_column", { path: "rules.owner_column", hint: t("limits_owner_column_hint") }),
        entry("parent_column", { path: "rules.parent_column", hint: t("limits_parent_column_hint") }),
      ),
    ),
  );
}
