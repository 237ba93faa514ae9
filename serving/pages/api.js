// The service, as the page sees it: every failure is one object with the members of problem details.

import { language } from "./i18n.js";

const CROSS_SITE = "urn:spearfish:problem:cross-site";

let key = null;
// What every request of a session that writes must bring; no other site can read it.
let token = null;

export const setKey = (text) => {
  // What no header can carry is no key either.
  key = /^[\x21-\x7e]+$/.test(text) ? text : null;
};

export const hasKey = () => key !== null;

const writes = (options) => !["GET", "HEAD"].includes(options.method ?? "GET");

function signature(options) {
  if (key) return { Authorization: `Bearer ${key}` };
  return token && writes(options) ? { "X-CSRF-Token": token } : {};
}

// The answer to a request of whoever is signed in. Throws every failure.
async function respond(path, options = {}) {
  try {
    return await ask(path, options);
  } catch (problem) {
    if (key || !token) throw problem;
    if (problem.status === 401) {
      token = null;
      dispatchEvent(new Event("signed-out"));
    }
    // Somebody has signed in anew in another tab: the cookie is theirs now, and the token another one.
    const before = token;
    if (problem.type !== CROSS_SITE || (await session()).csrf_token === before) throw problem;
    return ask(path, options);
  }
}

async function ask(path, options) {
  const signed = signature(options);
  const headers = { "Accept-Language": language(), ...signed, ...options.headers };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw { offline: true, errors: [] };
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw { status: response.status, title: response.statusText, detail: "", errors: [], ...body };
}

export async function call(path, options = {}) {
  const response = await respond(path, options);
  if (response.status === 204) return null;
  return response.json();
}

export const post = (path, body, options = {}) =>
  call(path, {
    method: "POST",
    body: JSON.stringify(body),
    ...options,
    headers: { "Content-Type": "application/json", ...options.headers },
  });

// A file, as the browser can save it.
export const file = async (path, options = {}) => (await respond(path, options)).blob();

// A chart that the service has drawn: SVG without scripts or styles, as an element.
export async function chart(path, options = {}) {
  const response = await respond(path, { ...options, headers: { Accept: "image/svg+xml", ...options.headers } });
  const drawn = new DOMParser().parseFromString(await response.text(), "image/svg+xml").documentElement;
  return document.importNode(drawn, true);
}

async function remembered(response) {
  const who = await response.json();
  token = who.csrf_token;
  return who;
}

export async function session() {
  return remembered(await ask("/v1/session", {}));
}

export async function signIn(link) {
  setKey("");
  const headers = { "Content-Type": "application/json" };
  return remembered(await ask("/v1/session", { method: "POST", headers, body: JSON.stringify({ token: link }) }));
}

export async function signOut() {
  await call("/v1/session", { method: "DELETE" });
  token = null;
}

export const overview = () => call("/overview.json");
export const profile = (model, signal) =>
  call(model ? `/v1/profile?model=${encodeURIComponent(model)}` : "/v1/profile", { signal });
export const documentation = () => call("/docs.json");
export const score = (request, signal) => post("/v1/score", request, { signal });
