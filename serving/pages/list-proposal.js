// What the machine proposes of a list (a refresh, a rebuild, a re-draw): shown before it counts, accepted or discarded.

import { element } from "./dom.js";
import { moment, number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { ask, since } from "./list-dialog.js";
import { button, done } from "./list-parts.js";

export function banner(context) {
  const { proposal } = context.detail;
  if (!proposal) return null;
  const compared = { earlier: proposal.beside, later: proposal.version };
  const figures = element("p", { class: "proposal-figures" }, t("l_loading"));
  api.diff(context.id, { ...compared, limit: 1 }).then(
    ({ added, dropped, moved }) =>
      figures.replaceChildren(
        ...[["added", added], ["dropped", dropped], ["moved", moved]].filter(([, count]) => count).map(([change, count]) =>
          element("span", { class: `change ${change}` }, t(`l_so_many_${change}`, { count: number(count) })),
        ),
      ),
    () => figures.replaceChildren(),
  );
  return element(
    "section",
    { class: "card proposal", "aria-label": t("l_proposal") },
    element(
      "div",
      { class: "proposal-words" },
      element("h2", {}, t(`l_proposal_${proposal.kind}`)),
      element("p", {}, `${proposal.why} – ${t("l_who_when", { who: proposal.proposed_by, at: moment(proposal.proposed_at) })}`),
      figures,
      element("p", { class: "small" }, t("l_proposal_text")),
    ),
    element(
      "div",
      { class: "list-actions" },
      element("a", { class: "quiet link", href: `#/lists/${context.id}/versions${api.query(compared)}` }, t("l_see_changes")),
      context.may && button(t("l_do_discard"), () => settle(context, "discard"), { "data-action": "discard" }),
      context.may && button(t("l_do_accept"), () => settle(context, "accept"), { tone: "primary", "data-action": "accept" }),
    ),
  );
}

async function settle(context, action) {
  let { revision } = context.detail.target_list;
  const detail = await ask({
    title: t(`l_do_${action}`),
    lead: t(`l_lead_${action}`),
    fields: [{ name: "why", label: t("l_comment"), kind: "area" }],
    submit: t(`l_do_${action}`),
    danger: action === "discard",
    send: ({ why }) => api.settle(context.id, { action, why, revision }),
    conflict: async () => {
      const seen = revision;
      revision = (await api.list(context.id)).target_list.revision;
      return since(context.id, seen);
    },
  });
  if (detail) await done(context, t(`l_done_${action}`));
}
