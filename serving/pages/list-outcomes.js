// What became of a list: accepted suggestions beside comparable accounts that were on no list.

import { announce, drawing, element } from "./dom.js";
import { day, number, percent, signed, t } from "./i18n.js";
import * as api from "./list-api.js";
import { plainTable, reader } from "./list-parts.js";

const DAYS = ["30", "90", "180", "365", "730"];
const USUAL = "365";
const GROUPS = ["accepted", "added", "rejected"];
const OUTCOMES = ["won", "opened"];

export function show(main, context) {
  if (context.detail.target_list.approved_version === null) return main.replaceChildren(never());
  const asked = api.address().query.get("days");
  const state = { days: DAYS.includes(asked) ? asked : USUAL };
  const input = element("select", { id: "outcome-days" }, DAYS.map((one) => element("option", { value: one }, t("o_so_many_days", { days: number(Number(one)) }))));
  input.value = state.days;
  const place = element("div", { class: "outcomes" });
  const load = reader(place, {
    read: (signal) => api.outcomes(context.id, { days: state.days }, signal),
    show: (found) => {
      announce(t("o_announced", { ripe: number(found.accepted.ripe), count: number(found.accepted.accounts) }));
      return whole(found);
    },
  });
  input.addEventListener("change", () => {
    state.days = input.value;
    api.remember({ days: state.days === USUAL ? "" : state.days });
    load();
  });
  main.replaceChildren(
    element(
      "div",
      { class: "card filters" },
      element("p", { class: "small" }, t("o_lead")),
      element("div", { class: "outcome-days" }, element("div", { class: "field" }, element("label", { for: "outcome-days" }, t("o_days")), input)),
    ),
    place,
  );
  return load();
}

const never = () => element("div", { class: "card empty" }, element("h2", {}, t("o_never")), element("p", {}, t("o_never_text")));

function whole(found) {
  return [headline(found), groups(found), found.accepted.ripe > 0 && comparison(found), found.accepted.ripe > 0 && basis(found), leftOut(found)];
}

// The one sentence that people come for, or why there is none yet.
function headline(found) {
  const { accepted, days, against_comparable: matched } = found;
  if (!accepted.ripe) {
    const first = accepted.first_ripe_at;
    const why = accepted.accounts ? "o_nobody" : "o_none";
    return element(
      "div",
      { class: "card empty" },
      element("h2", {}, t(first ? "o_early" : why)),
      element("p", {}, first ? t("o_early_text", { date: day(first), until: day(found.until), days: number(days), count: number(accepted.too_early) }) : t(`${why}_text`)),
    );
  }
  const { won } = matched;
  const told = won.difference && { ...points(won.difference), days: number(days), matched: number(matched.matched), accepted: percent(won.accepted.value), others: percent(won.others.value) };
  return element(
    "section",
    { class: "card needed", "aria-label": t("o_headline") },
    element("div", {}, element("p", { class: "small" }, t("o_win_rate")), element("p", { class: "big-figure" }, percent(accepted.win_rate.value)), element("p", { class: "small" }, range(accepted))),
    element(
      "div",
      { class: "because" },
      element("p", {}, element("strong", {}, t(`o_verdict_${won.verdict}`))),
      told ? element("p", {}, t("o_told", told)) : element("p", {}, t("o_alone")),
      won.verdict === "not_enough" && element("p", { class: "small" }, t("o_needed", { matched: number(matched.matched), days: number(days) })),
      element("p", { class: "notice plain" }, t("o_of_the_whole")),
    ),
  );
}

const range = ({ ripe, win_rate: { low, high } }) => t("o_interval", { ripe: number(ripe), low: percent(low), high: percent(high) });
const points = ({ value, low, high }) => ({ value: signed(100 * value, 1), low: signed(100 * low, 1), high: signed(100 * high, 1) });
const share = (rate, count) => (rate ? `${number(count)} · ${percent(rate.value)}` : number(count));

function groups(found) {
  const row = (name) => {
    const one = found[name];
    return [t(`o_group_${name}`), number(one.accounts), number(one.too_early), number(one.ripe), share(one.opened_rate, one.opened), share(one.win_rate, one.won), t("o_of", { hits: number(one.deals_won), of: number(one.deals_ended) })];
  };
  return element(
    "section",
    { class: "card" },
    element("h2", {}, t("o_groups")),
    plainTable({
      caption: t("o_groups"),
      heads: ["o_group", "o_accounts", "o_too_early", "o_ripe", "o_opened", "o_won", "o_deals"].map((key) => t(key)),
      rows: GROUPS.map(row),
    }),
    element("p", { class: "small" }, t("o_groups_text", { until: day(found.until) })),
    found.rejected.taken_up_later > 0 && element("p", { class: "small" }, t("o_later", { count: number(found.rejected.taken_up_later) })),
    found.forgotten > 0 && element("p", { class: "small" }, t("o_forgotten", { count: number(found.forgotten) })),
  );
}

function comparison({ against_comparable: matched, against_rejected: rejected }) {
  const some = [["comparable", matched], ["rejected", rejected]].flatMap(([name, sides]) => OUTCOMES.map((outcome) => ({ label: t(`o_${outcome}_${name}`), ...sides[outcome] })));
  const told = some.filter((one) => one.difference);
  const edge = Math.max(0.02, ...told.flatMap(({ difference: { low, high } }) => [Math.abs(low), Math.abs(high)]));
  const row = (one) => [
    one.label,
    one.accepted && percent(one.accepted.value),
    one.others && percent(one.others.value),
    one.difference && t("o_points", points(one.difference)),
    one.difference && interval(one, edge),
    one.ratio && t("o_ratio_of", { value: number(one.ratio.value, 2), low: number(one.ratio.low, 2), high: number(one.ratio.high, 2) }),
    t(`o_short_${one.verdict}`),
  ];
  return element(
    "section",
    { class: "card" },
    element("h2", {}, t("o_compared")),
    plainTable({
      caption: t("o_compared"),
      heads: ["o_against", "o_accepted", "o_others", "o_difference", "o_picture", "o_ratio", "o_verdict"].map((key) => t(key)),
      rows: some.map(row),
      className: "compared",
    }),
  );
}

// The interval of a difference on a line with nothing in its middle; the numbers stand beside it.
function interval({ difference: { value, low, high }, verdict }, edge) {
  const at = (one) => 80 + (74 * one) / edge;
  return drawing(
    "svg",
    { viewBox: "0 0 160 20", width: 160, height: 20, class: `interval ${verdict}`, "aria-hidden": "true" },
    drawing("line", { x1: 80, x2: 80, y1: 1, y2: 19, class: "none" }),
    drawing("line", { x1: at(low), x2: at(high), y1: 10, y2: 10, class: "range" }),
    drawing("circle", { cx: at(value), cy: 10, r: 4 }),
  );
}

// What the comparison rests on.
function basis({ against_comparable: matched, comparable, moments, ripe_moments: ripe }) {
  const strata = matched.strata.map((one) => api.word("stratum", one)).join(t("o_and"));
  const line = (key, values) => element("li", {}, t(key, values));
  return element(
    "details",
    { class: "card more" },
    element("summary", {}, t("o_basis")),
    element(
      "ul",
      { class: "facts-list" },
      line("o_basis_moments", { ripe: number(ripe), moments: number(moments) }),
      line("o_basis_matched", { matched: number(matched.matched), accepted: number(matched.accepted), alone: number(matched.without_comparable) }),
      line("o_basis_strata", { strata }),
      line("o_basis_others", { accounts: number(matched.accounts), rows: number(matched.rows), effective: number(matched.effective) }),
      line("o_basis_known", { known: number(comparable.known), lists: number(comparable.on_lists), customers: number(comparable.customers), dealing: number(comparable.open_deals), free: number(comparable.free) }),
      line("o_basis_later", { count: number(comparable.taken_up_later) }),
      line("o_basis_intervals", {}),
    ),
  );
}

// Whom each group leaves out, and why: nobody vanishes.
function leftOut(found) {
  const rows = GROUPS.map((name) => [t(`o_group_${name}`), ...["unknown", "customers", "open_deals"].map((why) => number(found[name][why]))]);
  return element(
    "details",
    { class: "card more" },
    element("summary", {}, t("o_left_out")),
    plainTable({ caption: t("o_left_out"), heads: ["o_group", "o_unknown", "o_customers", "o_open_deals"].map((key) => t(key)), rows }),
    element("p", { class: "small" }, t("o_left_out_text")),
  );
}
