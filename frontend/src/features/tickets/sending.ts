import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import type { UploadQueue } from "./uploads";
import { useUploads } from "./uploadStore";

export interface Sent {
  ticket: api.TicketRead;
  /** Whether a file did not arrive: then the request was not submitted. */
  isIncomplete: boolean;
  /** Why a request with its files was not submitted. */
  refused: unknown;
}

/** Sends a new request; with files it is a draft first, gets its files, and is submitted when all of them are there. */
export function useSending() {
  const uploads = useUploads();
  // After a broken connection nobody knows whether the request arrived: sending the same again must not make a second one.
  let last: { body: string; key: string } | null = null;

  function create(body: api.TicketCreate): Promise<api.TicketRead> {
    const text = JSON.stringify(body);
    if (last?.body !== text) last = { body: text, key: idempotencyKey() };
    return data(api.createTicket({ body, headers: { "Idempotency-Key": last.key } }));
  }

  /**
   * `place` is where its files wait, `fileFields` are the fields of its form that hold some of them; `onCreated`: from here on it
   * is safe on the server.
   */
  async function send(
    body: api.TicketCreate,
    place: string,
    fileFields: string[],
    onCreated: () => void,
  ): Promise<Sent> {
    const queue = uploads.of(place);
    const hasFiles = queue.open.length > 0;
    const ticket = await create(hasFiles ? { ...body, submit: false } : body);
    onCreated();
    const done = { ticket, isIncomplete: false, refused: null };
    if (!hasFiles) return done;
    const isWhole = await uploads.start(place, ticket.id);
    try {
      done.ticket = await withFiles(ticket, queue, fileFields);
      if (!isWhole) return { ...done, isIncomplete: true };
      if (!body.submit) return done;
      return { ...done, ticket: await data(api.submitTicket({ path: { ticket_id: ticket.id } })) };
    } catch (refused) {
      return { ...done, isIncomplete: !isWhole, refused };
    }
  }

  /** The ticket with what has arrived in the fields it was chosen for. */
  async function withFiles(
    ticket: api.TicketRead,
    queue: UploadQueue,
    fields: string[],
  ): Promise<api.TicketRead> {
    const held = fields
      .map((key) => [key, queue.answersFor(key).map((file) => (file as api.AttachmentRead).id)] as const)
      .filter(([, ids]) => ids.length);
    if (!held.length) return ticket;
    const custom_fields = { ...ticket.custom_fields, ...Object.fromEntries(held) };
    const body = { custom_fields, version: ticket.version };
    return data(api.updateTicket({ path: { ticket_id: ticket.id }, body }));
  }

  const forget = () => (last = null);
  return { send, forget };
}
