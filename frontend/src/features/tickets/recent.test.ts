// @vitest-environment jsdom
import { beforeEach, expect, it } from "vitest";
import { recents, remember } from "./recent";

beforeEach(() => sessionStorage.clear());

it("keeps the last ones, each once, for each person", () => {
  for (let id = 1; id <= 10; id += 1) remember(7, { id, number: `N-${id}`, title: `t${id}` });
  remember(7, { id: 5, number: "N-5", title: "again" });
  expect(recents(7).map((r) => r.id)).toEqual([5, 10, 9, 8, 7, 6, 4, 3]);
  expect(recents(7)[0]?.title).toBe("again");
  expect(recents(8)).toEqual([]);
});

it("takes broken storage for none", () => {
  sessionStorage.setItem("waypost.recent.7", "{");
  expect(recents(7)).toEqual([]);
});
