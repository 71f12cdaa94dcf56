/** The tickets one looked at last in this tab, for the palette; gone with the tab, and with whoever was signed in. */

export interface Recent {
  id: number;
  number: string;
  title: string;
}
const MOST = 8;
const key = (userId: number) => `waypost.recent.${userId}`;

export function recents(userId: number): Recent[] {
  try {
    return JSON.parse(sessionStorage.getItem(key(userId)) ?? "[]") as Recent[];
  } catch {
    return [];
  }
}

export function remember(userId: number, ticket: Recent): void {
  const others = recents(userId).filter((r) => r.id !== ticket.id);
  try {
    sessionStorage.setItem(key(userId), JSON.stringify([ticket, ...others].slice(0, MOST)));
  } catch {
    // Storage is closed to us: nothing is remembered then.
  }
}
