// Rules of who may be on a list, as fields hold them and as the service takes them.

// Others to be kept off by what a column says of them.
export const OTHERS = ["partners", "competitors"];
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
  owner_quotas: "",
  segment_quotas: "",
  partners_column: "",
  partners_values: "",
  competitors_column: "",
  competitors_values: "",
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

// "Ann: 20" in each line as a name and a number.
function quotas(text) {
  const lines = text.split(/[\n;；]/).map((line) => line.trim()).filter(Boolean);
  return lines.map((line) => {
    const [, name, most] = line.match(/^(.*?)\s*[:：=]\s*(\S*)$/) ?? [null, line, ""];
    return { name, most: figure(most) };
  });
}

function others(fields) {
  const said = OTHERS.filter((name) => fields[`${name}_column`].trim());
  return said.map((name) => ({ name, attribute: fields[`${name}_column`].trim(), values: names(fields[`${name}_values`]) ?? ["true"] }));
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
    owner_quotas: quotas(fields.owner_quotas),
    segment_quotas: quotas(fields.segment_quotas),
    where: others(fields),
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
