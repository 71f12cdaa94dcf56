import { describe, expect, it } from "vitest";
import type { TicketRead, TicketTypeRead } from "@/api/generated";
import { blank, copyOf } from "./asking/content";
import { addressOf } from "./asking/prefill";
import { filled, isSealed, missing, wrongIn } from "./formModel";

const MARK = { sealed: "6f1c9a52-4a0b-4d1e-9a57-3f4c2f0f7b11" };
const form = {
  required: ["iban"],
  properties: {
    iban: { "x-kind": "text", title: "Account", "x-sensitive": true, maxLength: 34 },
    salary: { "x-kind": "number", title: "Salary", "x-sensitive": true },
    why: { "x-kind": "text", title: "Why" },
  },
};

describe("answers that are kept sealed", () => {
  it("are known by their mark alone", () => {
    expect(isSealed(MARK)).toBe(true);
    for (const value of [null, undefined, "x", {}, { sealed: 1 }, { ...MARK, more: 1 }, [MARK]])
      expect(isSealed(value)).toBe(false);
  });
  it("are sent back as they were read, and lack nothing", () => {
    const values = { iban: MARK, salary: MARK, why: "Rent" };
    expect(filled(values)).toEqual(values);
    expect(missing(form, values)).toEqual([]);
    expect(wrongIn(form, values, {})).toEqual({});
    expect(missing(form, { ...values, iban: undefined })).toEqual(["iban"]);
  });
  it("are not taken into a copy", () => {
    const ticket = {
      title: "Pay",
      description: "",
      priority: "MEDIUM",
      custom_fields: { iban: MARK, why: "Rent" },
      form,
    } as unknown as TicketRead;
    const kind = { form, default_priority: "MEDIUM" } as unknown as TicketTypeRead;
    const { content, left } = copyOf(ticket, kind, "2026-01-01");
    expect(content.fields).toEqual({ why: "Rent" });
    expect(left).toEqual([{ title: "Account", why: "hidden" }]);
  });
  it("never stand in an address", () => {
    const kind = { key: "PAY", form } as unknown as TicketTypeRead;
    const content = { ...blank(), fields: { iban: "DE89", salary: 4000, why: "Rent" } };
    const address = addressOf(kind, content) ?? "";
    expect(address).toContain("Rent");
    expect(address).not.toContain("DE89");
    expect(address).not.toContain("4000");
  });
});
