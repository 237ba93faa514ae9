// The service, as the page sees it: every failure is one object with the members of problem details.

import { language } from "./i18n.js";

let key = null;

export const setKey = (text) => {
  // What no header can carry is no key either.
  key = /^[\x21-\x7e]+$/.test(text) ? text : null;
};

async function call(path, options = {}) {
  const signed = key ? { Authorization: `Bearer ${key}` } : {};
  const headers = { "Accept-Language": language(), ...signed, ...options.headers };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw { offline: true, errors: [] };
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw { status: response.status, title: response.statusText, detail: "", errors: [], ...body };
}

export const overview = () => call("/overview.json");
export const profile = (model, signal) =>
  call(model ? `/v1/profile?model=${encodeURIComponent(model)}` : "/v1/profile", { signal });
export const documentation = () => call("/docs.json");
export const score = (request, signal) =>
  call("/v1/score", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
    signal,
  });
