// What to search for: the seeds, the mode, the size, the weights, and who may not be found.

import * as api from "./api.js";
import { announce, element } from "./dom.js";
import { check, clearFaults, field, radios, showFaults, slider } from "./expand-fields.js";
import { keep } from "./expand-kept.js";
import { failure, told } from "./expand-problem.js";
import { rules } from "./expand-rules.js";
import { number, t } from "./i18n.js";
import { productField } from "./products.js";
import { seeds } from "./seeds.js";

const MODES = ["vertical", "horizontal", "intent"];
const PARTS = ["fit", "intent", "value"];
const LARGEST = 10_000;

export function ask(main, { draft, who }) {
  const title = element("div", { class: "head" }, element("h1", {}, t("expand_title")), element("p", {}, t("expand_lead")));
  if (who && !who.may_write.includes("lists")) return reader(main, title);
  const output = element("div", { class: "outcome" });
  const start = element("button", { type: "submit", class: "primary" }, t("expand_start"));
  const tally = element("p", { class: "small tally" });
  let from = null;
  // It may look companies up while it is made.
  from = seeds({ draft, changed: () => from && tell() });
  const form = element(
    "form",
    { class: "expand-form", novalidate: true, on: { submit: send } },
    from.node,
    element(
      "section",
      { class: "card form", "aria-labelledby": "search-title" },
      element("h2", { id: "search-title" }, element("span", { class: "step", "aria-hidden": "true" }, "2"), t("expand_search_title")),
      settings(),
      rules({ draft }),
      tally,
      output,
      start,
    ),
  );
  main.replaceChildren(title, form);
  tell();

  function tell() {
    const source = { own: null, all: t("seeds_all"), list: t("seeds_list"), filter: t("seeds_filter") }[draft.source];
    const count = draft.source === "own" ? from.request?.()?.account_ids?.length : null;
    const whom = source ?? (count ? t(count === 1 ? "seeds_count_one" : "seeds_count", { count: number(count) }) : t("expand_no_seeds"));
    tally.textContent = t("expand_tally", { seeds: whom, mode: t(`mode_${draft.mode}`), size: number(Number(draft.size) || 0) });
  }

  async function send(event) {
    event.preventDefault();
    clearFaults(form);
    output.replaceChildren();
    const chosen = from.request();
    if (!chosen) {
      const words = from.fault(draft) ?? t(draft.source === "list" ? "seeds_no_list" : "seeds_no_filter");
      output.replaceChildren(element("p", { class: "fault", role: "alert" }, words));
      from.node.querySelector("textarea, select, .seeds-source input")?.focus();
      return;
    }
    if (draft.mode === "horizontal" && !draft.product.trim()) {
      showFaults(form, [{ field: "product", what: t("expand_no_product") }]);
      return;
    }
    start.disabled = true;
    start.textContent = t("expand_starting");
    try {
      const found = await begin({ ...chosen, ...request(draft) });
      announce(t("expand_started"));
      location.hash = `#/expand/${encodeURIComponent(found.id)}`;
    } catch (problem) {
      const errors = showFaults(form, told(problem).errors);
      output.replaceChildren(failure({ ...problem, errors }));
    } finally {
      start.disabled = false;
      start.textContent = t("expand_start");
    }
  }

  function settings() {
    const set = (name) => (value) => {
      draft[name] = value;
      keep();
      tell();
    };
    const product = productField({ label: t("expand_product"), value: draft.product, set: set("product"), hint: t("expand_product_hint") });
    const blend = weights({ draft });
    const byMode = () => {
      product.hidden = draft.mode !== "horizontal";
      blend.hidden = draft.mode === "intent";
    };
    const mode = radios({
      legend: t("expand_mode"),
      name: "mode",
      value: draft.mode,
      set: (value) => {
        set("mode")(value);
        byMode();
      },
      options: MODES.map((each) => [each, t(`mode_${each}`), t(`mode_${each}_text`)]),
    });
    byMode();
    const size = slider({ label: t("expand_size"), value: draft.size, set: set("size"), min: 10, max: LARGEST, log: true, exact: true, path: "size", hint: t("expand_size_hint") });
    return [
      mode,
      product,
      size.node,
      blend,
      check({ label: t("expand_leave_customers"), value: draft.leave_customers_out, set: set("leave_customers_out"), path: "leave_customers_out", hint: t("expand_leave_customers_hint") }),
      element(
        "details",
        { class: "more" },
        element("summary", {}, t("expand_more")),
        field({ label: t("expand_label_rate"), value: draft.label_rate, set: set("label_rate"), path: "label_rate", type: "number", min: 0, max: 100, step: "any", inputmode: "decimal", hint: t("expand_label_rate_hint") }),
      ),
    ];
  }

  return { leave: from.leave };
}

// What somebody may not do is not offered, and said.
function reader(main, title) {
  const link = (href, words) => element("a", { class: "quiet button", href }, t(words));
  main.replaceChildren(
    title,
    element("section", { class: "card form" }, element("p", { class: "notice" }, t("expand_reader")), element("p", { class: "actions" }, link("#/lists", "nav_lists"), link("#/plan", "nav_plan"))),
  );
  return null;
}

// Sliders of what counts, with the share of each beside it.
function weights({ draft }) {
  const sliders = {};
  const share = (part) => {
    const sum = PARTS.reduce((total, each) => total + draft.weights[each], 0);
    return sum ? draft.weights[part] / sum : 0;
  };
  const shown = (part) => () => t("expand_share", { share: number(100 * share(part), Number.isInteger(Math.round(1_000 * share(part)) / 10) ? 0 : 1) });
  for (const part of PARTS) {
    sliders[part] = slider({
      label: t(`weigh_${part}`),
      value: draft.weights[part],
      set: (value) => {
        draft.weights[part] = value;
        keep();
        for (const each of PARTS) sliders[each]?.show(draft.weights[each]);
        warn();
      },
      min: 0,
      max: 100,
      step: 5,
      shown: shown(part),
      hint: t(`weigh_${part}_text`),
      path: `weights.${part}`,
    });
  }
  const warning = element("p", { class: "fault", role: "alert" });
  const warn = () => {
    const nothing = PARTS.every((part) => !draft.weights[part]);
    warning.textContent = nothing ? t("expand_no_weight") : "";
    warning.hidden = !nothing;
  };
  warn();
  return element("fieldset", { class: "weights" }, element("legend", {}, t("expand_weights")), PARTS.map((part) => sliders[part].node), warning);
}

// What is asked for, beside the seeds. Likeness alone needs no weights.
function request({ mode, product, size, weights: chosen, leave_customers_out, label_rate }) {
  const blended = mode !== "intent" && (chosen.intent > 0 || chosen.value > 0 || !chosen.fit);
  const rate = String(label_rate).trim();
  return {
    mode,
    product: mode === "horizontal" ? product.trim() || null : null,
    size: size === "" ? null : size,
    weights: blended ? Object.fromEntries(PARTS.map((part) => [part, chosen[part] / 100])) : null,
    leave_customers_out,
    label_rate: rate ? Number(rate) / 100 : null,
  };
}

let last = { text: null, key: null };

// Starts a search; the same one again after a lost answer is the same search, not a second one.
export async function begin(body) {
  const text = JSON.stringify(body);
  if (last.text !== text) last = { text, key: crypto.randomUUID() };
  const found = await api.post("/v1/jobs/expand", body, { headers: { "Idempotency-Key": last.key } });
  last = { text: null, key: null };
  return found;
}
