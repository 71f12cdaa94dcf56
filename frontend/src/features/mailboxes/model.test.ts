import { describe, expect, it } from "vitest";
import type { MailboxRead } from "@/api/generated";
import { bodyOf, draftOf, filtersOf, portFor, stepsOf, switched } from "./model";

const BOX: MailboxRead = {
  id: 1,
  name: "IT",
  address: "it@example.com",
  host: "imap.example.com",
  port: 143,
  security: "starttls",
  username: "it",
  has_password: true,
  folder: "INBOX",
  ticket_type: "IT_SUPPORT",
  team_id: null,
  unknown_senders: "ACCEPT",
  accept_as_user_id: 3,
  accept_as: null,
  agents_reply: "INTERNAL",
  authserv_id: "mx.example.com",
  is_on: true,
  version: 4,
  health: {
    state: "WORKS",
    failures: 0,
    worked_at: null,
    failed_at: null,
    last_error: null,
    paused_until: null,
  },
  last_mail_at: null,
};

describe("a mailbox", () => {
  it("comes back as it is, without its password", () => {
    expect(bodyOf(draftOf(BOX))).toEqual({
      name: "IT",
      address: "it@example.com",
      host: "imap.example.com",
      port: 143,
      security: "starttls",
      username: "it",
      password: null,
      folder: "INBOX",
      ticket_type: "IT_SUPPORT",
      team_id: null,
      unknown_senders: "ACCEPT",
      accept_as_user_id: 3,
      agents_reply: "INTERNAL",
      authserv_id: "mx.example.com",
      is_on: true,
    });
    expect(switched(BOX, false).is_on).toBe(false);
  });
  it("begins empty, and what is empty is nothing", () => {
    const body = bodyOf({ ...draftOf(null, "IT"), folder: " ", accept_as_user_id: 3, name: " A " });
    expect(body).toMatchObject({
      name: "A",
      folder: "INBOX",
      authserv_id: null,
      accept_as_user_id: null,
      ticket_type: "IT",
      port: 993,
      is_on: false,
    });
  });
  it("has the port of how it is encrypted, unless it has one of its own", () => {
    expect(portFor("starttls", 993)).toBe(143);
    expect(portFor("tls", 143)).toBe(993);
    expect(portFor("tls", 2993)).toBe(2993);
  });
});

describe("a try", () => {
  const tried = {
    is_reached: true,
    is_encrypted: true,
    is_signed_in: false,
    has_folder: false,
    error: "no",
    waiting_count: null,
  };
  it("says how far it went", () => {
    expect(stepsOf(tried).map((s) => s.state)).toEqual(["done", "done", "failed", "open"]);
  });
});

describe("filters", () => {
  it("are what waits unless something else is asked for", () => {
    expect(filtersOf({})).toEqual({ outcome: "QUARANTINED" });
    expect(filtersOf({ outcome: "ANY", q: " a ", mailbox_id: "2", ticket: "IT-1" })).toEqual({
      q: "a",
      mailbox_id: 2,
      ticket: "IT-1",
    });
    expect(filtersOf({ outcome: "NO", mailbox_id: "x" })).toEqual({ outcome: "QUARANTINED" });
    expect(filtersOf({ outcome: "TICKET" })).toEqual({ outcome: "TICKET" });
  });
});
