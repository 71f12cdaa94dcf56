import { expect, it } from "vitest";
import type { OwnChannel, PreferencesRead } from "@/api/generated";
import { clockWith, draftOf, gets, GROUPS, grouped, isSame, NIGHTS, stateOf, toggled, wordOf } from "./model";

const channels: OwnChannel[] = [
  { key: "in_app", label: "In the app", is_ready: true, address: null },
  { key: "email", label: "E-mail", is_ready: true, address: "jane@example.com" },
  { key: "sms", label: "SMS", is_ready: false, address: null },
];
const read: PreferencesRead = {
  version: 3,
  events: {
    "ticket.commented": { in_app: true, email: true, sms: true },
    "ticket.status": { in_app: true, email: false },
  },
  mandatory: { emergency: ["in_app", "email", "sms"] },
  digests: { "ticket.commented": "HOURLY", emergency: "DAILY" },
  quiet_hours: null,
  timezone: "Europe/Berlin",
  language: "en",
  channels,
};

it("every event is in one group, also one we do not know yet", () => {
  const all = [...GROUPS.flatMap((g) => g.events), "ticket.new_kind"];
  expect(
    grouped(all)
      .flatMap((g) => g.events)
      .sort(),
  ).toEqual([...all].sort());
  expect(grouped(["ticket.status"])).toEqual([{ key: "requests", events: ["ticket.status"] }]);
  expect(wordOf("ticket.status")).toBe("ticket_status");
});

it("a draft is a copy of what was read", () => {
  const draft = draftOf({ ...read, quiet_hours: NIGHTS });
  draft.events["ticket.status"]!.email = true;
  draft.quiet_hours!.days.pop();
  expect(read.events["ticket.status"]!.email).toBe(false);
  expect(NIGHTS.days).toHaveLength(7);
});

it("knows whether anything differs, not in which order it stands", () => {
  expect(isSame({ a: 1, b: { c: [1], d: null } }, { b: { d: null, c: [1] }, a: 1 })).toBe(true);
  expect(isSame({ a: 1 }, { a: 2 })).toBe(false);
});

it("says how a switch stands", () => {
  const draft = draftOf(read);
  expect(stateOf(draft, read.mandatory, "emergency", "sms")).toBe("always");
  expect(stateOf(draft, read.mandatory, "ticket.status", "in_app")).toBe("on");
  expect(stateOf(draft, read.mandatory, "ticket.status", "email")).toBe("off");
  expect(stateOf(draft, read.mandatory, "no.such", "email")).toBe("off");
});

it("says what one gets", () => {
  const draft = draftOf(read);
  const of = (event: string) => gets(draft, read.mandatory, channels, event);
  expect(of("ticket.commented")).toEqual({
    atOnce: ["in_app"],
    digest: "HOURLY",
    unreached: ["sms"],
    waits: false,
  });
  expect(of("ticket.status")).toEqual({ atOnce: ["in_app"], digest: null, unreached: [], waits: false });
  draft.quiet_hours = NIGHTS;
  draft.events["ticket.status"]!.email = true;
  expect(of("ticket.status")).toMatchObject({ atOnce: ["in_app", "email"], waits: true });
  expect(of("emergency")).toEqual({
    atOnce: ["in_app", "email"],
    digest: null,
    unreached: ["sms"],
    waits: false,
  });
});

it("offers quarters of an hour, and what is kept", () => {
  expect(clockWith("22:00")).toHaveLength(96);
  expect(clockWith("22:07")).toContain("22:07");
});

it("switches a day", () => {
  expect(toggled([0, 2], 1)).toEqual([0, 1, 2]);
  expect(toggled([0, 2], 2)).toEqual([0]);
});
