/** What the server says when something is not done: RFC 9457 problem details, as an error one can throw. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly errors: { pointer: string; message: string }[];
  readonly requestId: string | null;
  /** Seconds to wait, when the server asks for it. */
  readonly retryAfter: number | null;
  /** What else the server tells of it, such as the ids of newer comments. */
  readonly facts: Record<string, unknown>;

  constructor(status: number, body: unknown, headers?: Headers) {
    const given = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const detail = typeof given.detail === "string" ? given.detail : "";
    super(detail);
    this.facts = given;
    this.name = "Problem";
    this.status = status;
    this.code = typeof given.code === "string" ? given.code : status === 0 ? "offline" : "unknown";
    this.title = typeof given.title === "string" ? given.title : "";
    this.errors = Array.isArray(given.errors) ? (given.errors as Problem["errors"]) : [];
    this.requestId = headers?.get("x-request-id") ?? (given.request_id as string | null) ?? null;
    const wait = Number(headers?.get("retry-after"));
    this.retryAfter = Number.isFinite(wait) && wait > 0 ? wait : null;
  }

  /** The messages by field; `/custom_fields/note` becomes `custom_fields.note`. */
  get byField(): Record<string, string> {
    return Object.fromEntries(
      this.errors.map((e) => [
        e.pointer
          .replace(/^[/?]/, "")
          .split("/")
          .map((p) => p.replaceAll("~1", "/").replaceAll("~0", "~"))
          .join("."),
        e.message,
      ]),
    );
  }
}

/** Any error as a problem: one without an answer is a connection that is away. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, { detail: "" });
}
