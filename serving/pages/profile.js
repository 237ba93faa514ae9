// The view of the ideal customer profile: what sets wins apart, with figures, and what sales stated beside it.

import * as api from "./api.js";
import { announce, element } from "./dom.js";
import { day, number, percent, t } from "./i18n.js";

const ALL = "fit";
let running = null;
// The model that the reader chose, which stays when the language or the view changes; null asks for all accounts.
let chosen = null;

export function show(main) {
  const output = element("section", { class: "output profile", "aria-label": t("profile_title") });
  const choice = element("div", { class: "field choice", hidden: true });
  const words = element("div", {}, element("h1", {}, t("profile_title")), element("p", {}, t("profile_lead")));
  main.replaceChildren(element("div", { class: "head choosing" }, words, choice), output);
  return load({ output, choice });
}

async function load({ output, choice }) {
  running?.abort();
  const mine = (running = new AbortController());
  const again = () => load({ output, choice });
  output.setAttribute("aria-busy", "true");
  output.replaceChildren(waiting());
  try {
    const { profile, profile_unavailable_reason: reason, model, models } = await api.profile(chosen, mine.signal);
    // Without a model of all accounts there is nothing to open with but one of the others.
    if (!chosen && models.length && !models.some(({ key }) => key === ALL)) {
      chosen = models[0].key;
      return again();
    }
    offer({ choice, models, again });
    const told = models.find(({ key }) => key === (chosen ?? ALL));
    output.replaceChildren(...(profile ? whole(profile, { model, whom: told?.about ? name(told) : null }) : [nothing(reason)]));
    announce(profile ? t("profile_done", { count: number(profile.traits.length) }) : reason);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (!("errors" in problem)) throw problem;
    // What was chosen may have been replaced by another release; the next try asks for all accounts.
    if (problem.status === 422) chosen = null;
    output.replaceChildren(failure(problem, again));
  } finally {
    if (running === mine) output.removeAttribute("aria-busy");
  }
}

// The models to choose among. The list stays as it is while it says the same, so that the reader keeps the focus.
function offer({ choice, models, again }) {
  const said = JSON.stringify(models);
  choice.hidden = models.length < 2;
  if (choice.dataset.models !== said) {
    choice.dataset.models = said;
    const options = models.map((one) => element("option", { value: one.key }, name(one)));
    const change = ({ target }) => {
      chosen = target.value;
      again();
    };
    choice.replaceChildren(
      element("label", { for: "profile-model" }, t("profile_model")),
      element("select", { id: "profile-model", on: { change } }, options),
    );
  }
  choice.querySelector("select").value = chosen ?? ALL;
}

function name({ key, about }) {
  const told = about ?? t("profile_everyone");
  return key === ALL ? told : t("profile_of_model", { name: key.slice(ALL.length + 1), about: told });
}

function whole(profile, { model, whom }) {
  const side = (direction) => profile.traits.filter((trait) => trait.direction === direction);
  // One scale for all bars: to the highest end of an interval, a little further, at most to all.
  const ends = [...profile.traits.map((trait) => trait.later.high), profile.later.rate];
  const scale = { end: Math.min(1, Math.max(...ends) * 1.05), base: profile.later.rate };
  return [
    summary(profile, { model, whom }),
    profile.missing && nothing(profile.missing),
    traits("profile_for", "for", side("for"), scale),
    traits("profile_against", "against", side("against"), scale),
    stated(profile),
    element(
      "details",
      { class: "card more" },
      element("summary", {}, t("profile_how")),
      element("p", { class: "small" }, t("profile_how_text", { count: number(profile.candidates) })),
      element("p", { class: "small" }, t("profile_cause")),
    ),
  ].filter(Boolean);
}

function summary({ later, later_from, earlier, learned_until }, { model, whom }) {
  const fact = (label, value) => element("div", {}, element("dt", {}, label), element("dd", {}, value));
  return element(
    "div",
    { class: "card summary" },
    element(
      "div",
      { class: "who" },
      element("h2", {}, t("profile_base", { rate: percent(later.rate), count: number(later.accounts) })),
      element("p", { class: "small" }, t("profile_base_interval", interval(later))),
      element(
        "dl",
        { class: "moments" },
        whom && fact(t("profile_model"), whom),
        fact(t("profile_found"), t("profile_found_on", { count: number(earlier.accounts) })),
        later_from && fact(t("profile_checked"), t("profile_checked_on", { count: number(later.accounts), date: day(later_from) })),
        fact(t("profile_until"), day(learned_until)),
        fact("", t("model", model)),
      ),
    ),
  );
}

function traits(title, tone, list, scale) {
  if (!list.length) return null;
  return element(
    "div",
    { class: `card traits ${tone}` },
    element("h2", {}, t(title)),
    element("p", { class: "small" }, t("profile_scale", { rate: percent(scale.base) })),
    element("ol", {}, list.map((trait) => row(trait, scale))),
  );
}

function row({ words, later, earlier }, scale) {
  return element(
    "li",
    {},
    element("p", { class: "sentence" }, words),
    ruler(later, scale),
    element(
      "p",
      { class: "figures" },
      element("strong", {}, percent(later.rate)),
      ` ${t("profile_of", { count: number(later.accounts) })}`,
      element("span", { class: "small" }, t("profile_interval", { ...interval(later), earlier: percent(earlier.rate), count: number(earlier.accounts) })),
    ),
  );
}

// The share as a bar, its interval as a line across its end, and the share of all as a mark.
function ruler({ rate, low, high }, { end, base }) {
  const place = (share) => `${(100 * share) / end}%`;
  const part = (name, left, width) => {
    const node = element("span", { class: name });
    node.style.left = left;
    if (width) node.style.width = width;
    return node;
  };
  return element(
    "span",
    { class: "ruler", "aria-hidden": "true" },
    part("fill", "0", place(rate)),
    part("spread", place(low), place(Math.min(high, end) - low)),
    part("mark", place(base)),
  );
}

function stated({ stated: list, stated_together: together, not_stated: missed }) {
  if (!list.length) {
    return element("div", { class: "card stated" }, element("h2", {}, t("profile_stated")), element("p", { class: "small" }, t("profile_none_stated")));
  }
  const line = ({ words, verdict, sentence }) =>
    element(
      "li",
      {},
      element("span", { class: `verdict ${verdict}` }, t(`verdict_${verdict}`)),
      element("div", {}, element("p", { class: "sentence" }, words), element("p", { class: "small" }, sentence)),
    );
  return element(
    "div",
    { class: "card stated" },
    element("h2", {}, t("profile_stated")),
    element("ul", {}, [...list, ...(together ? [together] : [])].map(line)),
    missed.length > 0 && element("p", { class: "notice" }, t("profile_missed", { traits: missed.join("; ") })),
  );
}

const interval = ({ low, high }) => ({ low: percent(low), high: percent(high) });

function nothing(reason) {
  return element("div", { class: "card empty" }, element("h2", {}, t("profile_none")), element("p", {}, reason));
}

function waiting() {
  const line = (size) => element("span", { class: `bone ${size}` });
  const block = () => element("div", { class: "card" }, line("short"), line(""), line("big"));
  return element("div", { class: "waiting", "aria-hidden": "true" }, block(), block());
}

function failure(problem, again) {
  const key = problem.offline ? "error_offline" : problem.status === 503 ? "error_503" : "error_other";
  return element(
    "div",
    { class: "card failure", role: "alert" },
    element("h2", {}, t(key)),
    problem.offline && element("p", {}, t("error_offline_text")),
    problem.detail && element("p", { class: "detail" }, problem.detail),
    element("button", { type: "button", class: "quiet", on: { click: again } }, t("retry")),
  );
}
