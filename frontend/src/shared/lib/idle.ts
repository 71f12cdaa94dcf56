/** When a sign-in that nobody uses is warned of, and when it is over. Pure. */

export type Standing = { is: "used" } | { is: "ending"; seconds: number } | { is: "over" };
const WARNING = 120; // seconds before the end, or a fifth of a short one

export function warnedAt(idleSeconds: number): number {
  return idleSeconds - Math.min(WARNING, idleSeconds / 5);
}

/** How a sign-in stands whose person did something last at `used`; times in milliseconds. */
export function standing(used: number, now: number, idleSeconds: number): Standing {
  const idle = Math.max(now - used, 0) / 1000;
  if (idle < warnedAt(idleSeconds)) return { is: "used" };
  return idle < idleSeconds ? { is: "ending", seconds: Math.ceil(idleSeconds - idle) } : { is: "over" };
}

/** Whether the server should be told that somebody is here: it counts from what it heard last. */
export function isNews(used: number, told: number, idleSeconds: number): boolean {
  return used - told > Math.min(300, idleSeconds / 4) * 1000;
}
