// What happened to a list: every change, and every decision that people made of its accounts.

import { element } from "./dom.js";
import { moment, number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { detailInWords, growing, reader } from "./list-parts.js";
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
    show: ({ changes }) => element("ol", { class: "log" }, changes.map((one) => change(one, context))),
    blocks: 1,
  })();
}

// An account by its id, which leads to why it is here and what was decided of it.
const named = (accountId, { id }) => element("a", { href: `#/lists/${id}${api.query({ account: accountId })}` }, accountId);

function change(one, context) {
  return element(
    "li",
    {},
    element("span", { class: "revision", title: t("l_revision") }, number(one.revision)),
    element(
      "div",
      {},
      element("p", {}, element("strong", {}, api.word("action", one.action)), one.account_id && [" ", named(one.account_id, context)]),
      one.detail && element("p", { class: "said" }, detailInWords(one)),
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
      element("div", { class: "decision-of" }, element("h3", {}, named(one.account_id, context)), history([one], { context, act, name: one.account_id })),
    ),
  );
}
