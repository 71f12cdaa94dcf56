import { expect, it } from "vitest";
import { difference, shortened } from "./difference";

const said = (before: string, after: string) =>
  difference(before, after).map((p) => `${{ same: "=", before: "-", after: "+" }[p.kind]}${p.text}`);

it("shows what differs, and what stands around it", () => {
  expect(said("Ten screens", "Ten big screens")).toEqual(["=Ten ", "+big ", "=screens"]);
  expect(said("A new laptop", "A new car")).toEqual(["=A new ", "-laptop", "+car"]);
  expect(said("red", "blue")).toEqual(["-red", "+blue"]);
  expect(said("", "all new")).toEqual(["+all new"]);
  expect(said("gone", "")).toEqual(["-gone"]);
  expect(said("same words", "same words")).toEqual(["=same words"]);
  expect(said("a a", "a a a")).toEqual(["=a a", "+ a"]);
});

it("puts both texts together again", () => {
  for (const [before, after] of [
    ["one two three", "one 2 three"],
    ["x\n\ny z", "x y\n z"],
    ["a b a b", "a b"],
  ] as [string, string][]) {
    const parts = difference(before, after);
    const only = (kind: string) =>
      parts
        .filter((p) => p.kind === "same" || p.kind === kind)
        .map((p) => p.text)
        .join("");
    expect([only("before"), only("after")]).toEqual([before, after]);
  }
});

it("leaves out most of what is long and the same", () => {
  const long = "word ".repeat(100);
  const parts = shortened(difference(`${long}old ${long}`, `${long}new ${long}`), 20);
  expect(parts.map((p) => p.text)).toEqual([
    "… word word word word ",
    "old",
    "new",
    " word word word word …",
  ]);
  expect(shortened(difference("a b", "a c"))).toEqual(difference("a b", "a c"));
});
