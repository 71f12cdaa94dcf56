/** How the generated client reaches the server: tokens, one refresh for many requests, problems as errors. */
import { client } from "./generated/client.gen";
import { Problem } from "./problem";

export interface Tokens {
  access(): string | null;
  /** Trade the refresh cookie for a new access token; false when the session is over. */
  renew(): Promise<boolean>;
  /** The session is over. Whether its person is there and can sign in again: then what they look at waits for that. */
  ended(): boolean;
  /** Do what exchanges this browser's tokens while no other tab of it does. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

let tokens: Tokens = {
  access: () => null,
  renew: async () => false,
  ended: () => false,
  alone: (work) => work(),
};

/** Told once at start where tokens come from. */
export function useTokens(source: Tokens): void {
  tokens = source;
}

/** What opens the door: asked for without a token, and no 401 of it says that a session is over. */
const OPEN =
  /\/auth\/(login|refresh|logout|sign-out|first-password|forgot-password|not-me|mfa\/verify|passkeys\/sign-in(\/options)?|providers(\/come-in)?)$/;
/** What gives this browser other tokens than it had. */
const EXCHANGES = /\/auth\/step-up$/;

/**
 * A session that has ended while its person is there. What is read waits here until they have signed in again, so that
 * nothing on the screen gives way to a refusal; what is to be changed is refused, and theirs to send again.
 */
let pause: { over: Promise<void>; end: () => void; drop: (why: DOMException) => void } | null = null;

/** The session has ended: what is read waits from now on. */
function hold(): void {
  if (pause) return;
  let end = (): void => undefined;
  let drop: (why: DOMException) => void = () => undefined;
  const over = new Promise<void>((resolve, reject) => ((end = resolve), (drop = reject)));
  over.catch(() => undefined); // perhaps nothing waits
  pause = { over, end, drop };
}

/** Its person is back: what waited is sent. */
export function goOn(): void {
  pause?.end();
  pause = null;
}

/** Nobody comes back to it: what waited is not sent at all. */
export function dropWaiting(): void {
  pause?.drop(new DOMException("The session is over.", "AbortError"));
  pause = null;
}

/** Wait until the session goes on, unless whoever asked has given up. */
function waited(over: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new DOMException("stopped", "AbortError"));
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    over.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

const over = () => new Problem(401, { code: "session_ended", detail: "Your session has ended." });

/** `fetch` with the bearer token; a 401 is answered by one renewal and one more try. */
export async function authorised(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const path = new URL(request.url).pathname;
  const isRead = request.method === "GET" || request.method === "HEAD";
  const once = async (): Promise<Response> => {
    const again = request.clone();
    const token = tokens.access();
    if (token) again.headers.set("Authorization", `Bearer ${token}`);
    try {
      return await fetch(again);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Problem(0, { detail: "The server cannot be reached." });
    }
  };
  const isExchange = !isRead && EXCHANGES.test(path);
  const send = isExchange ? () => tokens.alone(once) : once;
  if (OPEN.test(path)) return send();
  for (let renewals = 0; ;) {
    if (pause && !tokens.access()) {
      if (!isRead) throw over();
      await waited(pause.over, request.signal);
    }
    const answer = await send();
    // once more: another tab may void what was just renewed
    if (answer.status !== 401 || renewals === 2) return answer;
    if (await tokens.renew()) {
      renewals += 1;
      continue;
    }
    if (!tokens.ended()) return answer;
    hold();
    if (!isRead) return answer;
  }
}

/** How a sending is followed: `onProgress` hears the share of it that is out, from 0 to 1. */
export interface Sending {
  signal: AbortSignal;
  onProgress: (share: number) => void;
  /** Sent as `Idempotency-Key`: the same one at every try. */
  key?: string;
}

/** Post a form, which tells how far it is (`fetch` cannot); renews once as `authorised` does. Its answer, or a problem. */
export async function postForm<T>(path: string, form: FormData, how: Sending): Promise<T> {
  if (pause && !tokens.access()) throw over();
  let answer = await postOnce(path, form, how);
  if (answer.status === 401) {
    if (await tokens.renew()) answer = await postOnce(path, form, how);
    else if (tokens.ended()) hold();
  }
  let body: unknown = null;
  try {
    body = JSON.parse(answer.responseText);
  } catch {
    // Not ours: a proxy's page, or nothing at all.
  }
  if (answer.status >= 200 && answer.status < 300) return body as T;
  const headers = new Headers();
  for (const name of ["x-request-id", "retry-after"]) {
    const value = answer.getResponseHeader(name);
    if (value) headers.set(name, value);
  }
  throw new Problem(answer.status, body, headers);
}

function postOnce(
  path: string,
  form: FormData,
  { signal, onProgress, key }: Sending,
): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("POST", path);
    request.setRequestHeader("Accept", "application/json");
    const token = tokens.access();
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    if (key) request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => resolve(request);
    request.onerror = () => reject(new Problem(0, { detail: "The server cannot be reached." }));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    request.send(form);
  });
}

client.setConfig({
  baseUrl: globalThis.location?.origin ?? "",
  fetch: authorised,
  credentials: "same-origin",
});
client.interceptors.error.use((error, response) => {
  if (error instanceof Problem || error instanceof DOMException) return error;
  return new Problem(response?.status ?? 0, error, response?.headers);
});

/** The data of a generated call, or the problem thrown. */
export async function data<T>(call: Promise<{ data?: T; error?: unknown; response?: Response }>): Promise<T> {
  const { data: found, error, response } = await call;
  if (error !== undefined && error !== null) {
    throw error instanceof Error ? error : new Problem(response?.status ?? 0, error, response?.headers);
  }
  return found as T;
}

/** A key that makes a creating request safe to send twice. */
export function idempotencyKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  // Outside a secure context (plain HTTP on a company network) there is no randomUUID.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(
    "",
  );
}
