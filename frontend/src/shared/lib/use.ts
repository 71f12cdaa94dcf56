/** When somebody last did something in this browser, in whichever tab. Nothing but that is kept. */
const KEY = "waypost.used";
const STEP = 5000; // more exactly nobody needs to know
let here = Date.now();

function elsewhere(): number {
  try {
    return Number(localStorage.getItem(KEY)) || 0;
  } catch {
    return 0; // storage is closed to us: every tab counts for itself
  }
}

/** In milliseconds. */
export function lastUsed(): number {
  const other = elsewhere();
  return Math.max(here, other > Date.now() ? 0 : other);
}

/** Somebody is here. */
export function markUse(): void {
  here = Date.now();
  if (here - elsewhere() < STEP && here >= elsewhere()) return;
  try {
    localStorage.setItem(KEY, String(here));
  } catch {
    // As above.
  }
}

/** For how many seconds nobody has done anything. */
export function idleSeconds(): number {
  return Math.max(0, Math.floor((Date.now() - lastUsed()) / 1000));
}
