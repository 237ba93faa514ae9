// Why an account is where it is: reasons as a waterfall, the nearest seeds, what it did with us, and past scores.
// Pictures are drawn by the service; beside each stands a table of the same figures.

import { chart, call } from "./api.js";
import { element } from "./dom.js";
import { day, moment, number, percent, signed, t } from "./i18n.js";
import { query, scores, word } from "./list-api.js";
import { failure, growing, plainTable } from "./list-parts.js";

const width = (place) => Math.round(Math.max(280, Math.min(900, place.clientWidth || 560)));

// A picture under a name, and its figures below it for whoever does not see it.
function picture(name, draw, table) {
  const figure = element("figure", { class: "picture", role: "img", "aria-label": name }, element("span", { class: "bone big" }));
  const node = element("div", {}, figure, table && element("details", { class: "more" }, element("summary", {}, t("l_as_table")), table));
  // Its width is known once it is in the page.
  requestAnimationFrame(async () => {
    try {
      const drawn = await draw(width(figure));
      // The figure has the name, and the table beside it every figure.
      drawn.setAttribute("aria-hidden", "true");
      figure.replaceChildren(drawn);
    } catch (problem) {
      if (!("errors" in problem)) throw problem;
      figure.replaceWith(failure(problem));
    }
  });
  return node;
}


// why: score, baseline, other, reasons_for, reasons_against, as answers hold it. title: what the sum ends in.
export function reasons(why, { title = t("l_score") } = {}) {
  const all = why ? [...why.reasons_for, ...why.reasons_against] : [];
  if (!all.length) return element("p", { class: "small" }, t("l_no_reasons"));
  const adds = why.baseline !== null && all.every((one) => one.contribution !== null);
  if (!adds) return plain(why);
  const steps = [
    ...all.map((one) => ({ label: one.sentence, share: one.contribution })),
    ...(Math.abs(why.other ?? 0) > 0.0005 ? [{ label: t("l_other_reasons"), share: why.other }] : []),
  ];
  const figure = (value) => signed(value, 3);
  const total = why.baseline + steps.reduce((sum, one) => sum + one.share, 0);
  // Where intent and value count as well, likeness is but one part of the score.
  const blended = why.score !== null && Math.abs(why.score - total) > 0.01;
  const name = blended ? t("l_likeness") : title;
  const table = plainTable({
    caption: t("l_waterfall"),
    heads: [t("l_reason"), t("l_share")],
    rows: [[t("l_baseline_sum"), figure(why.baseline)], ...steps.map((one) => [one.label, figure(one.share)]), [name, figure(total)]],
    className: "figures-last",
  });
  const sum = {
    title: `${name} ${number(total, 2)}`,
    axis: name,
    baseline: { label: t("l_baseline_sum"), share: why.baseline },
    steps: steps.slice(0, 40),
    probabilities: false,
  };
  const draw = (wide) =>
    chart("/v1/charts/waterfall", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...sum, width: wide }),
    });
  const shown = picture(t("l_waterfall_name", { name, value: number(total, 2) }), draw, table);
  return blended ? element("div", {}, element("p", { class: "small" }, t("l_blended", { value: number(why.score, 2) })), shown) : shown;
}

// Reasons without figures that add up, as files may hold them.
function plain({ reasons_for: pro, reasons_against: contra }) {
  const group = (tone, list) =>
    list.length > 0 && [
      element("h4", {}, t(tone)),
      element("ul", { class: `plain-reasons ${tone}` }, list.map((one) => element("li", {}, one.sentence, one.contribution !== null && element("span", { class: "share" }, signed(one.contribution))))),
    ];
  return element("div", {}, group("for", pro), group("against", contra));
}

// nearest: the seeds that an account is most like. open: what a click on one does, where it can be opened.
export function seeds(nearest, { open } = {}) {
  if (!nearest?.length) return element("p", { class: "small" }, t("l_no_seeds"));
  const name = (seed) => seed.name ?? seed.account_id;
  return element(
    "ol",
    { class: "seeds" },
    nearest.map((seed) =>
      element(
        "li",
        {},
        element(
          "p",
          { class: "seed-name" },
          open ? element("button", { type: "button", class: "name", on: { click: () => open(seed) } }, name(seed)) : element("strong", {}, name(seed)),
          seed.distance !== null && element("span", { class: "small" }, t("l_distance", { value: number(seed.distance, 2) })),
        ),
        seed.shared.length > 0
          ? element("ul", { class: "chips", "aria-label": t("l_shared") }, seed.shared.map((one) => element("li", { class: "chip still" }, one)))
          : element("p", { class: "small" }, t("l_shares_nothing")),
      ),
    ),
  );
}

// What an account did with us in half a year.
export function engagement(accountId) {
  const path = (wide) => `/v1/charts/engagement${query({ account_id: accountId, width: wide })}`;
  const place = element("div", {}, element("span", { class: "bone big" }));
  call(path()).then(
    ({ weeks, as_of: until }) => {
      if (!weeks.length) return place.replaceChildren(element("p", { class: "small" }, t("l_no_engagement")));
      const table = plainTable({
        caption: t("l_engagement"),
        heads: [t("l_week"), t("l_channel"), t("l_activities")],
        rows: weeks.map((one) => [day(`${one.week}T00:00:00Z`), one.channel.replaceAll("_", " "), number(one.activities)]),
        className: "figures-last",
      });
      const count = weeks.reduce((sum, one) => sum + one.activities, 0);
      place.replaceChildren(
        element("p", { class: "small" }, t("l_engagement_text", { count: number(count), until: day(until) })),
        picture(t("l_engagement_name", { count: number(count) }), (wide) => chart(path(wide)), table),
      );
    },
    (problem) => place.replaceChildren(unknown(problem)),
  );
  return place;
}

// An account that people put on a list need not be among the tables.
const unknown = (problem) => (problem.status === 404 ? element("p", { class: "small" }, t("l_no_such_account")) : failure(problem));

// What was answered about an account, and what sales said of it.
export function past(accountId) {
  return growing({
    read: async (page) => {
      try {
        return await scores(accountId, { page, limit: 10 });
      } catch (problem) {
        if (problem.status === 404) return { scores: [], feedback: [], next_page: null };
        throw problem;
      }
    },
    show: ({ scores: found, feedback }, first) => {
      if (first && !found.length && !feedback.length) return element("p", { class: "small" }, t("l_no_scores"));
      const half = (probability, grade) => (probability === null ? "–" : `${percent(probability)} (${grade})`);
      const table = plainTable({
        caption: t("l_past"),
        heads: [t("l_when"), t("fit"), t("intent")],
        rows: found.map((one) => [moment(one.at), half(one.fit_probability, one.fit_grade), half(one.intent_probability, one.intent_grade)]),
      });
      const said = feedback.map((one) => element("li", {}, `${word("verdict", one.verdict)}${one.reason ?? one.outcome ? `: ${one.reason ?? one.outcome}` : ""} – ${one.given_by ?? ""} ${moment(one.at)}`));
      return element("div", {}, found.length > 0 && table, first && said.length > 0 && element("ul", { class: "since" }, said));
    },
  });
}
