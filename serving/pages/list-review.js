// What can be done with a list as a whole: submit, approve, ask for changes, withdraw, archive, restore; and who has
// approved it.

import { element } from "./dom.js";
import { moment, t } from "./i18n.js";
import * as api from "./list-api.js";
import { ask, since } from "./list-dialog.js";
import { button, done } from "./list-parts.js";

const SIDES = ["marketing", "sales"];

export function actions(context) {
  const { target_list: list } = context.detail;
  const place = element("div", { class: "list-actions", role: "group", "aria-label": t("l_actions") });
  if (!context.may) return place;
  const add = (name, act, tone) => place.append(button(t(`l_do_${name}`), act, { tone, "data-action": name }));
  // A proposal is accepted or discarded first.
  if (list.state === "draft" && context.detail.counts.length && !context.detail.proposal) add("submit", () => move(context, "submit"), "primary");
  if (list.state === "review") {
    add("approve", () => review(context, "approved"), "primary");
    add("changes", () => review(context, "changes_requested"), "quiet");
    add("withdraw", () => move(context, "withdraw"), "quiet");
  }
  // What is in review is drawn anew once it is withdrawn.
  if (["draft", "approved"].includes(list.state) && context.detail.counts.length) place.append(element("a", { class: "quiet link", href: `#/expand?list=${list.id}` }, t("l_draw_anew")));
  if (list.state === "archived") add("restore", () => move(context, "restore"), "primary");
  else add("archive", () => move(context, "archive"), "quiet");
  return place;
}

// What is sent rests on the revision that is shown; where somebody was faster, what they did is told first.
function resting(context) {
  let { revision } = context.detail.target_list;
  return {
    revision: () => revision,
    conflict: async () => {
      const seen = revision;
      const detail = await api.list(context.id);
      revision = detail.target_list.revision;
      return since(context.id, seen);
    },
  };
}

async function move(context, action) {
  const { revision, conflict } = resting(context);
  const detail = await ask({
    title: t(`l_do_${action}`),
    lead: t(`l_lead_${action}`),
    fields: [{ name: "comment", label: t("l_comment"), kind: "area", most: 4000 }],
    submit: t(`l_do_${action}`),
    danger: action === "archive",
    send: ({ comment }) => api.move(context.id, { action, comment, revision: revision() }),
    conflict,
  });
  if (detail) await done(context, t(`l_done_${action}`));
}

async function review(context, decision) {
  const { revision, conflict } = resting(context);
  const own = context.who?.side ?? null;
  const asksForChanges = decision === "changes_requested";
  const action = asksForChanges ? "changes" : "approve";
  const open = SIDES.filter((side) => !standing(context.detail, side));
  const detail = await ask({
    title: t(`l_do_${action}`),
    lead: t(`l_lead_${action}`),
    fields: [
      {
        name: "side",
        label: t("l_side"),
        kind: "select",
        options: SIDES.filter((side) => !own || side === own).map((side) => [side, t(`side_${side}`)]),
        value: own ?? open[0] ?? SIDES[0],
        hint: t("l_side_hint"),
      },
      { name: "comment", label: t("l_comment"), kind: "area", most: 4000, required: asksForChanges },
    ],
    submit: t(`l_do_${action}`),
    danger: asksForChanges,
    send: ({ side, comment }) => api.approve(context.id, { side, decision, comment, revision: revision() }),
    conflict,
  });
  if (detail) await done(context, t(detail.target_list.state === "approved" ? "l_done_approved" : `l_done_${action}`));
}

const standing = ({ approvals }, side) => approvals.find((one) => one.side === side && one.counts);

// Where the review stands: one place for each side, and what was said.
export function reviewers({ detail }) {
  const { target_list: list, approvals } = detail;
  const own = approvals.filter((one) => one.version === list.version);
  if (!["review", "approved"].includes(list.state) && !own.length) return null;
  const part = (side) => {
    const last = own.filter((one) => one.side === side).at(-1);
    const state = !last ? "waiting" : last.decision === "changes_requested" ? "changes" : last.counts ? "approved" : "lapsed";
    return element(
      "li",
      { class: `reviewer ${state}` },
      element("span", { class: "sign", "aria-hidden": "true" }, { waiting: "…", changes: "↺", approved: "✓", lapsed: "–" }[state]),
      element(
        "div",
        {},
        element("p", {}, element("strong", {}, t(`side_${side}`)), ` ${t(`l_review_${state}`)}`),
        last && element("p", { class: "small" }, t("l_who_when", { who: last.approver, at: moment(last.at) })),
        last?.comment && element("blockquote", {}, last.comment),
      ),
    );
  };
  return element("ul", { class: "reviews", "aria-label": t("l_review") }, SIDES.map(part));
}
