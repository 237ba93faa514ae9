// What a search found: the accounts, how sure that is, whom it left out and why, and which facts it did not use.

import { announce, element } from "./dom.js";
import { failure, reason, told } from "./expand-problem.js";
import { table } from "./expand-table.js";
import { file } from "./api.js";
import { day, number, t } from "./i18n.js";

const RANKERS = ["similarity", "steady linear", "linear", "trees"];

export function result({ found, path, draft, who, signal }) {
  const { result: said } = found;
  const saveAs = `#/expand/${encodeURIComponent(found.id)}/save`;
  const trouble = element("div", {});
  const reader = who ? !who.may_write.includes("lists") : false;
  const download = element("button", { type: "button", class: "quiet", on: { click: () => saved({ path, id: found.id, trouble, button: download }) } }, t("expand_download"));
  const node = element(
    "div",
    { class: "found" },
    element(
      "div",
      { class: "card found-head" },
      element(
        "div",
        {},
        element("h2", {}, t(said.accounts ? "expand_found" : "expand_found_none", { count: number(said.accounts) })),
        element("p", { class: "small" }, t("expand_found_of", { universe: number(said.universe), seeds: number(said.seeds) }), found.expires_at && ` · ${t("expand_until", { day: day(found.expires_at) })}`),
        asked(found),
      ),
      element(
        "div",
        { class: "actions" },
        said.accounts > 0 && !reader && element("a", { class: "primary button", href: saveAs }, t("expand_save")),
        said.accounts > 0 && download,
        reader && element("p", { class: "small" }, t("expand_reader_save")),
      ),
      trouble,
    ),
    element("div", { class: "facts-grid" }, sureness(said), leftOut(said.left_out), notUsed(said.not_used)),
    said.accounts > 0 && table({ found, path, draft, signal }),
  );
  return { node };
}

function asked({ mode, size, product, weights, result: { ranker } }) {
  const parts = [
    t(`mode_${mode}`),
    product,
    t("expand_asked_size", { size: number(size) }),
    blend(weights),
    RANKERS.includes(ranker) ? t(`ranker_${ranker}`) : ranker,
  ];
  return element("ul", { class: "asked" }, parts.filter(Boolean).map((words) => element("li", {}, words)));
}

// In percent; a half is not rounded away where the parts are to add up.
const share = (value) => t("expand_share", { share: number(value, Number.isInteger(Math.round(10 * value) / 10) ? 0 : 1) });

// Likeness alone, and what a mode brings of its own, need no telling.
function blend(weights) {
  const said = (weights ?? []).filter(({ weight }) => weight > 0);
  if (said.length < 2) return null;
  const whole = said.reduce((sum, { weight }) => sum + weight, 0);
  return said.map(({ part, weight }) => `${t(`weigh_${part}`)} ${share((100 * weight) / whole)}`).join(" + ");
}

const fact = (title, ...children) => element("section", { class: "card fact" }, element("h3", {}, t(title)), children);

function sureness({ notes }) {
  return fact("expand_sure", notes.length ? element("ul", { class: "notes" }, notes.map((words) => element("li", {}, words))) : element("p", { class: "small" }, t("expand_sure_none")));
}

function leftOut(list) {
  const dropped = list.filter(({ accounts }) => accounts > 0);
  if (!dropped.length) return fact("expand_left_out", element("p", { class: "small" }, t("expand_left_out_none")));
  return fact(
    "expand_left_out",
    element("dl", { class: "tallies" }, dropped.map(({ reason: said, accounts }) => element("div", {}, element("dt", {}, reason(said)), element("dd", {}, number(accounts))))),
    element("p", { class: "small" }, t("expand_left_out_text")),
  );
}

function notUsed(list) {
  if (!list.length) return fact("expand_not_used", element("p", { class: "small" }, t("expand_not_used_none")));
  return fact(
    "expand_not_used",
    element("p", { class: "small" }, t("expand_not_used_text")),
    element("ul", { class: "notes" }, list.map(({ sentence }) => element("li", {}, sentence))),
  );
}

async function saved({ path, id, trouble, button }) {
  button.disabled = true;
  trouble.replaceChildren();
  try {
    const address = URL.createObjectURL(await file(`${path}/file`));
    const link = element("a", { href: address, download: `lookalikes-${id}.csv` });
    document.body.append(link);
    link.click();
    link.remove();
    URL.revokeObjectURL(address);
    announce(t("expand_downloaded"));
  } catch (problem) {
    trouble.replaceChildren(failure(told(problem)));
  } finally {
    button.disabled = false;
  }
}
