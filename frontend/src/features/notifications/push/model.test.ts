import { expect, test } from "vitest";
import { bytesOf, isSameKey, readMark, stateOf, whatToDo, type Facts } from "./model";

const mine = { user: 7, point: 3 };
const points = [
  { id: 3, is_stopped: false },
  { id: 4, is_stopped: true },
];

test("a subscription goes on for the one it is for, while it stands in their list", () => {
  expect(whatToDo(true, mine, 7, points)).toBe("again");
  expect(whatToDo(true, mine, 8, points)).toBe("end"); // somebody else at a shared computer
  expect(whatToDo(true, null, 7, points)).toBe("end");
  expect(whatToDo(true, { user: 7, point: 5 }, 7, points)).toBe("end"); // taken away elsewhere
  expect(whatToDo(true, { user: 7, point: 4 }, 7, points)).toBe("end"); // the push service knows it no more
  expect(whatToDo(false, mine, 7, points)).toBe("end");
  expect(whatToDo(false, null, 7, points)).toBe("nothing");
});

test("what one reads of this browser", () => {
  const facts: Facts = {
    canPush: true,
    isAppleTab: false,
    permission: "granted",
    subscribed: true,
    mark: mine,
  };
  expect(stateOf(facts, 7, points)).toBe("on");
  expect(stateOf(facts, 8, points)).toBe("off");
  expect(stateOf({ ...facts, subscribed: false }, 7, points)).toBe("off");
  expect(stateOf({ ...facts, permission: "denied" }, 7, points)).toBe("blocked");
  expect(stateOf({ ...facts, canPush: false }, 7, points)).toBe("unsupported");
  expect(stateOf({ ...facts, canPush: false, isAppleTab: true }, 7, points)).toBe("home");
});

test("what is remembered is read with care", () => {
  expect(readMark(JSON.stringify(mine))).toEqual(mine);
  for (const text of [null, "", "{", "7", '{"user":"7","point":3}']) expect(readMark(text)).toBeNull();
});

test("keys are compared by what they are", () => {
  expect([...bytesOf("-_8A")]).toEqual([251, 255, 0]);
  expect(isSameKey(bytesOf("-_8A").buffer, bytesOf("-_8A"))).toBe(true);
  expect(isSameKey(bytesOf("-_8B").buffer, bytesOf("-_8A"))).toBe(false);
  expect(isSameKey(bytesOf("-_8").buffer, bytesOf("-_8A"))).toBe(false);
  expect(isSameKey(null, bytesOf("-_8A"))).toBe(false);
});
