import { describe, expect, it } from "vitest";
import type { TicketRead, TicketTypeRead } from "@/api/generated";
import { blank, contentOf, copyOf, differences, textOf } from "./content";
import { addressOf, prefilled } from "./prefill";

const form = {
  properties: {
    code: { type: "string", title: "Budget code", maxLength: 10 },
    size: { type: "string", enum: ["S", "M"] },
    count: { type: "integer" },
    ratio: { type: "number" },
    urgent: { type: "boolean" },
    needed: { type: "string", format: "date", title: "Needed by" },
    tags: { type: "array", items: { type: "string", enum: ["a", "b"] } },
    quote: { type: "array", items: { type: "integer" }, "x-kind": "file", title: "Quote" },
    price: { type: "object", "x-kind": "money", "x-max": "100" },
    boss: { type: "integer", "x-kind": "person" },
    place: {
      type: "integer",
      "x-kind": "department",
      "x-show-when": { field: "custom.code", op: "is_empty" },
    },
    essay: { type: "string", "x-kind": "long_text" },
    list: { type: "array", items: { type: "string" } },
  },
};
const kind = { key: "IT", form, has_amount: true, default_priority: "MEDIUM" } as unknown as TicketTypeRead;
const plain = { ...kind, has_amount: false } as TicketTypeRead;

describe("what was kept", () => {
  it("is read back as it was", () => {
    const content = {
      title: "A lap",
      description: "x",
      priority: "HIGH",
      due: "2030-01-02",
      amount: "12,",
      currency: "EUR",
      fields: { code: "A" },
      requester: { id: 3, name: "Jane", departmentId: 4 },
    };
    expect(contentOf(JSON.parse(JSON.stringify(content)))).toEqual(content);
  });
  it.each([
    null,
    7,
    "x",
    [],
    { title: 7, description: null, amount: {}, currency: "euro", priority: "SOON", due: "tomorrow" },
    { fields: [], requester: { id: "3", name: "x" } },
    { requester: { id: 1 } },
    { requester: 4 },
  ])("is empty where it is not as it should be: %j", (kept) => expect(contentOf(kept)).toEqual(blank()));
  it("is the same whatever its order", () => {
    const one = { ...blank(), fields: { a: 1, b: [2] } };
    const other = contentOf({ fields: { b: [2], a: 1 }, title: "" });
    expect(textOf(one)).toBe(textOf(other));
    expect(textOf(one)).not.toBe(textOf({ ...one, title: "x" }));
  });
  it("says where two versions differ", () => {
    const mine = { ...blank(), title: "a", fields: { code: "1", tags: ["x"] } };
    const theirs = {
      ...blank(),
      title: "b",
      fields: { code: "1" },
      requester: { id: 1, name: "Jane", departmentId: null },
    };
    const fields = [
      { key: "code", title: "Code" },
      { key: "tags", title: "Tags" },
    ];
    expect(differences(mine, theirs, fields)).toEqual([
      { key: "requester", title: undefined, mine: "", theirs: "Jane" },
      { key: "title", title: undefined, mine: "a", theirs: "b" },
      { key: "tags", title: "Tags", mine: '["x"]', theirs: "" },
    ]);
  });
});

describe("asking for it again", () => {
  const ticket = {
    title: "Laptop",
    description: "Please",
    priority: "HIGH",
    amount: "950.00",
    currency: "EUR",
    due_date: "2026-01-02T16:00:00Z",
    form: { properties: { old: { type: "string", title: "Old field" } } },
    custom_fields: {
      code: "A",
      size: "XL",
      needed: "2026-01-01",
      old: "x",
      quote: [4],
      unknown: 1,
      count: 2,
    },
  } as unknown as TicketRead;
  it("takes along what the form still takes, and names the rest", () => {
    const { content, left } = copyOf(ticket, kind, "2026-06-01");
    expect(content).toEqual({
      ...blank(),
      title: "Laptop",
      description: "Please",
      priority: "HIGH",
      amount: "950.00",
      currency: "EUR",
      fields: { code: "A", count: 2 },
    });
    expect(left).toEqual([
      { title: "due_date", why: "past" },
      { title: "size", why: "changed" },
      { title: "Needed by", why: "past" },
      { title: "Old field", why: "gone" },
      { title: "Quote", why: "file" },
      { title: "unknown", why: "gone" },
    ]);
  });
  it("keeps days that are to come, and no amount where none is asked for", () => {
    const { content, left } = copyOf(
      { ...ticket, priority: "MEDIUM", custom_fields: { needed: "2026-01-01" } } as TicketRead,
      plain,
      "2026-01-01",
    );
    expect(content).toMatchObject({
      priority: "",
      amount: "",
      due: "2026-01-02",
      fields: { needed: "2026-01-01" },
    });
    expect(left).toEqual([]);
    const bare = {
      ...ticket,
      due_date: null,
      amount: "1.00",
      currency: null,
      custom_fields: {},
    } as TicketRead;
    expect(copyOf(bare, kind, "2026-01-01").content).toMatchObject({ due: "", currency: "USD" });
  });
  it.each([
    ["ratio", 1.5, true],
    ["ratio", Infinity, false],
    ["count", 1.5, false],
    ["urgent", "true", false],
    ["tags", ["a"], true],
    ["tags", ["c"], false],
    ["code", 7, false],
    ["essay", "x", true],
    ["list", "x", false],
    ["boss", 3, true],
    ["boss", -3, false],
    ["place", 2, true],
    ["price", { amount: "12.50", currency: "USD" }, true],
    ["price", { amount: "1200", currency: "USD" }, false],
    ["price", "12.50", false],
    ["quote", [1], false],
  ])("%s takes %j: %s", (key, value, is) => {
    const { left } = copyOf({ ...ticket, custom_fields: { [key]: value } } as never, kind, "2020-01-01");
    expect(left.length === 0).toBe(is);
  });
});

describe("a form filled in by its address", () => {
  it("takes what it knows, and names what it does not", () => {
    const query = {
      draft: "x",
      title: "Laptop",
      description: "a\nb",
      amount: "950",
      currency: "EUR",
      priority: "HIGH",
      due: "2030-01-02",
      "field.code": "A",
      "field.size": "M",
      "field.count": "3",
      "field.ratio": "1.5",
      "field.urgent": "true",
      "field.needed": "2030-01-01",
      "field.tags": ["a", "b"],
      colour: "red",
      submit: "true",
      "field.quote": "4",
      "field.constructor": "x",
      "field.price": "12.50 EUR",
      "field.boss": "3",
    };
    const { content, isFilled, ignored } = prefilled(kind, query);
    expect(isFilled).toBe(true);
    expect(ignored).toEqual(["colour", "submit", "field.quote", "field.constructor"]);
    expect(content.fields).toEqual({
      code: "A",
      size: "M",
      count: 3,
      ratio: 1.5,
      urgent: true,
      needed: "2030-01-01",
      tags: ["a", "b"],
      price: { amount: "12.50", currency: "EUR" },
      boss: 3,
    });
    expect(content).toMatchObject({ title: "Laptop", amount: "950", currency: "EUR", due: "2030-01-02" });
  });
  it.each([
    ["priority", "SOON"],
    ["amount", "12,3456"],
    ["currency", "euro"],
    ["due", "tomorrow"],
    ["due", "2030-99-99"],
    ["title", " "],
    ["title", ["a", "b"]],
    ["title", null],
    ["field.size", "XL"],
    ["field.count", "1.5"],
    ["field.count", "many"],
    ["field.price", "12.50"],
    ["field.price", "1200 EUR"],
    ["field.tags", ["a", "c"]],
    ["field.boss", "me"],
    ["field.urgent", "yes"],
    ["field.needed", "soon"],
    ["field.code", "longer than ten"],
    ["field.code", ["a", "b"]],
    ["field.code", ""],
  ])("does not take %s=%j", (key, value) =>
    expect(prefilled(kind, { [key]: value })).toEqual({ content: blank(), isFilled: false, ignored: [key] }),
  );
  it("cuts no title in silence", () => {
    const { content, ignored } = prefilled(kind, { title: "x".repeat(300) });
    expect([content.title.length, ignored]).toEqual([200, ["title"]]);
  });
  it("asks for no amount where the type has none", () => {
    expect(prefilled(plain, { amount: "5", currency: "EUR" }).ignored).toEqual(["amount", "currency"]);
    expect(prefilled(plain, {})).toEqual({ content: blank(), isFilled: false, ignored: [] });
  });
  it("comes back from the address it makes", () => {
    const price = { amount: "12.50", currency: "EUR" };
    const content = {
      ...blank(),
      title: "A & B",
      description: "c=d",
      priority: "LOW",
      due: "2030-01-02",
      amount: "12.5",
      currency: "EUR",
      fields: { code: "x", count: 2, urgent: false, tags: ["a", "b"], quote: [4], gone: "x", price },
    };
    const address = addressOf(kind, content);
    const query: Record<string, string[]> = {};
    for (const [key, value] of new URL(address ?? "", "http://x").searchParams)
      (query[key] ??= []).push(value);
    expect(prefilled(kind, query)).toEqual({
      content: { ...content, fields: { code: "x", count: 2, urgent: false, tags: ["a", "b"], price } },
      isFilled: true,
      ignored: [],
    });
    expect(addressOf(kind, blank())).toBe("/new/IT");
    const empty = { price: {}, code: null };
    expect(addressOf(kind, { ...blank(), fields: empty })).toBe("/new/IT");
    expect(addressOf(plain, { ...blank(), amount: "5" })).toBe("/new/IT");
    expect(addressOf(kind, { ...blank(), amount: "5" })).toBe("/new/IT?amount=5");
    expect(addressOf(kind, { ...blank(), description: "x".repeat(9000) })).toBeNull();
  });
});
