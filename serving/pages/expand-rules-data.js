// Rules of who may be on a list, as fields hold them and as the service takes them.

export const CAPS = ["industry", "country", "territory", "owner"];
const NAMES = ["industries", "countries", "territories", "owners", "technologies"];

export const DEFAULT_RULES = {
  customers: true,
  open_opportunities: true,
  opted_out: true,
  industries: "",
  countries: "",
  territories: "",
  owners: "",
  technologies: "",
  employees_from: "",
  employees_to: "",
  minimum_score: "",
  parent_column: "",
  owner_column: "",
  most_per_owner: "",
  caps: { industry: "", country: "", territory: "", owner: "" },
};

// "banking, insurance" as two names; null where nothing is named.
export function names(text) {
  const found = text.split(/[,;，；\n]/).map((one) => one.trim()).filter(Boolean);
  return found.length ? [...new Set(found)] : null;
}

// What no number says is sent as it was typed: the service tells what is wrong with it.
export function figure(text) {
  const typed = String(text).trim();
  if (!typed) return null;
  return Number.isFinite(Number(typed)) ? Number(typed) : typed;
}

const share = (text) => {
  const percent = figure(text);
  return typeof percent === "number" ? percent / 100 : percent;
};

export function rulesOf(fields, { product = null } = {}) {
  const filters = Object.fromEntries(NAMES.map((name) => [name, names(fields[name])]));
  filters.employees_from = figure(fields.employees_from);
  filters.employees_to = figure(fields.employees_to);
  return {
    customers: fields.customers,
    open_opportunities: fields.open_opportunities,
    opted_out: fields.opted_out,
    product,
    filters,
    minimum_score: figure(fields.minimum_score),
    parent_column: fields.parent_column.trim() || null,
    owner_column: fields.owner_column.trim() || null,
    most_per_owner: figure(fields.most_per_owner),
    caps: CAPS.filter((fact) => String(fields.caps[fact]).trim()).map((fact) => ({ fact, share: share(fields.caps[fact]) })),
  };
}

// How many of the rules differ from the usual ones, to be told while they are folded away.
export function rulesSet(fields) {
  const own = Object.entries(fields).filter(([name, value]) =>
    name === "caps" ? false : typeof value === "boolean" ? value !== DEFAULT_RULES[name] : value.trim() !== "",
  );
  return own.length + CAPS.filter((fact) => String(fields.caps[fact]).trim()).length;
}
