// @vitest-environment jsdom
import { afterEach, expect, it, vi } from "vitest";
import { alone } from "./alone";

/** As much of the browser's locks as is used: one holder by name, the others wait in turn. */
function lockManager() {
  const queues = new Map<string, Promise<unknown>>();
  return {
    request(name: string, { signal }: { signal: AbortSignal }, work: () => Promise<unknown>) {
      const before = queues.get(name) ?? Promise.resolve();
      const given = Promise.race([
        before.catch(() => undefined),
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      ]);
      const mine = given.then(work);
      queues.set(name, mine);
      return mine;
    },
  };
}
const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));
afterEach(() => vi.unstubAllGlobals());

it("does one after the other, and hands on what came of it", async () => {
  vi.stubGlobal("navigator", { locks: lockManager() });
  const done: string[] = [];
  const first = alone("x", async () => {
    done.push("first begins");
    await pause(20);
    done.push("first ends");
    return 1;
  });
  const second = alone("x", async () => {
    done.push("second");
    return 2;
  });
  expect(await Promise.all([first, second])).toEqual([1, 2]);
  expect(done).toEqual(["first begins", "first ends", "second"]);
});

it("a failure is the work's own, and is not tried again", async () => {
  vi.stubGlobal("navigator", { locks: lockManager() });
  const work = vi.fn(() => Promise.reject(new Error("no")));
  await expect(alone("x", work)).rejects.toThrow("no");
  expect(work).toHaveBeenCalledOnce();
});

it("does not wait for ever for a tab that sleeps, nor where there are no locks", async () => {
  vi.stubGlobal("navigator", { locks: lockManager() });
  void alone("x", () => new Promise(() => undefined));
  expect(await alone("x", async () => "went on", 10)).toBe("went on");
  vi.stubGlobal("navigator", {});
  expect(await alone("x", async () => "at once")).toBe("at once");
});
