/** One at a time among all tabs of this browser. */

const PATIENCE = 5000; // a tab that sleeps may hold it for ever

/** Do `work` while no other tab does what has the same `name`; where a browser has no locks, or one is not given back, at once. */
export async function alone<T>(name: string, work: () => Promise<T>, patience = PATIENCE): Promise<T> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (!locks) return work();
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), patience);
  let hasBegun = false;
  try {
    return await locks.request(name, { signal: waiting.signal }, () => {
      hasBegun = true;
      clearTimeout(timer);
      return work();
    });
  } catch (error) {
    if (hasBegun) throw error;
    return work();
  } finally {
    clearTimeout(timer);
  }
}
