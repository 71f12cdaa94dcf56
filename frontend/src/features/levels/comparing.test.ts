import { describe, expect, it } from "vitest";
import { differences, named, type PolicyText, type Words } from "./comparing";
import en from "./locales/en.json";

/** The words of the locale, as far as they are needed here. */
function say(key: string, values: Record<string, unknown> = {}, count?: number): string {
  if (key.startsWith("priority.")) return key.slice(9).toLowerCase();
  let at: unknown = { levels: en };
  for (const part of key.split(".")) at = (at as Record<string, unknown>)[part];
  const choices = String(at).split(" | ");
  const text = count === undefined ? choices[0] : (choices[count === 1 ? 0 : choices.length - 1] ?? "");
  return (text ?? "").replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}
const words: Words = {
  t: say,
  condition: (json) => (json ? "Type is HR" : "every request"),
  calendar: (id) => (id === null ? "The default calendar" : `Calendar ${id}`),
  team: (id) => `Team ${id}`,
  person: (id) => `Person ${id}`,
  list: (list) => list.join(", "),
};
const NONE = { LOW: null, MEDIUM: null, HIGH: null, CRITICAL: null };
const text: PolicyText = {
  name: "All",
  condition: null,
  calendar_id: null,
  targets: {
    FIRST_RESPONSE: NONE,
    NEXT_UPDATE: NONE,
    RESOLUTION: { ...NONE, HIGH: { amount: 4, unit: "HOURS", days: null } },
  },
  own_time: [],
  paused: ["PENDING_INFO"],
  counts_approval: false,
  reopening: "RESUME",
  warnings: [75],
  actions: [],
};

describe("what two versions say differently", () => {
  it("is nothing when they say the same", () => {
    expect(differences(text, { ...text, paused: [...text.paused] }, words)).toEqual([]);
  });
  it("is told in words, field by field", () => {
    const after: PolicyText = {
      ...text,
      name: "Everything",
      condition: { field: "ticket_type", op: "eq", value: "HR" },
      calendar_id: 3,
      targets: {
        ...text.targets,
        FIRST_RESPONSE: { ...NONE, LOW: { amount: 1, unit: "DAYS", days: "END_OF_DAY" } },
        RESOLUTION: { ...NONE, HIGH: { amount: 8, unit: "HOURS", days: null } },
      },
      own_time: [{ team_id: 5, targets: { ...NONE, LOW: { amount: 2, unit: "DAYS", days: "BLOCKS" } } }],
      paused: [],
      counts_approval: true,
      reopening: "STAY",
      warnings: [50, 90],
    };
    const told = differences(text, after, words).map((d) => `${d.what}: ${d.before} → ${d.after}`);
    expect(told).toEqual([
      "name: All → Everything",
      "which requests: every request → Type is HR",
      "calendar: The default calendar → Calendar 3",
      "First response, low: no target → one working day, to its end",
      "Resolution, high: 4 h working time → 8 h working time",
      "Own time of Team 5, low: no target → 2 days of 24 h working time",
      "when clocks wait: waiting for the requester → in no status",
      "waiting for approval: does not count → counts",
      "what is opened again: goes on, without the time it was done → stays over",
      "warnings: 75% → 50%, 90%",
    ]);
  });
  it("names actions that came and went", () => {
    const tell = {
      on: "BREACH",
      do: "TELL_PERSON",
      metrics: ["RESOLUTION"],
      percent: null,
      user_id: 7,
      team_id: null,
    } as const;
    const hand = {
      on: "WARNING",
      do: "HAND_TO_TEAM",
      metrics: [],
      percent: 75,
      user_id: null,
      team_id: 5,
    } as const;
    const before: PolicyText = { ...text, actions: [{ ...tell, metrics: [...tell.metrics] }] };
    const after: PolicyText = { ...text, actions: [{ ...hand, metrics: [] }] };
    expect(differences(before, after, words)).toEqual([
      {
        what: "what happens",
        before: "When it is late: tell a person (Person 7), for Resolution",
        after: "not any more",
      },
      { what: "what happens", before: "none", after: "At the warning of 75%: hand it to a team (Team 5)" },
    ]);
    expect(named(before, after)).toEqual({ person: [7], team: [5], department: [] });
  });
});
