/** What a draft on this device and its copy on the server mean for each other. Pure. */

export interface LocalDraft {
  body: string;
  /** The server's time of the copy this one goes on from; null when there was none. */
  base: string | null;
  /** Whether it says something the server does not know yet. */
  dirty: boolean;
}
export interface ServerDraft {
  body: string;
  updated_at: string;
}
export type Meeting =
  | { take: "local" }
  | { take: "server"; draft: ServerDraft }
  | { take: "nothing" }
  | { take: "ask"; draft: ServerDraft };

/** Which of both goes on. What was written on two devices at once is never decided silently. */
export function meet(local: LocalDraft | undefined, server: ServerDraft | undefined): Meeting {
  if (!local) return server ? { take: "server", draft: server } : { take: "nothing" };
  if (!local.dirty) {
    if (server) return { take: "server", draft: server };
    return local.base === null ? { take: "local" } : { take: "nothing" }; // sent or thrown away elsewhere
  }
  if (!server || server.updated_at === local.base || server.body === local.body) return { take: "local" };
  if (!local.body.trim()) return { take: "local" };
  return { take: "ask", draft: server };
}
