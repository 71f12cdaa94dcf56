import { expect, it } from "vitest";
import type { QueueItem } from "@/api/generated";
import { portions, totals, whomFor, whyAlone } from "./bulk";

function item(
  amount: string | null,
  currency = "USD",
  more: Partial<QueueItem> = {},
  name = "Jane",
): QueueItem {
  return {
    status: "PENDING",
    one_by_one: null,
    allowed_actions: ["approve", "reject"],
    ticket: { amount, currency: amount && currency, requester: name ? { name } : null },
    ...more,
  } as QueueItem;
}

it("adds to the cent, by currency", () => {
  expect(totals([])).toEqual([]);
  expect(totals([item("0.10"), item("0.20"), item(null), item("5", "EUR"), item("7.5", "EUR")])).toEqual([
    ["EUR", "12.50"],
    ["USD", "0.30"],
  ]);
  expect(totals([item("999999999999.99"), item("999999999999.99")])).toEqual([["USD", "1999999999999.98"]]);
});

it("says whom they are for, the most first", () => {
  const list = [
    item("1"),
    item("1", "USD", {}, "Ben"),
    item("1", "USD", {}, "Ben"),
    item("1", "USD", {}, ""),
  ];
  expect(whomFor(list, "somebody")).toEqual([
    ["Ben", 2],
    ["Jane", 1],
    ["somebody", 1],
  ]);
});

it("knows why one stands alone", () => {
  expect(whyAlone(item("1"))).toBeNull();
  const alone = { above: "5000.00", currency: "USD" };
  expect(whyAlone(item("1", "USD", { one_by_one: { ...alone, why: "AMOUNT" } }))).toBe("amount");
  expect(whyAlone(item("1", "USD", { one_by_one: { ...alone, why: "EMERGENCY" } }))).toBe("emergency");
  expect(whyAlone(item("1", "USD", { status: "INFO_REQUESTED" }))).toBe("waiting");
  expect(whyAlone(item("1", "USD", { allowed_actions: ["reject"] }))).toBe("other");
});

it("asks in portions the server takes", () => {
  expect(portions([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(portions([], 2)).toEqual([]);
  expect(portions([1])).toEqual([[1]]);
});
