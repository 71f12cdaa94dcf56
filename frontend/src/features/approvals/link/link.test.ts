import { expect, test } from "vitest";
import { createI18n } from "vue-i18n";
import type { DecisionLinkRead } from "@/api/generated";
import approvals from "../locales/en.json";
import { canDecide, saying } from "./link";

const i18n = createI18n({ legacy: false, locale: "en", messages: { en: { approvals } } });

const mike = { id: 3, username: "manager", name: "Mike Okafor" };
const ana = { id: 4, username: "head", name: "Ana Lima" };
const base: DecisionLinkRead = {
  state: "USED",
  closed: null,
  sign_in: null,
  is_signed_in: false,
  person: mike,
  expires_at: "2026-11-29T05:00:00Z",
  ticket: { id: 7, ticket_number: "ITH-2026-000007", title: "Laptop" },
  item: null,
  files: 0,
  changes: [],
  decision: {
    status: "APPROVED",
    by: mike,
    on_behalf_of: null,
    at: "2026-11-26T05:00:00Z",
    is_override: false,
  },
  workflow_status: "APPROVED",
  waiting_for: [],
};
const said = (link: Partial<DecisionLinkRead>, isNow = false) => {
  const found = saying(
    { ...base, ...link },
    isNow,
    "Carlos",
    () => "today",
    (list) => list.join(", "),
  );
  const words = (key: string) => i18n.global.t(`approvals.link.${key}`, found.names);
  return { ...found, title: words(found.title), lines: found.lines.map(words) };
};

test("only the open ones can be decided", () => {
  for (const state of ["OPEN", "STALE"] as const) expect(canDecide({ ...base, state })).toBe(true);
  for (const state of ["USED", "SIGN_IN", "EXPIRED"] as const)
    expect(canDecide({ ...base, state })).toBe(false);
});

test("what was decided a moment ago, and what comes next", () => {
  expect(said({}, true)).toMatchObject({ title: "Approved", tone: "good", ways: ["home"] });
  const next = said({ workflow_status: "RUNNING", waiting_for: [ana], is_signed_in: true }, true);
  expect(next.lines).toEqual(["Next, it waits for Ana Lima."]);
  expect(next.ways).toEqual(["queue", "ticket"]);
  const asked = { ...base.decision!, status: "INFO_REQUESTED" };
  expect(said({ decision: asked, workflow_status: "RUNNING" }, true).lines[0]).toMatch(
    /^The requester is told/,
  );
  expect(said({ workflow_status: "RUNNING" }, true).lines).toEqual(["The approval goes on."]);
});

test("opened again, or decided elsewhere: by whom, when, for whom", () => {
  const again = said({});
  expect(again.title).toBe("You approved this");
  expect(again.lines[0]).toBe("today, by the link from a mail");
  const by = { ...base.decision!, status: "REJECTED", by: ana, on_behalf_of: mike };
  const other = said({ state: "DECIDED", decision: by, workflow_status: "REJECTED" });
  expect(other).toMatchObject({ title: "Ana Lima rejected this", tone: "bad" });
  expect(other.lines.slice(0, 2)).toEqual(["today", "On behalf of Mike Okafor."]);
  const over = said({ state: "DECIDED", decision: { ...by, on_behalf_of: null, is_override: true } });
  expect(over.lines).toContain("By a right of their own, past the approvers.");
});

test("of a confidential one nothing is told to who is not signed in", () => {
  expect(said({ decision: null, ticket: null, workflow_status: null })).toMatchObject({
    title: "Nothing to decide any more",
    lines: [],
    ways: ["signIn"],
  });
});

test("every reason has its words", () => {
  const states: Partial<DecisionLinkRead>[] = [
    { state: "WRONG_PERSON", is_signed_in: true },
    { state: "EXPIRED" },
    ...(["POLICY", "CONFIDENTIAL", "EMERGENCY", "AMOUNT", "STEP_UP"] as const).map((sign_in) => ({
      state: "SIGN_IN" as const,
      sign_in,
    })),
    ...(
      ["SWITCHED_OFF", "ASKED_AGAIN", "HANDED_ON", "NOT_NEEDED", "ENDED", "NOT_ABLE", "NOT_THEIRS"] as const
    ).map((closed) => ({ state: "CLOSED" as const, closed, waiting_for: [ana] })),
    ...(["APPROVED", "REJECTED", "CANCELLED", "RUNNING"] as const).map((workflow_status) => ({
      workflow_status,
    })),
  ];
  for (const state of states) {
    const { title, lines } = said(state);
    for (const words of [title, ...lines]) expect(words).not.toMatch(/approvals\.link|\{|undefined/);
  }
  expect(said({ state: "WRONG_PERSON" }).title).toBe("This link is for Mike Okafor");
  expect(said({ state: "CLOSED", closed: "HANDED_ON", waiting_for: [ana] }).lines[1]).toBe(
    "Next, it waits for Ana Lima.",
  );
});
