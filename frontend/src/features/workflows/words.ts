import { useQuery } from "@tanstack/vue-query";
import { computed, type InjectionKey, inject, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { describe, type Field, type Json } from "@/shared/conditions/conditions";
import { useNames, useRoles, useTeams } from "@/shared/conditions/references";
import { useSpeech } from "@/shared/conditions/speech";
import { names, number } from "@/shared/lib/format";
import { needed, partsOf, quorumKind, seatsOf, unitsOf } from "./measures";
import { approversIn, isWhole, type Approver, type Counts, type Stage, type Workflow } from "./model";

/** What a workflow's conditions may speak of: what is known when a request is sent. */
export function useFields() {
  const query = useQuery({
    queryKey: ["ticket-fields", "routing"],
    queryFn: ({ signal }) => data(api.ticketFields({ query: { use: "routing" }, signal })),
    staleTime: 60_000,
  });
  return { ...query, fields: computed<Field[]>(() => (query.data.value?.items ?? []) as Field[]) };
}

/** How a workflow is put into words; looks up whom and what it names. */
export function useWords(workflows: Ref<Workflow[]>, fields: Ref<Field[]>) {
  const { t } = useI18n();
  const { data: roles } = useRoles();
  const approvers = computed(() => workflows.value.flatMap(approversIn));
  const asksTeam = computed(() => approvers.value.some((a) => a.kind === "TEAM"));
  const { data: teams } = useTeams(asksTeam);
  const speech = useSpeech(
    computed(() => workflows.value.flatMap((w) => [w.condition, ...w.stages.map((s) => s.condition)])),
    fields,
  );
  const nameOf = useNames(
    computed(() => {
      const of = (kind: string) =>
        approvers.value.flatMap((a) => (a.kind === kind && typeof a.target === "number" ? [a.target] : []));
      const several = approvers.value.flatMap((a) => (Array.isArray(a.target) ? a.target : []));
      return { person: [...of("USER"), ...several], team: of("TEAM"), department: of("DEPARTMENT_HEAD") };
    }),
  );
  const teamSize = (id: number) => teams.value?.find((team) => team.id === id)?.members.length ?? null;
  const fieldName = (name: string) => fields.value.find((f) => f.name === name)?.label ?? name;

  /** "Finance team", "Ana Cruz", "the requester's manager". */
  function whom(approver: Approver): string {
    const { kind, target } = approver;
    if (!isWhole(approver)) return t(`workflows.whom.open.${kind}`);
    if (Array.isArray(target)) return names(target.map((id) => nameOf("person", id)));
    if (kind === "DEPARTMENT_HEAD")
      return typeof target === "number"
        ? t("workflows.whom.headOf", { department: nameOf("department", target) })
        : t("workflows.whom.DEPARTMENT_HEAD");
    if (kind === "ROLE")
      return t("workflows.whom.ROLE", {
        role: roles.value?.find((role) => role.key === target)?.name ?? String(target),
      });
    if (kind === "FORM_FIELD")
      return t("workflows.whom.FORM_FIELD", { field: fieldName(`custom.${String(target)}`) });
    if (kind === "TEAM") return t("workflows.whom.TEAM", { team: nameOf("team", Number(target)) });
    if (kind === "USER") return nameOf("person", Number(target));
    return t(`workflows.whom.${kind}`, { n: Number(target) });
  }
  const when = (condition: Json) => describe(condition, fields.value, speech);
  /** "2 days", "1 day and 4 hours", "16 hours of working time". */
  function long(minutes: number, counts: Counts): string {
    const said = partsOf(minutes, unitsOf(counts)).map(({ count, unit }) =>
      number(count, { style: "unit", unit, unitDisplay: "long" }),
    );
    const time = names(said);
    return counts === "WORKING_TIME" ? t("workflows.duration.worked", { time }) : time;
  }
  const seats = (stage: Stage) => seatsOf(stage, teamSize);
  /** How many must say yes: "2 of 3 must say yes", or an example where one cannot know yet. */
  function howMany(stage: Stage): string {
    const count = seats(stage);
    const kind = quorumKind(stage.quorum);
    if (stage.mode === "SEQUENTIAL") return t("workflows.many.sequential");
    if (kind === "ALL") return t("workflows.many.all");
    if (kind === "ANY" || kind === "FIRST") return t(`workflows.many.${kind.toLowerCase()}`);
    if (count !== null) return t("workflows.many.of", { n: needed(stage, count), of: count });
    if (kind === "NUMBER") return t("workflows.many.number", { n: needed(stage, 1000) });
    const { percent } = stage.quorum as { percent: number };
    return t("workflows.many.percent", {
      percent: number(percent / 100, { style: "percent", maximumFractionDigits: 1 }),
      three: needed(stage, 3),
      five: needed(stage, 5),
    });
  }
  return { whom, when, long, seats, howMany, fieldName };
}
export type Words = ReturnType<typeof useWords>;

/** The words of the workflow on the screen, for everything below the page. */
export const WORDS: InjectionKey<Words> = Symbol("words");
export const FIELDS: InjectionKey<Ref<Field[]>> = Symbol("fields");

export function useSaid(): { words: Words; fields: Ref<Field[]> } {
  const words = inject(WORDS);
  const fields = inject(FIELDS);
  if (!words || !fields) throw new Error("Outside of a workflow's page.");
  return { words, fields };
}
