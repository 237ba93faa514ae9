// What a plan says: the size of the list, the rates it rests on, and the curve of expected wins with a slider along it.

import * as api from "./api.js";
import { element } from "./dom.js";
import { slider } from "./expand-fields.js";
import { failure, told } from "./expand-problem.js";
import { day, number, percent, t } from "./i18n.js";

const PAUSE = 250;

export function answer({ found, query, size, signal, chosen, use }) {
  return element("div", { class: "found" }, needed(found, use), found.curve.length ? curve({ found, query, size, signal, chosen, use }) : element("div", { class: "card empty" }, element("h2", {}, t("plan_no_curve")), element("p", {}, t("plan_no_curve_text"))), rates(found), found.market_size !== null && market(found));
}

const whole = (value) => number(Math.ceil(value));
const given = ({ low, high }) => low === high;

function needed({ target_accounts: wanted, wins, days, accounts }) {
  return element(
    "div",
    { class: "card needed" },
    element(
      "div",
      {},
      element("p", { class: "small" }, t("plan_needed")),
      element("p", { class: "big-figure" }, whole(wanted.value)),
      element("p", { class: "small" }, given(wanted) ? t("plan_given") : t("plan_interval", { low: whole(wanted.low), high: whole(wanted.high) })),
    ),
    element(
      "div",
      { class: "because" },
      element("p", {}, t("plan_goal_told", { wins: number(wins, wins % 1 ? 1 : 0), days: number(days) })),
      element("p", { class: "small" }, t("plan_if_alike")),
      wanted.value > accounts && element("p", { class: "notice" }, t("plan_too_many", { accounts: number(accounts) })),
    ),
  );
}

function rates({ win_rate: won, account_to_opportunity: opened, since, until }) {
  const row = (label, rate) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, t(label)),
      element("td", {}, percent(rate.value)),
      element("td", {}, given(rate) ? t("plan_as_given") : t("interval_of", { low: percent(rate.low), high: percent(rate.high) })),
      element("td", {}, given(rate) ? "" : t("plan_counted_of", { hits: number(rate.hits), of: number(rate.of) })),
    );
  return element(
    "section",
    { class: "card" },
    element("h3", {}, t("plan_rests_on")),
    element(
      "table",
      { class: "rates" },
      element("thead", {}, element("tr", {}, ["plan_rate", "plan_value", "plan_range", "plan_from"].map((key) => element("th", { scope: "col" }, t(key))))),
      element("tbody", {}, row("plan_rate_opened", opened), row("plan_rate_won", won)),
    ),
    element("p", { class: "small" }, t("plan_span", { since: day(since), until: day(until) })),
  );
}

function market({ market_size: size }) {
  return element("section", { class: "card" }, element("h3", {}, t("plan_market")), element("p", { class: "big-figure" }, number(size)), element("p", { class: "small" }, t("plan_market_of")));
}

// A length of the list along the curve, and what it is expected to bring.
function curve({ found, query, size, signal, chosen, use }) {
  const { curve: points, enough, wins } = found;
  const most = points.at(-1).accounts;
  const start = Math.min(most, Math.max(1, size ?? Math.ceil(enough ?? Math.min(found.target_accounts.value, most))));
  const figure = element("figure", { class: "curve", role: "img" });
  const said = element("p", { class: "length-told", role: "status" });
  const least = points[0].accounts;
  const pick = element("button", { type: "button", class: "primary", on: { click: () => use(now) } });
  let now = start;
  let timer = null;

  function tell() {
    const at = on(points, now);
    said.replaceChildren(
      element("strong", {}, t("plan_length_wins", { accounts: number(now), wins: number(at.wins, 1) })),
      ` ${t("plan_length_range", { low: number(at.low, 1), high: number(at.high, 1) })} ${t("plan_length_last", { marginal: number(at.marginal, 4) })}`,
    );
    pick.textContent = t("plan_use", { count: number(now) });
  }

  async function draw() {
    const width = Math.max(280, Math.min(980, Math.floor(figure.clientWidth || 640)));
    try {
      const drawn = await api.chart(`/v1/charts/wins?${query}&chosen=${now}&width=${width}`, { signal });
      figure.setAttribute("aria-label", t("plan_curve_name", { accounts: number(now) }));
      figure.replaceChildren(drawn);
    } catch (problem) {
      if (problem.name !== "AbortError") figure.replaceChildren(failure(told(problem), { again: draw }));
    }
  }

  const set = (value) => {
    now = Math.min(most, Math.max(1, Math.round(value) || 1));
    tell();
    chosen(now);
    clearTimeout(timer);
    timer = setTimeout(draw, PAUSE);
  };
  const length = slider({ label: t("plan_length"), value: start, set, min: Math.max(1, Math.min(10, least)), max: most, log: true, exact: true });
  tell();
  // Its width is known once it is on the page.
  requestAnimationFrame(draw);
  return element(
    "section",
    { class: "card form", "aria-labelledby": "curve-title" },
    element("div", {}, element("h3", { id: "curve-title" }, t("plan_curve")), element("p", { class: "small" }, t("plan_curve_text"))),
    element("p", { class: "notice plain" }, enough === null ? t("plan_not_enough", { accounts: number(found.accounts), wins: number(wins, wins % 1 ? 1 : 0) }) : t("plan_enough", { enough: number(enough), accounts: number(found.accounts), wins: number(wins, wins % 1 ? 1 : 0) })),
    figure,
    length.node,
    said,
    pick,
    asTable(points),
  );
}

// What the curve says of a length between two of its points: a straight line between them.
function on(points, accounts) {
  const after = points.findIndex((point) => point.accounts >= accounts);
  const [right, left] = [points[after], points[after - 1] ?? { accounts: 0, wins: 0, low: 0, high: 0 }];
  const share = (accounts - left.accounts) / (right.accounts - left.accounts || 1);
  const between = (name) => left[name] + share * (right[name] - left[name]);
  return { wins: between("wins"), low: between("low"), high: between("high"), marginal: right.marginal };
}

function asTable(points) {
  const step = Math.max(1, Math.ceil(points.length / 20));
  const few = points.filter((_, place) => place % step === 0 || place === points.length - 1);
  return element(
    "details",
    { class: "more" },
    element("summary", {}, t("plan_as_table")),
    element(
      "table",
      { class: "rates" },
      element("caption", { class: "unseen" }, t("plan_as_table")),
      element("thead", {}, element("tr", {}, ["plan_col_accounts", "plan_col_wins", "plan_col_bounds", "plan_col_last"].map((key) => element("th", { scope: "col" }, t(key))))),
      element(
        "tbody",
        {},
        few.map((point) => element("tr", {}, element("th", { scope: "row" }, number(point.accounts)), element("td", {}, number(point.wins, 1)), element("td", {}, t("interval_of", { low: number(point.low, 1), high: number(point.high, 1) })), element("td", {}, number(point.marginal, 4)))),
      ),
    ),
  );
}
