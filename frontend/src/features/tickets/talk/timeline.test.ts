import { expect, it } from "vitest";
import { kindOf } from "./timeline";

const by = (type: string, actor: unknown = { id: 1 }) => kindOf({ type, actor });

it("sorts what happened", () => {
  expect(by("comment.created")).toBe("comments");
  expect(by("comment.removed")).toBe("comments");
  expect(by("attachment.added")).toBe("comments");
  expect(by("attachment.scanned", null)).toBe("system");
  expect(by("approval.requested", null)).toBe("approvals");
  expect(by("ticket.rejected")).toBe("approvals");
  expect(by("ticket.updated")).toBe("changes");
  expect(by("ticket.closed", null)).toBe("system");
});
