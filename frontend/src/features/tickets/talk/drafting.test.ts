import { expect, it } from "vitest";
import { meet, type LocalDraft } from "./drafting";

const server = (body: string, updated_at = "2") => ({ body, updated_at });
const local = (body: string, base: string | null, dirty: boolean): LocalDraft => ({ body, base, dirty });

it("a device that has nothing takes what there is", () => {
  expect(meet(undefined, undefined)).toEqual({ take: "nothing" });
  expect(meet(undefined, server("a"))).toEqual({ take: "server", draft: server("a") });
});

it("what the server knows already follows the server", () => {
  expect(meet(local("a", "1", false), server("b"))).toEqual({ take: "server", draft: server("b") });
  expect(meet(local("a", "1", false), undefined)).toEqual({ take: "nothing" });
  expect(meet(local("a", null, false), undefined)).toEqual({ take: "local" });
});

it("what it does not know yet goes on", () => {
  expect(meet(local("a", null, true), undefined)).toEqual({ take: "local" });
  expect(meet(local("b", "2", true), server("a"))).toEqual({ take: "local" });
  expect(meet(local("a", "1", true), server("a"))).toEqual({ take: "local" });
  expect(meet(local("", "1", true), server("a"))).toEqual({ take: "local" });
});

it("what two devices wrote at once is asked about", () => {
  expect(meet(local("mine", "1", true), server("theirs"))).toEqual({ take: "ask", draft: server("theirs") });
});
