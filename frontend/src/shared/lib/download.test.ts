import { expect, it } from "vitest";
import { nameOf } from "./download";

it("takes the server's name, or ours", () => {
  expect(nameOf('attachment; filename="tickets-2026-11-25.csv"', "x.csv")).toBe("tickets-2026-11-25.csv");
  expect(nameOf(null, "x.csv")).toBe("x.csv");
  expect(nameOf("inline", "x.csv")).toBe("x.csv");
});
