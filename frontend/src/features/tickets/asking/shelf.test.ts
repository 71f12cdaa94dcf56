// @vitest-environment jsdom
import { beforeEach, expect, it } from "vitest";
import { shelfOf } from "./shelf";

const local = (title: string) => ({ ticket_type: "IT", content: { title }, base: 0, at: "then" });
beforeEach(() => localStorage.clear());

it("keeps each person's drafts under their own names", () => {
  const mine = shelfOf(1);
  expect(mine.put("a", local("A"))).toBe(true);
  mine.put("b", local("B"));
  shelfOf(11).put("a", local("another's"));
  expect(mine.get("a")).toEqual(local("A"));
  expect(
    mine
      .all()
      .map(([id]) => id)
      .sort(),
  ).toEqual(["a", "b"]);
  mine.remove("a");
  expect(mine.get("a")).toBeNull();
  expect(shelfOf(11).get("a")).toEqual(local("another's"));
});

it("gives nothing for what is not as it should be", () => {
  for (const odd of ["{", "null", "7", '{"ticket_type":1}', '{"ticket_type":"IT","base":"1","at":""}']) {
    localStorage.setItem("waypost.draft.1.x", odd);
    expect(shelfOf(1).get("x")).toBeNull();
  }
  expect(shelfOf(1).all()).toEqual([]);
});

it("says when it can keep nothing", () => {
  const closed = new Proxy({} as Storage, {
    get: () => {
      throw new DOMException("closed");
    },
  });
  const shelf = shelfOf(1, closed);
  expect([shelf.put("a", local("A")), shelf.get("a"), shelf.all()]).toEqual([false, null, []]);
  expect(() => shelf.remove("a")).not.toThrow();
});
