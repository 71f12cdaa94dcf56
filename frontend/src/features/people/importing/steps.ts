/** Pure: where a table of people is on its way, and how its columns are said. */
import type { PeopleImportPlan, PeopleImportRead } from "@/api/generated";

export const STEPS = ["file", "columns", "check", "result"] as const;
export type Step = (typeof STEPS)[number];
export const FIELDS = [
  "username",
  "email",
  "first_name",
  "last_name",
  "job_title",
  "department",
  "manager",
  "roles",
  "active",
  "timezone",
] as const;
export const NONE = -1;

/** The step an import is at; `isChanging`: somebody went back to its columns. */
export function stepOf(job: Pick<PeopleImportRead, "status"> | null | undefined, isChanging: boolean): Step {
  if (!job) return "file";
  if (job.status === "UPLOADED" || (isChanging && job.status === "CHECKED")) return "columns";
  return job.status === "CHECKED" ? "check" : "result";
}

/** For each field its column, or `NONE`: as kept, or as the headings say. */
export function choicesOf(job: Pick<PeopleImportRead, "plan" | "suggestion">): Record<string, number> {
  const said: Record<string, number> = { ...(job.plan?.columns ?? job.suggestion) };
  return Object.fromEntries(FIELDS.map((field) => [field, said[field] ?? NONE]));
}

/** The columns as the server takes them. */
export function columnsOf(choices: Record<string, number>): PeopleImportPlan["columns"] {
  return Object.fromEntries(Object.entries(choices).filter(([, column]) => column !== NONE));
}

/** Whether people can be known by what is chosen. */
export const canBeKnown = (choices: Record<string, number>) =>
  choices["username"] !== NONE || choices["email"] !== NONE;

type Part = { key: "new" | "change" | "same" | "wrong"; n: number };
/** What a table comes to, what it does first; what is not in it is left out. */
export function partsOf(counts: PeopleImportRead["counts"]): Part[] {
  return (["new", "change", "wrong", "same"] as const)
    .map((key) => ({ key, n: counts[key] }))
    .filter(({ n }) => n > 0);
}
