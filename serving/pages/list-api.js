// What the views of lists ask of the service, and what an address says of them.

import { call, post } from "./api.js";
import { t } from "./i18n.js";

// Every write brings a name of its own, so that one that is sent twice counts once.
const once = () => ({ headers: { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` } });

export function query(values) {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") told.set(name, value);
  }
  const text = told.toString();
  return text ? `?${text}` : "";
}

const of = (id) => `/v1/lists/${id}`;
const named = (id) => encodeURIComponent(id);

export const lists = (values, signal) => call(`/v1/lists${query(values)}`, { signal });
export const list = (id, signal) => call(of(id), { signal });
export const accounts = (id, values, signal) => call(`${of(id)}/accounts${query(values)}`, { signal });
export const account = (id, accountId, values, signal) =>
  call(`${of(id)}/accounts/${named(accountId)}${query(values)}`, { signal });
export const versions = (id, signal) => call(`${of(id)}/versions`, { signal });
export const diff = (id, values, signal) => call(`${of(id)}/diff${query(values)}`, { signal });
export const leftOut = (id, values, signal) => call(`${of(id)}/left_out${query(values)}`, { signal });
export const outcomes = (id, values, signal) => call(`${of(id)}/outcomes${query(values)}`, { signal });
export const changes = (id, values, signal) => call(`${of(id)}/changes${query(values)}`, { signal });
export const decisions = (id, values, signal) => call(`${of(id)}/decisions${query(values)}`, { signal });
export const excluded = (id, signal) => call(`${of(id)}/excluded`, { signal });
export const exports = (id, signal) => call(`${of(id)}/exports`, { signal });
export const scores = (accountId, values, signal) => call(`/v1/accounts/${named(accountId)}${query(values)}`, { signal });

export const create = (body) => post("/v1/lists", body, once());
export const edit = (id, body) => post(of(id), body, { ...once(), method: "PATCH" });
export const exclude = (id, body) => post(`${of(id)}/excluded`, body, { ...once(), method: "PUT" });
export const move = (id, body) => post(`${of(id)}/state`, body, once());
export const approve = (id, body) => post(`${of(id)}/approvals`, body, once());
export const decide = (id, body) => post(`${of(id)}/decisions`, body, once());
export const end = (id, decisionId, why) => post(`${of(id)}/decisions/${decisionId}/end`, { why }, once());
export const settle = (id, body) => post(`${of(id)}/proposal`, body, once());
export const hand = (id, body) => post(`${of(id)}/exports`, body, once());

// Whether whoever is at the page may write to lists.
export const mayWrite = (who) => who?.may_write?.includes("lists") ?? false;

// What #/lists/7/log?search=bank asks for.
export function address() {
  const [path, text] = location.hash.split("?");
  const [id, part] = path.split("/").slice(2).map(decodeURIComponent);
  return { id: id || null, part: part || null, query: new URLSearchParams(text ?? "") };
}

// Writes the query of the address anew, without another entry in the history. kept: what a reload finds again.
export function remember(values, kept = history.state) {
  history.replaceState(kept, "", `${location.hash.split("?")[0]}${query(values)}`);
}

// What the service answers in English words of its own, in the reader's.
export const word = (kind, value) => {
  const key = `${kind}_${String(value).replaceAll(" ", "_")}`;
  const told = t(key);
  return told === key ? String(value).replaceAll("_", " ") : told;
};
