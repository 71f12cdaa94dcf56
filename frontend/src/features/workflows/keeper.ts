/**
 * Keeps a draft on the server while somebody works on it: soon after the last change and never later than two seconds
 * after the first, one request at a time. What is not kept is tried again; what somebody else has changed is not.
 */
import { asProblem } from "@/api/problem";

export type KeepState = "kept" | "changed" | "saving" | "failed" | "conflict";
/** After the last key that was pressed; what was chosen and not typed is complete, and goes at once. */
export const SOON = 500;
export const AT_ONCE = 100;
export const LATEST = 1200;
export const AGAIN = 5000;

export interface Keeping<T> {
  /** Sends the value for this version; answers with the next one. */
  send: (value: T, version: number) => Promise<number>;
  tell: (state: KeepState, error?: unknown) => void;
}

export class Keeper<T> {
  private pending: { value: T } | null = null;
  private since = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | null = null;
  private isStopped = false;

  constructor(
    private version: number,
    private readonly how: Keeping<T>,
  ) {}

  /** The version that is kept. */
  get at(): number {
    return this.version;
  }
  get isDirty(): boolean {
    return this.pending !== null || this.running !== null;
  }

  change(value: T, soon = SOON, now = Date.now()): void {
    if (this.isStopped) return;
    if (!this.pending) this.since = now;
    this.pending = { value };
    if (!this.running) this.how.tell("changed");
    this.plan(Math.max(0, Math.min(soon, this.since + LATEST - now)));
  }

  /** Now, and until all is kept; false when it could not be. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer);
    if (this.running) await this.running;
    if (this.pending && !this.isStopped) await this.save();
    return !this.isDirty && !this.isStopped;
  }

  /** Nothing is sent any more, not even what was to be. */
  stop(): void {
    this.isStopped = true;
    this.pending = null;
    clearTimeout(this.timer);
  }

  /** As `stop`; and, when what is on its way has arrived, the version that is kept. */
  async halt(): Promise<number> {
    this.stop();
    await this.running;
    return this.version;
  }

  private plan(wait: number): void {
    clearTimeout(this.timer);
    if (!this.running) this.timer = setTimeout(() => void this.save(), wait);
  }

  private save(): Promise<void> {
    this.running ??= this.sendOnce().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async sendOnce(): Promise<void> {
    const { pending } = this;
    if (!pending || this.isStopped) return;
    this.pending = null;
    this.how.tell("saving");
    try {
      this.version = await this.how.send(pending.value, this.version);
      if (this.isStopped) return;
      if (!this.pending) return this.how.tell("kept");
      this.how.tell("changed");
      this.since = Date.now();
      this.timer = setTimeout(() => void this.save(), SOON);
    } catch (error) {
      if (this.isStopped) return;
      // What was typed meanwhile is newer than what could not be sent.
      this.pending ??= pending;
      const { status } = asProblem(error);
      if (status === 412 || status === 404) {
        this.isStopped = true;
        return this.how.tell("conflict", error);
      }
      this.how.tell("failed", error);
      this.timer = setTimeout(() => void this.save(), AGAIN);
    }
  }
}
