import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { DELAY, makeHold, type Hold } from "./holding";

let sent: [number, string, boolean][] = [];
let answer: () => Promise<unknown> = async () => undefined;
let settled: () => Promise<unknown> = async () => undefined;
let hold: Hold<string>;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  answer = async () => undefined;
  settled = async () => undefined;
  hold = makeHold<string>(
    (id, what, isLeaving) => {
      sent.push([id, what, isLeaving]);
      return answer();
    },
    () => settled(),
  );
});
afterEach(() => vi.useRealTimers());
const states = () => [...hold.entries.values()].map((e) => `${e.id} ${e.state}`);

it("waits for a second thought, then sends once", async () => {
  expect(hold.hold(1, "yes")).toBe(true);
  expect(hold.hold(1, "no")).toBe(false);
  await vi.advanceTimersByTimeAsync(DELAY - 1);
  expect(sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent).toEqual([[1, "yes", false]]);
  expect(states()).toEqual([]);
});

it("gives a decision back before it leaves, and never after", async () => {
  hold.hold(1, "yes");
  expect(hold.undo(1)).toBe("yes");
  await vi.advanceTimersByTimeAsync(2 * DELAY);
  expect(sent).toEqual([]);
  let done: (value: unknown) => void = () => undefined;
  answer = () => new Promise((resolve) => (done = resolve));
  hold.hold(1, "yes");
  await vi.advanceTimersByTimeAsync(DELAY);
  expect(states()).toEqual(["1 sending"]);
  expect(hold.undo(1)).toBeNull();
  expect(hold.undo(2)).toBeNull();
  done(null);
  await vi.advanceTimersByTimeAsync(0);
  expect(states()).toEqual([]);
});

it("holds several at once, each with its own time", async () => {
  hold.hold(1, "one");
  await vi.advanceTimersByTimeAsync(3000);
  hold.hold(2, "two");
  await vi.advanceTimersByTimeAsync(DELAY - 3000);
  expect(sent.map(([id]) => id)).toEqual([1]);
  expect(states()).toEqual(["2 held"]);
  await vi.advanceTimersByTimeAsync(3000);
  expect(sent.map(([id]) => id)).toEqual([1, 2]);
});

it("stays out of the list until the screen knows", async () => {
  let known: (value: unknown) => void = () => undefined;
  settled = () => new Promise((resolve) => (known = resolve));
  hold.hold(1, "yes");
  await vi.advanceTimersByTimeAsync(DELAY);
  expect(states()).toEqual(["1 sent"]);
  known(null);
  await vi.advanceTimersByTimeAsync(0);
  expect(states()).toEqual([]);
  settled = () => Promise.reject(new Error("the list cannot be read"));
  hold.hold(2, "yes");
  await vi.advanceTimersByTimeAsync(DELAY - 1);
  await hold.flush(false).catch(() => undefined);
  expect(states()).toEqual([]);
});

it("keeps what failed with its reason, until it is decided again or put away", async () => {
  answer = () => Promise.reject(new Error("changed"));
  hold.hold(1, "yes");
  hold.hold(2, "yes");
  await vi.advanceTimersByTimeAsync(DELAY);
  expect(states()).toEqual(["1 failed", "2 failed"]);
  expect((hold.entries.get(1)?.error as Error).message).toBe("changed");
  answer = async () => undefined;
  expect(hold.hold(1, "no")).toBe(true);
  expect(states()).toEqual(["2 failed", "1 held"]);
  hold.dismiss(1); // what is held is undone, not put away
  hold.dismiss(2);
  expect(states()).toEqual(["1 held"]);
});

it("leaves at once with the page", async () => {
  hold.hold(1, "yes");
  hold.hold(2, "no");
  await hold.flush(true);
  expect(sent).toEqual([
    [1, "yes", true],
    [2, "no", true],
  ]);
  await vi.advanceTimersByTimeAsync(2 * DELAY);
  expect(sent).toHaveLength(2);
});

it("leaves at once when asked, alone", async () => {
  hold.hold(1, "yes");
  hold.hold(2, "no");
  await hold.sendNow(2);
  await hold.sendNow(7);
  expect(sent).toEqual([[2, "no", false]]);
  expect(states()).toEqual(["1 held"]);
});

it("does not run out while somebody reaches for Undo", async () => {
  hold.hold(1, "yes");
  await vi.advanceTimersByTimeAsync(5000);
  hold.pause();
  hold.pause();
  hold.hold(2, "held while it stands still");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent).toEqual([]);
  hold.resume();
  hold.resume();
  await vi.advanceTimersByTimeAsync(2999);
  expect(sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent.map(([id]) => id)).toEqual([1]);
  await vi.advanceTimersByTimeAsync(5000);
  expect(sent.map(([id]) => id)).toEqual([1, 2]);
  answer = () => Promise.reject(new Error("no"));
  hold.hold(3, "x");
  await hold.flush(false);
  hold.pause();
  hold.resume();
  expect(states()).toEqual(["3 failed"]);
});
