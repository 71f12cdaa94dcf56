/** Pure: what was done can be undone and done again. Steps with one tag, close to each other, are one step. */

export interface History<T> {
  past: T[];
  present: T;
  future: T[];
  tag: string | null;
  at: number;
}

const MOST = 100;
/** Milliseconds after which typing in the same place is another step. */
const CLOSE = 2000;

export const begin = <T>(present: T): History<T> => ({ past: [], present, future: [], tag: null, at: 0 });

/** A change; with a tag it joins the one before that had the same. */
export function put<T>(history: History<T>, next: T, tag: string | null, at: number): History<T> {
  if (next === history.present) return history;
  const isJoined = tag !== null && tag === history.tag && at - history.at < CLOSE && history.past.length > 0;
  return {
    past: isJoined ? history.past : [...history.past, history.present].slice(-MOST),
    present: next,
    future: [],
    tag,
    at,
  };
}

export function undone<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    tag: null,
    at: 0,
  };
}

export function redone<T>(history: History<T>): History<T> {
  const [after, ...future] = history.future;
  if (after === undefined) return history;
  return { past: [...history.past, history.present], present: after, future, tag: null, at: 0 };
}
