// The answer: who, what to do, two halves with their reasons, FIRE and the raw JSON.

import { drawing, element } from "./dom.js";
import { moment, number, percent, signed, t } from "./i18n.js";

export function answer(found) {
  return element(
    "div",
    { class: "answer" },
    summary(found),
    found.warnings.map((text) => element("p", { class: "notice" }, text)),
    element(
      "div",
      { class: "halves" },
      half("fit", found.fit, found.fit_unavailable_reason),
      half("intent", found.intent, found.intent_unavailable_reason),
    ),
    fire(found.fire),
    raw(found),
  );
}

function summary({ account, as_of, data_through, priority, release }) {
  const title = account.name ?? account.account_id ?? t("unnamed");
  const names = [account.account_id !== title && account.account_id, account.domain].filter(Boolean);
  const fact = (label, value) => element("div", {}, element("dt", {}, label), element("dd", {}, value));
  return element(
    "section",
    { class: "card summary" },
    element(
      "div",
      { class: "who" },
      element("h2", {}, title),
      names.length > 0 && element("p", { class: "small" }, names.join(" · ")),
      element(
        "dl",
        { class: "moments" },
        fact(t("scored_as_of"), moment(as_of)),
        data_through && fact(t("data"), moment(data_through)),
        fact("", t("release", { id: release.id })),
      ),
    ),
    element(
      "div",
      { class: `next ${priority.to_sales ? "to-sales" : ""}` },
      element("p", { class: "small" }, t("priority")),
      element("p", { class: "action" }, t(priority.action)),
      element("p", { class: "small" }, priority.why),
    ),
  );
}

function half(kind, score, unavailable) {
  const heading = element("h3", {}, t(kind));
  if (!score) {
    return element("section", { class: "card half absent" }, heading, element("p", { class: "big" }, t("unavailable")), element("p", {}, unavailable));
  }
  const { grade, model, meaning, horizon_days, probability_interval: interval } = score;
  return element(
    "section",
    { class: `card half grade-${grade}` },
    element(
      "div",
      { class: "half-head" },
      element("div", {}, heading, element("p", { class: "small" }, t("model", model))),
      element("span", { class: "grade" }, element("span", { class: "unseen" }, t("grade", { grade })), element("span", { "aria-hidden": "true" }, grade)),
    ),
    element(
      "div",
      { class: "numbers" },
      ring(score.score),
      element(
        "div",
        {},
        element("p", { class: "probability" }, percent(score.probability), horizon_days && element("span", {}, ` ${t("within", { days: horizon_days })}`)),
        element("p", { class: "small", title: interval.meaning }, t("interval", { level: percent(interval.level), low: percent(interval.low), high: percent(interval.high) })),
        element("p", { class: "meaning" }, meaning),
        element("p", { class: "small" }, t("better_than", { score: number(score.score, 1) })),
      ),
    ),
    score.inputs.sentence && element("p", { class: "notice" }, score.inputs.sentence),
    element("h4", { class: "unseen" }, t("reasons")),
    bars(score),
    sum(score),
  );
}

function ring(score) {
  const round = 2 * Math.PI * 42;
  const circle = (name, dash) =>
    drawing("circle", { class: name, cx: 50, cy: 50, r: 42, "stroke-dasharray": dash, transform: "rotate(-90 50 50)" });
  const text = drawing("text", { x: 50, y: 51, "text-anchor": "middle", "dominant-baseline": "middle" }, number(score, score < 100 ? 1 : 0));
  return drawing(
    "svg",
    { viewBox: "0 0 100 100", class: "ring", role: "img", "aria-label": t("out_of", { score: number(score, 1) }) },
    circle("ring-track", `${round} 0`),
    circle("ring-value", `${(round * score) / 100} ${round}`),
    text,
  );
}

// Each reason on a common scale: to the right what speaks for, to the left what speaks against.
function bars({ reasons_for, reasons_against }) {
  const reasons = [...reasons_for, ...reasons_against];
  if (!reasons.length) return element("p", { class: "small" }, t("no_reasons"));
  const largest = Math.max(...reasons.map((reason) => Math.abs(reason.contribution)));
  const group = (key, list) =>
    list.length > 0 && [element("h5", {}, t(key)), element("ol", { class: `bars ${key}` }, list.map((reason) => bar(reason, largest)))];
  return element("div", { class: "reasons" }, group("for", reasons_for), group("against", reasons_against));
}

function bar({ feature, sentence, contribution, parts }, largest) {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${(50 * Math.abs(contribution)) / largest}%`;
  return element(
    "li",
    { title: feature },
    element("span", { class: "sentence" }, sentence),
    element("span", { class: "track", "aria-hidden": "true" }, fill),
    element(
      "span",
      { class: "share" },
      element("span", { "aria-hidden": "true" }, signed(contribution)),
      element("span", { class: "unseen" }, t("share", { value: signed(contribution) })),
    ),
    parts.length > 1 && makeup(parts),
  );
}

// What a reason is made of: every feature of the idea with its exact share.
function makeup(parts) {
  const row = ({ feature, value, contribution }) =>
    element("tr", {}, element("th", { scope: "row" }, feature), element("td", {}, value ?? t("unknown")), element("td", {}, signed(contribution, 3)));
  const head = ["part_feature", "part_value", "part_share"].map((key) => element("th", { scope: "col" }, t(key)));
  return element(
    "details",
    { class: "parts" },
    element("summary", {}, t("parts", { count: number(parts.length) })),
    element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, parts.map(row))),
  );
}

function sum({ baseline, reasons_for, reasons_against, other, logit, probability }) {
  const shown = [...reasons_for, ...reasons_against].reduce((total, { contribution }) => total + contribution, 0);
  const term = (label, value) => element("div", {}, element("dt", {}, label), element("dd", {}, value));
  return element(
    "dl",
    { class: "sum", "aria-label": t("how_it_adds_up") },
    term(t("baseline"), signed(baseline)),
    term(t("shown"), signed(shown)),
    term(t("other"), signed(other)),
    term(t("logit"), `= ${signed(logit)}`),
    term(t("probability"), percent(probability)),
  );
}

function fire(found) {
  const days = found.days_since_last_engagement;
  const notes = {
    fit: null,
    intent: null,
    recency: [
      days === null ? t("engaged_never") : t("engaged_ago", { days: number(Math.floor(days)) }),
      found.earlier_wins + found.earlier_losses > 0 && t("won_lost", { wins: found.earlier_wins, losses: found.earlier_losses }),
    ],
    engagement: [t("minutes_90", { minutes: number(found.engagement_minutes_90d ?? 0) })],
  };
  const part = (key) => {
    const value = found[key];
    const fill = element("span", { class: "fill" });
    fill.style.width = `${value ?? 0}%`;
    return element(
      "li",
      {},
      element("span", { class: "letter", "aria-hidden": "true" }, key[0].toUpperCase()),
      element("span", { class: "label" }, t(`fire_${key}`)),
      element("span", { class: "value" }, value === null ? "–" : number(value, 1)),
      element("span", { class: "meter", "aria-hidden": "true" }, fill),
      element("span", { class: "small" }, value === null ? t("unavailable") : (notes[key] ?? []).filter(Boolean).join(" · ")),
    );
  };
  return element("section", { class: "card fire" }, element("h3", {}, t("fire")), element("ul", {}, ["fit", "intent", "recency", "engagement"].map(part)));
}

function raw(found) {
  const text = JSON.stringify(found, null, 2);
  const button = element("button", { type: "button", class: "quiet" }, t("copy"));
  button.addEventListener("click", () =>
    navigator.clipboard.writeText(text).then(
      () => (button.textContent = t("copied")),
      () => (button.textContent = t("copy_failed")),
    ),
  );
  return element("details", { class: "card raw" }, element("summary", {}, t("raw")), button, element("pre", { tabindex: "0" }, text));
}
