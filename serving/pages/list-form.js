// A new list, and the facts of one that exists: name, owner, purpose, size, segments and goals. What is typed stays
// in this tab until it is stored.

import { announce, element } from "./dom.js";
import { t } from "./i18n.js";
import * as api from "./list-api.js";
import { since } from "./list-dialog.js";
import { drafts } from "./list-drafts.js";
import { button, told } from "./list-parts.js";

const METRICS = [
  "win_rate", "deal_size", "funnel_velocity", "pipeline", "share_of_pipeline", "engagement", "coverage",
  "awareness", "reach", "influence", "meetings", "opportunities", "customers",
];
const BASES = ["funnel_stage", "industry", "competitive_situation", "size", "territory", "other"];

export function show(main, { who }) {
  const head = element(
    "div",
    { class: "head" },
    element("p", { class: "crumbs" }, element("a", { href: "#/lists" }, t("nav_lists"))),
    element("h1", { tabindex: "-1" }, t("l_new")),
    element("p", {}, t("l_new_lead")),
  );
  if (!api.mayWrite(who)) {
    main.replaceChildren(head, element("p", { class: "notice" }, t("l_viewer")));
    return;
  }
  const stored = (made) => {
    announce(t("l_made", { name: made.name }));
    location.hash = `#/lists/${made.id}`;
  };
  main.replaceChildren(
    head,
    form({
      name: "new",
      values: { owner: who?.kind === "person" ? who.name : "", pilot: true, size: 500, segments: [], goals: [] },
      submit: t("l_create"),
      send: (body) => api.create(body),
      stored,
    }),
  );
}

// The facts of a list that exists. Somebody else's change meanwhile is shown, and can be written over knowingly.
export function editing({ detail, stored }) {
  const { target_list: list } = detail;
  let revision = list.revision;
  const name = `${list.id}-${list.revision}`;
  return form({
    name,
    values: { ...list },
    submit: t("l_store"),
    send: ({ pilot, ...body }) => api.edit(list.id, { ...body, ...(pilot === list.pilot ? {} : { pilot }), revision }),
    conflict: async () => {
      const seen = revision;
      revision = (await api.list(list.id)).target_list.revision;
      return since(list.id, seen);
    },
    stored,
  });
}

function form({ name, values: given, submit, send, stored, conflict }) {
  const values = { ...given, ...drafts.read(name) };
  const notice = element("div", { "aria-live": "assertive" });
  const go = element("button", { type: "submit", class: "primary" }, submit);
  const fields = basics(values);
  const segments = rows({ title: "l_segments", hint: "l_segments_hint", add: "l_add_segment", some: values.segments, make: segment });
  const goals = rows({ title: "l_goals", hint: "l_goals_hint", add: "l_add_goal", some: values.goals, make: (one, mark) => goal(one, mark, segments) });

  const body = () => ({ ...fields.values(), segments: segments.values(), goals: goals.values() });
  const trial = async (event) => {
    event.preventDefault();
    const missing = [fields, segments, goals].map((part) => part.check()).find(Boolean);
    if (missing) {
      missing.focus();
      return;
    }
    go.disabled = true;
    notice.replaceChildren();
    try {
      const answer = await send(body());
      drafts.forget(name);
      stored(answer);
    } catch (problem) {
      if (!("errors" in problem)) throw problem;
      const parts = [...told(problem)];
      if (problem.status === 409 && conflict) {
        const more = await conflict().catch(() => null);
        parts.unshift(element("h2", {}, t("l_conflict")));
        parts.push(...[more, element("p", {}, t("l_conflict_go_on"))].filter(Boolean));
        go.textContent = t("l_all_the_same", { action: submit });
      }
      notice.replaceChildren(element("div", { class: "card failure inset", role: "alert" }, ...parts));
      const wrong = fields.mark(problem.errors ?? []);
      (wrong ?? go).focus();
    } finally {
      go.disabled = false;
    }
  };
  const keep = () => drafts.keep(name, body());
  return element(
    "form",
    { class: "card form list-form", novalidate: true, on: { submit: trial, input: keep, change: keep, rows: keep } },
    fields.node,
    segments.node,
    goals.node,
    notice,
    element("div", { class: "form-actions" }, go),
  );
}

function labelled(id, label, input, hint) {
  const fault = element("p", { class: "fault", id: `${id}-fault` });
  input.id = id;
  input.setAttribute("aria-describedby", `${id}-fault`);
  const node = element("div", { class: "field" }, element("label", { for: id }, label), input, hint && element("p", { class: "hint" }, hint), fault);
  const say = (text) => {
    fault.textContent = text ?? "";
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    return text ? input : null;
  };
  return { node, input, say };
}

const typed = (value, more = {}) => {
  const input = element("input", { type: "text", maxlength: 200, autocomplete: "off", ...more });
  input.value = value ?? "";
  return input;
};

const chosen = (value, options) => {
  const input = element("select", {}, options.map(([key, label]) => element("option", { value: key }, label)));
  input.value = value ?? options[0][0];
  return input;
};

function basics(values) {
  const area = element("textarea", { rows: 3, maxlength: 4000 });
  area.value = values.purpose ?? "";
  const own = {
    name: labelled("list-name", t("l_name"), typed(values.name, { required: true })),
    owner: labelled("list-owner", t("l_owner"), typed(values.owner, { required: true }), t("l_owner_hint")),
    purpose: labelled("list-purpose", t("l_purpose"), area),
    pilot: labelled("list-pilot", t("l_pilot"), chosen(String(values.pilot ?? true), [["true", t("l_pilot_yes")], ["false", t("l_pilot_no")]]), t("l_pilot_hint")),
    sub_industry: labelled("list-industry", t("l_optional", { label: t("l_sub_industry") }), typed(values.sub_industry), t("l_sub_industry_hint")),
    size: labelled("list-size", t("l_size"), typed(values.size ?? 500, { type: "number", min: 1, max: 1000000, inputmode: "numeric" })),
  };
  const isPilot = () => own.pilot.input.value === "true";
  const adapt = () => {
    own.sub_industry.node.hidden = !isPilot();
    own.size.node.hidden = isPilot();
  };
  own.pilot.input.addEventListener("change", adapt);
  adapt();
  const text = (name) => own[name].input.value.trim();
  return {
    node: element(
      "div",
      { class: "form" },
      element("div", { class: "grid" }, own.name.node, own.owner.node),
      own.purpose.node,
      element("div", { class: "grid" }, own.pilot.node, own.sub_industry.node, own.size.node),
    ),
    values: () => ({
      name: text("name"),
      owner: text("owner"),
      purpose: text("purpose"),
      pilot: isPilot(),
      ...(isPilot() ? { sub_industry: text("sub_industry") || null } : { size: Number(text("size")) }),
    }),
    check: () => {
      const faults = ["name", "owner", "purpose"].map((name) => own[name].say(text(name) ? null : t("l_fill")));
      const whole = isPilot() || (/^[0-9]+$/.test(text("size")) && Number(text("size")) > 0);
      return [...faults, own.size.say(whole ? null : t("l_whole"))].find(Boolean);
    },
    mark: (errors) =>
      errors.map((one) => own[one.field]?.say([one.what, one.fix].filter(Boolean).join("; "))).find(Boolean),
  };
}

// Rows that are added and removed: segments, goals.
function rows({ title, hint, add, some, make }) {
  const list = element("ol", { class: "rows" });
  let made = [];
  let count = 0;
  const changed = () => list.dispatchEvent(new CustomEvent("rows", { bubbles: true }));
  const append = (values) => {
    const one = make(values, `${title}-${++count}`);
    const item = element("li", {}, one.node);
    const remove = button(
      "×",
      () => {
        made = made.filter((other) => other !== one);
        item.remove();
        changed();
        more.focus();
      },
      { tone: "remove", "aria-label": `${t("l_remove")}: ${t(title)} ${count}` },
    );
    item.append(remove);
    list.append(item);
    made.push(one);
    return one;
  };
  const more = button(t(add), () => {
    append({}).first.focus();
    changed();
  });
  for (const values of some ?? []) append(values);
  return {
    node: element("fieldset", { class: "rows-field" }, element("legend", {}, t(title)), element("p", { class: "hint" }, t(hint)), list, more),
    values: () => made.map((one) => one.values()),
    check: () => made.map((one) => one.check()).find(Boolean),
    names: () => made.map((one) => one.values().name).filter(Boolean),
  };
}

function segment(values, mark) {
  // What the machine has named is no choice of people, and stays where it is.
  const bases = values.basis === "suggested" ? [...BASES, "suggested"] : BASES;
  const name = labelled(`${mark}-name`, t("l_name"), typed(values.name));
  const basis = labelled(`${mark}-basis`, t("l_basis"), chosen(values.basis ?? "industry", bases.map((one) => [one, t(`basis_${one}`)])));
  return {
    node: element("div", { class: "grid" }, name.node, basis.node),
    first: name.input,
    values: () => ({ name: name.input.value.trim(), basis: basis.input.value, description: values.description ?? null }),
    check: () => name.say(name.input.value.trim() ? null : t("l_fill")),
  };
}

function goal(values, mark, segments) {
  const metric = labelled(`${mark}-metric`, t("l_metric"), chosen(values.metric, METRICS.map((one) => [one, t(`metric_${one}`)])));
  const of = typed(values.segment, { list: `${mark}-names` });
  const names = element("datalist", { id: `${mark}-names` });
  of.addEventListener("focus", () => names.replaceChildren(...segments.names().map((one) => element("option", { value: one }))));
  const part = labelled(`${mark}-segment`, t("l_optional", { label: t("l_segment") }), of);
  const figure = (name, value) => labelled(`${mark}-${name}`, t(`l_${name}`), typed(value, { inputmode: "decimal" }));
  const baseline = figure("baseline", values.baseline);
  const target = figure("target", values.target);
  const unit = labelled(`${mark}-unit`, t("l_unit"), chosen(values.unit ?? "percent_change", [["percent_change", t("unit_percent_change")], ["absolute", t("unit_absolute")]]));
  const date = labelled(`${mark}-date`, t("l_date"), typed(values.date, { type: "date" }));
  const figureOf = ({ input }) => (input.value.trim() === "" ? null : Number(input.value.trim().replace(",", ".")));
  return {
    node: element("div", { class: "grid goal" }, metric.node, part.node, unit.node, baseline.node, target.node, date.node, names),
    first: metric.input,
    values: () => ({
      metric: metric.input.value,
      segment: part.input.value.trim() || null,
      baseline: figureOf(baseline),
      target: figureOf(target),
      unit: unit.input.value,
      date: date.input.value,
    }),
    check: () =>
      [
        baseline.say(Number.isNaN(figureOf(baseline)) ? t("l_a_number") : null),
        target.say(figureOf(target) === null || Number.isNaN(figureOf(target)) ? t("l_a_number") : null),
        date.say(date.input.value ? null : t("l_fill")),
      ].find(Boolean),
  };
}
