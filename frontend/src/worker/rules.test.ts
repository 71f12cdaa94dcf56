import { expect, test } from "vitest";
import { CACHE, outdated, ownPath, readPush, tabFor, wayOf } from "./rules";

const HOME = "https://waypost.test";
const files = new Set(["/", "/theme.js"]);
const way = (url: string, mode = "no-cors", method = "GET") =>
  wayOf({ method, url: new URL(url, HOME).href, mode }, HOME, files);

test("pages come from the shell when they must, files from what is kept, the API never", () => {
  expect(way("/tickets/7?tab=x", "navigate")).toBe("shell");
  expect(way("/decide/abc", "navigate")).toBe("shell");
  expect(way("/assets/index-abc.js")).toBe("file");
  expect(way("/theme.js")).toBe("file");
  expect(way("/other.txt")).toBe("network");
  for (const path of ["/api/v1/tickets", "/api", "/api-docs/start.js", "/metrics"]) {
    expect(way(path)).toBe("network");
    expect(way(path, "navigate")).toBe("network");
  }
  expect(way("/apiary", "navigate")).toBe("shell");
  expect(way("/tickets", "navigate", "POST")).toBe("network");
  expect(way("https://elsewhere.test/assets/x.js")).toBe("network");
});

test("a message leads to a place of ours only", () => {
  expect(ownPath("/tickets/7?a=1#c2", HOME)).toBe("/tickets/7?a=1#c2");
  for (const path of [
    "//evil.test/x",
    "/\\evil.test",
    "https://evil.test",
    "javascript:alert(1)",
    "/api/v1/me",
    7,
  ])
    expect(ownPath(path, HOME)).toBe("/");
  expect(ownPath(undefined, HOME)).toBe("/");
  expect(ownPath("/\t/evil.test", HOME)).toBe("/");
  expect(ownPath("/x", "nonsense")).toBe("/");
});

test("whatever arrives, something can be shown", () => {
  const said = { title: "T", body: "B", path: "/approvals", tag: "step-1", unread: 3, urgent: true };
  expect(readPush(JSON.stringify(said), HOME)).toEqual(said);
  const nothing = { title: "Waypost", body: "", path: "/", tag: "", unread: null, urgent: false };
  for (const text of ["", "null", "[]", "7", "{", '{"title":7,"unread":-1,"urgent":"yes"}', '{"unread":1.5}'])
    expect(readPush(text, HOME)).toEqual(nothing);
  expect(readPush(JSON.stringify({ title: "x".repeat(999) }), HOME).title).toHaveLength(200);
});

test("the tab one looks at goes there, else one that is seen, else any of ours", () => {
  const tab = (path: string, focused = false, visibilityState = "hidden") => ({
    url: new URL(path, HOME).href,
    focused,
    visibilityState,
  });
  const [a, b, c] = [tab("/a"), tab("/b", false, "visible"), tab("/c", true, "visible")];
  expect(tabFor([a, b, c], HOME)).toBe(c);
  expect(tabFor([a, b], HOME)).toBe(b);
  expect(tabFor([a], HOME)).toBe(a);
  const others = [tab("/api/v1/docs", true), tab("/decide/key", true), tab("https://elsewhere.test/", true)];
  expect(tabFor(others, HOME)).toBeUndefined();
});

test("the files of the version before stay for tabs that are open, older ones go", () => {
  const named = (...builds: string[]) => builds.map((build) => CACHE + build);
  expect(outdated(named("1", "2", "3"), `${CACHE}3`)).toEqual(named("1"));
  expect(outdated([...named("1", "2"), "other"], `${CACHE}2`)).toEqual([]);
  expect(outdated(named("1"), `${CACHE}1`)).toEqual([]);
});
