import { describe, expect, it } from "vitest";
import type { ViewRead } from "@/api/generated";
import { offers, pieces, savedSearches, stepped, withFilter, without } from "./model";

describe("pieces", () => {
  it("parts what is marked from what is not, and reads the signs", () => {
    expect(pieces("a &lt;b&gt; <mark>C &amp; D</mark> &#x27;e&quot;")).toEqual([
      { text: "a <b> ", isMarked: false },
      { text: "C & D", isMarked: true },
      { text: " 'e\"", isMarked: false },
    ]);
  });
  it("reads each sign once only", () => {
    expect(pieces("&amp;lt;mark&amp;gt;")).toEqual([{ text: "&lt;mark&gt;", isMarked: false }]);
    expect(pieces("")).toEqual([]);
  });
});

describe("filters in the box", () => {
  it("are taken out of what was written", () => {
    expect(without('laptop status:open "two words"', "status:open")).toBe('laptop "two words"');
    expect(without("laptop", "is:late")).toBe("laptop");
  });
  it("are put behind it once", () => {
    expect(withFilter("laptop ", "status", "IN_PROGRESS")).toBe("laptop status:in_progress");
    expect(withFilter("laptop status:open", "status", "OPEN")).toBe("laptop status:open");
  });
});

describe("what is offered under the box", () => {
  const ticket = {
    id: 4,
    ticket_number: "ITS-2026-000004",
    title: "A lamp",
    title_highlight: "A lamp",
    status: "APPROVED" as const,
    ticket_type: "IT_SUPPORT",
  };
  const found = {
    words: ["lamp status:open"],
    tickets: [ticket],
    people: [
      { id: 7, username: "lamprey", name: "Lamprey", department: null },
      { id: 8, username: "lampert", name: "Lampert", department: { id: 1, name: "Sales" } },
    ],
    views: [{ id: 9, name: "Lamps" }],
  };
  it("goes from words to tickets, people, views, and everything", () => {
    const lines = offers(found, "lamp");
    expect(lines.map((one) => one.id)).toEqual(["w:lamp status:open", "t:4", "p:7", "p:8", "v:9", "all"]);
    expect(lines.map((one) => one.label)).toEqual([
      "status:open",
      "A lamp",
      "Lamprey",
      "Lampert",
      "Lamps",
      "lamp",
    ]);
    expect(lines.map((one) => one.hint)).toEqual([
      undefined,
      "ITS-2026-000004",
      "lamprey",
      "Sales",
      undefined,
      undefined,
    ]);
    expect(lines[0]?.goesOn).toBe("lamp status:open");
    expect(lines[2]?.to).toEqual({ path: "/tickets", query: { requester_id: "7" } });
    expect(lines.at(-1)?.to).toEqual({ path: "/search", query: { q: "lamp" } });
  });
  it("offers everything before the server has answered, and nothing for nothing", () => {
    expect(offers(undefined, "lamp").map((one) => one.id)).toEqual(["all"]);
    expect(offers(found, "")).toEqual([]);
  });
  it("steps round, and through the box itself", () => {
    expect([-1, 0, 1].map((at) => stepped(at, 1, 2))).toEqual([0, 1, -1]);
    expect([-1, 0, 1].map((at) => stepped(at, -1, 2))).toEqual([1, -1, 0]);
    expect(stepped(-1, 1, 0)).toBe(-1);
    expect(stepped(-1, -1, 0)).toBe(-1);
  });
});

it("saved searches are one's own views of words alone", () => {
  const view = { id: 1, scope: "PERSONAL", condition: null, filters: { q: "lamp" } } as unknown as ViewRead;
  const others = [
    { ...view, scope: "TEAM" },
    { ...view, condition: { field: "status", op: "eq", value: "CLOSED" } },
    { ...view, filters: { q: "lamp", status: ["CLOSED"] } },
    { ...view, filters: {} },
  ] as ViewRead[];
  expect(savedSearches([...others, view])).toEqual([view]);
});
