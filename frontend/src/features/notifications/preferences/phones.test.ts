import { describe, expect, it } from "vitest";
import type { ContactPointRead } from "@/api/generated";
import { digitsOf, isCode, nextOf, phonesOf } from "./phones";

const point = (id: number, more: Partial<ContactPointRead> = {}): ContactPointRead => ({
  id,
  channel: "sms",
  channel_label: "SMS",
  label: "",
  address: "+4915112345678",
  is_verified: true,
  is_stopped: false,
  used_at: null,
  created_at: "2026-11-23T09:30:00Z",
  ...more,
});

describe("phones", () => {
  it("are what has the channel SMS", () => {
    expect(phonesOf([point(1), point(2, { channel: "push" })]).map((p) => p.id)).toEqual([1]);
  });

  it("wait for their code: the one just asked for first, then one that was never proved", () => {
    const [a, b, c] = [point(1), point(2, { is_verified: false }), point(3, { is_stopped: true })];
    expect(nextOf([a, b, c], null)).toBe(b);
    expect(nextOf([a, b, c], 3)).toBe(c);
    expect(nextOf([a, c], null)).toBeNull();
    expect(nextOf([a, b], 99)).toBe(b);
  });

  it("are proved with six digits, however they were copied", () => {
    expect(digitsOf(" 482 913-")).toBe("482913");
    expect(isCode("482–913")).toBe(true);
    expect(isCode("48291")).toBe(false);
    expect(isCode("48291x")).toBe(false);
    expect(isCode("４８２９１３")).toBe(false);
  });
});
