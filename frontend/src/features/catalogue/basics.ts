/** Pure: what a kind of request is besides its form, as it is edited. */
import type { TicketTypeCreate, TicketTypeRead, TicketTypeUpdate } from "@/api/generated";

export interface Basics {
  key: string;
  prefix: string;
  name: string;
  description: string;
  category: string;
  keywords: string[];
  icon: string;
  team_id: number | null;
  default_priority: TicketTypeCreate["default_priority"];
  has_amount: boolean;
  requires_approval: boolean;
  is_active: boolean;
}
/** What another administrator may have changed meanwhile, in the order in which it is shown. */
export const COMPARED = [
  "name",
  "description",
  "category",
  "keywords",
  "icon",
  "team_id",
  "default_priority",
  "has_amount",
  "requires_approval",
  "is_active",
] as const;

export const blank = (category: string): Basics => ({
  key: "",
  prefix: "",
  name: "",
  description: "",
  category,
  keywords: [],
  icon: "inbox",
  team_id: null,
  default_priority: "MEDIUM",
  has_amount: false,
  requires_approval: true,
  is_active: true,
});

export const basicsOf = (type: TicketTypeRead): Basics => ({
  key: type.key,
  prefix: type.prefix,
  name: type.name,
  description: type.description,
  category: type.category,
  keywords: [...type.keywords],
  icon: type.icon,
  team_id: type.team?.id ?? null,
  default_priority: type.default_priority as Basics["default_priority"],
  has_amount: type.has_amount,
  requires_approval: type.requires_approval,
  is_active: type.is_active,
});

/** A key for a name, as conditions and addresses call the type: "Print order" is PRINT_ORDER. */
export function typeKeyFor(name: string): string {
  return name
    .normalize("NFKD")
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .replace(/^[^A-Z]+|_+$/g, "")
    .slice(0, 60);
}

/** What both a new and a changed type say. */
const sharedOf = (basics: Basics) => ({
  name: basics.name,
  description: basics.description,
  category: basics.category,
  keywords: basics.keywords,
  icon: basics.icon,
  team_id: basics.team_id,
  default_priority: basics.default_priority,
  has_amount: basics.has_amount,
  requires_approval: basics.requires_approval,
});

export function creating(basics: Basics, form: Record<string, unknown>): TicketTypeCreate {
  const { key, prefix } = basics;
  return { ...sharedOf(basics), key, prefix: prefix || null, form };
}
export function updating(
  basics: Basics,
  form: Record<string, unknown>,
  version: number,
  note: string,
): TicketTypeUpdate {
  return { ...sharedOf(basics), is_active: basics.is_active, form, version, note };
}

/** What differs between two, by name. */
export const differing = (a: Basics, b: Basics): (typeof COMPARED)[number][] =>
  COMPARED.filter((word) => JSON.stringify(a[word]) !== JSON.stringify(b[word]));
