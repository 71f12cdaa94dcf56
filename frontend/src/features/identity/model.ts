/** Pure: a provider's settings as they are filled in, what came back with a browser, and groups with their roles. */
import type { ProviderField, ProviderGroupsRead, ProviderRead } from "@/api/generated";

export type Value = string | boolean;
export type Values = Record<string, Value>;

const lines = (value: unknown): string => (Array.isArray(value) ? value.join("\n") : String(value ?? ""));

/** As a form begins: what is set, or what counts while nothing is. Secrets are empty, for what is kept is never told. */
export function valuesOf(fields: ProviderField[]): Values {
  return Object.fromEntries(
    fields.map((f) => {
      const value = f.is_set ? f.value : f.default;
      return [f.key, f.kind === "boolean" ? value === true : lines(value)];
    }),
  );
}

/** What to send: what differs. An emptied setting is taken away; an empty secret stays as it is. */
export function changesOf(fields: ProviderField[], values: Values): Record<string, unknown> {
  const before = valuesOf(fields);
  return Object.fromEntries(
    fields.filter((f) => values[f.key] !== before[f.key]).map((f) => [f.key, sentOf(f, values[f.key])]),
  );
}

function sentOf(field: ProviderField, value: Value | undefined): unknown {
  if (typeof value !== "string") return value ?? null;
  if (field.kind === "list") {
    const items = value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    return items.length ? items : null;
  }
  return value.trim() === "" ? null : value;
}

/** A form with what was found out laid over it; what no field is for is left out. */
export function filledIn(fields: ProviderField[], values: Values, found: Values): Values {
  const known = fields.filter((f) => found[f.key] !== undefined).map((f) => [f.key, found[f.key]!]);
  return { ...values, ...Object.fromEntries(known) };
}

/** What is still missing to switch it on. */
export function lackingOf(fields: ProviderField[], values: Values): string[] {
  return fields
    .filter((f) => f.required && f.kind !== "boolean" && !values[f.key] && !(f.is_secret && f.is_set))
    .map((f) => f.key);
}

/** A key for addresses, made of a name. */
export function keyOf(name: string): string {
  const plain = name
    .normalize("NFD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[-0-9]+|-+$/g, "")
    .slice(0, 40);
  return plain.length > 1 ? plain : "provider";
}

export interface GroupRow {
  group: string;
  roles: string[];
}

/** Everybody who comes by the provider, whatever their groups. */
export const EVERYBODY = "*";

/** Groups as rows to edit; everybody's comes first and is always there. */
export function rowsOf(read: ProviderGroupsRead): GroupRow[] {
  const rows = read.items.map((item) => ({ group: item.group, roles: item.roles.map((r) => r.key) }));
  const everybody = rows.find((r) => r.group === EVERYBODY) ?? { group: EVERYBODY, roles: [] };
  return [everybody, ...rows.filter((r) => r.group !== EVERYBODY)];
}

/** Rows as they are sent; two rows of one group count together, and one without a name or roles not at all. */
export function groupsOf(rows: GroupRow[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { group, roles } of rows) {
    const name = group.trim();
    if (name && roles.length) found[name] = [...new Set([...(found[name] ?? []), ...roles])];
  }
  return found;
}

/** What a provider's row keeps besides its settings. */
export function rulesOf(provider: ProviderRead) {
  const { name, is_on, creates_people, links_by, updates_people, trusts_second_factor } = provider;
  return { name, is_on, creates_people, links_by, updates_people, trusts_second_factor };
}
