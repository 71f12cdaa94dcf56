import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";
import { AGAIN, AT_ONCE, Keeper, LATEST, SOON, type KeepState } from "./keeper";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

function kept(
  answer: (value: string, version: number) => Promise<number> = async (_, version) => version + 1,
) {
  const sent: [string, number][] = [];
  const states: KeepState[] = [];
  const keeper = new Keeper<string>(1, {
    send: (value, version) => {
      sent.push([value, version]);
      return answer(value, version);
    },
    tell: (state) => states.push(state),
  });
  return { keeper, sent, states };
}

it("sends once after the last of several changes, with the version it knows", async () => {
  const { keeper, sent, states } = kept();
  keeper.change("a");
  await vi.advanceTimersByTimeAsync(SOON - 1);
  keeper.change("ab");
  await vi.advanceTimersByTimeAsync(SOON);
  expect(sent).toEqual([["ab", 1]]);
  expect(states.at(-1)).toBe("kept");
  keeper.change("abc");
  await vi.advanceTimersByTimeAsync(SOON);
  expect(sent.at(-1)).toEqual(["abc", 2]);
  expect(keeper.isDirty).toBe(false);
});

it("does not let wait what was chosen, also when something is still typed", async () => {
  const { keeper, sent } = kept();
  keeper.change("typed");
  keeper.change("chosen", AT_ONCE);
  await vi.advanceTimersByTimeAsync(AT_ONCE);
  expect(sent).toEqual([["chosen", 1]]);
});

it("does not wait for ever while somebody types", async () => {
  const { keeper, sent } = kept();
  for (let at = 0; at < LATEST; at += 100) {
    keeper.change(String(at));
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(sent).toHaveLength(1);
});

it("sends one at a time, and what came meanwhile afterwards", async () => {
  let finish: (version: number) => void = () => undefined;
  const { keeper, sent } = kept(() => new Promise((resolve) => (finish = resolve)));
  keeper.change("a");
  await vi.advanceTimersByTimeAsync(SOON);
  keeper.change("b");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent).toEqual([["a", 1]]);
  finish(2);
  await vi.advanceTimersByTimeAsync(SOON);
  expect(sent.at(-1)).toEqual(["b", 2]);
});

it("tries again what could not be sent, the newest of it", async () => {
  let isAway = true;
  const { keeper, sent, states } = kept(async (_, version) => {
    if (isAway) throw new Problem(0, {});
    return version + 1;
  });
  keeper.change("a");
  await vi.advanceTimersByTimeAsync(SOON);
  expect(states.at(-1)).toBe("failed");
  expect(await keeper.flush()).toBe(false);
  isAway = false;
  await vi.advanceTimersByTimeAsync(AGAIN);
  expect(sent.at(-1)).toEqual(["a", 1]);
  expect(states.at(-1)).toBe("kept");
});

it("leaves alone what somebody else has changed", async () => {
  const { keeper, sent, states } = kept(async () => {
    throw new Problem(412, {});
  });
  keeper.change("a");
  await vi.advanceTimersByTimeAsync(SOON);
  expect(states.at(-1)).toBe("conflict");
  keeper.change("b");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent).toHaveLength(1);
  expect(keeper.isDirty).toBe(true);
  expect(await keeper.flush()).toBe(false);
});

it("is sent at once when asked, and not at all when stopped", async () => {
  const { keeper, sent } = kept();
  keeper.change("a");
  expect(await keeper.flush()).toBe(true);
  expect(sent).toEqual([["a", 1]]);
  keeper.change("b");
  keeper.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  keeper.change("c");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent).toHaveLength(1);
});

it("says nothing of an answer that comes after it was stopped", async () => {
  for (const end of ["resolve", "reject"] as const) {
    let finish: () => void = () => undefined;
    const { keeper, states } = kept(
      () =>
        new Promise((resolve, reject) => {
          finish = () => (end === "resolve" ? resolve(2) : reject(new Problem(500, {})));
        }),
    );
    keeper.change("a");
    await vi.advanceTimersByTimeAsync(SOON);
    keeper.stop();
    finish();
    await vi.advanceTimersByTimeAsync(AGAIN);
    expect(states).toEqual(["changed", "saving"]);
  }
});

it("is halted once what is on its way has arrived, and says which version is kept then", async () => {
  let finish: () => void = () => undefined;
  const { keeper } = kept(() => new Promise((resolve) => (finish = () => resolve(2))));
  expect(await keeper.halt()).toBe(1);
  const going = kept(() => new Promise((resolve) => (finish = () => resolve(2)))).keeper;
  going.change("a");
  await vi.advanceTimersByTimeAsync(SOON);
  going.change("b");
  const halted = going.halt();
  finish();
  expect(await halted).toBe(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(going.isDirty).toBe(false);
});
