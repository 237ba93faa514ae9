// Fields of the forms of expansions and plans: each with its label, its hint, and a place for what is wrong with it.

import { element } from "./dom.js";

let made = 0;
export const identifier = (stem) => `${stem}-${(made += 1)}`;

// A text or number field. set: called with what was typed. path: the field's name in a request, so that a fault that
// the service tells finds its place.
export function field({ label, value, set, path, hint = null, type = "text", ...rest }) {
  const id = identifier("field");
  const input = element(type === "area" ? "textarea" : "input", {
    id,
    type: type === "area" ? null : type,
    "data-path": path,
    "aria-describedby": hint ? `${id}-hint` : null,
    autocomplete: "off",
    spellcheck: "false",
    on: { input: () => set(input.value) },
    ...rest,
  });
  input.value = value ?? "";
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label),
    input,
    hint && element("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}

export function choice({ label, value, set, path, options, hint = null }) {
  const id = identifier("choice");
  const items = options.map(([key, words]) => element("option", { value: key }, words));
  const select = element("select", { id, "data-path": path, "aria-describedby": hint ? `${id}-hint` : null, on: { change: () => set(select.value) } }, items);
  select.value = value ?? "";
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label),
    select,
    hint && element("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}

export function check({ label, value, set, path, hint = null }) {
  const id = identifier("check");
  const input = element("input", { id, type: "checkbox", "data-path": path, checked: value, on: { change: () => set(input.checked) } });
  return element(
    "div",
    { class: "check" },
    input,
    element("label", { for: id }, label, hint && element("span", { class: "hint" }, hint)),
  );
}

// One of a few, each with a sentence that says what it means.
export function radios({ legend, name, value, set, options, kind = "options" }) {
  const stem = identifier(name);
  const one = ([key, words, about]) => {
    const id = `${stem}-${key}`;
    const input = element("input", {
      id,
      type: "radio",
      name: stem,
      value: key,
      checked: key === value,
      "aria-describedby": about ? `${id}-about` : null,
      on: { change: () => set(key) },
    });
    return element(
      "div",
      { class: "option" },
      input,
      element("label", { for: id }, words),
      about && element("p", { class: "hint", id: `${id}-about` }, about),
    );
  };
  return element("fieldset", { class: kind }, element("legend", {}, legend), options.map(one));
}

// A slider with its figure beside it; the figure can be typed too where `exact` is asked for.
export function slider({ label, value, set, min, max, step = 1, shown, path, hint = null, exact = false, log = false }) {
  const id = identifier("slider");
  const places = 1_000;
  const toPlace = (amount) => (log ? (places * Math.log(Math.max(amount, min) / min)) / Math.log(max / min) : amount);
  const fromPlace = (place) => (log ? rounded(min * (max / min) ** (place / places)) : place);
  const range = element("input", {
    id,
    type: "range",
    min: log ? 0 : min,
    max: log ? places : max,
    step: log ? 1 : step,
    "aria-describedby": hint ? `${id}-hint` : null,
    on: { input: () => change(fromPlace(Number(range.value)), range) },
  });
  const typed = exact
    ? element("input", { class: "figure", type: "number", min, step: "any", "aria-label": label, "data-path": path, on: { input: () => change(typed.value === "" ? "" : Number(typed.value), typed) } })
    : null;
  const output = element("output", { for: id, class: "figure" });

  function change(amount, from) {
    show(amount, from);
    set(amount);
  }

  function show(amount, from = null) {
    if (from !== range) range.value = toPlace(Number(amount) || 0);
    if (typed && from !== typed) typed.value = amount;
    const words = shown ? shown(amount) : String(amount);
    range.setAttribute("aria-valuetext", words);
    output.textContent = words;
  }

  show(value);
  const node = element(
    "div",
    { class: "field slider" },
    element("label", { for: id }, label),
    range,
    typed ?? output,
    hint && element("p", { class: "hint", id: `${id}-hint` }, hint),
  );
  return { node, show };
}

// Two figures that count, as people write them.
function rounded(amount) {
  if (amount < 100) return Math.round(amount);
  const unit = 10 ** (Math.floor(Math.log10(amount)) - 1);
  return Math.round(amount / unit) * unit;
}

// Puts each fault that the service tells beside its field, and gives back those that have none here.
export function showFaults(node, errors) {
  clearFaults(node);
  const left = errors.filter((error) => {
    const input = node.querySelector(`[data-path="${CSS.escape(error.field)}"]`);
    if (input) blame(input, [error.what, error.allowed && `(${error.allowed})`, error.fix].filter(Boolean).join(" · "));
    return !input;
  });
  node.querySelector("[aria-invalid=true]")?.closest("details")?.setAttribute("open", "");
  node.querySelector("[aria-invalid=true]")?.focus();
  return left;
}

export function blame(input, text) {
  const id = identifier("fault");
  const hint = input.getAttribute("aria-describedby");
  input.dataset.hint = hint ?? "";
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", hint ? `${id} ${hint}` : id);
  input.closest(".field, .check, fieldset").append(element("p", { class: "fault", id }, text));
}

export function clearFaults(node) {
  for (const input of node.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    if (input.dataset.hint) input.setAttribute("aria-describedby", input.dataset.hint);
    else input.removeAttribute("aria-describedby");
  }
  for (const note of node.querySelectorAll(".fault")) note.remove();
}
