import { describe, expect, it } from "vitest";
import { readVectors } from "@/shared/conditions/vectors";
import {
  errorOf,
  fieldsOf,
  filled,
  hiddenIn,
  missing,
  sent,
  shownFields,
  withDefaults,
  wrongIn,
} from "./formModel";

const when = (field: string, op: string, value: unknown) => ({ "x-show-when": { field, op, value } });
const form = {
  required: ["need", "reason"],
  properties: {
    need: {
      "x-kind": "choice",
      title: "What for",
      type: "string",
      enum: ["new", "old"],
      "x-choices": { new: "A new one" },
    },
    reason: { "x-kind": "text", title: "Why", type: "string", ...when("custom.need", "eq", "old") },
    quote: {
      "x-kind": "money",
      title: "Quote",
      "x-min": "1",
      "x-max": "1000",
      ...when("amount", "gt", "100"),
    },
    count: { "x-kind": "number", title: "How many", type: "integer", minimum: 1, maximum: 9, default: 1 },
    extras: {
      "x-kind": "multi_choice",
      title: "Extras",
      type: "array",
      items: { type: "string", enum: ["a", "b"] },
      maxItems: 1,
    },
    day: { "x-kind": "date", title: "Day", type: "string", "x-min": "2026-01-01", "x-max": "2026-12-31" },
    words: { "x-kind": "text", title: "Words", type: "string", minLength: 2, maxLength: 3 },
  },
};

describe("what is shown and needed", () => {
  it("is what the server says, case by case", () => {
    const { forms } = readVectors();
    for (const { form: schema, fields, facts, hidden, needed } of forms) {
      expect([...hiddenIn(schema, fields, facts)].sort(), JSON.stringify({ schema, fields, facts })).toEqual(
        hidden,
      );
      expect(missing(schema, fields, facts).sort(), JSON.stringify({ schema, fields, facts })).toEqual(
        needed,
      );
    }
    expect(forms.length).toBeGreaterThan(50);
  });

  it("follows what is typed, an amount as people write it too", () => {
    const keys = (values: Record<string, unknown>, amount: string | null = null) =>
      shownFields(form, values, { amount }).map((f) => f.key);
    expect(keys({})).not.toContain("reason");
    expect(keys({ need: "old" })).toContain("reason");
    expect(keys({}, "100.01")).toContain("quote");
    const onMoney = {
      properties: {
        price: { "x-kind": "money", type: "object" },
        why: { "x-kind": "text", type: "string", ...when("custom.price", "gte", "1000") },
      },
    };
    const typed = (amount: string) => shownFields(onMoney, { price: { amount, currency: "EUR" } }, {}).length;
    expect(typed("1.000")).toBe(2);
    expect(typed("999,99")).toBe(1);
    expect(typed("")).toBe(1);
  });
});

describe("what is sent", () => {
  it("holds what is shown and filled in; what vanished stays with who types", () => {
    const values = { need: "new", reason: "kept", extras: [], day: "", count: 0 };
    expect(sent(form, values, {})).toEqual({ need: "new", count: 0 });
    expect(sent(form, { ...values, need: "old" }, {})).toEqual({ need: "old", reason: "kept", count: 0 });
    expect(values.reason).toBe("kept");
  });

  it("writes amounts as the server takes them", () => {
    expect(filled({ a: { amount: "1.450,5", currency: "EUR" }, b: { amount: "", currency: "EUR" } })).toEqual(
      {
        a: { amount: "1450.50", currency: "EUR" },
      },
    );
    expect(filled({ a: { amount: "much", currency: "EUR" } })).toEqual({
      a: { amount: "much", currency: "EUR" },
    });
    expect(filled({ a: { other: 1 } })).toEqual({ a: { other: 1 } });
  });

  it("starts with the defaults, once", () => {
    expect(withDefaults(form, {})).toEqual({ count: 1 });
    const emptied = { count: "" };
    expect(withDefaults(form, emptied)).toBe(emptied);
  });
});

describe("what is wrong", () => {
  it("is told before the server does", () => {
    const values = {
      need: "new",
      quote: { amount: "1.50,2", currency: "EUR" },
      count: 1.5,
      extras: ["a", "b"],
      day: "9999-01-01",
      words: "word",
    };
    expect(wrongIn(form, values, { amount: "500.00" })).toEqual({
      quote: { key: "amount" },
      count: { key: "whole" },
      extras: { key: "many", limit: 1 },
      day: { key: "date" },
      words: { key: "long", limit: 3 },
    });
  });

  it.each([
    [{ words: "w" }, { words: { key: "short", limit: 2 } }],
    [{ count: 0 }, { count: { key: "below", limit: 1 } }],
    [{ count: 10 }, { count: { key: "above", limit: 9 } }],
    [{ count: "x" }, { count: { key: "number" } }],
    [{ day: "2025-12-31" }, { day: { key: "early", limit: "2026-01-01" } }],
    [{ day: "2027-01-01" }, { day: { key: "late", limit: "2026-12-31" } }],
    [{ quote: { amount: "0.99", currency: "EUR" } }, { quote: { key: "below", limit: "1" } }],
    [{ quote: { amount: "1,000.01", currency: "EUR" } }, { quote: { key: "above", limit: "1000" } }],
    [{ quote: "5" }, { quote: { key: "amount" } }],
    [{ words: "abc", count: 9, day: "2026-12-31", quote: { amount: "1000", currency: "EUR" } }, {}],
  ])("%o", (values, wrong) => expect(wrongIn(form, values, { amount: "500.00" })).toEqual(wrong));

  it("a tick that is needed is a tick; a plain boolean is answered by no", () => {
    const ticks = {
      required: ["a", "b"],
      properties: { a: { type: "boolean" }, b: { type: "boolean", "x-kind": "checkbox" } },
    };
    expect(missing(ticks, { a: false, b: false })).toEqual(["b"]);
  });

  it("finds the message of a part of a field", () => {
    const errors = { "custom_fields.price.amount": "must be more", "custom_fields.price2": "is odd" };
    expect(errorOf(errors, "price")).toBe("must be more");
    expect(errorOf(errors, "price2")).toBe("is odd");
    expect(errorOf(errors, "other")).toBeUndefined();
  });
});

it("draws what it does not know by kind as well as it can", () => {
  const fields = fieldsOf({
    properties: {
      a: { type: "array", items: { enum: ["x"] } },
      b: true,
      c: { type: "array" },
      d: { "x-kind": "surprise", type: "string", "x-widget": "textarea" },
    },
  });
  expect(fields.map((f) => f.kind)).toEqual(["multi_choice", "text", "text", "long_text"]);
  expect(fieldsOf({})).toEqual([]);
});
