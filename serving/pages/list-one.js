// One list: what it is and in which state, what can be done with it, and its parts: accounts, versions, outcomes, log, files.

import { element } from "./dom.js";
import { number, t } from "./i18n.js";
import { prepare, show as accounts } from "./list-accounts.js";
import { address, list as read, mayWrite } from "./list-api.js";
import { show as files } from "./list-exports.js";
import { show as about } from "./list-facts.js";
import { show as log } from "./list-log.js";
import { show as outcomes } from "./list-outcomes.js";
import { badge, date, fact, failure, waiting } from "./list-parts.js";
import { banner } from "./list-proposal.js";
import { actions, reviewers } from "./list-review.js";
import { show as versions } from "./list-versions.js";

const PARTS = { accounts, versions, outcomes, log, files, about };

// The list that was shown last: its parts open at once, and are read anew behind it.
let kept = null;
let running = null;

export async function show(main, { who, id }) {
  const part = Object.hasOwn(PARTS, address().part ?? "") ? address().part : "accounts";
  const before = kept?.id === id ? kept : null;
  const walked = before && before.part !== part;
  const place = {
    head: element("div", { class: "list-head" }),
    tabs: element("nav", { class: "tabs-line", "aria-label": t("l_parts") }),
    body: element("section", { class: "output list-body", "aria-label": t(`l_part_${part}`) }),
  };
  const context = { id, who, part, may: mayWrite(who), detail: before?.detail ?? null };
  context.again = ({ whole = true } = {}) => refresh(place, context, { whole });
  context.seen = (detail) => {
    context.detail = detail;
    kept = { id, part, detail };
    showHead(place, context);
  };
  main.replaceChildren(place.head, place.tabs, place.body);
  showTabs(place.tabs, context);
  kept = { id, part, detail: context.detail };
  if (context.detail) {
    showHead(place, context);
    PARTS[part](place.body, context);
    if (walked) place.tabs.querySelector("[aria-current]")?.focus();
    await refresh(place, context, { whole: false });
  } else {
    place.head.replaceChildren(waiting(1));
    if (part === "accounts") prepare(id);
    await refresh(place, context, { whole: true });
    place.head.querySelector("h1")?.focus({ preventScroll: true });
  }
}

// Reads the list anew. whole: also what is below its head.
async function refresh(place, context, { whole }) {
  running?.abort();
  const mine = (running = new AbortController());
  try {
    const detail = await read(context.id, mine.signal);
    // Whoever has gone elsewhere meanwhile stays there.
    if (running !== mine || !place.head.isConnected) return;
    context.seen(detail);
    if (whole) PARTS[context.part](place.body, context);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (!("errors" in problem)) throw problem;
    if (running !== mine) return;
    place.tabs.replaceChildren();
    place.body.replaceChildren();
    place.head.replaceChildren(failure(problem, () => refresh(place, context, { whole: true })));
  }
}

function showTabs(tabs, { id, part }) {
  const links = Object.keys(PARTS).map((one) =>
    element("a", { href: `#/lists/${id}${one === "accounts" ? "" : `/${one}`}`, "aria-current": one === part ? "page" : null }, t(`l_part_${one}`)),
  );
  tabs.replaceChildren(...links);
  // On narrow screens the tabs go beyond the edge.
  const current = tabs.querySelector("[aria-current]");
  tabs.scrollLeft = current.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - current.clientWidth) / 2;
}

function showHead({ head }, context) {
  const { target_list: list, counts } = context.detail;
  const targets = counts.filter((one) => one.status === "target").reduce((sum, one) => sum + one.accounts, 0);
  const dropped = counts.filter((one) => one.status === "dropped").reduce((sum, one) => sum + one.accounts, 0);
  context.targets = targets;
  // What had the focus has it again when the head is drawn anew.
  const focused = head.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  const onHeading = head.contains(document.activeElement) && document.activeElement.matches("h1");
  const parts = [
    element("p", { class: "crumbs" }, element("a", { href: "#/lists" }, t("nav_lists"))),
    element(
      "div",
      { class: "list-title" },
      element(
        "div",
        { class: "who" },
        element("h1", { tabindex: "-1" }, list.name),
        element("p", { class: "badges" }, badge("state", list.state), list.pilot && badge("kind", "pilot"), list.due && badge("due", list.due)),
      ),
      actions(context),
    ),
    element("p", { class: "purpose" }, list.purpose),
    element(
      "dl",
      { class: "moments" },
      fact(t("l_owner"), list.owner),
      fact(t("l_targets"), t("l_of_size", { count: number(targets), size: number(list.size) })),
      dropped > 0 && fact(t("status_dropped"), number(dropped)),
      fact(t("l_version"), versionInWords(list)),
      fact(t("l_changed"), date(list.changed_at), t("l_by", { who: list.changed_by })),
    ),
    reviewers(context),
    banner(context),
    !context.may && element("p", { class: "notice viewer" }, t("l_viewer")),
    list.due && element("p", { class: "notice" }, t(`l_due_${list.due}`)),
    list.erased > 0 && element("p", { class: "small" }, t("l_erased", { count: number(list.erased) })),
  ];
  head.replaceChildren(...parts.filter(Boolean));
  if (focused) (head.querySelector(`[data-action="${focused}"]`) ?? head.querySelector("h1")).focus();
  if (onHeading) head.querySelector("h1").focus({ preventScroll: true });
  document.title = `${list.name} · Spearfish`;
}

function versionInWords({ version, approved_version: approved, refreshed_at: drawn }) {
  if (!drawn) return t("l_not_drawn");
  if (approved === version) return t("l_version_approved", { version: number(version) });
  return approved ? t("l_version_beside", { version: number(version), approved: number(approved) }) : number(version);
}
