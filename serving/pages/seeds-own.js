// Companies that somebody brings: pasted, dropped or chosen as a file, and matched against the accounts at once.

import * as api from "./api.js";
import { announce, element } from "./dom.js";
import { identifier } from "./expand-fields.js";
import { keep } from "./expand-kept.js";
import { told } from "./expand-problem.js";
import { number, t } from "./i18n.js";
import { ENDINGS, fileOf, fileSize, refusal } from "./seeds-file.js";
import { matchedSeeds, seedIds } from "./seeds-matched.js";

const PAUSE = 450;
// The file itself is kept by the page alone: no browser gives one back after a reload.
let held = null;

export function own({ draft, changed }) {
  const id = identifier("seeds");
  const area = element("textarea", {
    id,
    rows: 7,
    spellcheck: "false",
    autocomplete: "off",
    placeholder: t("seeds_example"),
    "aria-describedby": `${id}-hint`,
    on: { input: typed },
  });
  area.value = draft.text;
  const chooser = element("input", { type: "file", class: "unseen", accept: ENDINGS.map((ending) => `.${ending}`).join(","), "aria-label": t("seeds_choose_file"), on: { change: () => take(chooser.files[0]) } });
  const drop = element(
    "div",
    { class: "drop", on: { dragenter: over, dragover: over, dragleave: () => drop.classList.remove("over"), drop: dropped } },
    element("label", { for: id }, t("seeds_label")),
    area,
    element(
      "p",
      { class: "drop-line" },
      element("label", { class: "quiet choose" }, chooser, element("span", {}, t("seeds_choose_file"))),
      element("span", { class: "small" }, t("seeds_drop")),
    ),
    element("p", { class: "hint", id: `${id}-hint` }, t("seeds_hint")),
  );
  const fileCard = element("div", {});
  const feedback = element("div", { class: "matches" });
  const node = element("div", { class: "own" }, drop, fileCard, feedback);
  let timer = null;
  let running = null;
  let pending = false;

  function over(event) {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  }

  function dropped(event) {
    drop.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  }

  function typed() {
    Object.assign(draft, { text: area.value, file: null, matched: null, unfinished: null });
    held = null;
    keep();
    showFile();
    changed();
    running?.abort();
    clearTimeout(timer);
    pending = Boolean(draft.text.trim());
    if (pending) timer = setTimeout(match, PAUSE);
    else feedback.replaceChildren();
  }

  const match = () => ask((signal) => api.post("/v1/seeds/match", { text: draft.text }, { signal }));

  function take(file) {
    chooser.value = "";
    if (!file) return;
    const refused = refusal(file);
    if (refused) return fail(refused);
    held = { file, encoding: "", column: "" };
    Object.assign(draft, { file: { name: file.name, size: file.size }, text: "", matched: null, choices: {} });
    area.value = "";
    send();
  }

  function send() {
    draft.unfinished = draft.file.name;
    keep();
    showFile();
    ask(async (signal) => {
      const query = new URLSearchParams(Object.entries({ encoding: held.encoding, column: held.column.trim() }).filter(([, value]) => value));
      return api.call(`/v1/seeds/upload?${query}`, { method: "POST", body: await fileOf(held.file), signal });
    });
  }

  // One question at a time: what comes later is what counts.
  async function ask(question) {
    clearTimeout(timer);
    running?.abort();
    const mine = (running = new AbortController());
    pending = true;
    changed();
    feedback.replaceChildren(element("p", { class: "matching" }, element("span", { class: "spin", "aria-hidden": "true" }), t(draft.file ? "seeds_reading" : "seeds_matching")));
    try {
      draft.matched = await question(mine.signal);
      draft.unfinished = null;
      if (mine === running) pending = false;
      showMatched();
      announce(t("seeds_announced", { matched: number(draft.matched.matched), open: number(draft.matched.ambiguous + draft.matched.unmatched) }));
    } catch (problem) {
      if (problem.name === "AbortError" || mine !== running) return;
      pending = false;
      draft.unfinished = null;
      fail(told(problem));
    } finally {
      if (mine === running) {
        keep();
        changed();
      }
    }
  }

  function fail(problem) {
    const again = draft.file && held ? send : draft.text.trim() ? match : null;
    const lines = problem.errors?.length ? problem.errors.map(line) : [problem.detail || problem.title || t("error_offline_text")];
    feedback.replaceChildren(
      element(
        "div",
        { class: "refused", role: "alert" },
        element("p", { class: "lead" }, problem.offline ? t("error_offline") : t("seeds_refused")),
        lines.map((line) => element("p", {}, line)),
        again && element("button", { type: "button", class: "quiet", on: { click: again } }, t("retry")),
      ),
    );
    if (held && draft.file) showFile({ open: true });
  }

  // Bytes that are no text tell nobody anything.
  function line({ what, got, allowed, fix }) {
    const subject = draft.file && /^is /.test(what) ? `${draft.file.name} ${what}` : what;
    const shown = got && !got.includes("b'") && t("expand_got", { got });
    return [subject, shown, allowed && t("expand_allowed", { allowed }), fix].filter(Boolean).join("; ");
  }

  function showMatched() {
    feedback.replaceChildren(
      matchedSeeds({
        draft,
        chosen: () => {
          keep();
          changed();
        },
      }),
    );
  }

  function showFile({ open = false } = {}) {
    if (!draft.file) {
      const lost = draft.unfinished && element("p", { class: "notice" }, t("seeds_unfinished", { name: draft.unfinished }));
      fileCard.replaceChildren(...[lost].filter(Boolean));
      return;
    }
    fileCard.replaceChildren(
      element(
        "div",
        { class: "file" },
        element("p", { class: "file-name" }, element("strong", {}, draft.file.name), element("span", { class: "small" }, fileSize(draft.file.size))),
        element("button", { type: "button", class: "quiet", on: { click: removeFile } }, t("seeds_remove_file")),
        held && reading(open),
      ),
    );
  }

  function removeFile() {
    running?.abort();
    held = null;
    pending = false;
    Object.assign(draft, { file: null, matched: null, unfinished: null, choices: {} });
    keep();
    feedback.replaceChildren();
    showFile();
    changed();
    area.focus();
  }

  // Another encoding, or another column, where the first look at a file was wrong.
  function reading(open) {
    const encodings = [["", t("seeds_encoding_auto")], ["utf-8", "UTF-8"], ["gb18030", "GB18030 / GBK"], ["big5", "Big5"], ["shift_jis", "Shift JIS"], ["latin-1", "Latin-1"], ["windows-1252", "Windows-1252"], ["utf-16", "UTF-16"]];
    const encoding = identifier("encoding");
    const column = identifier("column");
    const select = element("select", { id: encoding }, encodings.map(([value, words]) => element("option", { value, selected: value === held.encoding }, words)));
    const named = element("input", { id: column, value: held.column, autocomplete: "off" });
    const again = () => {
      held.encoding = select.value;
      held.column = named.value;
      send();
    };
    return element(
      "details",
      { class: "reading", open: open || held.encoding || held.column },
      element("summary", {}, t("seeds_read_otherwise")),
      element("div", { class: "field" }, element("label", { for: encoding }, t("seeds_encoding")), select),
      element("div", { class: "field" }, element("label", { for: column }, t("seeds_column")), named),
      element("button", { type: "button", class: "quiet", on: { click: again } }, t("seeds_read_again")),
    );
  }

  // An upload that was under way when the page was left has kept nothing: the file must be chosen again.
  if (draft.unfinished && !held) Object.assign(draft, { file: null, matched: null });
  showFile();
  if (draft.matched) showMatched();
  else if (draft.text.trim()) match();
  return {
    node,
    leave() {
      clearTimeout(timer);
      running?.abort();
    },
    request() {
      const ids = draft.matched ? seedIds(draft) : [];
      return ids.length ? { account_ids: ids } : null;
    },
    fault: () => (pending ? t("seeds_wait") : draft.text.trim() || draft.file ? t("seeds_none_matched") : t("seeds_missing")),
  };
}
