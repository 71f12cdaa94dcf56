/** The running product's own processes, found below its supervisor. Linux only. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** The process that looks after the others; whoever starts the product says which it is. */
export const SUPERVISOR = Number(process.env.SUPERVISOR_PID ?? 0);

function read(pid: number, file: "stat" | "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // it ended meanwhile
  }
}

/** The supervised process whose command line holds these words, or 0 while there is none. */
export function supervised(words: string): number {
  const pids = readdirSync("/proc").map(Number).filter(Boolean);
  const parent = (pid: number) => Number(read(pid, "stat").split(")").pop()?.trim().split(" ")[1]);
  const line = (pid: number) => read(pid, "cmdline").replaceAll("\0", " ");
  return pids.find((pid) => parent(pid) === SUPERVISOR && line(pid).includes(words)) ?? 0;
}

/** End a supervised process and all it started, at once and without a word. */
export function kill(pid: number): void {
  process.kill(-pid, "SIGKILL"); // each leads a group of its own
}

/** Put the clock of a ticket's approval forward, as if so many minutes had gone by. */
export function hurry(ticketId: number, minutes: number): void {
  const worker = supervised("celery -A waypost.worker worker");
  const url = /(?:^|\0)DATABASE_URL=([^\0]+)/.exec(read(worker, "environ"))?.[1] ?? "";
  const script = [`${import.meta.dirname}/hurry.py`, String(ticketId), String(minutes)];
  execFileSync(`${import.meta.dirname}/../../.venv/bin/python`, script, { env: { DATABASE_URL: url } });
}
