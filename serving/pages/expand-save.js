// From a result to a list: a new one, or another draw of one that there is. What was entered stays until it is done,
// and a list that was made before its draw failed is drawn, not made twice.

import * as api from "./api.js";
import { announce, element } from "./dom.js";
import { check, choice, clearFaults, field, radios, showFaults } from "./expand-fields.js";
import { keep } from "./expand-kept.js";
import { failure, reason, told, waiting } from "./expand-problem.js";
import { rules } from "./expand-rules.js";
import { names, rulesOf } from "./expand-rules-data.js";
import { number, t } from "./i18n.js";
import { listsToChoose } from "./seeds.js";

const KINDS = ["refresh", "rebuild", "redraw"];

export function save(main, { id, draft, who }) {
  const ended = new AbortController();
  const form = element("div", { class: "save-form" }, waiting(1));
  const back = `#/expand/${encodeURIComponent(id)}`;
  main.replaceChildren(
    element(
      "div",
      { class: "head choosing" },
      element("div", {}, element("h1", {}, t("save_title")), element("p", {}, t("save_lead"))),
      element("a", { class: "quiet button", href: back }, t("save_back")),
    ),
    form,
  );
  open();
  return { leave: () => ended.abort() };

  async function open() {
    try {
      const [found, lists] = await Promise.all([api.call(`/v1/expansions/${encodeURIComponent(id)}`, { signal: ended.signal }), listsToChoose()]);
      if (found.state !== "done") {
        location.hash = back;
        return;
      }
      form.replaceChildren(fields({ found, lists: lists.filter(({ state }) => state !== "archived"), draft, who, back }));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      form.replaceChildren(failure(told(problem), { again: open }));
    }
  }
}

function fields({ found, lists, draft, who, back }) {
  const { save: kept } = draft;
  if (kept.expansion !== found.id) Object.assign(kept, { expansion: found.id, made: null, keys: {} });
  const set = (name) => (value) => {
    kept[name] = value;
    keep();
  };
  const own = newList({ kept, set, found, who, draft });
  const other = otherList({ kept, set, lists });
  if (!lists.length) kept.way = "new";
  const show = () => {
    own.hidden = kept.way !== "new";
    other.hidden = kept.way === "new";
  };
  const output = element("div", { class: "outcome" });
  const submit = element("button", { type: "submit", class: "primary" }, t("save_submit"));
  const form = element(
    "form",
    { class: "card form", novalidate: true, on: { submit: send } },
    lists.length > 0 &&
      radios({
        legend: t("save_where"),
        name: "way",
        value: kept.way,
        kind: "pills",
        set: (way) => {
          set("way")(way);
          show();
        },
        options: [["new", t("save_new")], ["existing", t("save_existing")]],
      }),
    own,
    other,
    output,
    submit,
  );
  show();
  return form;

  async function send(event) {
    event.preventDefault();
    clearFaults(form);
    output.replaceChildren();
    submit.disabled = true;
    submit.textContent = t("save_working");
    try {
      const drawn = await (kept.way === "new" ? drawNew : drawOther)({ kept, draft, found, who });
      kept.made = null;
      kept.keys = {};
      keep();
      form.replaceWith(done(drawn, back));
      document.getElementById("saved-title").focus();
      announce(t("save_done", { count: number(drawn.targets), name: drawn.target_list.name }));
    } catch (problem) {
      const errors = showFaults(form, told(problem).errors);
      output.replaceChildren(failure({ ...problem, errors }), ...(kept.made ? [element("p", { class: "notice" }, t("save_made"))] : []));
      if (problem.status === 409) changed(problem);
    } finally {
      submit.disabled = false;
      submit.textContent = t("save_submit");
    }
  }

  // Somebody else was there: the next try is on what the list is now, if this person still wants it.
  function changed() {
    kept.keys = {};
    output.append(element("p", { class: "notice" }, t("save_conflict")));
  }
}

function newList({ kept, set, found, who, draft }) {
  const size = field({ label: t("save_size"), value: kept.size || found.result.accounts, set: set("size"), path: "size", type: "number", min: 1, inputmode: "numeric" });
  const industry = field({ label: t("save_industry"), value: kept.sub_industry, set: set("sub_industry"), path: "sub_industry", hint: t("save_industry_hint") });
  const show = () => {
    size.hidden = kept.pilot;
    industry.hidden = !kept.pilot;
  };
  show();
  kept.owner ||= who?.kind === "person" ? who.name : "";
  return element(
    "div",
    { class: "form" },
    element(
      "div",
      { class: "grid" },
      field({ label: t("save_name"), value: kept.name, set: set("name"), path: "name", hint: t("save_name_hint"), maxlength: 200 }),
      field({ label: t("save_owner"), value: kept.owner, set: set("owner"), path: "owner", hint: t("save_owner_hint"), maxlength: 200 }),
    ),
    field({ label: t("save_purpose"), value: kept.purpose, set: set("purpose"), path: "purpose", type: "area", rows: 2, hint: t("save_purpose_hint") }),
    check({
      label: t("save_pilot"),
      value: kept.pilot,
      path: "pilot",
      hint: t("save_pilot_hint"),
      set: (value) => {
        set("pilot")(value);
        show();
      },
    }),
    element("div", { class: "grid" }, industry, size),
    rules({ draft }),
  );
}

function otherList({ kept, set, lists }) {
  if (!lists.some(({ id }) => id === Number(kept.list_id))) kept.list_id = lists[0]?.id ?? "";
  const kinds = radios({ legend: t("save_kind"), name: "kind", value: kept.kind, set: set("kind"), options: KINDS.map((kind) => [kind, t(`save_kind_${kind}`), t(`save_kind_${kind}_text`)]) });
  const show = () => (kinds.hidden = isNew(lists, kept));
  const options = lists.map(({ id, name, state, size }) => [id, t("seeds_list_option", { name, size: number(size), state: t(`seeds_state_${state}`) })]);
  show();
  return element(
    "div",
    { class: "form" },
    choice({
      label: t("save_list"),
      value: kept.list_id,
      path: "list_id",
      options,
      hint: t("save_list_hint"),
      set: (value) => {
        set("list_id")(Number(value));
        show();
      },
    }),
    kinds,
  );
}

const isNew = (lists, kept) => !lists.find(({ id }) => id === Number(kept.list_id))?.refreshed_at;

// The same request twice is one request, until it has been answered.
function once(kept, step) {
  kept.keys[step] ??= crypto.randomUUID();
  return { "Idempotency-Key": kept.keys[step] };
}

async function drawNew({ kept, draft, found }) {
  if (!kept.made) {
    const body = {
      name: kept.name.trim(),
      owner: kept.owner.trim(),
      purpose: kept.purpose.trim(),
      pilot: kept.pilot,
      sub_industry: kept.pilot ? kept.sub_industry.trim() || null : null,
      size: kept.pilot ? null : Number(kept.size || found.result.accounts),
      rules: rulesOf(draft.rules, { product: found.product }),
    };
    // Another body is another request.
    kept.made = (await api.post("/v1/lists", body, { headers: once(kept, `create ${JSON.stringify(body)}`) })).id;
    kept.keys = {};
    keep();
  }
  let list = await standing(kept.made);
  const off = names(draft.excluded);
  if (off) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() };
    const body = JSON.stringify({ revision: list.revision, entries: off });
    list = (await api.call(`/v1/lists/${kept.made}/excluded`, { method: "PUT", body, headers })).target_list;
  }
  return draw({ kept, list, found, kind: "first" });
}

async function drawOther({ kept, found }) {
  const list = await standing(Number(kept.list_id));
  return draw({ kept, list, found, kind: list.refreshed_at ? kept.kind : "first" });
}

const standing = async (id) => (await api.call(`/v1/lists/${id}`)).target_list;

const draw = async ({ kept, list, found, kind }) => ({
  kind,
  ...(await api.post(`/v1/lists/${list.id}/draws`, { kind, why: t("save_why"), revision: list.revision, expansion: found.id }, { headers: once(kept, `draw ${list.id} ${list.revision} ${kind}`) })),
});

function done({ target_list: list, kind, targets, added, dropped, moved, left_out: out, pinned_against: pinned }, back) {
  const proposal = kind !== "first";
  return element(
    "section",
    { class: "card saved", "aria-labelledby": "saved-title" },
    element("h2", { id: "saved-title", tabindex: "-1" }, t(proposal ? "save_proposed" : "save_done", { count: number(targets), name: list.name })),
    element("p", {}, proposal ? t("save_proposed_text", { added: number(added), dropped: number(dropped), moved: number(moved) }) : t("save_done_text")),
    out?.length > 0 &&
      element(
        "div",
        {},
        element("h3", {}, t("expand_left_out")),
        element("dl", { class: "tallies" }, out.filter(({ accounts }) => accounts).map(({ rule, accounts }) => element("div", {}, element("dt", {}, reason(rule)), element("dd", {}, number(accounts))))),
      ),
    pinned?.length > 0 && element("p", { class: "notice" }, t("save_pinned", { count: number(pinned.length) })),
    element("p", { class: "actions" }, element("a", { class: "primary button", href: `#/lists/${list.id}` }, t("save_open")), element("a", { class: "quiet button", href: back }, t("save_back"))),
  );
}
