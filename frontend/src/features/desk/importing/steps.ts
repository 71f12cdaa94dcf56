/** Pure: where an import is on its way, and how its columns are said. */
import type { ImportPlan, ImportRead } from "@/api/generated";

export const STEPS = ["file", "columns", "check", "result"] as const;
export type Step = (typeof STEPS)[number];

/** The step an import is at; `isChanging`: somebody went back to its columns. */
export function stepOf(job: Pick<ImportRead, "status"> | null | undefined, isChanging: boolean): Step {
  if (!job) return "file";
  if (job.status === "UPLOADED" || (isChanging && job.status === "CHECKED")) return "columns";
  return job.status === "CHECKING" || job.status === "CHECKED" ? "check" : "result";
}

/** How many of an import's rows have had their turn in what runs now, of how many. */
export function progressOf(job: Pick<ImportRead, "status" | "counts" | "total">): [number, number] {
  const { counts } = job;
  if (job.status === "CHECKING") return [job.total - counts.pending, job.total];
  const tried = counts.done + counts.failed;
  return [tried, tried + counts.ready];
}

export const NONE = -1;
/** What a person chose for a field: a column (or `NONE`), and what stands there otherwise. */
export interface Choice {
  column: number;
  otherwise: string;
}

/** Choices as the server takes them. */
export function planOf(
  ticketType: string,
  choices: Record<string, Choice>,
  dates: ImportPlan["dates"],
): ImportPlan {
  const said = Object.entries(choices);
  return {
    ticket_type: ticketType,
    columns: Object.fromEntries(said.filter(([, c]) => c.column !== NONE).map(([key, c]) => [key, c.column])),
    defaults: Object.fromEntries(
      said.filter(([, c]) => c.otherwise.trim()).map(([key, c]) => [key, c.otherwise.trim()]),
    ),
    dates,
  };
}

/** Choices to begin with: those kept, or what the headings say. */
export function choicesOf(
  keys: readonly string[],
  columns: Record<string, number>,
  defaults: Record<string, string> = {},
): Record<string, Choice> {
  return Object.fromEntries(
    keys.map((key) => [key, { column: columns[key] ?? NONE, otherwise: defaults[key] ?? "" }]),
  );
}
