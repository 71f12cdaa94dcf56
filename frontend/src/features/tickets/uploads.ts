/** Files on their way to a ticket: three at a time, in their order; each can be cancelled and sent again. Pure. */
import { computed, reactive } from "vue";
import { idempotencyKey } from "@/api/client";

export const MOST_BYTES = 25 * 1024 * 1024;
export const AT_ONCE = 3;

export type Visibility = "PUBLIC" | "INTERNAL";
/** Why a file is not even sent. */
export type Refusal = "tooLarge" | "noName" | "folder";
export interface Upload {
  readonly id: number;
  readonly file: File;
  readonly visibility: Visibility;
  /** The field of a form it is chosen for; null: it belongs to the ticket as a whole. */
  readonly field: string | null;
  readonly refusal: Refusal | null;
  /** The same at every try: what arrived although it was cancelled does not arrive twice. */
  readonly key: string;
  state: "waiting" | "sending" | "failed" | "cancelled" | "refused";
  /** The share that is out, from 0 to 1. */
  sent: number;
  error: unknown;
}
export interface Picked {
  file: File;
  isFolder?: boolean;
}
export interface Send<T> {
  (
    upload: Upload,
    ticketId: number,
    how: { signal: AbortSignal; onProgress(share: number): void },
  ): Promise<T>;
}

export function refusalOf({ file, isFolder }: Picked): Refusal | null {
  if (isFolder) return "folder";
  if (!file.name.trim()) return "noName";
  return file.size > MOST_BYTES ? "tooLarge" : null;
}

/** A queue holds files until it knows their ticket; what has arrived goes to `done` and leaves it. */
export function uploadQueue<T>(send: Send<T>, done: (answer: T, ticketId: number) => void) {
  const items = reactive([]) as Upload[];
  const state = reactive({ ticketId: null as number | null, arrived: 0, arrivedBytes: 0 });
  const running = new Map<number, AbortController>();
  const arrivals: { field: string | null; answer: T }[] = [];
  let count = 0;
  let idle: (() => void)[] = [];

  const open = computed(() => items.filter((u) => u.state === "waiting" || u.state === "sending"));
  const isBusy = computed(() => state.ticketId !== null && open.value.length > 0);
  const share = computed(() => {
    const all = open.value.reduce((sum, u) => sum + u.file.size, state.arrivedBytes);
    return all ? open.value.reduce((sum, u) => sum + u.file.size * u.sent, state.arrivedBytes) / all : 0;
  });
  const find = (id: number) => items.find((u) => u.id === id);
  const remove = (id: number) => {
    const at = items.findIndex((u) => u.id === id);
    if (at >= 0) items.splice(at, 1);
  };

  async function run(upload: Upload, ticketId: number): Promise<void> {
    const life = new AbortController();
    running.set(upload.id, life);
    Object.assign(upload, { state: "sending", sent: 0, error: null });
    try {
      const answer = await send(upload, ticketId, {
        signal: life.signal,
        onProgress: (sent) => (upload.sent = sent),
      });
      state.arrived += 1;
      state.arrivedBytes += upload.file.size;
      arrivals.push({ field: upload.field, answer });
      done(answer, ticketId);
      remove(upload.id);
    } catch (error) {
      upload.state = life.signal.aborted ? "cancelled" : "failed";
      upload.error = error;
    } finally {
      running.delete(upload.id);
      pump();
    }
  }

  function pump(): void {
    if (state.ticketId === null) return;
    for (const upload of items) {
      if (running.size >= AT_ONCE) return;
      if (upload.state === "waiting") void run(upload, state.ticketId);
    }
    if (running.size) return;
    for (const resolve of idle) resolve();
    idle = [];
    Object.assign(state, { arrived: 0, arrivedBytes: 0 });
  }

  function add(picked: Picked[], visibility: Visibility = "PUBLIC", field: string | null = null): void {
    for (const one of picked) {
      const refusal = refusalOf(one);
      const state = refusal ? "refused" : "waiting";
      const key = idempotencyKey();
      items.push({
        id: (count += 1),
        file: one.file,
        visibility,
        field,
        refusal,
        key,
        state,
        sent: 0,
        error: null,
      });
    }
    pump();
  }

  /** Send what waits to this ticket; resolves when nothing is on its way any more, with whether all has arrived. */
  async function start(ticketId: number): Promise<boolean> {
    state.ticketId = ticketId;
    await new Promise<void>((resolve) => {
      idle.push(resolve);
      pump();
    });
    return items.every((u) => u.state === "refused");
  }

  function cancel(id: number): void {
    const upload = find(id);
    if (upload?.state === "waiting") upload.state = "cancelled";
    running.get(id)?.abort();
    pump();
  }

  function retry(id: number): void {
    const upload = find(id);
    if (upload?.state !== "failed" && upload?.state !== "cancelled") return;
    Object.assign(upload, { state: "waiting", sent: 0, error: null });
    pump();
  }

  /** Forget a file that is not on its way. */
  function drop(id: number): void {
    if (!running.has(id)) remove(id);
    pump();
  }

  const cancelAll = () => [...open.value].forEach((u) => cancel(u.id));
  return {
    items,
    state,
    /** What waits and what is on its way. */
    get open(): Upload[] {
      return open.value;
    },
    get isBusy(): boolean {
      return isBusy.value;
    },
    /** How far all of them together are, from 0 to 1. */
    get share(): number {
      return share.value;
    },
    /** What the server said to those that have arrived for a field of the form. */
    answersFor: (field: string): T[] => arrivals.filter((a) => a.field === field).map((a) => a.answer),
    add,
    start,
    cancel,
    cancelAll,
    retry,
    drop,
  };
}
export type UploadQueue = ReturnType<typeof uploadQueue<unknown>>;
