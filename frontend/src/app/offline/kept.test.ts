import { expect, test } from "vitest";
import { isKept, isRead, LIFE, MOST, surplus } from "./kept";

test("lists, tickets and their talk are kept, and nothing beside them", () => {
  for (const key of [
    ["tickets", "list", { q: "" }],
    ["tickets", "waiting"],
    ["tickets", 7],
    ["tickets", 7, "comments"],
    ["tickets", 7, "history"],
    ["tickets", 7, "attachments"],
    ["approvals", "queue", {}],
    ["approvals", "summary"],
    ["approvals", "flow", 7],
    ["ticket-types"],
    ["dashboard"],
    ["saved-views", "list"],
    ["notifications", "count"],
    ["notifications", "list", false],
  ])
    expect(isKept(key), JSON.stringify(key)).toBe(true);
  for (const key of [
    ["tickets", "count", {}],
    ["tickets", 7, "comment-drafts"],
    ["tickets", 7, "assignees"],
    ["tickets", 7, "comments", "to-split"],
    ["tickets", "7"],
    ["attachments", 3, "link"],
    ["attachments", 3, "text"],
    ["approvals", "proof", 7],
    ["approvals", "flow", "7"],
    ["ticket-types", "one", "IT"],
    ["users", ""],
    ["contact-points"],
    ["notification-channels"],
    ["decision-link", "token", null],
    [],
  ])
    expect(isKept(key), JSON.stringify(key)).toBe(false);
});

test("how old it is, is told of what one reads", () => {
  expect(isRead(["tickets", 7])).toBe(true);
  expect(isRead(["approvals", "queue"])).toBe(true);
  expect(isRead(["approvals", "summary"])).toBe(false);
  expect(isRead(["ticket-types"])).toBe(false);
  expect(isRead(["notifications", "count"])).toBe(false);
});

test("what is old goes, and the oldest of what is too much", () => {
  const now = 10 * LIFE;
  const entries = [
    { name: "old", at: now - LIFE - 1 },
    { name: "just", at: now - LIFE },
    { name: "new", at: now },
  ];
  expect(surplus(entries, now)).toEqual(["old"]);
  const many = Array.from({ length: MOST + 2 }, (_, n) => ({ name: `${n}`, at: now - n }));
  expect(surplus(many, now)).toEqual([`${MOST}`, `${MOST + 1}`]);
});
