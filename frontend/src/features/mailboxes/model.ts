/** Pure: a mailbox as it is filled in, and the log's filters as they stand in an address. */
import type { MailboxRead, MailboxSetup, MailboxTested, MailRead } from "@/api/generated";

export const OUTCOMES = [
  "QUARANTINED",
  "PENDING",
  "TICKET",
  "COMMENT",
  "BOUNCE",
  "AUTO_REPLY",
  "IGNORED",
  "REFUSED",
  "DISCARDED",
] as const satisfies readonly MailRead["outcome"][];

export type Draft = Required<Omit<MailboxSetup, "password" | "authserv_id">> & {
  password: string;
  authserv_id: string;
};

/** As the form begins; a password that is kept is never told. */
export function draftOf(box: MailboxRead | null, ticketType = ""): Draft {
  return {
    name: box?.name ?? "",
    address: box?.address ?? "",
    host: box?.host ?? "",
    port: box?.port ?? 993,
    security: box?.security ?? "tls",
    username: box?.username ?? "",
    password: "",
    folder: box?.folder ?? "INBOX",
    ticket_type: box?.ticket_type ?? ticketType,
    team_id: box?.team_id ?? null,
    unknown_senders: box?.unknown_senders ?? "QUARANTINE",
    accept_as_user_id: box?.accept_as_user_id ?? null,
    agents_reply: box?.agents_reply ?? "PUBLIC",
    authserv_id: box?.authserv_id ?? "",
    is_on: box?.is_on ?? false,
  };
}

/** What is sent: what is empty is nothing. */
export function bodyOf(draft: Draft): MailboxSetup {
  return {
    ...draft,
    name: draft.name.trim(),
    address: draft.address.trim(),
    host: draft.host.trim(),
    username: draft.username.trim(),
    folder: draft.folder.trim() || "INBOX",
    password: draft.password || null,
    authserv_id: draft.authserv_id.trim() || null,
    accept_as_user_id: draft.unknown_senders === "ACCEPT" ? draft.accept_as_user_id : null,
  };
}

/** A mailbox as it is, but on or off. */
export function switched(box: MailboxRead, isOn: boolean): MailboxSetup {
  return { ...bodyOf(draftOf(box)), is_on: isOn };
}

/** The usual port of a way to encrypt; a port of one's own stays. */
export function portFor(security: Draft["security"], port: number): number {
  if (security === "tls" && port === 143) return 993;
  if (security === "starttls" && port === 993) return 143;
  return port;
}

const STEPS = ["is_reached", "is_encrypted", "is_signed_in", "has_folder"] as const;
export type Step = (typeof STEPS)[number];

/** How far a try went: each step done, failed, or not come to. */
export function stepsOf(tried: MailboxTested): { step: Step; state: "done" | "failed" | "open" }[] {
  const failed = STEPS.findIndex((step) => !tried[step]);
  return STEPS.map((step, n) => ({ step, state: tried[step] ? "done" : n === failed ? "failed" : "open" }));
}

export interface Filters {
  outcome?: MailRead["outcome"];
  mailbox_id?: number;
  ticket?: string;
  q?: string;
}

/** Filters as an address has them; without any one looks at what waits, `outcome=ANY` at everything. */
export function filtersOf(query: Record<string, unknown>): Filters {
  const found: Filters = {};
  for (const name of ["q", "ticket"] as const) {
    const value = query[name];
    if (typeof value === "string" && value.trim()) found[name] = value.trim().slice(0, 200);
  }
  if (query.outcome !== "ANY") found.outcome = OUTCOMES.find((o) => o === query.outcome) ?? "QUARANTINED";
  const box = Number(query.mailbox_id);
  if (Number.isSafeInteger(box) && box > 0) found.mailbox_id = box;
  return found;
}
