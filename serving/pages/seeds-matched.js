// What became of each row of seeds: counts, and each row that needs a look, with candidates to choose from.

import { element } from "./dom.js";
import { identifier } from "./expand-fields.js";
import { number, t } from "./i18n.js";

const KINDS = ["matched", "ambiguous", "repeated", "unmatched"];
// Rows of a kind that are shown at once.
const STEP = 20;

export function matchedSeeds({ draft, chosen }) {
  const { matched } = draft;
  const total = element("p", { class: "seeds-total" });
  const tell = () => {
    const count = seedIds(draft).length;
    const how = count === 0 ? "seeds_none_matched" : count < 10 ? "seeds_few" : null;
    total.replaceChildren(element("strong", {}, t(count === 1 ? "seeds_count_one" : "seeds_count", { count: number(count) })), how ? ` ${t(how)}` : "");
    total.classList.toggle("warning", Boolean(how));
  };
  const choose = (row, account) => {
    const key = `${row.row} ${row.text}`;
    if (account) draft.choices[key] = account;
    else delete draft.choices[key];
    tell();
    chosen();
  };
  tell();
  const of = (status) => matched.details.filter((row) => row.status === status);
  return element(
    "div",
    {},
    element("ul", { class: "counts" }, KINDS.map((kind) => element("li", { class: `count ${kind}` }, element("strong", {}, number(matched[kind])), ` ${t(`seeds_is_${kind}`)}`))),
    total,
    group("ambiguous", of("ambiguous"), { open: true, draft, choose }),
    group("unmatched", of("unmatched"), { open: matched.unmatched <= 8 }),
    group("repeated", of("repeated"), { open: false }),
    group("matched", of("matched"), { open: false }),
    matched.details_cut && element("p", { class: "small" }, t("seeds_cut")),
  );
}

function group(kind, rows, { open, draft, choose }) {
  if (!rows.length) return null;
  // A list that scrolls is reached by keyboard too, where nothing in it is.
  const list = element("ol", { class: `seed-rows ${kind}`, tabindex: choose ? null : "0", "aria-label": choose ? null : t(`seeds_group_${kind}`, { count: number(rows.length) }) });
  const more = element("button", { type: "button", class: "quiet", on: { click: add } });
  let shown = 0;

  function add() {
    const next = rows.slice(shown, shown + STEP).map((row) => line(row, { draft, choose }));
    list.append(...next);
    const first = shown > 0 ? next[0] : null;
    shown += next.length;
    more.hidden = shown >= rows.length;
    more.textContent = t("seeds_more", { count: number(rows.length - shown) });
    if (first) {
      first.tabIndex = -1;
      first.focus();
    }
  }

  add();
  return element(
    "details",
    { class: "group", open },
    element("summary", {}, t(`seeds_group_${kind}`, { count: number(rows.length) })),
    list,
    more,
  );
}

function line(row, { draft, choose }) {
  const place = element("span", { class: "small" }, t("seeds_row", { row: number(row.row) }));
  const text = element("span", { class: "row-text" }, row.text);
  const account = row.account && element("span", { class: "row-account" }, t("seeds_means", { name: name(row.account) }));
  const reason = row.reason && element("p", { class: "small" }, row.reason);
  if (!choose || !row.candidates?.length) return element("li", {}, place, text, account, reason);
  return element("li", {}, place, text, reason, candidates(row, { draft, choose }));
}

function candidates(row, { draft, choose }) {
  const id = identifier("candidate");
  const now = draft.choices[`${row.row} ${row.text}`] ?? "";
  const one = (value, words, about) => {
    const own = `${id}-${value || "none"}`;
    const input = element("input", { id: own, type: "radio", name: id, value, checked: value === now, on: { change: () => choose(row, value) } });
    return element("div", { class: "option" }, input, element("label", { for: own }, words, about && element("span", { class: "small" }, ` ${about}`)));
  };
  return element(
    "fieldset",
    { class: "candidates" },
    element("legend", { class: "unseen" }, t("seeds_which", { text: row.text })),
    row.candidates.map((each) => one(each.account_id, each.name ?? each.account_id, [each.domain, each.account_id].filter(Boolean).join(" · "))),
    one("", t("seeds_none_of_them")),
  );
}

const name = ({ name: said, domain, account_id: id }) => [said, domain].filter(Boolean).join(" · ") || id;

// Accounts that the rows mean, with those chosen among candidates; each once.
export function seedIds({ matched, choices }) {
  const chosen = matched.details.map(({ row, text }) => choices[`${row} ${text}`]).filter(Boolean);
  return [...new Set([...matched.account_ids, ...chosen])];
}
