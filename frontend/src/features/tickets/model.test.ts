import { describe, expect, it } from "vitest";
import { amountOf, fieldsOf, filled, missing } from "./model";

describe("a form", () => {
  it("knows what is missing before it is submitted", () => {
    const form = { required: ["a", "b", "c"], properties: { a: {}, b: {}, c: {}, d: {} } };
    expect(missing(form, { a: "x", b: "  ", d: "" })).toEqual(["b", "c"]);
    expect(missing(form, { a: false, b: 0, c: "x" })).toEqual([]);
  });

  it("has its fields in order, with fitting widgets", () => {
    const fields = fieldsOf({
      required: ["b"],
      properties: {
        a: { type: "string", title: "A", maxLength: 2000, "x-order": 2 },
        b: { type: "string", enum: ["x", "y"], "x-order": 1 },
        c: { type: "boolean" },
        d: { type: "string", format: "date" },
        e: { type: "integer" },
      },
    });
    expect(fields.map((f) => [f.key, f.widget, f.required])).toEqual([
      ["b", "select", true],
      ["a", "textarea", false],
      ["c", "checkbox", false],
      ["d", "date", false],
      ["e", "number", false],
    ]);
  });

  it("sends no empty fields", () => {
    expect(filled({ a: "", b: null, c: 0, d: false, e: "x" })).toEqual({ c: 0, d: false, e: "x" });
  });
});

describe("a typed amount", () => {
  it.each([
    ["4500", "4500.00"],
    ["4,500", "4500.00"],
    ["4.500", "4500.00"],
    ["1.450,5", "1450.50"],
    ["1,450.50", "1450.50"],
    ["1 450,50", "1450.50"],
    ["1’450.50", "1450.50"],
    ["0007", "7.00"],
    ["0.5", "0.50"],
    ["999999999999.99", "999999999999.99"],
  ])("%s is %s", (typed, amount) => expect(amountOf(typed)).toBe(amount));

  it.each(["12,3456", "1,23,456", "1.2.3", "-5", "abc", "", "1,234,56.7", "1e5", "9999999999999"])(
    "%s is none",
    (typed) => expect(amountOf(typed)).toBeNull(),
  );
});
