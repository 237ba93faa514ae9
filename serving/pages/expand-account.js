// One account that was found: how alike and how sure, the sum of its reasons as a picture and as a table, and the seeds
// that it is nearest to. A dialog at the side, which gives the focus back to the row that opened it.

import * as api from "./api.js";
import { element } from "./dom.js";
import { failure, told } from "./expand-problem.js";
import { similar } from "./expand-similar.js";
import { compact, isTold, range } from "./expand-table.js";
import { number, percent, signed, t } from "./i18n.js";

export function account(one, { found, signal, opener }) {
  const name = one.name ?? one.domain ?? one.account_id;
  const close = element("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, t("expand_close"));
  const figure = element("figure", { class: "waterfall" });
  const dialog = element(
    "dialog",
    { class: "side", "aria-labelledby": "account-title", on: { close: left, click: outside } },
    element(
      "div",
      { class: "side-inner" },
      element(
        "div",
        { class: "side-head" },
        element("div", {}, element("h2", { id: "account-title" }, name), element("p", { class: "small" }, [one.domain, one.account_id].filter((each) => each && each !== name).join(" · "))),
        close,
      ),
      figures(one),
      element("section", {}, element("h3", {}, t("found_why")), figure, sumTable(one)),
      nearest(one),
      similar(one, { signal }),
      one.parts?.length > 0 && element("p", { class: "small" }, t("found_blended")),
    ),
  );
  const stop = () => dialog.close();

  function left() {
    removeEventListener("hashchange", stop);
    dialog.remove();
    if (opener.isConnected) opener.focus();
  }

  function outside(event) {
    if (event.target === dialog) dialog.close();
  }

  addEventListener("hashchange", stop);
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
  drawn(figure, one, { name, ranker: found.result.ranker, signal });
}

function figures({ place, times_as_dense: times, probability: chance }) {
  const fact = (label, value, about) => element("div", {}, element("dt", {}, label), element("dd", {}, element("strong", {}, value), about && element("span", { class: "small" }, about)));
  const known = chance.value !== null && chance.value !== undefined;
  const bounded = isTold(chance);
  return element(
    "dl",
    { class: "side-facts" },
    fact(t("expand_col_place"), number(place)),
    fact(t("expand_col_likeness"), times.value === null ? t("times_unknown") : t("times", { value: compact(times.value) }), times.value !== null && range(times, compact)),
    fact(t("expand_col_chance"), known ? percent(chance.value) : t(bounded ? "chance_between" : "chance_none"), known || bounded ? t("interval_of", { low: percent(chance.low), high: percent(chance.high) }) : t("chance_why_none")),
  );
}

// The picture is drawn by the service; its figures are in the table below it.
async function drawn(figure, { why }, { name, signal, ranker }) {
  const steps = [...why.reasons_for, ...why.reasons_against].map(({ sentence, contribution }) => ({ label: sentence, share: contribution }));
  if (why.other) steps.push({ label: t("other"), share: why.other });
  const width = Math.max(260, Math.min(620, Math.floor(figure.clientWidth || 560)));
  const title = t("found_score", { score: number(why.score, 2) });
  const axis = t(ranker === "similarity" ? "found_axis_similarity" : "found_axis_log_odds");
  const body = { title, axis, baseline: { label: t("baseline"), share: why.baseline }, steps, probabilities: false, width };
  figure.setAttribute("role", "img");
  figure.setAttribute("aria-label", t("found_waterfall", { name }));
  try {
    figure.replaceChildren(await api.chart("/v1/charts/waterfall", { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal }));
  } catch (problem) {
    if (problem.name === "AbortError") return;
    figure.removeAttribute("role");
    figure.removeAttribute("aria-label");
    figure.replaceChildren(failure(told(problem), { heading: t("found_no_picture") }));
  }
}

function sumTable({ why }) {
  const line = (label, value, name) => element("tr", { class: name }, element("th", { scope: "row" }, label), element("td", {}, value));
  const reasons = (list, name) => list.map(({ sentence, contribution }) => line(sentence, signed(contribution), name));
  return element(
    "details",
    { class: "more" },
    element("summary", {}, t("found_as_table")),
    element(
      "table",
      { class: "sum-table" },
      element("caption", { class: "unseen" }, t("found_as_table")),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, t("expand_col_reason")), element("th", { scope: "col" }, t("expand_col_adds")))),
      element("tbody", {}, line(t("baseline"), number(why.baseline, 2)), reasons(why.reasons_for, "for"), reasons(why.reasons_against, "against"), line(t("other"), signed(why.other)), line(t("found_sum"), number(why.score, 2), "total")),
    ),
  );
}

function nearest({ why }) {
  if (!why.nearest.length) return null;
  const one = ({ name, account_id: id, distance, shared }) =>
    element(
      "li",
      {},
      element("p", {}, element("strong", {}, name ?? id), element("span", { class: "small" }, t("found_distance", { distance: number(distance, 2) }))),
      shared.length ? element("ul", { class: "shared" }, shared.map((words) => element("li", {}, words))) : element("p", { class: "small" }, t("found_shares_nothing")),
    );
  return element("section", {}, element("h3", {}, t("found_nearest")), element("p", { class: "small" }, t("found_nearest_text")), element("ol", { class: "near" }, why.nearest.map(one)));
}
