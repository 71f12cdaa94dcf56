/** Pure: how long something is, and which words a target's state has. The words themselves stand in `tickets.sla`. */
import type { SlaTarget, TicketSla } from "@/api/generated";

/** Whole minutes as days of 24 hours are never said: working time is told in hours and minutes. */
export function parts(seconds: number): { hours: number; minutes: number } {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}

export type Word = "due" | "late" | "paused" | "met" | "missed";

/** The state of a target as people say it: a clock that is late and runs on is another thing than one that was late. */
export function wordOf(target: Pick<SlaTarget, "state" | "run">): Word {
  if (target.state === "BREACHED") return target.run === "STOPPED" ? "missed" : "late";
  if (target.state === "MET") return "met";
  return target.state === "PAUSED" ? "paused" : "due";
}

/** Why a clock stands still, by the status it is paused in; a team's own time stands still while others have it. */
export function reasonOf(target: Pick<SlaTarget, "metric" | "why">): string {
  const waits: Record<string, string> = {
    PENDING_INFO: "asked",
    SUBMITTED: "approval",
    IN_REVIEW: "approval",
    DRAFT: "draft",
  };
  return waits[target.why] ?? (target.metric === "OWN_TIME" ? "elsewhere" : "status");
}

/** How much of a target's time is over, as a whole percent; never a hundred before it is over. */
export function percentOf(target: Pick<SlaTarget, "used_seconds" | "target_seconds" | "state">): number {
  const share = target.target_seconds ? (100 * target.used_seconds) / target.target_seconds : 100;
  return target.state === "BREACHED" ? 100 : Math.min(99, Math.floor(share));
}

/** The colour of a state, as a token. */
export const TONES: Record<Word, string> = {
  due: "text-default",
  late: "font-medium text-(--wp-danger)",
  paused: "text-muted",
  met: "text-(--wp-success)",
  missed: "text-(--wp-danger)",
};
export const ICONS: Record<Word, string> = {
  due: "i-lucide-clock",
  late: "i-lucide-circle-alert",
  paused: "i-lucide-circle-pause",
  met: "i-lucide-circle-check",
  missed: "i-lucide-circle-x",
};

/** The calendars that targets are measured on, each once. */
export function calendarsOf(sla: TicketSla): { name: string; zone: string }[] {
  const found = new Map(sla.targets.map(({ calendar }) => [`${calendar.name}\n${calendar.zone}`, calendar]));
  return [...found.values()];
}
