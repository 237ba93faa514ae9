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

// "banking, insurance" as two names; null where nothing is named. What has a comma itself stands in quotes.
export function names(text) {
  const found = [...text.matchAll(/"([^"\n]*)"|[^,;，；\n]+/g)].map(([all, quoted]) => (quoted ?? all).trim()).filter(Boolean);
  return found.length ? [...new Set(found)] : null;
}

const listed = (names, between = ", ") => (names ?? []).map((one) => (/[,;，；]/.test(one) ? `"${one}"` : one)).join(between);

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

// base: the rules of a list as they are, of which what has no field here stays.
export function rulesOf(fields, { product = null, base = null } = {}) {
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
    where: [...others(fields), ...(base?.where ?? []).filter(({ name }) => !OTHERS.includes(name))],
    caps: [
      ...CAPS.filter((fact) => String(fields.caps[fact]).trim()).map((fact) => ({ fact, share: share(fields.caps[fact]) })),
      ...(base?.caps ?? []).filter(({ fact }) => !CAPS.includes(fact)),
    ],
    ...(base && { territory_column: base.territory_column }),
  };
}

// The same the other way round: rules of the service, as fields hold them.
export function fieldsOf(told) {
  const fields = structuredClone(DEFAULT_RULES);
  const lines = (quotas) => quotas.map(({ name, most }) => `${name}: ${most}`).join("\n");
  for (const name of ["customers", "open_opportunities", "opted_out"]) fields[name] = told[name];
  for (const name of NAMES) fields[name] = listed(told.filters[name]);
  for (const name of ["employees_from", "employees_to"]) fields[name] = String(told.filters[name] ?? "");
  for (const name of ["minimum_score", "parent_column", "owner_column", "most_per_owner"]) fields[name] = String(told[name] ?? "");
  for (const name of ["owner_quotas", "segment_quotas"]) fields[name] = lines(told[name]);
  for (const { name, attribute, values } of told.where.filter((one) => OTHERS.includes(one.name))) {
    fields[`${name}_column`] = attribute;
    fields[`${name}_values`] = listed(values);
  }
  for (const { fact, share: part } of told.caps.filter((one) => CAPS.includes(one.fact))) fields.caps[fact] = String(Math.round(10_000 * part) / 100);
  return fields;
}

// How many of the rules differ from the usual ones, to be told while they are folded away.
export function rulesSet(fields) {
  const own = Object.entries(fields).filter(([name, value]) =>
    name === "caps" ? false : typeof value === "boolean" ? value !== DEFAULT_RULES[name] : value.trim() !== "",
  );
  return own.length + CAPS.filter((fact) => String(fields.caps[fact]).trim()).length;
}
