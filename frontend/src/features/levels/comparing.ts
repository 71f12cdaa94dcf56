/** What two versions of a policy say differently, field by field and in words. Pure. */
import type { ActionRead, PolicyVersionRead, TargetRead } from "@/api/generated";
import { METRICS, PRIORITIES } from "./model";

export type PolicyText = Omit<PolicyVersionRead, "version" | "changed_at" | "note" | "differs">;
export interface Difference {
  what: string;
  before: string;
  after: string;
}
/** How things are called; `t` is the locale's. */
export interface Words {
  t: (key: string, values?: Record<string, unknown>, count?: number) => string;
  condition: (json: PolicyText["condition"]) => string;
  calendar: (id: number | null) => string;
  team: (id: number) => string;
  person: (id: number) => string;
  list: (words: string[]) => string;
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** "4 h of working time"; what a day means is said. */
export function targetWords(target: TargetRead | null | undefined, { t }: Words): string {
  if (!target) return t("levels.compare.noTarget");
  const unit =
    target.unit !== "DAYS" ? target.unit : target.days === "BLOCKS" ? "DAY_BLOCKS" : "WORKING_DAYS";
  return t(`levels.compare.target.${unit}`, { n: target.amount }, target.amount);
}

/** "When it is late: tell a person (Ada Brandt), for Resolution". */
export function actionWords(action: ActionRead, words: Words): string {
  const { t } = words;
  const when =
    action.on === "WARNING" && action.percent !== null
      ? t("levels.compare.atPercent", { percent: action.percent })
      : t(`levels.policy.on.${action.on}`);
  const whom =
    action.user_id !== null
      ? words.person(action.user_id)
      : action.team_id !== null
        ? words.team(action.team_id)
        : "";
  const what = t(`levels.policy.do.${action.do}`) + (whom && ` (${whom})`);
  const clocks = action.metrics.map((metric) => t(`levels.metric.${metric}`));
  return t(clocks.length ? "levels.compare.actionFor" : "levels.compare.action", {
    when,
    what,
    clocks: words.list(clocks),
  });
}

/** Every field of `after` that reads otherwise than in `before`. */
export function differences(before: PolicyText, after: PolicyText, words: Words): Difference[] {
  const { t } = words;
  const found: Difference[] = [];
  const note = (what: string, was: string, is: string) =>
    was !== is && found.push({ what, before: was, after: is });
  const part = (name: string) => t(`levels.versions.part.${name}`);

  note(part("name"), before.name, after.name);
  if (!isSame(before.condition, after.condition))
    note(part("condition"), words.condition(before.condition), words.condition(after.condition));
  if (before.calendar_id !== after.calendar_id)
    note(part("calendar_id"), words.calendar(before.calendar_id), words.calendar(after.calendar_id));
  const targets = (called: string, was: Targets, is: Targets) => {
    for (const p of PRIORITIES)
      note(
        t("levels.compare.of", { what: called, priority: t(`priority.${p}`) }),
        targetWords(was?.[p], words),
        targetWords(is?.[p], words),
      );
  };
  for (const metric of METRICS)
    targets(t(`levels.metric.${metric}`), before.targets[metric], after.targets[metric]);
  const own = (text: PolicyText, team: number) => text.own_time.find((one) => one.team_id === team)?.targets;
  for (const team of new Set([...before.own_time, ...after.own_time].map((one) => one.team_id)))
    targets(t("levels.compare.ownTime", { team: words.team(team) }), own(before, team), own(after, team));
  const paused = (text: PolicyText) =>
    words.list([...text.paused].sort().map((status) => t(`levels.policy.pausedIn.${status}`))) ||
    t("levels.compare.never");
  note(part("paused"), paused(before), paused(after));
  const counts = (text: PolicyText) => t(`levels.compare.${text.counts_approval ? "counted" : "notCounted"}`);
  note(part("counts_approval"), counts(before), counts(after));
  const reopened = (text: PolicyText) => t(`levels.policy.reopeningIs.${text.reopening}`);
  note(part("reopening"), reopened(before), reopened(after));
  const warned = (text: PolicyText) =>
    words.list(text.warnings.map((percent) => `${percent}%`)) || t("levels.compare.none");
  note(part("warnings"), warned(before), warned(after));
  const [was, is] = [before, after].map((text) => text.actions.map((action) => actionWords(action, words)));
  for (const gone of without(was, is))
    found.push({ what: part("actions"), before: gone, after: t("levels.compare.gone") });
  for (const fresh of without(is, was))
    found.push({ what: part("actions"), before: t("levels.compare.none"), after: fresh });
  return found;
}

type Targets = Partial<Record<(typeof PRIORITIES)[number], TargetRead | null>> | undefined;
const without = (these: string[] = [], those: string[] = []) => these.filter((one) => !those.includes(one));

/** The people and teams two versions name. */
export const named = (...texts: (PolicyText | undefined)[]) => ({
  person: texts.flatMap((text) => text?.actions.flatMap((a) => a.user_id ?? []) ?? []),
  team: texts.flatMap((text) => [
    ...(text?.actions.flatMap((a) => a.team_id ?? []) ?? []),
    ...(text?.own_time.map((one) => one.team_id) ?? []),
  ]),
  department: [] as number[],
});
