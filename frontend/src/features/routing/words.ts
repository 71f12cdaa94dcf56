import { computed, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { describe, type Field, type Json } from "@/shared/conditions/conditions";
import { useNames } from "@/shared/conditions/references";
import { useSpeech } from "@/shared/conditions/speech";
import type { Priority, Way } from "./model";

interface Said {
  condition?: Json;
  team_id?: number | null;
  assignee_id?: number | null;
}

/** How rules are put into words; looks up whom and what they name. */
export function useWords(rules: Ref<Said[]>, fields: Ref<Field[]>) {
  const { t } = useI18n();
  const speech = useSpeech(
    computed(() => rules.value.map((r) => r.condition ?? null)),
    fields,
  );
  const nameOf = useNames(
    computed(() => ({
      person: rules.value.flatMap((r) => r.assignee_id ?? []),
      team: rules.value.flatMap((r) => r.team_id ?? []),
      department: [],
    })),
  );
  const when = (condition: Json) => describe(condition, fields.value, speech);
  const teamOf = (id: number) => nameOf("team", id);
  const personOf = (id: number) => nameOf("person", id);
  function then(rule: {
    team_id: number | null;
    priority: Priority | null;
    assign: Way | null;
    assignee_id: number | null;
    stops: boolean;
  }): string {
    const words = [];
    if (rule.team_id !== null) words.push(t("routing.teamIs", { team: teamOf(rule.team_id) }));
    if (rule.priority !== null)
      words.push(t("routing.priorityIs", { priority: t(`priority.${rule.priority}`) }));
    if (rule.assign !== null)
      words.push(
        t(`routing.wayIs.${rule.assign}`, {
          person: rule.assignee_id === null ? "…" : personOf(rule.assignee_id),
        }),
      );
    words.push(t(rule.stops ? "routing.stops" : "routing.goesOn"));
    return words.join(", ");
  }
  return { when, then, teamOf, personOf };
}
