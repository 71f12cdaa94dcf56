/** What this browser keeps under somebody's number, and what of it stays when their session is over. Pure but for storage. */

const DRAFTS = /^waypost\.drafts\.\d+$/;
const OUTBOX = /^waypost\.outbox\.\d+$/;
const RECENT = /^waypost\.recent\.\d+$/;

const namesIn = (storage: Storage) => Array.from({ length: storage.length }, (_, n) => storage.key(n) ?? "");

function entriesOf(storage: Storage, name: string): [string, unknown][] {
  try {
    return Object.entries((JSON.parse(storage.getItem(name) ?? "{}") ?? {}) as Record<string, unknown>);
  } catch {
    return []; // not ours to read: nothing of it is kept
  }
}

/**
 * Remove it, whoever's it is: titles looked at lately, and every draft the server has. What the server does not know yet
 * (words written without a network, comments that could not be sent) waits for its person, who is nobody else's to show.
 */
export function leaveNothing(local: Storage = localStorage, tab: Storage = sessionStorage): void {
  for (const name of namesIn(tab)) if (RECENT.test(name)) tab.removeItem(name);
  for (const name of namesIn(local)) {
    if (!DRAFTS.test(name) && !OUTBOX.test(name)) continue;
    const unsent = entriesOf(local, name).filter(
      ([, entry]) => OUTBOX.test(name) || (entry as { dirty?: boolean } | null)?.dirty === true,
    );
    if (unsent.length) local.setItem(name, JSON.stringify(Object.fromEntries(unsent)));
    else local.removeItem(name);
  }
}
