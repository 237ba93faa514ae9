// What people decide of accounts: pin, drop, move to a segment, end a decision; of one account or of several.

import { announce, element } from "./dom.js";
import { moment, number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { ask } from "./list-dialog.js";
import { done } from "./list-parts.js";

const called = (account) => account.name ?? account.account_id;
const replaced = (kind, account) => (kind === "move" ? account.move_id : account.override_id) ?? null;

// What can be done with an account as it stands.
export const possible = (account, segments) =>
  ["pin", "drop", ...(segments.length ? ["move"] : [])].filter(
    (kind) => !(kind === "pin" && account.why === "pinned") && !(kind === "drop" && account.status === "dropped") && !(kind === "move" && account.status === "dropped"),
  );

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);

function fields(kind, segments) {
  const names = segments.map(({ name }) => [name, name]);
  return [
    kind === "move" && { name: "segment", label: t("l_segment"), kind: "select", options: names },
    kind === "pin" && names.length > 0 && { name: "segment", label: t("l_segment"), kind: "select", options: [["", t("l_segment_machine")], ...names] },
    { name: "reason", label: t("l_reason"), kind: "area", required: true, hint: t(`l_reason_${kind}`) },
    { name: "expires_at", label: t("l_expires"), kind: "date", least: tomorrow(), hint: t("l_expires_hint") },
  ].filter(Boolean);
}

const body = (kind, account, { reason, segment, expires_at: until }) => ({
  account_id: account.account_id,
  kind,
  reason,
  segment: segment || null,
  expires_at: until ? `${until}T00:00:00Z` : null,
  replaces: replaced(kind, account),
});

// accounts: one or several rows of a list. Resolves to whether anything was decided.
export async function decide(context, kind, accounts, { chosen } = {}) {
  const segments = context.detail.target_list.segments;
  const several = accounts.length > 1;
  const made = await ask({
    title: several ? t(`l_do_${kind}_several`, { count: number(accounts.length) }) : t(`l_do_${kind}_one`, { name: called(accounts[0]) }),
    lead: [t(`l_lead_${kind}`), revises(context)].filter(Boolean),
    fields: fields(kind, segments),
    submit: t(`l_do_${kind}`),
    danger: kind === "drop",
    send: (values) => (several ? all(context, kind, accounts, values, chosen) : api.decide(context.id, body(kind, accounts[0], values))),
    conflict: several ? undefined : () => anew(context, kind, accounts),
  });
  if (made) await done(context, t(`l_done_${kind}`, { count: number(accounts.length), name: called(accounts[0]) }), { whole: false });
  return Boolean(made);
}

// A decision on an approved list begins another version, which has to be approved anew.
const revises = (context) => context.detail.target_list.state === "approved" && element("p", { class: "notice" }, t("l_revises"));

// Somebody else has decided of this account: what they said, beside what is typed here.
async function anew(context, kind, accounts) {
  const found = await api.account(context.id, accounts[0].account_id, {});
  accounts[0] = found.account ?? accounts[0];
  const [last] = found.decisions.filter((one) => one.in_force);
  return last && element("blockquote", {}, `${t(`kind_${last.kind}`)}: ${last.reason} – ${t("l_who_when", { who: last.made_by, at: moment(last.made_at) })}`);
}

// One after another: each stands by itself, and those that failed stay chosen, with why.
async function all(context, kind, accounts, values, chosen) {
  const failed = [];
  const rest = accounts.filter((account) => !account.decided);
  for (const [place, account] of rest.entries()) {
    announce(t("l_progress", { done: number(place + 1), count: number(rest.length) }));
    try {
      await api.decide(context.id, body(kind, account, values));
      account.decided = true;
      chosen?.delete(account.account_id);
    } catch (problem) {
      if (!("errors" in problem)) throw problem;
      failed.push({ account, problem });
      if (problem.offline || problem.status === 401) break;
    }
  }
  if (!failed.length) return true;
  await context.again({ whole: false });
  throw {
    status: 422,
    detail: t("l_some_failed", { failed: number(failed.length), count: number(rest.length) }),
    errors: failed.slice(0, 5).map(({ account, problem }) => ({ field: called(account), what: problem.offline ? t("error_offline") : problem.detail })),
  };
}

export async function end(context, decision, name) {
  const made = await ask({
    title: t("l_do_end_one", { kind: t(`kind_${decision.kind}`), name }),
    lead: [t("l_lead_end"), revises(context)].filter(Boolean),
    fields: [{ name: "why", label: t("l_reason"), kind: "area", required: true }],
    submit: t("l_do_end"),
    send: ({ why }) => api.end(context.id, decision.id, why),
  });
  if (made) await done(context, t("l_done_end"), { whole: false });
  return Boolean(made);
}
