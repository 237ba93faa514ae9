// The versions of a list, and what changed from one to another: added, dropped, moved, and why.

import { element } from "./dom.js";
import { moment, number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { badge, growing, reader } from "./list-parts.js";

const CHANGES = ["added", "dropped", "moved"];

export function show(main, context) {
  return reader(main, {
    read: (signal) => api.versions(context.id, signal),
    show: ({ versions }) => (versions.length ? whole(versions, context) : nothing()),
  })();
}

const nothing = () => element("div", { class: "card empty" }, element("h2", {}, t("l_no_versions")), element("p", {}, t("l_no_versions_text")));

function whole(versions, context) {
  const asked = api.address().query;
  const numbers = versions.map((one) => String(one.number));
  const place = element("div", { class: "diff", "aria-live": "polite" });
  const state = {
    later: numbers.includes(asked.get("later")) ? asked.get("later") : numbers[0],
    earlier: numbers.includes(asked.get("earlier")) ? asked.get("earlier") : (numbers[1] ?? numbers[0]),
    change: CHANGES.includes(asked.get("change")) ? asked.get("change") : "",
  };
  const load = () => {
    api.remember(state);
    place.replaceChildren(diff(state, context));
  };
  const select = (name, options) => {
    const input = element("select", { id: `diff-${name}` }, options.map(([value, label]) => element("option", { value }, label)));
    input.value = state[name];
    input.addEventListener("change", () => {
      state[name] = input.value;
      load();
    });
    return element("div", { class: "field" }, element("label", { for: `diff-${name}` }, t(`l_diff_${name}`)), input);
  };
  const named = versions.map((one) => [String(one.number), t("l_version_no", { number: number(one.number) })]);
  const comparing =
    versions.length > 1 &&
    element(
      "section",
      { class: "card", "aria-label": t("l_compare") },
      element("h2", {}, t("l_compare")),
      element(
        "div",
        { class: "filter-grid" },
        select("earlier", named),
        select("later", named),
        select("change", [["", t("l_any_change")], ...CHANGES.map((one) => [one, t(`change_${one}`)])]),
      ),
      place,
    );
  if (comparing) load();
  return [comparing, element("ol", { class: "versions", "aria-label": t("l_part_versions") }, versions.map((one) => version(one, context)))];
}

function diff(state, context) {
  const sums = element("p", { class: "proposal-figures" });
  const list = growing({
    read: async (page) => {
      const found = await api.diff(context.id, { ...state, page });
      sums.replaceChildren(...CHANGES.filter((one) => found[one]).map((one) => element("span", { class: `change ${one}` }, t(`l_so_many_${one}`, { count: number(found[one]) }))));
      return found;
    },
    show: ({ changes }, first) => (first && !changes.length ? element("p", { class: "small" }, t("l_no_change")) : element("ul", { class: "changes" }, changes.map(change))),
  });
  return element("div", {}, sums, list);
}

function change(one) {
  const { decision } = one;
  const from = one.before_segment ?? t("l_no_segment");
  const to = one.after_segment ?? t("l_no_segment");
  return element(
    "li",
    {},
    element("span", { class: `sign ${one.change}`, "aria-hidden": "true" }, { added: "+", dropped: "−", moved: "→" }[one.change]),
    element(
      "div",
      {},
      element("p", {}, element("strong", {}, one.name ?? one.account_id), ` ${t(`change_${one.change}`).toLowerCase()}`, one.change === "moved" && `: ${from} → ${to}`),
      element(
        "p",
        { class: "small" },
        [api.word("why", one.why), one.score !== null && t("l_score_of", { value: number(one.score, 2) }), decision && `${decision.reason} – ${t("l_who_when", { who: decision.made_by, at: moment(decision.made_at) })}`]
          .filter(Boolean)
          .join(" · "),
      ),
    ),
  );
}

function version(one, context) {
  const approved = context.detail.target_list.approved_version === one.number;
  const by = (title, some, line) => some.length > 0 && element("details", { class: "more" }, element("summary", {}, title), element("ul", { class: "by-rule" }, some.map(line)));
  const sum = (some) => number(some.reduce((all, { accounts }) => all + accounts, 0));
  return element(
    "li",
    { class: "card version" },
    element(
      "div",
      { class: "list-card-head" },
      element("h3", {}, t("l_version_no", { number: number(one.number) })),
      element("p", { class: "badges" }, badge("draw", one.kind), approved && badge("state", "approved")),
    ),
    one.why && element("p", { class: "purpose" }, one.why),
    element(
      "p",
      { class: "small" },
      [t("l_opened", { who: one.opened_by, at: moment(one.opened_at) }), one.approved_at && t("l_approved_at", { at: moment(one.approved_at) })].filter(Boolean).join(" · "),
    ),
    by(t("l_left_out", { count: sum(one.left_out) }), one.left_out, (rule) => leftOut(rule, one.number, context)),
    by(t("l_pinned_against", { count: sum(one.pinned_against) }), one.pinned_against, ({ rule, accounts }) => element("li", {}, `${api.word("rule", rule)}: ${number(accounts)}`)),
  );
}

// How many a rule left out, and the best of them once somebody looks.
function leftOut({ rule, accounts }, version, context) {
  const place = element("div", {});
  const load = reader(place, {
    read: (signal) => api.leftOut(context.id, { version, rule, limit: 50 }, signal),
    show: ({ accounts: found }) => [
      element("ol", { class: "left-out" }, found.map((one) => element("li", {}, element("strong", {}, one.account_id), ` ${one.detail}`, one.score !== null && element("span", { class: "small" }, ` ${t("l_score_of", { value: number(one.score, 2) })}`)))),
      found.length < accounts && element("p", { class: "small" }, t("l_best_of", { count: number(found.length) })),
    ],
    blocks: 0,
  });
  let looked = false;
  const toggle = ({ target }) => {
    if (target.open && !looked) load();
    looked = true;
  };
  return element("li", {}, element("details", { on: { toggle } }, element("summary", {}, `${api.word("rule", rule)}: ${number(accounts)}`), place));
}
