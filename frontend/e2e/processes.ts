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

/** Put a mail into the product, as somebody wrote it; says what became of it. `ticketId` 0 begins a request. */
export function post(username: string, subject: string, words: string, ticketId = 0): [string, number] {
  const kept = read(supervised("waypost.cli mail-in"), "environ").split("\0");
  const wanted = kept.filter((line) => /^(DATABASE_URL|DATA_DIR|SECRET_KEY)=/.test(line));
  const env = Object.fromEntries(
    wanted.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const script = [`${import.meta.dirname}/post.py`, username, subject, String(ticketId)];
  const python = `${import.meta.dirname}/../../.venv/bin/python`;
  const [outcome, id] = execFileSync(python, script, { env, input: words, encoding: "utf8" })
    .trim()
    .split(" ");
  return [outcome ?? "", Number(id)];
}
