// What a list is for: its goals, segments and rules, and the form that changes them.

import { element } from "./dom.js";
import { day, number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { editing } from "./list-form.js";
import { button, done, fact } from "./list-parts.js";
import { rulesCard } from "./list-rules.js";

export function show(main, context) {
  const { target_list: list } = context.detail;
  const edit = () => {
    const form = editing({ detail: context.detail, stored: () => done(context, t("l_stored")) });
    form.querySelector(".form-actions").prepend(button(t("l_cancel"), () => show(main, context)));
    main.replaceChildren(form);
    form.querySelector("input").focus();
  };
  const instead = (form) => {
    main.replaceChildren(form);
    form.querySelector("h2").focus();
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
      rulesCard(context, { edit: instead, back: () => show(main, context) }),
    ),
  );
}

// A goal as a sentence.
export function goalInWords({ metric, segment, baseline, target, unit, date: by }) {
  const sign = target > 0 ? "+" : "";
  const end = unit === "percent_change" ? `${sign}${number(target, target % 1 ? 1 : 0)} %` : number(target, target % 1 ? 2 : 0);
  const start = baseline === null ? "" : ` ${t("l_from", { value: number(baseline, baseline % 1 ? 2 : 0) })}`;
  const where = segment ? ` (${segment})` : "";
  return `${api.word("metric", metric)}${where} ${end}${start} ${t("l_until", { date: day(by) })}`;
}
