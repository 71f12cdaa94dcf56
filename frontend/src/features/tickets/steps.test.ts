import { expect, it } from "vitest";
import { stepsOf } from "./steps";

const words = (status: string, ...allowed_actions: string[]) =>
  stepsOf({ status: status as "DRAFT", allowed_actions }).map((s) => s.word);

it("offers what the server allows, by its name", () => {
  expect(words("DRAFT", "submit", "transition:CLOSED")).toEqual(["submit", "discard"]);
  expect(words("PENDING_INFO", "answer", "withdraw")).toEqual(["answer", "withdraw"]);
  expect(words("APPROVED", "transition:IN_PROGRESS")).toEqual(["start"]);
  expect(words("COMPLETED", "transition:IN_PROGRESS", "reopen", "transition:CLOSED")).toEqual([
    "reopen",
    "close",
  ]);
  expect(words("IN_PROGRESS", "transition:COMPLETED")).toEqual(["complete"]);
  expect(words("CLOSED")).toEqual([]);
});
