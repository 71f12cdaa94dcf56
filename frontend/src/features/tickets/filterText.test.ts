import { expect, it } from "vitest";
import type { LocationQuery } from "vue-router";
import {
  conditionOf,
  furtherFrom,
  furtherOf,
  type Json,
  countOf,
  emptyFilters,
  filtersOf,
  filtersOfSaved,
  isSame,
  OPEN,
  PRIORITIES,
  queryOf,
  requestOf,
  savedOf,
  SORTS,
  STATUSES,
  type Filters,
  type ListKey,
} from "./filterModel";
import { comparisonsOf } from "./filterRanges";
import { parse, suggest, tokensOf, unknownPeople, write, type Names } from "./filterText";

const KNOWN: Partial<Record<ListKey, Record<string, string>>> = {
  requester_id: { "3": "manager", "4": "o'neil" },
  assignee_id: { "3": "manager", "4": "o'neil" },
  team_id: { "1": "IT Support", "2": 'The "A", team' },
  department_id: { "7": "Marketing" },
  ticket_type: { IT_HARDWARE: "it-hardware" },
};
const names: Names = {
  wordOf: (key, id) => KNOWN[key]?.[id],
  idOf: (key, word) =>
    Object.entries(KNOWN[key] ?? {}).find(([, name]) => name.toLowerCase() === word.toLowerCase())?.[0],
  all: (key) => Object.values(KNOWN[key] ?? {}).map((name) => ({ word: name, label: name })),
};
const said = (text: string) => parse(text, names);
const only = (more: Partial<Filters>): Filters => ({ ...emptyFilters(), ...more });

it("reads what people write", () => {
  const text =
    'status:open priority:HIGH assignee:me team:"IT Support" due:<7d created:>2026-01-01 amount:>=1000 tag:vpn -status:closed free words';
  expect(said(text)).toEqual({
    filters: only({
      status: OPEN,
      priority: ["HIGH"],
      assignee_id: ["me"],
      team_id: ["1"],
      due: ["<7d"],
      created: [">=2026-01-02"],
      amount: [">=1000"],
      tag: ["vpn"],
      not: ["status:CLOSED"],
      q: "free words",
    }),
    mistakes: [],
  });
});

it.each([
  ["status:approved,in_progress", only({ status: ["APPROVED", "IN_PROGRESS"] })],
  ['status:"in review" status:in-review', only({ status: ["IN_REVIEW"] })],
  ["type:it-hardware requester:MANAGER", only({ ticket_type: ["IT_HARDWARE"], requester_id: ["3"] })],
  ["assignee:none -assignee:#12", only({ assignee_id: ["none"], not: ["assignee_id:12"] })],
  ["team:mine department:mine", only({ team_id: ["my_teams"], department_id: ["my_departments"] })],
  ["due:none amount:any due:<now", only({ due: ["none", "<now"], amount: ["any"] })],
  ["created:2026-03-31", only({ created: [">=2026-03-31", "<2026-04-01"] })],
  ["amount:007.50", only({ amount: ["=7.50"] })],
  ['"status:open" -5 "a \\"b"', only({ q: 'status:open -5 a "b' })],
  ["http://x", only({ q: "" })],
])("reads %s", (text, filters) => {
  expect(said(text).filters).toEqual(filters);
});

it.each([
  ["colour:red", "unknownKey", "colour", ""],
  ["status:nowhere", "unknownValue", "status", "nowhere"],
  ["assignee:someone", "unknownValue", "assignee", "someone"],
  ["type:#5", "unknownValue", "type", "#5"],
  ["due:soon", "unknownValue", "due", "soon"],
  ["due:7d", "unknownValue", "due", "7d"],
  ["created:none", "unknownValue", "created", "none"],
  ["created:>2026-02-30", "unknownValue", "created", ">2026-02-30"],
  ["amount:lots", "unknownValue", "amount", "lots"],
  ["-due:<7d", "notNegated", "due", ""],
  ["status:", "noValue", "status", ""],
])("explains %s", (text, reason, key, value) => {
  const { filters, mistakes } = said(`${text} laptop`);
  expect(mistakes).toEqual([{ token: text, reason, key, value }]);
  expect(filters).toEqual(only({ q: "laptop" }));
});

it("asks only for people nobody has looked up", () => {
  expect(unknownPeople("assignee:zoe requester:manager -requester:yan status:odd", names)).toEqual([
    "zoe",
    "yan",
  ]);
});

it("keeps the order and the further condition", () => {
  const before = only({ sort: "due_date", condition: '{"any":[]}' });
  expect(parse("a", names, before).filters).toEqual({ ...before, q: "a" });
});

// A small generator: the same cases every time.
function chance(seed: number) {
  let state = seed;
  const next = () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
  const one = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const some = <T>(list: readonly T[], most = 3): T[] => [
    ...new Set(Array.from({ length: Math.floor(next() * (most + 1)) }, () => one(list))),
  ];
  return { next, one, some };
}
const RANGES = {
  created: [">7d", "<=3h", ">=2026-01-01", "<2026-12-31", "<+2w", "<now"],
  updated: [">1d", "<30d", ">=1999-02-28"],
  due: ["<7d", ">-3d", "none", "any", "<now", "<2027-01-01"],
  amount: [">=1000", "<5.50", "=0", "none", "any"],
};
const PIECES = [
  "laptop",
  "status:open",
  '"',
  'a"b',
  "-5",
  "ä,b",
  "\\",
  "#12",
  "-tag:x",
  "due",
  "https://x.org",
];
const CONDITIONS = [
  "",
  '{"field":"title","op":"contains","value":"x"}',
  '{"all":[{"field":"custom.a","op":"eq","value":"b"},{"any":[]}]}',
  '{"not":{"field":"status","op":"eq","value":"CLOSED"}}',
];
function generated(seed: number): Filters {
  const { one, some, next } = chance(seed);
  const filters = only({
    status: next() < 0.2 ? [...OPEN] : some(STATUSES),
    priority: some(PRIORITIES),
    ticket_type: some(["IT_HARDWARE", "HR"]),
    requester_id: some(["me", "3", "4", "99"]),
    assignee_id: some(["me", "none", "3", "12"]),
    team_id: some(["1", "2", "5", "my_teams"]),
    department_id: some(["7", "8", "my_departments"]),
    tag: some(["vpn", "two words", "ä,ö", "back\\slash"]),
    not: some([
      "status:CLOSED",
      "tag:vpn",
      "assignee_id:none",
      "assignee_id:me",
      "team_id:2",
      "ticket_type:HR",
      "priority:LOW",
    ]),
    q: some(PIECES).join(" "),
    sort: one(SORTS),
    condition: one(CONDITIONS),
  });
  for (const key of ["created", "updated", "due", "amount"] as const) filters[key] = some(RANGES[key], 2);
  return filters;
}
const CASES = Array.from({ length: 400 }, (_, n) => generated(n + 1));

it("what is written is read again", () => {
  for (const filters of CASES) {
    const text = write(filters, names);
    expect(parse(text, names, filters), text).toEqual({ filters, mistakes: [] });
  }
});

it("the address says the same", () => {
  for (const filters of CASES) expect(filtersOf(queryOf(filters) as LocationQuery)).toEqual(filters);
});

it("a saved view says the same, whatever is shown by the panel and what by the condition", () => {
  for (const filters of CASES) {
    const again = filtersOfSaved(savedOf(filters) as Parameters<typeof filtersOfSaved>[0]);
    expect(conditionOf(again), JSON.stringify(filters)).toEqual(conditionOf(filters));
    expect(isSame(again, filters)).toBe(true);
    expect({ ...again, condition: "", q: "" }).toEqual({ ...filters, condition: "", q: "" });
  }
});

it("tokens cover what is written", () => {
  for (const filters of CASES) {
    const text = write(filters, names);
    for (const token of tokensOf(text)) expect(text.slice(token.from, token.to)).toBe(token.raw);
  }
});

it("asks the server in plain parameters where they say it", () => {
  expect(requestOf(only({ status: ["DRAFT"], team_id: ["1"], q: " a " }))).toEqual({
    status: ["DRAFT"],
    priority: [],
    ticket_type: [],
    requester_id: [],
    assignee_id: [],
    team_id: [1],
    department_id: [],
    sort: "-created_at",
    q: "a",
    condition: undefined,
  });
  const asked = requestOf(
    only({ team_id: ["1", "my_teams"], due: ["<7d"], not: ["tag:x", "assignee_id:none", "team_id:2"] }),
  );
  expect(JSON.parse(asked.condition ?? "")).toEqual({
    all: [
      { field: "team_id", op: "in", value: [1, "my_teams"] },
      { not: { field: "tags", op: "contains", value: "x" } },
      { field: "assignee_id", op: "is_not_empty" },
      { field: "team_id", op: "ne", value: 2 },
      { field: "due_date", op: "lt", value: "+7d" },
    ],
  });
});

it("leaves alone what of a condition the panel cannot show", () => {
  for (const part of [
    { any: [] },
    5,
    { field: "tags", op: "is_empty" },
    { field: "tags", op: "contains", value: '"' },
    { field: "created_at", op: "gt", value: "2026-01-01T03:04:05Z" },
    { field: "created_at", op: "is_empty" },
    { field: "created_at", op: "gt", value: 5 },
    { field: "status", op: "in", value: [] },
    { field: "status", op: "ne", value: "ODD" },
    { field: "assignee_id", op: "in", value: ["none"] },
    { field: "custom.x", op: "eq", value: "y" },
  ] as const) {
    const found = filtersOfSaved({ condition: part });
    expect(found).toEqual({ ...emptyFilters(), condition: JSON.stringify(part) });
  }
  const twice = {
    all: [
      { field: "status", op: "eq", value: "DRAFT" },
      { field: "status", op: "in", value: ["CLOSED"] },
    ],
  };
  expect(filtersOfSaved({ condition: twice }).status).toEqual(["DRAFT"]);
  expect(filtersOfSaved({ condition: twice }).condition).toBe(
    '{"field":"status","op":"in","value":["CLOSED"]}',
  );
  expect(filtersOfSaved({ filters: { status: ["ODD"], q: 5 }, sort: "odd" })).toEqual(emptyFilters());
});

it("takes a further condition apart as far as all of it must hold, and puts together what is left", () => {
  const late: Json = { field: "completed_in_time", op: "eq", value: false };
  const old: Json = { field: "created_at", op: "lt", value: "2026-01-01T00:00:00Z" };
  const odd: Json = { any: [{ field: "title", op: "is_empty" }] };
  const all = JSON.stringify({ all: [late, old, odd] });
  expect(furtherOf(all)).toEqual([late, old, odd]);
  expect(furtherOf(JSON.stringify(odd))).toEqual([odd]);
  expect(furtherOf("")).toEqual([]);
  expect(furtherFrom([late, old, odd])).toBe(all);
  expect(furtherFrom([odd])).toBe(JSON.stringify(odd));
  expect(furtherFrom([])).toBe("");
  expect(countOf(only({ condition: all }))).toBe(3);
});

it("leaves out of an address what is no filter", () => {
  const odd = {
    status: "ODD",
    not: ["x:y", "status:ODD"],
    due: "soon",
    condition: "[]",
    sort: "odd",
    tag: ["", null],
  };
  expect(filtersOf(odd as LocationQuery)).toEqual(emptyFilters());
  expect(filtersOf({ condition: "{" })).toEqual(emptyFilters());
});

it("counts what narrows", () => {
  expect(countOf(emptyFilters())).toBe(0);
  expect(
    countOf(only({ status: ["DRAFT", "CLOSED"], q: "a", condition: "{}", not: ["tag:x"], due: ["none"] })),
  ).toBe(6);
});

it("a comparison has one form", () => {
  expect(comparisonsOf("created", ">-7d")).toEqual([">7d"]);
  expect(comparisonsOf("due", "<+07d")).toEqual(["<7d"]);
  expect(comparisonsOf("due", "<=2026-12-31")).toEqual(["<2027-01-01"]);
  expect(comparisonsOf("due", "=now")).toBeNull();
  expect(comparisonsOf("due", "")).toBeNull();
  expect(comparisonsOf("created", ">0099-01-01")).toBeNull();
});

it("suggests keys, then values", () => {
  const words = (text: string, caret = text.length) => suggest(text, caret, names).options.map((o) => o.word);
  expect(words("")).toContain("status:");
  expect(words("pri")).toEqual(["priority:"]);
  expect(words("-st")).toEqual(["-status:"]);
  expect(words("status:in")).toEqual(["in-review", "pending-info", "in-progress"]);
  expect(words("team:it")).toEqual(["IT Support"]);
  expect(words("colour:")).toEqual([]);
  expect(words("nothing like it")).toEqual([]);
  expect(words("status:open,cl")).toEqual(["closed"]);
  const found = suggest("a team:it b", 9, names);
  expect(found).toMatchObject({ from: 2, to: 9 });
  expect(found.options[0]?.text).toBe('team:"IT Support" ');
  expect(suggest("status:open,cl", 14, names).options[0]?.text).toBe("status:open,closed ");
});
