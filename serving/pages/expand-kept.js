// What somebody has entered for an expansion, kept in this browser until it is used: a reload, a closed window or a
// lost connection takes nothing away. It is forgotten when another person signs in here.

import { DEFAULT_RULES } from "./expand-rules-data.js";

const STORED = "spearfish-expand";
// What a browser keeps for a site is limited; a longer paste lives until the page is left.
const MOST = 2_000_000;

const fresh = () => ({
  source: "own",
  text: "",
  file: null,
  unfinished: null,
  matched: null,
  choices: {},
  list_id: null,
  filters: { industries: "", countries: "", territories: "", employees_from: "", employees_to: "" },
  mode: "vertical",
  product: "",
  size: 500,
  weights: { fit: 100, intent: 0, value: 0 },
  leave_customers_out: true,
  label_rate: "",
  rules: structuredClone(DEFAULT_RULES),
  excluded: "",
  save: { way: "new", name: "", purpose: "", pilot: true, sub_industry: "", size: "", list_id: "", kind: "refresh" },
});

let person = null;
let kept = null;

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED));
  } catch {
    return null;
  }
}

// The draft of whoever is signed in.
export function draft(who) {
  const name = who?.name ?? "";
  if (kept && person === name) return kept;
  const found = stored();
  person = name;
  const before = found?.person === name ? found.draft : {};
  kept = { ...fresh(), ...before };
  for (const part of ["rules", "filters", "save", "weights"]) kept[part] = { ...fresh()[part], ...before[part] };
  return kept;
}

export function keep() {
  if (!kept) return;
  const text = JSON.stringify({ person, draft: kept });
  try {
    if (text.length <= MOST) localStorage.setItem(STORED, text);
  } catch {
    // A browser that keeps nothing for us keeps the draft as long as the page is open.
  }
}

// An empty draft, for the next search.
export function forget() {
  Object.assign(kept, fresh());
  keep();
}
