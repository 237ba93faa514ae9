// What happened to a list: every change, and every decision that people made of its accounts.

import { element } from "./dom.js";
import { moment, number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { growing, reader } from "./list-parts.js";
import { history } from "./panel.js";

export function show(main, context) {
  const log = element("div", {});
  const decisions = growing({
    read: (page) => api.decisions(context.id, { page, limit: 50 }),
    show: ({ decisions: found }) => decisionList(found, context),
  });
  main.replaceChildren(
    element(
      "div",
      { class: "halves" },
      element("section", { class: "card", "aria-labelledby": "log-changes" }, element("h2", { id: "log-changes" }, t("l_log")), log),
      element("section", { class: "card", "aria-labelledby": "log-decisions" }, element("h2", { id: "log-decisions" }, t("l_decisions")), decisions),
    ),
  );
  return reader(log, {
    read: (signal) => api.changes(context.id, { limit: 200 }, signal),
    show: ({ changes }) => element("ol", { class: "log" }, changes.map(change)),
    blocks: 1,
  })();
}

function change(one) {
  return element(
    "li",
    {},
    element("span", { class: "revision", title: t("l_revision") }, number(one.revision)),
    element(
      "div",
      {},
      element("p", {}, element("strong", {}, api.word("action", one.action)), one.account_id && ` ${one.account_id}`),
      one.detail && element("p", { class: "said" }, one.detail),
      element("p", { class: "small" }, t("l_who_when", { who: one.who, at: moment(one.at) })),
    ),
  );
}

function decisionList(found, context) {
  const act = async (work) => {
    if (await work()) await context.again();
  };
  if (!found.length) return element("p", { class: "small" }, t("l_no_decisions"));
  return element(
    "div",
    {},
    found.map((one) =>
      element("div", { class: "decision-of" }, element("h3", {}, one.account_id), history([one], { context, act, name: one.account_id })),
    ),
  );
}
