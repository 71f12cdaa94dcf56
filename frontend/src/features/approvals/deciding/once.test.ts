import { expect, it } from "vitest";
import { sentOnce } from "./once";

it("what was lost on the way is sent again with its key, and what was done is over", async () => {
  const seen: string[] = [];
  const lost = async ({ "Idempotency-Key": key }: { "Idempotency-Key": string }) => {
    seen.push(key);
    throw new Error("offline");
  };
  const arrives = async ({ "Idempotency-Key": key }: { "Idempotency-Key": string }) => seen.push(key);
  const what = { stepId: 1, comments: "Which?" };
  await expect(sentOnce(what, lost)).rejects.toThrow("offline");
  await sentOnce({ ...what }, arrives);
  await sentOnce(what, arrives);
  await sentOnce({ ...what, stepId: 2 }, arrives);
  expect(seen[1]).toBe(seen[0]);
  expect(new Set(seen).size).toBe(3);
});
