import { useI18n } from "vue-i18n";
import type { SlaTarget } from "@/api/generated";
import { useNow } from "@/shared/composables/useNow";
import { moment, relative } from "@/shared/lib/format";
import { parts, reasonOf, wordOf } from "./model";

/** Targets and their states in sentences, by the reader's clock. */
export function useSlaWords() {
  const { t } = useI18n();
  const now = useNow();

  /** "1 h 20 min": working time has no days, for a day of work is none of 24 hours. */
  function span(seconds: number): string {
    const { hours, minutes } = parts(seconds);
    if (!hours && !minutes) return t("tickets.sla.span.none");
    if (!hours) return t("tickets.sla.span.minutes", { minutes });
    return t(minutes ? "tickets.sla.span.both" : "tickets.sla.span.hours", { hours, minutes });
  }

  function nameOf(target: SlaTarget): string {
    return target.team
      ? t("tickets.sla.metric.OWN_TIME", { team: target.team.name })
      : t(`tickets.sla.metric.${target.metric}`);
  }

  function stateOf(target: SlaTarget): string {
    const word = wordOf(target);
    const facts = { used: span(target.used_seconds), target: span(target.target_seconds) };
    if (word === "due" && target.due_at)
      return t("tickets.sla.state.due", {
        in: relative(target.due_at, now.value),
        at: moment(target.due_at, now.value),
      });
    if (word === "late" && target.breached_at)
      return t("tickets.sla.state.late", {
        ago: relative(target.breached_at, now.value),
        at: moment(target.breached_at, now.value),
      });
    if (word === "paused" && target.paused_since)
      return t("tickets.sla.state.paused", {
        at: moment(target.paused_since, now.value),
        why: t(`tickets.sla.reason.${reasonOf(target)}`),
        left: span(target.left_seconds),
      });
    return t(`tickets.sla.state.${word === "missed" ? "missed" : "met"}`, facts);
  }

  return { span, nameOf, stateOf };
}
