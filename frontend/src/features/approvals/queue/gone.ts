/** Pure: what became of a request that one does not decide any more, as far as one may read it. */
import type { WorkflowRead } from "@/api/generated";
import { isAnswered, isOpen } from "../flow/flow";

export type Gone =
  | { how: "nobody" | "withdrawn" | "notYet" | "enough" }
  | { how: "mine"; answer: string; at: string }
  | { how: "forMe" | "decided"; answer: string; who: string; at: string }
  | { how: "overridden"; answer: string; who: string }
  | { how: "glass"; who: string }
  | { how: "handedOn" | "waitsFor"; names: string[] };

const HANDED_ON = ["DELEGATED", "ESCALATED", "REROUTED"];

/** `stepId` is the step one came for; without it the newest round is looked at. */
export function whatBecame(rounds: WorkflowRead[], me: number, stepId?: number): Gone {
  const round =
    rounds.find((w) => w.stages.some((s) => s.steps.some((step) => step.id === stepId))) ?? rounds[0];
  if (!round) return { how: "nobody" };
  if (round.status === "CANCELLED") return { how: "withdrawn" };
  const { override } = round;
  if (override?.review) return { how: "glass", who: override.by.name };
  if (override) return { how: "overridden", answer: round.status, who: override.by.name };

  const steps = round.stages.filter((s) => s.status !== "SUPERSEDED").flatMap((s) => s.steps);
  const answers = steps
    .filter((s) => isAnswered(s) && s.decided_at)
    .sort((a, b) => (b.decided_at ?? "").localeCompare(a.decided_at ?? ""));
  const own = answers.find((s) => s.decided_by?.id === me);
  if (own) return { how: "mine", answer: own.status, at: own.decided_at ?? "" };
  const mine = steps.filter((s) => s.approver?.id === me);
  const forMe = answers.find((s) => mine.includes(s));
  if (forMe)
    return {
      how: "forMe",
      answer: forMe.status,
      who: forMe.decided_by?.name ?? "–",
      at: forMe.decided_at ?? "",
    };
  const decisive = answers.find((s) => s.status === round.status);
  if (decisive)
    return {
      how: "decided",
      answer: decisive.status,
      who: decisive.decided_by?.name ?? "–",
      at: decisive.decided_at ?? "",
    };
  const names = (list: typeof steps) => [...new Set(list.flatMap((s) => s.approver?.name ?? []))];
  const handed = mine.findLast((s) => HANDED_ON.includes(s.status));
  if (handed) {
    const now = names(steps.filter((s) => s.seat === handed.seat && isOpen(s)));
    if (now.length) return { how: "handedOn", names: now };
  }
  if (mine.some((s) => s.status === "WAITING")) return { how: "notYet" };
  if (mine.some((s) => s.status === "NOT_NEEDED")) return { how: "enough" };
  const open = names(steps.filter(isOpen));
  return open.length ? { how: "waitsFor", names: open } : { how: "nobody" };
}
