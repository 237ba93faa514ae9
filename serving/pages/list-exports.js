// A list on its way out: CSV, Excel, Salesforce and HubSpot files, and those that were made before.

import { announce, element } from "./dom.js";
import { file } from "./api.js";
import { moment, number, t } from "./i18n.js";
import * as api from "./list-api.js";
import { badge, button, reader, told } from "./list-parts.js";

const FORMATS = [
  { format: "csv", draft: true },
  { format: "xlsx", draft: true },
  { format: "salesforce", match: ["id", "external"] },
  { format: "hubspot", match: ["domain", "id", "external"] },
];

export function show(main, context) {
  const made = element("div", {});
  const load = reader(made, {
    read: (signal) => api.exports(context.id, signal),
    show: ({ exports: found }) => before(found, context),
    blocks: 1,
  });
  const { target_list: list } = context.detail;
  const approved = list.approved_version !== null;
  main.replaceChildren(
    ...[
      !approved && element("p", { class: "notice" }, t(list.refreshed_at ? "l_files_unapproved" : "l_files_empty")),
      approved && list.version !== list.approved_version && element("p", { class: "notice" }, t("l_files_beside", { approved: number(list.approved_version) })),
      !context.may && element("p", { class: "notice" }, t("l_files_viewer")),
      element("ul", { class: "formats" }, FORMATS.map((one) => format(one, { context, approved, load }))),
      element("section", { class: "card", "aria-labelledby": "files-made" }, element("h2", { id: "files-made" }, t("l_files_made")), made),
    ].filter(Boolean),
  );
  return load();
}

function format({ format: name, draft, match }, { context, approved, load }) {
  const notice = element("div", { "aria-live": "polite" });
  const select = match && element("select", { id: `match-${name}` }, [["", t("l_match_before")], ...match.map((one) => [one, t(`match_${one}`)])].map(([value, label]) => element("option", { value }, label)));
  const hand = (asDraft) => async () => {
    const buttons = node.querySelectorAll("button");
    for (const one of buttons) one.disabled = true;
    notice.replaceChildren(element("p", { class: "small" }, t("l_file_working")));
    try {
      const made = await api.hand(context.id, { format: name, match_by: select?.value || null, draft: asDraft });
      await save(made);
      const left = made.unfound ? ` ${t("l_unfound", { count: number(made.unfound) })}` : "";
      const text = `${t("l_file_made", { count: number(made.targets), leavers: number(made.leavers) })}${left}`;
      notice.replaceChildren(element("p", { class: "made" }, text));
      announce(text);
      load({ silent: true });
    } catch (problem) {
      if (!("errors" in problem)) throw problem;
      notice.replaceChildren(element("div", { class: "failure inset" }, ...told(problem)));
    } finally {
      for (const one of buttons) one.disabled = false;
    }
  };
  const empty = !context.detail.target_list.refreshed_at;
  const node = element(
    "li",
    { class: "card format" },
    element("h2", {}, t(`format_${name}`)),
    element("p", { class: "small" }, t(`format_${name}_text`)),
    context.may && approved && match && element("div", { class: "field" }, element("label", { for: `match-${name}` }, t("l_match")), select),
    context.may &&
      element(
        "div",
        { class: "list-actions" },
        approved && button(t("l_download", { format: t(`format_${name}`) }), hand(false), { tone: "primary" }),
        draft && !empty && (!approved || context.detail.target_list.state !== "approved") && button(t("l_download_draft", { format: t(`format_${name}`) }), hand(true)),
        !approved && !draft && element("p", { class: "small" }, t("l_after_approval")),
      ),
    notice,
  );
  return node;
}

const ENDINGS = { xlsx: "xlsx" };

async function save({ file_url: path, list_id: id, version, format: name }) {
  const address = URL.createObjectURL(await file(path));
  const link = element("a", { href: address, download: `list-${id}-version-${version}-${name}.${ENDINGS[name] ?? "csv"}`, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function before(found) {
  if (!found.length) return element("p", { class: "small" }, t("l_no_files"));
  const again = (one) => async (event) => {
    const { target } = event;
    target.disabled = true;
    try {
      await save(one);
    } catch (problem) {
      if (!("errors" in problem)) throw problem;
      target.after(element("div", { class: "failure inset", role: "alert" }, ...told(problem)));
    } finally {
      target.disabled = false;
    }
  };
  return element(
    "ul",
    { class: "files" },
    found.map((one) =>
      element(
        "li",
        {},
        element(
          "div",
          {},
          element("p", {}, element("strong", {}, t(`format_${one.format}`)), ` ${t("l_version_no", { number: number(one.version) })} `, one.draft && badge("state", "draft")),
          element("p", { class: "small" }, [t("l_file_rows", { count: number(one.targets), leavers: number(one.leavers) }), t("l_who_when", { who: one.who, at: moment(one.at) })].join(" · ")),
          !one.current && element("p", { class: "small older" }, t("l_file_older")),
        ),
        button(t("l_again"), again(one), { "aria-label": `${t("l_again")}: ${t(`format_${one.format}`)} ${moment(one.at)}` }),
      ),
    ),
  );
}
