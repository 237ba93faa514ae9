// Who is at the page: a sign-in link that is redeemed, the person who is signed in, and an API key.
// A key stays in this tab and is forgotten with it; a session is in a cookie that no script can read.

import { hasKey, setKey, signIn, signOut } from "./api.js";
import { announce, element } from "./dom.js";
import { t } from "./i18n.js";

const LINK = "#/sign-in/";
const REFUSED = ["used-link", "withdrawn-link", "expired-link"];

export const isRefused = (problem) => problem?.status === 401 || problem?.status === 403;
export const isLink = () => location.hash.startsWith(LINK);

// Uses the link in the address up. Returns why it lets nobody in, or null.
export async function redeem(main) {
  const link = location.hash.slice(LINK.length);
  // It must not stay in the history, nor on the screen.
  history.replaceState(null, "", location.pathname);
  main.replaceChildren(element("p", { class: "notice", role: "status" }, t("link_working")));
  try {
    const who = await signIn(link);
    announce(t("signed_in_as", { name: who.name }));
    return null;
  } catch (problem) {
    return problem;
  }
}

function whyNot(problem) {
  const slug = problem.type?.split(":").pop();
  if (REFUSED.includes(slug)) return t(slug);
  if (slug === "unknown-link" || problem.status === 422) return t("unknown-link");
  if (problem.offline) return t("error_offline_text");
  return problem.detail || t("error_other");
}

export function showRefusedLink(main, { problem, who, again }) {
  const person = who?.kind === "person" ? who.name : null;
  const heading = element("h1", { tabindex: "-1" }, t("link_refused"));
  main.replaceChildren(
    element("div", { class: "head" }, heading),
    element(
      "div",
      { class: "card form" },
      element("p", { class: "detail", role: "alert" }, whyNot(problem)),
      element("p", {}, t("link_ask")),
      person && element("p", {}, t("link_still", { name: person })),
      element("button", { type: "button", class: "primary", on: { click: again } }, t(person ? "link_continue" : "link_back")),
    ),
  );
  heading.focus();
}

function whyAsked(problem, ended) {
  if (hasKey() || problem.status !== 401) return problem.detail;
  return t(ended ? "session_ended" : "not_signed_in");
}

// ended: whether somebody was signed in here a moment ago.
export function show(main, { problem, ended, again }) {
  const input = element("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false" });
  const open = (event) => {
    event.preventDefault();
    setKey(input.value.trim());
    again();
  };
  main.replaceChildren(
    element("div", { class: "head" }, element("h1", {}, t("key_title"))),
    element(
      "section",
      { class: "card form" },
      element("p", { class: "detail", role: "alert" }, whyAsked(problem, ended)),
      element("h2", {}, t("link_title")),
      element("p", {}, t("link_lead")),
    ),
    element(
      "form",
      { class: "card form below", novalidate: true, on: { submit: open } },
      element("h2", {}, t("key_with")),
      element("p", {}, t("key_lead")),
      element("div", { class: "field" }, element("label", { for: "key" }, t("key_label")), input),
      element("p", { class: "hint" }, t("key_hint")),
      element("button", { type: "submit", class: "primary" }, t("key_use")),
    ),
  );
}

// The person in the header, with the way out.
export function showPerson(place, { who, again }) {
  place.hidden = who?.kind !== "person";
  if (place.hidden) {
    place.replaceChildren();
    return;
  }
  const leave = async () => {
    try {
      await signOut();
      announce(t("signed_out"));
    } catch (problem) {
      announce(problem.offline ? t("error_offline") : t("error_other"));
    }
    again();
  };
  const as = who.side ? t("role_of_side", { role: t(who.role), side: t(`side_${who.side}`) }) : t(who.role);
  place.replaceChildren(
    element("span", { class: "person", title: t("signed_in_as", { name: who.name }) }, who.name),
    element("span", { class: "role" }, as),
    element("button", { type: "button", on: { click: leave } }, t("sign_out")),
  );
}
