/** What the command palette offers: features contribute through a `commands.ts` of their own. */
import type { Ref } from "vue";

export interface Command {
  id: string;
  group: "ticket" | "recent" | "tickets" | "pages" | "people";
  label: string;
  /** Said beside the label. */
  hint?: string;
  icon: string;
  /** Other words people type for it. */
  words?: string;
  run: () => void;
}

export interface Contribution {
  /** What can be done or gone to now; narrowed by what is typed. */
  commands: () => Command[];
  /** What is shown before anything is typed. */
  first?: () => Command[];
  /** What the server finds for words. */
  find?: (words: string, signal: AbortSignal) => Promise<Command[]>;
}

/** A feature's part: called once, inside a component; `isOpen` says whether anybody looks. */
export type UseCommands = (isOpen: Readonly<Ref<boolean>>) => Contribution;

const wordsOf = (text: string) =>
  text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

/** How well a command fits what is typed, or 0: every typed word begins one of its own; the label counts for more. */
export function fit(command: Pick<Command, "label" | "words">, typed: string): number {
  const asked = wordsOf(typed);
  const label = wordsOf(command.label);
  const other = wordsOf(command.words ?? "");
  let score = 0;
  for (const word of asked) {
    if (other.includes(word) || label.includes(word)) score += 4;
    else if (label.some((l) => l.startsWith(word))) score += label[0]?.startsWith(word) ? 3 : 2;
    else if (other.some((o) => o.startsWith(word))) score += 1;
    else return 0;
  }
  return score;
}

/** The commands that fit, best first; of those that fit alike the one that says least besides, then their order. */
export function fitting(commands: readonly Command[], typed: string): Command[] {
  return commands
    .map((command) => ({ command, score: fit(command, typed), length: wordsOf(command.label).length }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.length - b.length)
    .map(({ command }) => command);
}
