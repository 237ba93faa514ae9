// Accounts like the one that is looked at, asked for when somebody wants to know.

import * as api from "./api.js";
import { element } from "./dom.js";
import { failure, told } from "./expand-problem.js";
import { number, t } from "./i18n.js";

const COUNT = 5;

export function similar(one, { signal }) {
  const holder = element("div", { "aria-live": "polite" });
  const node = element("details", { class: "more", on: { toggle: () => node.open && !holder.childElementCount && ask() } }, element("summary", {}, t("similar_title")), holder);

  async function ask() {
    holder.replaceChildren(element("p", { class: "matching" }, element("span", { class: "spin", "aria-hidden": "true" }), t("similar_working")));
    try {
      const found = await api.call(`/v1/accounts/${encodeURIComponent(one.account_id)}/similar?limit=${COUNT}`, { signal });
      holder.replaceChildren(element("p", { class: "small" }, t("similar_among", { count: number(found.compared) })), element("ol", { class: "near" }, found.accounts.map(line)));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      holder.replaceChildren(failure(told(problem), { again: ask }));
    }
  }

  return node;
}

function line({ name, domain, account_id: id, why }) {
  const shared = why.reasons_for.slice(0, 3).map(({ sentence }) => element("li", {}, sentence));
  return element("li", {}, element("p", {}, element("strong", {}, name ?? id), element("span", { class: "small" }, domain ?? id)), element("ul", { class: "shared" }, shared));
}
