// What is shown when the service asks for an API key. The key stays in this tab and is forgotten with it.

import { setKey } from "./api.js";
import { element } from "./dom.js";
import { t } from "./i18n.js";

export const isRefused = (problem) => problem?.status === 401 || problem?.status === 403;

export function show(main, { problem, again }) {
  const input = element("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false" });
  const open = (event) => {
    event.preventDefault();
    setKey(input.value.trim());
    again();
  };
  main.replaceChildren(
    element("div", { class: "head" }, element("h1", {}, t("key_title")), element("p", {}, t("key_lead"))),
    element(
      "form",
      { class: "card form", novalidate: true, on: { submit: open } },
      element("p", { class: "detail", role: "alert" }, problem.detail),
      element("div", { class: "field" }, element("label", { for: "key" }, t("key_label")), input),
      element("p", { class: "hint" }, t("key_hint")),
      element("button", { type: "submit", class: "primary" }, t("key_use")),
    ),
  );
}
