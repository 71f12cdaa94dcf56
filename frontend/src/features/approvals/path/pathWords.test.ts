import { describe, expect, it } from "vitest";
import { createI18n } from "vue-i18n";
import type { PathPerson, PathStage, TicketPath } from "@/api/generated";
import shared from "@/shared/locales/en.json";
import words from "../locales/en.json";
import {
  againOf,
  awayBriefly,
  awayOf,
  dueOf,
  howMany,
  missingOf,
  problemOf,
  reasonOf,
  sentenceOf,
  spoken,
  type Say,
} from "./pathWords";

const { t } = createI18n({
  legacy: false,
  locale: "en",
  messages: { en: { ...shared, approvals: words } },
  missingWarn: true,
}).global;
const say = t as Say;

let ids = 0;
const person = (name: string, more: Partial<PathPerson> = {}): PathPerson => ({
  person: { id: ++ids, username: name.toLowerCase(), name },
  why: "the requester's manager",
  order: 1,
  due_at: null,
  away_until: null,
  deputy: null,
  ...more,
});
const stage = (name: string, people: string[], more: Partial<PathStage> = {}): PathStage => ({
  name,
  applies: true,
  why: "",
  mode: "PARALLEL",
  quorum: "ALL",
  needed: people.length,
  first_answer_counts: false,
  due_in_minutes: 2880,
  counts: "CLOCK",
  problem: null,
  people: people.map((p) => person(p)),
  ...more,
});
const path = (stages: PathStage[], more: Partial<TicketPath> = {}): TicketPath => ({
  workflow: { id: 1, version: 1, name: "Purchases", why: "" },
  is_emergency: false,
  problem: null,
  depends_on: [],
  stages,
  needs_approval: true,
  priority: "MEDIUM",
  priority_is_ruled: false,
  missing: [],
  ...more,
});
const large = { why: "amount is above 5,000" };

describe("the sentence", () => {
  it.each([
    [path([stage("Manager", ["Mike"])]), "Goes to Mike."],
    [
      path([stage("Manager", ["Mike"]), stage("Finance", ["A", "B", "C"], { needed: 2, ...large })]),
      "Goes to Mike, then to Finance (2 of 3), because the amount is above 5,000.",
    ],
    [path([stage("Manager", ["Mike"], { applies: false }), stage("Heads", ["A", "B"])]), "Goes to A and B."],
    [path([stage("Heads", ["A", "B"], { needed: 1 })]), "Goes to A or B."],
    [path([stage("Heads", ["A", "B"], { mode: "SEQUENTIAL" })]), "Goes to A, then to B."],
    [path([stage("Board", ["A", "B", "C"], { mode: "SEQUENTIAL", needed: 3 })]), "Goes to Board (3 of 3)."],
    [path([stage("Nobody yet", [])]), "Goes to Nobody yet."],
    [
      path([stage("Emergency: x", ["A", "B"], { needed: 1, first_answer_counts: true })], {
        is_emergency: true,
      }),
      "It is critical: A and B are asked at the same time, and the first answer counts.",
    ],
    [
      path([stage("Emergency: x", ["A"], { first_answer_counts: true })], { is_emergency: true }),
      "It is critical: A is asked at once.",
    ],
    [
      path([stage("Emergency: x", ["A", "B", "C", "D"], { needed: 1 })], { is_emergency: true }),
      "It is critical: 4 people are asked at the same time, and the first answer counts.",
    ],
    [
      path([], { needs_approval: false, workflow: null }),
      "Nobody's approval is needed: work on it can begin as soon as you submit it.",
    ],
  ])("%#", (given, expected) => expect(sentenceOf(say, given)).toBe(expected));
});

it("how many must agree", () => {
  const all = stage("S", ["A", "B", "C"]);
  expect(howMany(say, all, 3)).toBe("all 3 must agree");
  expect(howMany(say, { ...all, needed: 2 }, 3)).toBe("2 of 3 must agree");
  expect(howMany(say, { ...all, needed: 1 }, 3)).toBe("one of 3 is enough");
  expect(howMany(say, { ...all, needed: 1, first_answer_counts: true }, 3)).toBe(
    "the first of 3 answers counts",
  );
  expect(howMany(say, { ...all, mode: "SEQUENTIAL" }, 3)).toBe("one after the other");
  expect(howMany(say, all, 1)).toBe("");
});

it("a form's own names stand as they are", () => {
  expect(reasonOf(say, "Budget code is X")).toBe("Budget code is X");
  expect(reasonOf(say, "not (amount is above 5)")).toBe("not (amount is above 5)");
  expect(reasonOf(say, "due date is below 2030")).toBe("the due date is below 2030");
});

it("who is away is named, until when, and who decides for them", () => {
  const until = "2030-01-05T12:00:00Z";
  expect(awayOf(say, person("Mike"))).toBe("");
  expect(awayBriefly(say, person("Mike"))).toBe("");
  expect(awayBriefly(say, person("Mike", { away_until: until }))).toBe("Away until Jan 5, 2030");
  expect(awayOf(say, person("Mike", { away_until: until }))).toBe("Mike is away until Jan 5, 2030.");
  const deputy = { id: 9, username: "c", name: "Carlos" };
  expect(awayOf(say, person("Mike", { away_until: until, deputy }))).toBe(
    "Mike is away until Jan 5, 2030; Carlos may decide in their place.",
  );
  expect(awayBriefly(say, person("Mike", { away_until: until, deputy }))).toBe(
    "Away until Jan 5, 2030; Carlos may decide in their place",
  );
});

it("what is missing, what cannot be, by when", () => {
  expect(missingOf(say, path([]))).toBe("");
  const missing = [
    { field: "amount", label: "amount" },
    { field: "custom.code", label: "Budget code" },
  ];
  expect(missingOf(say, path([], { missing }))).toBe(
    "Who is asked depends on the amount and Budget code, not filled in yet.",
  );
  expect(problemOf(say, path([]))).toBe("");
  const lacking = path([stage("Board", [], { problem: "nobody_to_ask" })], { problem: "nobody_to_ask" });
  expect(problemOf(say, lacking)).toBe(
    "Nobody can be found who may decide “Board”, so it cannot be submitted. Please tell an administrator.",
  );
  expect(dueOf(say, stage("Board", ["Ana"]))).toBe("answer within 2 days");
  const worked = stage("Board", ["Ana"], { due_in_minutes: 960, counts: "WORKING_TIME" });
  expect(dueOf(say, worked)).toBe("answer within 16 working hours");
});

describe("what an edit asks again", () => {
  const change = (
    extent: "NOTHING" | "STAGES" | "ROUND",
    stages: string[] = [],
    why = "amount changed from 1 to 2",
  ) => againOf(say, { asks_again: { extent, stages, why } });
  it.each([
    [againOf(say, { asks_again: null }), "Nobody is asked again."],
    [change("NOTHING"), "Nobody is asked again."],
    [
      change("STAGES", ["Finance"]),
      "Saving asks “Finance” again, because the amount changed from 1 to 2. What was said there does not count any more.",
    ],
    [
      change("STAGES", ["Finance", "Board"]),
      "Saving asks “Finance” and “Board” again, because the amount changed from 1 to 2. What was said there does not count any more.",
    ],
    [
      change("ROUND"),
      "Saving starts the approval again from the beginning, because the amount changed from 1 to 2.",
    ],
    [change("ROUND", [], ""), "Saving starts the approval again from the beginning."],
  ])("%#", (words, expected) => expect(words).toBe(expected));
});

it("what is heard is all of it, once", () => {
  const away = stage("Manager", []);
  away.people = [person("Mike", { away_until: "2030-01-05T12:00:00Z" })];
  expect(spoken(say, path([away], { missing: [{ field: "amount", label: "amount" }] }))).toBe(
    "Goes to Mike. Mike is away until Jan 5, 2030. Who is asked depends on the amount, not filled in yet.",
  );
});
