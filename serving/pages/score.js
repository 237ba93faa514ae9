// The view that scores one account: a form on the left, the answer on the right.

import * as api from "./api.js";
import { answer as answerCard } from "./answer.js";
import { announce, drawing, element } from "./dom.js";
import { form } from "./form.js";
import { t } from "./i18n.js";

// What survives a change of language: the last request, and what was typed.
const kept = { request: null, draft: null, way: "known" };
let running = null;

export function show(main, { facts, problem }) {
  const output = element("section", { class: "output", "aria-label": t("title"), tabindex: "-1" });
  const fields = form({ facts, kept, submit: (request) => score(request, output, fields) });
  const head = element("div", { class: "head" }, element("h1", {}, t("title")), element("p", {}, t("lead")));
  main.replaceChildren(head, element("div", { class: "columns" }, fields.node, output));
  if (kept.request) score(kept.request, output, fields, { quiet: true });
  else if (!facts && problem) output.replaceChildren(failure(problem, { output, fields }));
  else output.replaceChildren(empty());
}

async function score(request, output, fields, { quiet = false } = {}) {
  running?.abort();
  const mine = (running = new AbortController());
  kept.request = request;
  fields.clearErrors();
  fields.busy(true);
  output.setAttribute("aria-busy", "true");
  output.replaceChildren(waiting());
  if (!quiet) announce(t("working"));
  try {
    const found = await ask(request, mine.signal);
    output.replaceChildren(answerCard(found));
    announce(
      t("done", {
        name: found.account.name ?? found.account.account_id ?? t("unnamed"),
        fit: found.fit?.grade ?? t("none"),
        intent: found.intent?.grade ?? t("none"),
      }),
    );
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (!("errors" in problem)) throw problem;
    kept.request = null;
    const unplaced = fields.showErrors(problem.errors);
    output.replaceChildren(failure({ ...problem, errors: unplaced }, { request, output, fields }));
    announce(problem.detail ?? t("error_offline"));
  } finally {
    if (running === mine) {
      fields.busy(false);
      output.removeAttribute("aria-busy");
      if (!quiet && matchMedia("(max-width: 900px)").matches) output.scrollIntoView({ block: "start" });
      if (!quiet && !fields.node.querySelector("[aria-invalid=true]")) output.focus({ preventScroll: true });
    }
  }
}

// What looks like a domain may be an identifier all the same.
async function ask(request, signal) {
  try {
    return await api.score(request, signal);
  } catch (problem) {
    if (problem.status !== 404 || !request.domain) throw problem;
    const { domain, ...rest } = request;
    return api.score({ ...rest, account_id: domain }, signal).catch((second) => {
      throw second.status === 404 ? problem : second;
    });
  }
}

function empty() {
  const step = (letter, title, text) =>
    element("li", {}, element("span", { class: "step", "aria-hidden": "true" }, letter), element("div", {}, element("h3", {}, t(title)), element("p", {}, t(text))));
  return element(
    "div",
    { class: "card empty" },
    waves(),
    element("h2", {}, t("empty_title")),
    element("p", {}, t("empty_text")),
    element(
      "ul",
      { class: "steps" },
      step("F", "empty_fit", "empty_fit_text"),
      step("I", "empty_intent", "empty_intent_text"),
      step("→", "empty_next", "empty_next_text"),
    ),
  );
}

function waves() {
  const wave = (d, fill) => drawing("path", { d, fill });
  return drawing(
    "svg",
    { viewBox: "0 0 320 110", class: "waves", "aria-hidden": "true" },
    wave("M0 70q20-12 40 0t40 0 40 0 40 0 40 0 40 0 40 0 40 0v40H0Z", "#d9efed"),
    wave("M92 52 158 34c20-5 38 2 46 17-8 14-26 22-46 16L92 52Z", "#1ba594"),
    wave("M186 52l30-25c-4 17-4 32 0 48l-30-23Z", "#1ba594"),
    wave("M138 39c8-15 19-21 34-22-5 8-7 15-7 21Z", "#0d7f74"),
    wave("M0 84q20-12 40 0t40 0 40 0 40 0 40 0 40 0 40 0 40 0v26H0Z", "#b9e0dc"),
  );
}

function waiting() {
  const line = (size) => element("span", { class: `bone ${size}` });
  const block = () => element("div", { class: "card" }, line("short"), line("big"), line(""), line(""), line("short"));
  return element("div", { class: "waiting", "aria-hidden": "true" }, element("div", { class: "card" }, line("short"), line("")), element("div", { class: "halves" }, block(), block()));
}

function failure(problem, { request, output, fields }) {
  const known = ["404", "409", "422", "503"].includes(String(problem.status)) ? problem.status : "other";
  const key = problem.offline ? "error_offline" : `error_${known}`;
  const text = problem.offline ? t("error_offline_text") : [404, 409].includes(problem.status) ? t(`${key}_text`) : null;
  const retry = request && (problem.offline || problem.status >= 500);
  return element(
    "div",
    { class: "card failure", role: "alert" },
    element("h2", {}, t(key)),
    text && element("p", {}, text),
    problem.detail && element("p", { class: "detail" }, problem.detail),
    problem.errors?.length > 1 && element("ul", {}, problem.errors.map((each) => element("li", {}, element("code", {}, each.field), ` ${each.what}`))),
    problem.status === 409 && choices(problem, request, output, fields),
    retry && element("button", { type: "button", class: "quiet", on: { click: () => score(request, output, fields) } }, t("retry")),
    problem.request_id && element("p", { class: "small" }, t("request_id", { id: problem.request_id })),
  );
}

function choices(problem, request, output, fields) {
  const identifiers = (problem.errors?.[0]?.allowed ?? "").split(", ").filter(Boolean);
  const choose = (account_id) => () => {
    const { domain, ...rest } = request;
    fields.name(account_id);
    score({ ...rest, account_id }, output, fields);
  };
  return element("div", { class: "chips" }, identifiers.map((id) => element("button", { type: "button", class: "chip", on: { click: choose(id) } }, id)));
}
