// One account beside the table: who it is, where it stands, why, whom it is like, what it did, and what people decided.

import { element } from "./dom.js";
import { day, moment, number, percent, t } from "./i18n.js";
import { account as read, word } from "./list-api.js";
import { decide, end, possible } from "./list-decide.js";
import { open } from "./list-dialog.js";
import { badge, button, reader } from "./list-parts.js";
import { engagement, past, reasons, seeds } from "./list-why.js";

const part = (title, ...content) => element("section", { class: "panel-part" }, element("h3", {}, title), ...content);

// Opens the panel. context: of the list. around: the rows that one can go on to from here. changed: called after a
// decision; shown: with the account that is looked at.
export function panel({ context, account_id: first, around, changed, shown, closed, version }) {
  let at = first;
  const { body, node, heading } = open({ title: nameOf(around, first), className: "drawer", close: closed });
  const content = element("div", { class: "account-panel" });
  const steps = element("div", { class: "panel-steps" });
  body.append(steps, content);
  const load = reader(content, {
    read: (signal) => read(context.id, at, { version }, signal),
    show: (found) => {
      heading.textContent = found.account?.name ?? at;
      return whole(found, { context, at, act });
    },
    blocks: 3,
  });
  const go = (accountId) => {
    at = accountId;
    heading.textContent = nameOf(around, at);
    shown?.(at);
    walk();
    body.scrollTop = 0;
    return load();
  };
  const walk = () => {
    const place = around.findIndex((row) => row.account_id === at);
    const step = (label, row, key) => button(label, () => go(row.account_id).then(() => steps.querySelector(`[data-step="${key}"]:not([disabled])`)?.focus()), { disabled: !row, "data-step": key });
    steps.hidden = place < 0;
    steps.replaceChildren(
      step(`← ${t("l_account_before")}`, around[place - 1], "before"),
      element("span", { class: "small" }, place < 0 ? "" : t("l_place", { place: number(place + 1), count: number(around.length) })),
      step(`${t("l_account_after")} →`, around[place + 1], "after"),
    );
  };
  const act = async (work) => {
    if (!(await work())) return;
    await load({ silent: true });
    content.querySelector("button")?.focus();
    changed?.();
  };
  // A decision that is asked for from here closes before the panel does.
  node.addEventListener("cancel", (event) => event.stopPropagation());
  go(at);
  heading.focus();
}

const nameOf = (rows, accountId) => rows.find((row) => row.account_id === accountId)?.name ?? accountId;

function whole(found, { context, at, act }) {
  const { account, why, decisions } = found;
  return [
    account ? who(account) : element("p", { class: "notice" }, t("l_not_on_it")),
    account && context.may && deciding(account, { context, act }),
    part(t("l_why"), reasons(why, { title: t("l_score") })),
    part(t("l_nearest"), element("p", { class: "small" }, t("l_nearest_text")), seeds(why?.nearest)),
    part(t("l_engagement"), engagement(at)),
    part(t("l_decisions"), history(decisions, { context, act, name: account?.name ?? at })),
    part(t("l_past"), past(at)),
  ].filter(Boolean);
}

function who(account) {
  const names = [account.account_id, account.domain, account.industry, account.country, account.account_owner].filter(Boolean);
  const { probability, probability_low: low, probability_high: high } = account;
  const figure = (label, value, small) => element("div", {}, element("dt", {}, label), element("dd", {}, value), small && element("dd", { class: "small" }, small));
  return element(
    "div",
    { class: "panel-who" },
    element("p", { class: "small" }, names.join(" · ")),
    element("p", { class: "badges" }, badge("status", account.status), badge("why", account.why), !account.suggested && badge("machine", "not_suggested")),
    element(
      "dl",
      { class: "panel-figures" },
      figure(t("l_score"), account.score === null ? "–" : number(account.score, 2)),
      figure(t("l_chance"), probability === null ? "–" : percent(probability), low === null || (low === 0 && high === 1) ? null : t("l_interval", { low: percent(low), high: percent(high) })),
      figure(t("l_segment"), account.segment ?? "–", account.machine_segment && account.machine_segment !== account.segment ? t("l_machine_says", { segment: account.machine_segment }) : null),
    ),
  );
}

function deciding(account, { context, act }) {
  const segments = context.detail.target_list.segments;
  return element(
    "div",
    { class: "panel-actions", role: "group", "aria-label": t("l_actions") },
    possible(account, segments).map((kind) => button(t(`l_do_${kind}`), () => act(() => decide(context, kind, [account])))),
  );
}

// Every decision ever made of an account on this list, the latest first.
export function history(decisions, { context, act, name }) {
  if (!decisions.length) return element("p", { class: "small" }, t("l_no_decisions"));
  return element(
    "ol",
    { class: "decisions" },
    decisions.map((one) =>
      element(
        "li",
        { class: one.in_force ? "in-force" : "ended" },
        element(
          "p",
          {},
          element("strong", {}, t(`kind_${one.kind}`), one.segment ? ` → ${one.segment}` : ""),
          element("span", { class: `badge ${one.in_force ? "approved" : "archived"}` }, t(one.in_force ? "l_in_force" : "l_ended")),
        ),
        element("p", { class: "said" }, one.reason),
        element(
          "p",
          { class: "small" },
          [
            t("l_who_when", { who: one.made_by, at: moment(one.made_at) }),
            one.machine_score !== null && t("l_machine_score", { value: number(one.machine_score, 2) }),
            one.expires_at && t("l_until", { date: day(one.expires_at) }),
          ]
            .filter(Boolean)
            .join(" · "),
        ),
        one.ended_at && element("p", { class: "small" }, `${t("l_ended")}: ${[one.ended_why && word("ended", one.ended_why), t("l_who_when", { who: one.ended_by ?? "–", at: moment(one.ended_at) })].filter(Boolean).join(" – ")}`),
        one.in_force && context.may && button(t("l_do_end"), () => act(() => end(context, one, name))),
      ),
    ),
  );
}
