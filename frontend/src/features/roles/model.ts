/** Roles and what they grant, as the matrix holds them: pure. */
import type { PermissionItem, RoleRead } from "@/api/generated";

export type Scope = "OWN" | "LINE" | "TEAM" | "DEPARTMENT" | "ALL";
export type Granted = Record<string, Scope>;
export const PLAIN: Scope = "ALL";

export interface Room {
  room: string;
  items: PermissionItem[];
}

/** The permissions by room, in the order they come. */
export function rooms(items: PermissionItem[]): Room[] {
  const found = new Map<string, PermissionItem[]>();
  for (const item of items) found.set(item.room, [...(found.get(item.room) ?? []), item]);
  return [...found].map(([room, inRoom]) => ({ room, items: inRoom }));
}

/** Those whose word or label holds every word that is looked for. */
export function matching(
  items: PermissionItem[],
  q: string,
  label: (permission: string) => string,
): PermissionItem[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((item) => {
    const text = `${item.permission} ${label(item.permission)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export interface Difference {
  permission: string;
  before: Scope | null;
  after: Scope | null;
}

/** What two roles grant differently, by permission. */
export function differences(before: Granted, after: Granted): Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .map((permission) => ({
      permission,
      before: before[permission] ?? null,
      after: after[permission] ?? null,
    }))
    .filter((d) => d.before !== d.after);
}

/** The same with one permission set to a scope, or taken away. */
export function withScope(granted: Granted, permission: string, scope: Scope | null): Granted {
  const rest = Object.fromEntries(Object.entries(granted).filter(([word]) => word !== permission));
  return scope === null ? rest : { ...rest, [permission]: scope };
}

/** What can be chosen for a permission of a role, from nothing to everything. */
export function choices(
  item: PermissionItem,
  role: Pick<RoleRead, "key">,
  administrator: string,
): (Scope | null)[] {
  if (item.is_kept_by_administrators && role.key === administrator) return [PLAIN];
  return [null, ...(item.scopes.length ? (item.scopes as Scope[]) : [PLAIN])];
}

/** The next place in a grid for an arrow key, Home or End; null for any other key. */
export function step(
  key: string,
  at: { row: number; column: number },
  size: { rows: number; columns: number },
): { row: number; column: number } | null {
  const clamp = (n: number, most: number) => Math.min(Math.max(n, 0), most - 1);
  const moves: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    PageUp: [-10, 0],
    PageDown: [10, 0],
    Home: [0, -size.columns],
    End: [0, size.columns],
  };
  const move = moves[key];
  if (!move) return null;
  return { row: clamp(at.row + move[0], size.rows), column: clamp(at.column + move[1], size.columns) };
}

/** A key for a new role from its name: what the server takes, and none of those there are. */
export function keyFor(name: string, taken: string[]): string {
  const plain = name
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[^a-z]+|_+$/g, "")
    .slice(0, 50);
  const key = plain.length > 1 ? plain : "role";
  if (!taken.includes(key)) return key;
  for (let n = 2; ; n++) if (!taken.includes(`${key}_${n}`)) return `${key}_${n}`;
}

/** A day as the end of it, where the browser is; null for none. */
export function endOfDay(day: string): string | null {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T23:59:59`) : null;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}
