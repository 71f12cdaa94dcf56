import type { ProviderGroupsRead, ProviderRead, ProviderUpdate } from "@/api/generated";

/** The kind of provider this is about. */
export const KIND = "scim";

export const pushing = (all: ProviderRead[]): ProviderRead[] => all.filter((one) => one.kind === KIND);

/** A key for addresses, from a name: short, plain, and beginning with a letter. */
export function keyFrom(name: string): string {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  return plain.length > 1 ? plain : "provisioning";
}

/** The provider as it is, with what changes; settings not named stay. */
export function changed(
  provider: ProviderRead,
  change: Partial<Omit<ProviderUpdate, "version">>,
): ProviderUpdate {
  const { version, name, is_on, creates_people, links_by, updates_people, trusts_second_factor } = provider;
  const kept = { version, name, is_on, creates_people, links_by, updates_people, trusts_second_factor };
  return { ...kept, settings: {}, ...change };
}

/** The value of one of the provider's settings. */
export function setting(provider: ProviderRead, key: string): string {
  const value: unknown = provider.fields.find((field) => field.key === key)?.value;
  return typeof value === "string" ? value : "";
}

/** The whole map, with the roles of one group as they shall be. */
export function mapWith(map: ProviderGroupsRead, group: string, roles: string[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const item of map.items) groups[item.group] = item.roles.map((role) => role.key);
  groups[group] = roles;
  return groups;
}

/** A status in a word: done, refused, or a fault of ours. */
export const outcome = (status: number): "fine" | "refused" | "fault" =>
  status < 400 ? "fine" : status < 500 ? "refused" : "fault";
