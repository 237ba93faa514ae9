// A file of companies that must not be on a list: read as seeds are, and added by the accounts that it means.

import * as api from "./api.js";
import { announce, element } from "./dom.js";
import { told } from "./expand-problem.js";
import { number, t } from "./i18n.js";
import { ENDINGS, fileOf, refusal } from "./seeds-file.js";

// add: called with the accounts of a file.
export function excludedFile({ add }) {
  const said = element("p", { class: "small", role: "status" });
  const input = element("input", { type: "file", class: "unseen", accept: ENDINGS.map((ending) => `.${ending}`).join(","), on: { change: () => take(input.files[0]) } });

  async function take(file) {
    input.value = "";
    if (!file) return;
    const refused = refusal(file);
    if (refused) return tell(refused.detail);
    tell(t("seeds_reading"));
    try {
      const found = await api.call("/v1/seeds/upload", { method: "POST", body: await fileOf(file) });
      add(found.account_ids);
      tell(t("limits_excluded_read", { name: file.name, accounts: number(found.account_ids.length), rows: number(found.rows) }));
    } catch (problem) {
      const { detail, offline } = told(problem);
      tell(offline ? t("error_offline") : detail);
    }
  }

  function tell(words) {
    said.textContent = words;
    announce(words);
  }

  return element("div", { class: "drop-line" }, element("label", { class: "quiet choose" }, input, element("span", {}, t("limits_excluded_file"))), said);
}
