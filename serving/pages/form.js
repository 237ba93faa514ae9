// The form: a known account by identifier or domain, or one described by hand. It makes the request of POST /v1/score.

import * as api from "./api.js";
import { element } from "./dom.js";
import { t } from "./i18n.js";

const FACTS = ["name", "industry", "country", "employees", "annual_revenue", "founded_year"];
const NUMBERS = new Set(["employees", "annual_revenue", "founded_year"]);
const DOMAIN = /^(?:[\w-]+\.)+[a-z]{2,}$/i;
let names = 0;

export function form({ facts, kept, submit }) {
  const draft = (kept.draft ??= { who: "", as_of: "", record: {}, attributes: {}, activities: [] });
  const panels = { known: known({ facts, draft }), by_hand: byHand({ facts, draft }) };
  const button = element("button", { type: "submit", class: "primary" }, t("submit"));
  const panelHolder = element("div", { class: "panel" });
  const ways = tabs({ kept, choose: (way) => panelHolder.replaceChildren(panels[way].node) });
  panelHolder.replaceChildren(panels[kept.way].node);
  const asOf = asOfField({ facts, draft });
  const node = element(
    "form",
    { class: "card form", novalidate: true, on: { submit: send } },
    ways,
    panelHolder,
    asOf.node,
    button,
  );

  function send(event) {
    event.preventDefault();
    clearErrors();
    const request = panels[kept.way].request();
    if (!request) return;
    submit({ ...request, ...(draft.as_of ? { as_of: `${draft.as_of}T00:00:00Z` } : {}) });
  }

  function clearErrors() {
    for (const input of node.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    for (const note of node.querySelectorAll(".fault")) note.remove();
  }

  // Put each fault beside its field; what has no field here is returned.
  function showErrors(errors) {
    const left = errors.filter((error) => {
      const path = error.field.replace(/^record\.(account\.)?/, "");
      const input = node.querySelector(`[data-path="${CSS.escape(path)}"]`);
      if (input) blame(input, [error.what, error.fix].filter(Boolean).join("; "));
      return !input;
    });
    node.querySelector("[aria-invalid=true]")?.focus();
    return left;
  }

  const busy = (yes) => {
    button.disabled = yes;
    button.textContent = yes ? t("working") : t("submit");
  };
  const name = (who) => {
    draft.who = who;
    const input = node.querySelector("[data-path=account_id]");
    if (input) input.value = who;
  };
  return { node, clearErrors, showErrors, busy, name };
}

function blame(input, text) {
  const id = `${input.id}-fault`;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", id);
  input.closest(".field").append(element("p", { class: "fault", id }, text));
}

function tabs({ kept, choose }) {
  const radio = (way) => {
    const input = element("input", {
      type: "radio",
      name: "way",
      value: way,
      checked: kept.way === way,
      on: {
        change: () => {
          kept.way = way;
          choose(way);
        },
      },
    });
    return element("label", { class: "tab" }, input, element("span", {}, t(way)));
  };
  return element("fieldset", { class: "tabs" }, element("legend", { class: "unseen" }, t("how")), radio("known"), radio("by_hand"));
}

// A labelled input that writes to `holder[key]` as it is typed.
function field({ label, hint, holder, key, path = key, type = "text", options, list, ...rest }) {
  const id = `field-${++names}`;
  const hintId = hint ? `${id}-hint` : null;
  const remember = (event) => (holder[key] = event.target.value);
  const common = { id, "data-path": path, "aria-describedby": hintId, on: { input: remember, change: remember }, ...rest };
  const input = options
    ? element("select", common, options.map(([value, text]) => element("option", { value, selected: holder[key] === value }, text)))
    : element("input", { type, autocomplete: "off", list: list?.length ? `${id}-list` : null, ...common });
  if (!options) input.value = holder[key] ?? "";
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label),
    input,
    list?.length && element("datalist", { id: `${id}-list` }, list.map((value) => element("option", { value }))),
    hint && element("p", { class: "hint", id: hintId }, hint),
  );
}

function known({ facts, draft }) {
  const examples = facts?.examples ?? [];
  const example = examples.map((each) => each.domain ?? each.account_id)[0];
  const who = field({
    label: t("who"),
    hint: example ? t("who_hint", { example }) : null,
    holder: draft,
    key: "who",
    path: "account_id",
    spellcheck: "false",
    autocapitalize: "none",
    required: true,
  });
  const input = who.querySelector("input");
  const chips = examples.map((each) =>
    element("button", { type: "button", class: "chip", title: each.account_id, on: { click: () => fill(each.account_id) } }, each.name ?? each.account_id),
  );
  function fill(value) {
    input.value = draft.who = value;
    input.form.requestSubmit();
  }
  function request() {
    const value = draft.who.trim();
    if (!value) {
      blame(input, t("fill_who"));
      input.focus();
      return null;
    }
    return DOMAIN.test(value) ? { domain: value } : { account_id: value };
  }
  return {
    node: element("div", {}, who, chips.length > 0 && element("div", { class: "chips" }, element("span", { class: "chips-label" }, t("try")), chips)),
    request,
  };
}

function asOfField({ facts, draft }) {
  const node = field({ label: t("as_of"), hint: t("as_of_hint"), holder: draft, key: "as_of", type: "date" });
  const through = facts?.data_through;
  if (through) {
    // The midnight after the newest fact, but never tomorrow's.
    const next = new Date(new Date(through).getTime() + 86_400_000).toISOString().slice(0, 10);
    const today = new Date().toISOString().slice(0, 10);
    const day = next < today ? next : today;
    const input = node.querySelector("input");
    const set = () => (input.value = draft.as_of = day);
    node.querySelector("label").after(element("button", { type: "button", class: "chip beside", on: { click: set } }, `${t("end_of_data")}: ${day}`));
  }
  return { node };
}

function byHand({ facts, draft }) {
  const levels = facts?.levels ?? {};
  const activities = activityList({ facts, draft });
  const attributes = element("div", { class: "grid" });
  const more = element("details", { class: "more", hidden: true }, element("summary", {}, t("more_fields")), attributes);
  const described = describeAttributes({ draft, attributes, more });
  const inputs = FACTS.map((key) =>
    field({ label: t(key), holder: draft.record, key, list: levels[key], inputmode: NUMBERS.has(key) ? "decimal" : null }),
  );
  const technologies = field({ label: t("technologies"), hint: t("technologies_hint"), holder: draft.record, key: "technologies" });
  const node = element(
    "div",
    {},
    element("fieldset", {}, element("legend", {}, t("company")), element("div", { class: "grid" }, inputs), technologies, more),
    activities.node,
    element("button", { type: "button", class: "quiet", on: { click: example } }, t("fill_example")),
  );
  function example() {
    Object.assign(draft.record, { name: "Northwind Traders", industry: levels.industry?.[0] ?? "software", country: levels.country?.[0] ?? "DE", employees: "420", founded_year: "2009" });
    const channels = (facts?.channels ?? []).filter((channel) => /web|visit|page|usage|trial|event/.test(channel));
    draft.activities = [3, 9, 16].map((days, index) => ({
      channel: channels[index % Math.max(channels.length, 1)] ?? facts?.channels?.[0] ?? "web_visit",
      direction: "inbound",
      day: new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10),
      minutes: String(12 + 9 * index),
    }));
    for (const input of node.querySelectorAll("fieldset [data-path]")) {
      if (input.dataset.path in draft.record) input.value = draft.record[input.dataset.path];
    }
    activities.redraw();
  }
  return { node, request: () => ({ record: record(draft, described) }) };
}

// The declared attributes are in the API document, under their own types.
function describeAttributes({ draft, attributes, more }) {
  const described = {};
  api.documentation().then((document_) => {
    const properties = document_.components.schemas.Attributes?.properties ?? {};
    Object.assign(described, properties);
    attributes.replaceChildren(
      ...Object.entries(properties).map(([key, schema]) =>
        field({
          label: schema.description.replace(/\.$/, ""),
          holder: draft.attributes,
          key,
          path: `attributes.${key}`,
          type: schema.format === "date-time" ? "date" : "text",
          inputmode: schema.type === "number" ? "decimal" : null,
          options: schema.type === "boolean" ? [["", t("unknown")], ["true", t("yes")], ["false", t("no")]] : undefined,
        }),
      ),
    );
    more.hidden = Object.keys(properties).length === 0;
  }, () => {});
  return described;
}

function activityList({ facts, draft }) {
  const list = element("ol", { class: "activities" });
  const add = element("button", { type: "button", class: "quiet", on: { click: append } }, `+ ${t("add_activity")}`);
  const node = element("fieldset", {}, element("legend", {}, t("activities")), list, add);
  const today = () => new Date().toISOString().slice(0, 10);
  function append() {
    draft.activities.push({ channel: facts?.channels?.[0] ?? "web_visit", direction: "inbound", day: today(), minutes: "" });
    redraw();
    list.lastElementChild.querySelector("input, select").focus();
  }
  function remove(position) {
    draft.activities.splice(position, 1);
    redraw();
    add.focus();
  }
  function redraw() {
    if (!draft.activities.length) return list.replaceChildren(element("li", { class: "none" }, t("no_activities")));
    list.replaceChildren(...draft.activities.map((holder, position) => row(holder, position)));
  }
  function row(holder, position) {
    const number = position + 1;
    const path = `activities[${position}]`;
    const directions = ["inbound", "mutual", "outbound"].map((value) => [value, t(value)]);
    return element(
      "li",
      { role: "group", "aria-label": t("activity", { number }) },
      field({ label: t("channel"), holder, key: "channel", path: `${path}.channel`, list: facts?.channels }),
      field({ label: t("direction"), holder, key: "direction", path: `${path}.direction`, options: directions }),
      field({ label: t("day"), holder, key: "day", path: `${path}.occurred_at`, type: "date", max: today() }),
      field({ label: t("minutes"), holder, key: "minutes", path: `${path}.seconds`, inputmode: "decimal" }),
      element("button", { type: "button", class: "remove", "aria-label": t("remove", { number }), on: { click: () => remove(position) } }, "×"),
    );
  }
  redraw();
  return { node, redraw };
}

// A number when it reads as one; otherwise the text itself, so that the service says what is wrong with it.
const numeric = (text) => (text.trim() === "" || Number.isNaN(Number(text)) ? text.trim() : Number(text));
const members = (text) => text.split(",").map((each) => each.trim()).filter(Boolean);
const filled = (values) => Object.entries(values).filter(([, value]) => String(value ?? "").trim() !== "");

function record(draft, described) {
  const { technologies, ...facts } = draft.record;
  const account = Object.fromEntries(filled(facts).map(([key, value]) => [key, NUMBERS.has(key) ? numeric(value) : value.trim()]));
  if (technologies?.trim()) account.technologies = members(technologies);
  const attributes = Object.fromEntries(filled(draft.attributes).map(([key, value]) => [key, typed(value, described[key] ?? {})]));
  if (Object.keys(attributes).length) account.attributes = attributes;
  const activities = draft.activities.map(({ channel, direction, day, minutes }) => ({
    channel: channel.trim(),
    direction,
    occurred_at: `${day}T00:00:00Z`,
    ...(minutes.trim() ? { seconds: seconds(minutes) } : {}),
  }));
  return { account, ...(activities.length ? { activities } : {}) };
}

function typed(value, schema) {
  if (schema.type === "number") return numeric(value);
  if (schema.type === "boolean") return value === "true";
  if (schema.type === "array") return members(value);
  return schema.format === "date-time" ? `${value}T00:00:00Z` : value.trim();
}

function seconds(minutes) {
  const value = numeric(minutes);
  return typeof value === "number" ? Math.round(value * 60) : value;
}
