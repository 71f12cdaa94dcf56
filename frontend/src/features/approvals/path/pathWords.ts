/** Pure: a path in a sentence, as one colleague would tell another whom a request goes to, and why. */
import type { ChangePath, PathPerson, PathStage, TicketPath } from "@/api/generated";
import { date, duration, either, names, number } from "@/shared/lib/format";

export type Say = (key: string, named?: Record<string, unknown>, plural?: number) => string;
type Counted = Pick<PathStage, "needed" | "first_answer_counts"> & { mode: string };
export type Telling = Omit<TicketPath, "priority" | "priority_is_ruled" | "depends_on"> & {
  priority?: TicketPath["priority"];
  priority_is_ruled?: boolean;
};

/** Conditions begin with the name of what they look at; these are said with "the" before them. */
const PLAIN = /^(type|priority|amount|currency|department|requester|title|description|due date)\b/;
export const reasonOf = (say: Say, why: string): string =>
  PLAIN.test(why) ? say("approvals.path.the", { what: why }) : why;

/** How many of those who are asked must agree; nothing to say of one. */
export function howMany(say: Say, stage: Counted, of: number): string {
  if (of < 2) return "";
  if (stage.mode === "SEQUENTIAL") return say("approvals.oneByOne");
  if (stage.first_answer_counts) return say("approvals.path.first", { of });
  if (stage.needed === 1) return say("approvals.any", { of });
  return stage.needed >= of ? say("approvals.all", { of }) : say("approvals.some", { n: stage.needed, of });
}

/** Who a stage is, in the sentence: one or two by name, more by the stage's name and how many of them it takes. */
function whoOf(say: Say, stage: PathStage): string {
  const people = stage.people.map((p) => p.person.name);
  if (people.length === 0) return stage.name;
  if (people.length > 2) {
    const enough = stage.mode === "SEQUENTIAL" ? people.length : stage.needed;
    return say("approvals.path.group", { name: stage.name, n: enough, of: people.length });
  }
  const [one, two] = people;
  if (stage.mode === "SEQUENTIAL" && two) return say("approvals.path.then", { before: one ?? "", next: two });
  return stage.needed < people.length ? either(people) : names(people);
}

export const asked = (path: Pick<TicketPath, "stages">): PathStage[] => path.stages.filter((s) => s.applies);

/** "Goes to Mike Okafor, then to Finance (2 of 3), because the amount is above 5,000." */
export function sentenceOf(say: Say, path: Telling): string {
  if (!path.needs_approval) return say("approvals.path.nobody");
  const stages = asked(path);
  if (path.is_emergency) {
    const people = stages.flatMap((s) => s.people);
    const all = people.map((p) => p.person.name);
    const who = all.length > 3 ? say("approvals.path.people", { n: all.length }) : names(all);
    return say("approvals.path.emergency", { who }, all.length);
  }
  const said = stages.map((stage) => {
    const who = whoOf(say, stage);
    return stage.why ? say("approvals.path.because", { who, why: reasonOf(say, stage.why) }) : who;
  });
  const list = said.reduce(
    (before, next) => (before ? say("approvals.path.then", { before, next }) : next),
    "",
  );
  return say("approvals.path.to", { list });
}

/** Who is away, until when, and who may decide in their place. */
export function awayOf(say: Say, { person, away_until: until, deputy }: PathPerson): string {
  if (!until) return "";
  const about = { name: person.name, until: date(until), deputy: deputy?.name ?? "" };
  return say(deputy ? "approvals.path.awayFor" : "approvals.path.away", about);
}

/** The same below their name. */
export function awayBriefly(
  say: Say,
  { away_until: until, deputy }: Pick<PathPerson, "away_until" | "deputy">,
): string {
  if (!until) return "";
  const about = { until: date(until), deputy: deputy?.name ?? "" };
  return say(deputy ? "approvals.path.awayBrieflyFor" : "approvals.path.awayBriefly", about);
}

/** What decides who is asked and is not filled in yet. */
export function missingOf(say: Say, path: Telling): string {
  const what = path.missing.map((f) => reasonOf(say, f.label));
  return what.length ? say("approvals.path.missing", { what: names(what) }) : "";
}

/** Whom an edit asks again, and why. */
export function againOf(say: Say, path: Pick<ChangePath, "asks_again">): string {
  const again = path.asks_again;
  if (!again || again.extent === "NOTHING") return say("approvals.again.nobody");
  const why = reasonOf(say, again.why);
  if (again.extent === "ROUND")
    return say(why ? "approvals.again.round" : "approvals.again.roundPlain", { why });
  const stages = names(again.stages.map((name) => `“${name}”`));
  return say("approvals.again.stages", { stages, why }, again.stages.length);
}

/** Why it could not begin, if it could not. */
export function problemOf(say: Say, path: Telling): string {
  const without = path.stages.filter((s) => s.problem).map((s) => s.name);
  return path.problem ? say("approvals.path.lacking", { stages: names(without) }) : "";
}

/** "answer within 2 days", "answer within 16 working hours" */
export const dueOf = (say: Say, { due_in_minutes, counts }: PathStage): string => {
  if (counts !== "WORKING_TIME") return say("approvals.path.within", { time: duration(due_in_minutes / 60) });
  const hours = number(due_in_minutes / 60, { maximumFractionDigits: 1 });
  return say("approvals.path.withinWorking", { hours }, due_in_minutes / 60);
};

/** All of it at once, for who hears it: said again only when it reads differently. */
export function spoken(say: Say, path: Telling): string {
  const away = asked(path).flatMap((s) => s.people.map((p) => awayOf(say, p)));
  return [problemOf(say, path) || sentenceOf(say, path), ...away, missingOf(say, path)]
    .filter(Boolean)
    .join(" ");
}
