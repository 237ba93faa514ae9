// Dialogs: what is asked before something is done. Nothing typed is lost by an error, nor by somebody else's change.

import { announce, element } from "./dom.js";
import { moment, t } from "./i18n.js";
import { drafts } from "./list-drafts.js";
import { changes, word } from "./list-api.js";
import { button, detailInWords, told } from "./list-parts.js";

let count = 0;

// Opens a dialog; the focus goes back to where it was when it closes.
export function open({ title, className = "", close }) {
  const id = `dialog-${++count}`;
  const before = document.activeElement;
  const body = element("div", { class: "dialog-body" });
  const shut = element("button", { type: "button", class: "remove", "aria-label": t("l_close") }, "×");
  const node = element(
    "dialog",
    { class: `dialog ${className}`, "aria-labelledby": id },
    element("div", { class: "dialog-head" }, element("h2", { id, tabindex: "-1" }, title), shut),
    body,
  );
  shut.addEventListener("click", () => node.close());
  node.addEventListener("close", () => {
    node.remove();
    if (before?.isConnected) before.focus();
    close?.();
  });
  // What an address leads to elsewhere must not stay behind.
  addEventListener("hashchange", () => node.close(), { once: true });
  document.body.append(node);
  node.showModal();
  return { node, body, heading: node.querySelector("h2") };
}

const MAKERS = {
  area: (field, id) => element("textarea", { id, rows: 3, maxlength: field.most ?? 1000 }),
  select: (field, id) =>
    element("select", { id }, field.options.map(([value, label]) => element("option", { value }, label))),
  date: (field, id) => element("input", { id, type: "date", min: field.least }),
  text: (field, id) => element("input", { id, type: "text", maxlength: field.most ?? 200, autocomplete: "off" }),
};

function control(field, id) {
  const input = MAKERS[field.kind ?? "text"](field, id);
  input.value = field.value ?? "";
  // What can be chosen may be another than before.
  if (input.selectedIndex === -1) input.selectedIndex = 0;
  input.name = field.name;
  const hint = field.hint && element("p", { class: "hint", id: `${id}-hint` }, field.hint);
  const fault = element("p", { class: "fault", id: `${id}-fault`, role: "alert" });
  input.setAttribute("aria-describedby", [hint && `${id}-hint`, `${id}-fault`].filter(Boolean).join(" "));
  if (field.required) input.setAttribute("aria-required", "true");
  const label = field.required ? field.label : t("l_optional", { label: field.label });
  const node = element("div", { class: "field" }, element("label", { for: id }, field.kind === "select" ? field.label : label), input, hint, fault);
  const say = (text) => {
    fault.textContent = text ?? "";
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  return { field, node, input, say };
}

// Who changed what since a revision, as sentences.
export async function since(id, revision) {
  const found = await changes(id, { after: revision, limit: 10 });
  return element(
    "ul",
    { class: "since" },
    found.changes.map((one) =>
      element("li", {}, t("l_who_did", { who: one.who, what: word("action", one.action), account: one.account_id ?? "", at: moment(one.at) }), one.detail && ` – ${detailInWords(one)}`),
    ),
  );
}

// Asks for a few values and sends them. fields: name, label, kind, value, required. send: takes the values; its
// failures are shown where they belong. conflict: on a 409, reads anew and returns what to show of it.
// Resolves to what send returned, or to null where it was closed.
export function ask({ title, lead, fields = [], submit, danger = false, send, conflict }) {
  // What was typed and not sent is there again when the same is asked again, in this tab.
  const place = `${location.hash.split("?")[0]} ${title}`;
  const typed = drafts.read(place) ?? {};
  return new Promise((resolve) => {
    let result = null;
    const { node, body } = open({ title, close: () => resolve(result) });
    const controls = fields.map((field, number) => control({ ...field, value: typed[field.name] ?? field.value }, `${node.getAttribute("aria-labelledby")}-${number}`));
    const values = () => Object.fromEntries(controls.map(({ field, input }) => [field.name, input.value.trim()]));
    const notice = element("div", { class: "dialog-notice", "aria-live": "assertive" });
    const go = element("button", { type: "submit", class: `primary ${danger ? "danger" : ""}` }, submit);
    const trial = async (event) => {
      event.preventDefault();
      for (const one of controls) one.say(null);
      const empty = controls.find((one) => one.field.required && !one.input.value.trim());
      if (empty) {
        empty.say(t("l_fill"));
        empty.input.focus();
        return;
      }
      go.disabled = true;
      notice.replaceChildren();
      try {
        result = await send(values());
        drafts.forget(place);
        node.close();
      } catch (problem) {
        if (!("errors" in problem)) throw problem;
        await refuse(problem);
      } finally {
        go.disabled = false;
      }
    };
    const refuse = async (problem) => {
      const errors = problem.errors ?? [];
      const placed = errors.filter((one) => {
        const found = controls.find(({ field }) => field.name === one.field);
        found?.say([one.what, one.fix].filter(Boolean).join("; "));
        return found;
      });
      const parts = placed.length && placed.length === errors.length ? [] : told(problem);
      if (problem.status === 409 && conflict) {
        const more = await conflict(problem).catch(() => null);
        parts.unshift(element("h3", {}, t("l_conflict")));
        parts.push(...[more].flat().filter(Boolean), element("p", {}, t("l_conflict_go_on")));
        go.textContent = t("l_all_the_same", { action: submit });
      }
      notice.replaceChildren(...(parts.length ? [element("div", { class: "failure inset" }, ...parts)] : []));
      (placed.length ? controls.find(({ input }) => input.hasAttribute("aria-invalid"))?.input : go)?.focus();
      announce(problem.detail || t("error_other"));
    };
    body.append(
      element(
        "form",
        { class: "form", novalidate: true, on: { submit: trial, input: () => drafts.keep(place, values()) } },
        ...[lead].flat().filter(Boolean).map((text) => (typeof text === "string" ? element("p", { class: "lead" }, text) : text)),
        ...controls.map((one) => one.node),
        notice,
        element("div", { class: "dialog-actions" }, button(t("l_cancel"), () => node.close()), go),
      ),
    );
    (controls[0]?.input ?? go).focus();
  });
}
