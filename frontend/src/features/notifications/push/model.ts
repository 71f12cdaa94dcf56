/** What is to be done about messages in this browser. Pure. */

/** What this browser remembers of being subscribed: for whom, and as which address of theirs. */
export interface Mark {
  user: number;
  point: number;
}

export function readMark(text: string | null): Mark | null {
  try {
    const value = JSON.parse(text ?? "null") as Partial<Mark> | null;
    if (typeof value?.user === "number" && typeof value.point === "number")
      return { user: value.user, point: value.point };
  } catch {
    // Not ours.
  }
  return null;
}

export interface Point {
  id: number;
  is_stopped: boolean;
}

/**
 * At the start: a subscription is renewed for the one it is for (`again`), and let go (`end`) when somebody else is
 * here now, or when it was taken away elsewhere.
 */
export function whatToDo(
  subscribed: boolean,
  mark: Mark | null,
  user: number,
  points: readonly Point[],
): "nothing" | "again" | "end" {
  if (!subscribed) return mark ? "end" : "nothing";
  if (mark?.user !== user) return "end";
  return points.some((p) => p.id === mark.point && !p.is_stopped) ? "again" : "end";
}

export type State = "unsupported" | "home" | "blocked" | "off" | "on";

export interface Facts {
  canPush: boolean;
  /** An iPhone or iPad outside of an installed app: there it would work. */
  isAppleTab: boolean;
  permission: NotificationPermission;
  subscribed: boolean;
  mark: Mark | null;
}

export function stateOf(facts: Facts, user: number, points: readonly Point[]): State {
  if (!facts.canPush) return facts.isAppleTab ? "home" : "unsupported";
  if (facts.permission === "denied") return "blocked";
  const { subscribed, mark } = facts;
  return subscribed && whatToDo(subscribed, mark, user, points) === "again" ? "on" : "off";
}

/** A key as browsers take it. */
export function bytesOf(key: string): Uint8Array<ArrayBuffer> {
  const plain = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function isSameKey(held: ArrayBuffer | null | undefined, key: Uint8Array): boolean {
  if (!held) return false;
  const bytes = new Uint8Array(held);
  return bytes.length === key.length && bytes.every((byte, n) => byte === key[n]);
}
