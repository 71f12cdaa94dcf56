/**
 * Pure: filters as a line of text, `status:open priority:high assignee:me due:<7d -tag:vpn free words`, and back. What
 * is not understood is named with the reason and changes nothing; names of people, teams and types come from `Names`.
 */
import {
  emptyFilters,
  isValue,
  MOST_WORDS,
  OPEN,
  PRIORITIES,
  RANGES,
  STATUSES,
  type Filters,
  type ListKey,
  type RangeKey,
} from "./filterModel";
import { comparisonsOf } from "./filterRanges";

/** What ids are called in the text: a username, a team's name, a type's key in small letters. */
export interface Names {
  /** The word for an id, undefined when nobody knows it (then the id itself stands there). */
  wordOf: (key: ListKey, id: string) => string | undefined;
  /** The id a word stands for, undefined when there is none. */
  idOf: (key: ListKey, word: string) => string | undefined;
  /** What one could write for a key. */
  all: (key: ListKey) => { word: string; label: string }[];
}
export interface Mistake {
  token: string;
  reason: "unknownKey" | "unknownValue" | "notNegated" | "noValue";
  key: string;
  value: string;
}
interface Token {
  /** Where it stands in the text. */
  from: number;
  to: number;
  raw: string;
  key: string | null;
  isNot: boolean;
  values: string[];
  isQuoted: boolean;
}

export const KEYS: Record<string, ListKey | RangeKey> = {
  status: "status",
  priority: "priority",
  type: "ticket_type",
  assignee: "assignee_id",
  requester: "requester_id",
  team: "team_id",
  department: "department_id",
  tag: "tag",
  created: "created",
  updated: "updated",
  due: "due",
  amount: "amount",
};
const WORDS = Object.fromEntries(Object.entries(KEYS).map(([word, key]) => [key, word]));
const isRange = (key: ListKey | RangeKey): key is RangeKey => (RANGES as readonly string[]).includes(key);
const PEOPLE = new Set<string>(["requester_id", "assignee_id"]);

// --- cutting ---------------------------------------------------------------------------------------------------------

/** One value or word from `at`: quoted, or up to a blank (or a comma, in a value). */
function piece(text: string, at: number, isValue: boolean): { value: string; to: number; isQuoted: boolean } {
  if (text[at] === '"') {
    let value = "";
    let n = at + 1;
    for (; n < text.length && text[n] !== '"'; n += 1) {
      if (text[n] === "\\" && n + 1 < text.length) n += 1;
      value += text[n] ?? "";
    }
    return { value, to: Math.min(n + 1, text.length), isQuoted: true };
  }
  const end = isValue ? /[\s,]/g : /\s/g;
  end.lastIndex = at;
  const to = end.exec(text)?.index ?? text.length;
  return { value: text.slice(at, to), to, isQuoted: false };
}

/** The tokens of a text, with their places. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) {
      at += 1;
      continue;
    }
    const head = /^(-?)([A-Za-z_]+):/.exec(text.slice(at, at + 40));
    const from = at;
    if (!head) {
      const { value, to, isQuoted } = piece(text, at, false);
      tokens.push({
        from,
        to,
        raw: text.slice(from, to),
        key: null,
        isNot: false,
        values: [value],
        isQuoted,
      });
      at = to;
      continue;
    }
    at += head[0].length;
    const values: string[] = [];
    let isQuoted = false;
    for (;;) {
      const next = piece(text, at, true);
      if (next.value || next.isQuoted) values.push(next.value);
      isQuoted ||= next.isQuoted;
      at = next.to;
      if (text[at] !== ",") break;
      at += 1;
    }
    tokens.push({
      from,
      to: at,
      raw: text.slice(from, at),
      key: (head[2] as string).toLowerCase(),
      isNot: head[1] === "-",
      values,
      isQuoted,
    });
  }
  return tokens;
}

// --- reading ---------------------------------------------------------------------------------------------------------

const word = (value: string) => value.toLowerCase().replace(/[\s_]+/g, "-");

function idsOf(key: ListKey, value: string, names: Names): string[] | null {
  const said = word(value);
  if (key === "status") {
    if (said === "open") return [...OPEN];
    const found = STATUSES.find((s) => word(s) === said);
    return found ? [found] : null;
  }
  if (key === "priority") {
    const found = PRIORITIES.find((p) => word(p) === said);
    return found ? [found] : null;
  }
  if (key === "tag") return isValue("tag", value) ? [value] : null;
  if (key === "team_id" && said === "mine") return ["my_teams"];
  if (key === "department_id" && said === "mine") return ["my_departments"];
  if (PEOPLE.has(key) && said === "me") return ["me"];
  if (key === "assignee_id" && said === "none") return ["none"];
  const id = names.idOf(key, value);
  if (id !== undefined) return [id];
  if (key === "ticket_type") return isValue(key, value) ? [value] : null; // a type that is gone
  const number = /^#([1-9]\d{0,15})$/.exec(value);
  return number?.[1] ? [number[1]] : null;
}

/** The filters of a text (with the order and further condition of `before`), and what in it was not understood. */
export function parse(
  text: string,
  names: Names,
  before: Filters = emptyFilters(),
): { filters: Filters; mistakes: Mistake[] } {
  const filters = { ...emptyFilters(), sort: before.sort, condition: before.condition };
  const mistakes: Mistake[] = [];
  const words: string[] = [];
  for (const token of tokensOf(text)) {
    if (token.key === null) {
      words.push(token.values[0] as string);
      continue;
    }
    const key = KEYS[token.key];
    const wrong = (reason: Mistake["reason"], value = "") =>
      mistakes.push({ token: token.raw, reason, key: token.key as string, value });
    if (!key) wrong("unknownKey");
    else if (!token.values.length) wrong("noValue");
    else if (isRange(key)) {
      if (token.isNot) wrong("notNegated");
      else {
        for (const value of token.values) {
          const found = comparisonsOf(key, value);
          if (found) add(filters[key], found);
          else wrong("unknownValue", value);
        }
      }
    } else {
      for (const value of token.values) {
        const ids = idsOf(key, value, names);
        if (!ids) wrong("unknownValue", value);
        else if (token.isNot)
          add(
            filters.not,
            ids.map((id) => `${key}:${id}`),
          );
        else add(filters[key] as string[], ids);
      }
    }
  }
  filters.q = words.join(" ").replace(/\s+/g, " ").trim().slice(0, MOST_WORDS);
  return { filters, mistakes };
}
function add(list: string[], more: string[]): void {
  for (const value of more) if (!list.includes(value)) list.push(value);
}

/** Words of people's names that nobody has looked up yet: `[key, word]`. */
export function unknownPeople(text: string, names: Names): string[] {
  return parse(text, names)
    .mistakes.filter((m) => m.reason === "unknownValue" && PEOPLE.has(KEYS[m.key] ?? ""))
    .map((m) => m.value);
}

// --- writing ---------------------------------------------------------------------------------------------------------

const quoted = (value: string) => `"${value.replace(/["\\]/g, "\\$&")}"`;
const asValue = (value: string) => (/[\s,"\\]/.test(value) || value === "" ? quoted(value) : value);
const asWord = (value: string) =>
  value.startsWith('"') || /^-?[A-Za-z_]+:/.test(value) ? quoted(value) : value;

function wordsFor(key: ListKey, values: string[], names: Names): string[] {
  if (key === "status" && values.length === OPEN.length && OPEN.every((s) => values.includes(s)))
    return ["open"];
  return values.map((value) => {
    if (key === "status" || key === "priority") return word(value);
    if (key === "tag" || value === "me" || value === "none") return value;
    if (value === "my_teams" || value === "my_departments") return "mine";
    return names.wordOf(key, value) ?? (key === "ticket_type" ? value : `#${value}`);
  });
}

/** The text of filters; reading it gives them back. */
export function write(filters: Filters, names: Names): string {
  const parts: string[] = [];
  for (const [name, key] of Object.entries(KEYS)) {
    if (isRange(key)) parts.push(...filters[key].map((one) => `${name}:${one}`));
    else if (key === "tag") parts.push(...filters.tag.map((tag) => `tag:${asValue(tag)}`));
    else if (filters[key].length)
      parts.push(`${name}:${wordsFor(key, filters[key], names).map(asValue).join(",")}`);
  }
  for (const entry of filters.not) {
    const key = entry.slice(0, entry.indexOf(":")) as ListKey;
    const [said] = wordsFor(key, [entry.slice(entry.indexOf(":") + 1)], names);
    parts.push(`-${WORDS[key]}:${asValue(said ?? "")}`);
  }
  parts.push(...filters.q.trim().split(/\s+/).filter(Boolean).map(asWord));
  return parts.join(" ");
}

// --- type-ahead ------------------------------------------------------------------------------------------------------

export interface Suggestion {
  /** What stands in the text in place of the token at the caret. */
  text: string;
  /** What people read: a key of words, or a name. */
  word: string;
  label: string;
  isKey: boolean;
}

const VALUES: Partial<Record<ListKey | RangeKey, string[]>> = {
  status: ["open", ...STATUSES.map(word)],
  priority: PRIORITIES.map(word),
  assignee_id: ["me", "none"],
  requester_id: ["me"],
  team_id: ["mine"],
  department_id: ["mine"],
  created: [">1d", ">7d", ">30d"],
  updated: [">1h", ">1d", "<30d"],
  due: ["<now", "<1d", "<7d", "none"],
  amount: [">=1000", "<1000", "any"],
};

/** What could stand at the caret, and which part of the text it would replace. */
export function suggest(
  text: string,
  caret: number,
  names: Names,
): { from: number; to: number; options: Suggestion[] } {
  const token = tokensOf(text).find((o) => o.from < caret && caret <= o.to);
  if (!token || token.key === null) {
    const typed = (token?.raw ?? "").toLowerCase();
    const [sign, start] = typed.startsWith("-") ? ["-", typed.slice(1)] : ["", typed];
    const keys = Object.keys(KEYS).filter((key) => key.startsWith(start) && (typed !== "" || !token));
    const options = keys.map((key) => ({
      text: `${sign}${key}:`,
      word: `${sign}${key}:`,
      label: key,
      isKey: true,
    }));
    return { from: token?.from ?? caret, to: token?.to ?? caret, options };
  }
  const key = KEYS[token.key];
  if (!key) return { from: token.from, to: token.to, options: [] };
  const before = token.raw.slice(0, caret - token.from);
  const cut = Math.max(before.indexOf(":"), token.isQuoted ? -1 : before.lastIndexOf(","));
  const typed = before
    .slice(cut + 1)
    .replace(/^"|"$/g, "")
    .toLowerCase();
  const known = isRange(key) ? [] : names.all(key);
  const fixed = (VALUES[key] ?? []).map((value) => ({ word: value, label: value }));
  const options = [...fixed, ...known]
    .filter((o) => o.word.toLowerCase().includes(typed) || o.label.toLowerCase().includes(typed))
    .slice(0, 12)
    .map((o) => ({
      text: `${token.raw.slice(0, cut + 1)}${asValue(o.word)} `,
      word: o.word,
      label: o.label,
      isKey: false,
    }));
  return { from: token.from, to: token.to, options };
}
