import { describe as suite, expect, it } from "vitest";
import {
  countOf,
  describe,
  emptyGroup,
  emptyLeaf,
  isGroup,
  jsonOf,
  mistakesOf,
  mistakesUnder,
  operatorsOf,
  placed,
  pointersOf,
  referencesIn,
  treeOf,
  valueMistake,
  withField,
  withOperator,
  type Field,
  type Group,
  type Json,
  type Leaf,
  type Speech,
} from "./conditions";

const FIELDS: Field[] = [
  { name: "title", label: "Title", kind: "text" },
  { name: "number", label: "Number", kind: "text" },
  { name: "amount", label: "Amount", kind: "number", currency: "USD" },
  { name: "priority", label: "Priority", kind: "choice", choices: [{ value: "HIGH", label: "High" }] },
  { name: "team_id", label: "Team", kind: "id", refers_to: "team" },
  { name: "requester_id", label: "Requester", kind: "id", refers_to: "person" },
  { name: "urgent", label: "Urgent", kind: "boolean" },
  { name: "due", label: "Due", kind: "instant" },
  { name: "day", label: "Day", kind: "date" },
  { name: "tags", label: "Tags", kind: "list", operators: ["contains"] },
];
const field = (name: string): Field => FIELDS.find((f) => f.name === name) as Field;
const leaf = (name: string, op: string, value: Json = null): Leaf => ({ id: 0, field: name, op, value });
const amount: Json = { field: "amount", op: "gte", value: "1000" };
const title: Json = { field: "title", op: "contains", value: "laptop" };
const empty: Json = { field: "title", op: "is_empty" };
const speech: Speech = {
  say: (key, v) =>
    ({ leaf: `${v?.field} ${v?.op} ${v?.value}`, empty: `${v?.field} ${v?.op}`, inner: `(${v?.words})` })[
      key
    ] ?? (key === "not" ? `not (${v?.words})` : key.replace("op.", "")),
  show: (value) => String(value),
};

suite("the server's tree and the editor's", () => {
  it.each<[Json, Json]>([
    [null, null],
    [{ all: [] }, null],
    [{ any: [] }, { any: [] }],
    [amount, { all: [amount] }],
    [{ all: [amount, { any: [title, empty] }] }, { all: [amount, { any: [title, empty] }] }],
    [{ not: amount }, { not: { any: [amount] } }],
    [{ not: { any: [amount, title] } }, { not: { any: [amount, title] } }],
    [{ not: { all: [amount, title] } }, { not: { all: [amount, title] } }],
    [{ not: { not: { all: [amount, title] } } }, { all: [amount, title] }],
    [{ not: { not: amount } }, { any: [amount] }],
    [
      { all: [17, { op: 3 }] },
      {
        all: [
          { field: "", op: "", value: null },
          { field: "", op: "", value: null },
        ],
      },
    ],
    [{ not: null }, { not: { any: [{ field: "", op: "", value: null }] } }],
  ])("%j is kept as %j", (json, kept) => {
    expect(jsonOf(treeOf(json))).toEqual(kept);
    expect(jsonOf(treeOf(jsonOf(treeOf(json))))).toEqual(kept);
  });

  it("nothing at all is always", () => expect(jsonOf(treeOf(undefined))).toBeNull());

  it("knows where each part stands in what is sent", () => {
    const tree = treeOf({
      all: [amount, { not: { any: [title] } }, { not: { all: [empty] } }, { any: [title] }],
    });
    const places = [...pointersOf(tree).values()];
    expect(places).toEqual([
      "",
      "/all/0",
      "/all/1",
      "/all/1/not/any/0",
      "/all/2",
      "/all/2/not/all/0",
      "/all/3",
      "/all/3/any/0",
    ]);
    const sent = jsonOf(tree);
    for (const place of places.filter(Boolean)) {
      const at = place
        .slice(1)
        .split("/")
        .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], sent);
      expect(at).toBeTypeOf("object");
    }
    expect(countOf(tree)).toBe(8);
  });

  it("places a mistake at the deepest part it lies in", () => {
    const tree = treeOf({ all: [amount, { any: [title, empty] }] });
    const inner = tree.parts[1] as Group;
    const found = placed(tree, [
      { pointer: "/all/0/value", message: "a" },
      { pointer: "/all/0/op", message: "b" },
      { pointer: "/all/1/any/1/field", message: "c" },
      { pointer: "/all/1/any", message: "d" },
      { pointer: "elsewhere", message: "e" },
      { pointer: "/all/10", message: "f" },
    ]);
    expect(found.get(tree.parts[0] as Leaf)?.map((m) => m.message)).toEqual(["a", "b"]);
    expect(found.get(inner.parts[1] as Leaf)?.[0]?.message).toBe("c");
    expect(found.get(inner)?.[0]?.message).toBe("d");
    expect(found.get(tree)?.map((m) => m.message)).toEqual(["e", "f"]);
  });

  it("takes from a larger document's mistakes its own", () => {
    const all = [
      { pointer: "/rules/1/condition/all/0", message: "mine" },
      { pointer: "/rules/1/condition", message: "whole" },
      { pointer: "/rules/1/name", message: "other" },
      { pointer: "/rules/1/conditions", message: "other" },
    ];
    expect(mistakesUnder(all, "/rules/1/condition")).toEqual([
      { pointer: "/all/0", message: "mine" },
      { pointer: "", message: "whole" },
    ]);
  });
});

suite("changing a comparison", () => {
  it("keeps of it what still fits", () => {
    const one = leaf("title", "contains", "x");
    expect(withField(one, field("number"), field("title"))).toMatchObject({ op: "contains", value: "x" });
    expect(withField(one, field("amount"), field("title"))).toMatchObject({
      field: "amount",
      op: "eq",
      value: null,
    });
    expect(withField(emptyLeaf(), field("priority"), undefined)).toMatchObject({ op: "eq", value: null });
    expect(withField(leaf("priority", "in", ["HIGH"]), field("priority"), field("priority"))).toMatchObject({
      op: "in",
      value: [],
    });
    expect(withField(one, { ...field("tags"), operators: [] }, undefined).op).toBe("eq");
  });

  it("one value becomes a list and back", () => {
    expect(withOperator(leaf("title", "eq", "x"), "in").value).toEqual(["x"]);
    expect(withOperator(leaf("title", "eq", ""), "in").value).toEqual([]);
    expect(withOperator(leaf("title", "in", ["x", "y"]), "not_in").value).toEqual(["x", "y"]);
    expect(withOperator(leaf("title", "in", ["x", "y"]), "eq").value).toBe("x");
    expect(withOperator(leaf("title", "in", []), "eq").value).toBeNull();
    expect(withOperator(leaf("title", "eq", "x"), "ne").value).toBe("x");
    expect(withOperator(leaf("title", "eq", "x"), "is_empty").value).toBeNull();
  });

  it("knows the operators of a kind, unless the server says which", () => {
    expect(operatorsOf(field("tags"))).toEqual(["contains"]);
    expect(operatorsOf(field("due"))).toEqual(["lt", "lte", "gt", "gte", "is_empty", "is_not_empty"]);
  });
});

suite("what is not right yet", () => {
  it.each<[string, Json, string | null]>([
    ["title", "x", null],
    ["title", "", "missing"],
    ["title", [], "missing"],
    ["title", 5, "tooLong"],
    ["title", "x".repeat(501), "tooLong"],
    ["amount", "1000.50", null],
    ["amount", 12, null],
    ["amount", "1,000", "number"],
    ["amount", "NaN", "number"],
    ["priority", "HIGH", null],
    ["priority", "GONE", "unknownChoice"],
    ["team_id", 3, null],
    ["team_id", "3", "missing"],
    ["team_id", 0.5, "missing"],
    ["urgent", false, null],
    ["urgent", "no", "missing"],
    ["day", "2026-11-25", null],
    ["day", "2026-13-45", "date"],
    ["day", "soon", "date"],
    ["due", "2026-11-25T10:00:00Z", null],
    ["due", "soon", "date"],
  ])("%s %j: %s", (name, value, key) => expect(valueMistake(value, field(name))).toBe(key));

  it("names the place of each", () => {
    const tree = treeOf({
      all: [
        { field: "", op: "", value: null },
        { field: "gone", op: "eq", value: 1 },
        { field: "amount", op: "contains", value: "1" },
        { field: "amount", op: "gte", value: "x" },
        { field: "title", op: "in", value: [] },
        { field: "title", op: "in", value: "x" },
        { field: "title", op: "in", value: ["a", ""] },
        { field: "title", op: "in", value: Array.from({ length: 101 }, (_, n) => `${n}`) },
        { field: "title", op: "is_empty" },
        { field: "title", op: "in", value: ["a"] },
        { any: [] },
        amount,
      ],
    });
    expect(mistakesOf(tree, FIELDS).map((m) => `${m.pointer} ${m.key}`)).toEqual([
      "/all/0/field noField",
      "/all/1/field unknownField",
      "/all/2/op operator",
      "/all/3/value number",
      "/all/4/value missing",
      "/all/5/value missing",
      "/all/6/value/1 missing",
      "/all/7/value tooMany",
      "/all/10 emptyGroup",
    ]);
    expect(mistakesOf(emptyGroup(), FIELDS)).toEqual([]);
    expect(mistakesOf(emptyGroup("any"), FIELDS).map((m) => m.key)).toEqual(["emptyGroup"]);
    const large = { ...emptyGroup(), parts: Array.from({ length: 200 }, () => leaf("title", "is_empty")) };
    expect(mistakesOf(large, FIELDS).map((m) => m.key)).toEqual(["tooLarge"]);
  });
});

suite("in words", () => {
  it.each<[Json, string]>([
    [null, "always"],
    [{ any: [] }, "never"],
    [{ not: { any: [] } }, "always"],
    [{ not: { all: [] } }, "never"],
    [amount, "Amount gte 1000"],
    [
      { all: [amount, { any: [title, empty] }] },
      "Amount gte 1000 and (Title contains laptop or Title is_empty)",
    ],
    [{ any: [amount, { all: [title] }] }, "Amount gte 1000 or Title contains laptop"],
    [{ not: amount }, "not (Amount gte 1000)"],
    [
      { all: [title, { not: { all: [amount, empty] } }] },
      "Title contains laptop and not (Amount gte 1000 and Title is_empty)",
    ],
    [{ field: "title", op: "in", value: ["a", "b"] }, "Title in a, b"],
    [{ field: "due", op: "gte", value: "2026-01-01T00:00:00Z" }, "Due gte_time 2026-01-01T00:00:00Z"],
    [{ field: "day", op: "lt", value: "2026-01-01" }, "Day lt_time 2026-01-01"],
    [{ field: "due", op: "is_empty" }, "Due is_empty"],
    [{ field: "gone", op: "eq", value: "" }, "gone eq …"],
    [{ field: "", op: "", value: null }, "something eq …"],
  ])("%j", (json, words) => {
    expect(describe(json, FIELDS, speech)).toBe(words);
    expect(describe(treeOf(json), FIELDS, speech)).toBe(words);
  });

  it("finds whom it names", () => {
    const tree = treeOf({
      all: [
        { field: "team_id", op: "in", value: [1, 2, 1] },
        { field: "requester_id", op: "eq", value: 7 },
        { field: "requester_id", op: "eq", value: null },
        amount,
        { field: "gone", op: "eq", value: 3 },
      ],
    });
    expect(referencesIn(tree, FIELDS)).toEqual({ person: [7], team: [1, 2], department: [] });
    expect(tree.parts.some(isGroup)).toBe(false);
  });
});
