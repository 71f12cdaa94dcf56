import { describe, expect, it } from "vitest";
import { lengthOf, strengthOf } from "./password";

describe("a password's length", () => {
  it("is that of what people see", () => {
    expect(lengthOf("Gru\u0308ße")).toBe(5);
    expect(lengthOf("🦦🦞")).toBe(2);
    expect(lengthOf("")).toBe(0);
  });
  it("is what its strength is told by", () => {
    expect(strengthOf("x".repeat(14), 15)).toBe("short");
    expect(strengthOf("x".repeat(15), 15)).toBe("enough");
    expect(strengthOf("x".repeat(20), 15)).toBe("long");
    expect(strengthOf("x".repeat(7), 8)).toBe("short");
    expect(strengthOf("x".repeat(19), 8)).toBe("enough");
    expect(strengthOf("x".repeat(20), 8)).toBe("long");
  });
});
