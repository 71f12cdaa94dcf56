import { expect, it } from "vitest";
import type { QueueItem } from "@/api/generated";
import { byUrgency, following, isEmergency } from "./order";

const item = (id: number, priority: string, due_at: string, status = "PENDING") =>
  ({ id, due_at, status, ticket: { priority } }) as QueueItem;

it("sorts by priority, deadline and age; what waits for an answer stands last", () => {
  const list = [
    item(1, "CRITICAL", "2026-01-01T00:00:00Z", "INFO_REQUESTED"),
    item(2, "LOW", "2026-01-01T00:00:00Z"),
    item(3, "HIGH", "2026-01-03T00:00:00Z"),
    item(4, "HIGH", "2026-01-02T00:00:00Z"),
    item(6, "UNKNOWN", "2026-01-02T00:00:00Z"),
    item(5, "HIGH", "2026-01-02T00:00:00Z"),
    item(7, "CRITICAL", "2026-01-09T00:00:00Z"),
  ];
  expect(list.sort(byUrgency).map((i) => i.id)).toEqual([7, 4, 5, 3, 2, 6, 1]);
  expect(list.filter(isEmergency).map((i) => i.id)).toEqual([7, 1]);
});

it("goes on with what stands behind, at the end with what stood before", () => {
  const list = [1, 2, 3].map((id) => item(id, "LOW", ""));
  expect(following(list, 2)?.id).toBe(3);
  expect(following(list, 3)?.id).toBe(2);
  expect(following(list, 9)?.id).toBe(1);
  expect(following([item(1, "LOW", "")], 1)).toBeUndefined();
  expect(following([], 1)).toBeUndefined();
});
