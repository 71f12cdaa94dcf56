/**
 * Pure: a condition as people edit it. The tree is the server's (`{"all": […]}`, `any`, `not`, comparisons, null =
 * always); here every branch is a group of one of four kinds, so that "not" is a word of a group and never a row.
 */

export type Kind = "text" | "choice" | "number" | "boolean" | "instant" | "date" | "id" | "list";
export interface Choice {
  value: string;
  label: string;
}
/** What a condition may speak of. `refers_to` says whose id it holds, `currency` that it is an amount of money. */
export interface Field {
  name: string;
  label: string;
  kind: Kind;
  operators?: string[];
  choices?: Choice[];
  refers_to?: "person" | "team" | "department" | null;
  currency?: string | null;
  types?: { key: string; name: string }[];
}

/** A condition as the server takes it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Leaf {
  id: number;
  field: string;
  op: string;
  value: Json;
}
/** `none` is "not any", `some_not` is "not all". */
export type Mode = "all" | "any" | "none" | "some_not";
export const MODES: Mode[] = ["all", "any", "none", "some_not"];
export interface Group {
  id: number;
  mode: Mode;
  parts: Node[];
}
export type Node = Group | Leaf;

/** How deep groups may lie in each other here; the server takes 16 levels, and "none of" is two. */
export const DEEPEST = 7;
export const MAX_NODES = 200;
export const MAX_VALUES = 100;
export const MAX_TEXT = 500;

const ORDER = ["lt", "lte", "gt", "gte"];
const EMPTY = ["is_empty", "is_not_empty"];
const SAME = ["eq", "ne", "in", "not_in"];
const OPERATORS: Record<Kind, string[]> = {
  text: [...SAME, "contains", "starts_with", ...EMPTY],
  choice: [...SAME, ...EMPTY],
  number: [...SAME, ...ORDER, ...EMPTY],
  boolean: ["eq", "ne", ...EMPTY],
  instant: [...ORDER, ...EMPTY],
  date: [...SAME, ...ORDER, ...EMPTY],
  id: [...SAME, ...EMPTY],
  list: ["contains", ...EMPTY],
};

export const operatorsOf = (field: Field): string[] => field.operators ?? OPERATORS[field.kind];
/** The key of what an operator is called: times are before and after, they are not below and above. */
export const wordOf = (op: string, kind?: Kind): string =>
  (kind === "instant" || kind === "date") && ORDER.includes(op) ? `${op}_time` : op;
export const takesNone = (op: string): boolean => EMPTY.includes(op);
export const takesMany = (op: string): boolean => op === "in" || op === "not_in";
export const isGroup = (node: Node): node is Group => "parts" in node;

let last = 0;
const next = (): number => (last += 1);

export const emptyGroup = (mode: Mode = "all"): Group => ({ id: next(), mode, parts: [] });
export const emptyLeaf = (): Leaf => ({ id: next(), field: "", op: "", value: null });

// --- the server's tree and ours ------------------------------------------------------------------------------------

const isObject = (json: unknown): json is Record<string, Json> =>
  typeof json === "object" && json !== null && !Array.isArray(json);

function nodeOf(json: Json): Node {
  if (!isObject(json)) return emptyLeaf();
  if (Array.isArray(json.all)) return { id: next(), mode: "all", parts: json.all.map(nodeOf) };
  if (Array.isArray(json.any)) return { id: next(), mode: "any", parts: json.any.map(nodeOf) };
  if ("not" in json) {
    const inner = nodeOf(json.not ?? null);
    if (!isGroup(inner)) return { id: next(), mode: "none", parts: [inner] };
    const turned: Record<Mode, Mode> = { all: "some_not", any: "none", none: "any", some_not: "all" };
    return { ...inner, mode: turned[inner.mode] };
  }
  return {
    id: next(),
    field: typeof json.field === "string" ? json.field : "",
    op: typeof json.op === "string" ? json.op : "",
    value: json.value ?? null,
  };
}

/** The editor's tree of a condition; its root is always a group. */
export function treeOf(json: Json | undefined): Group {
  if (json === null || json === undefined) return emptyGroup();
  const node = nodeOf(json);
  return isGroup(node) ? node : { id: next(), mode: "all", parts: [node] };
}

function jsonOfNode(node: Node): Json {
  if (!isGroup(node)) {
    return takesNone(node.op)
      ? { field: node.field, op: node.op }
      : { field: node.field, op: node.op, value: node.value };
  }
  const parts = node.parts.map(jsonOfNode);
  switch (node.mode) {
    case "all":
      return { all: parts };
    case "any":
      return { any: parts };
    case "none":
      return { not: { any: parts } };
    default:
      return { not: { all: parts } };
  }
}

/** The condition a tree stands for: null when nothing is asked for. */
export function jsonOf(root: Group): Json {
  return root.parts.length === 0 && root.mode === "all" ? null : jsonOfNode(root);
}

/** Where in `jsonOf(root)` each node stands, as JSON pointers. */
export function pointersOf(root: Group): Map<Node, string> {
  const found = new Map<Node, string>();
  const walk = (node: Node, pointer: string): void => {
    found.set(node, pointer);
    if (!isGroup(node)) return;
    const list = { all: "/all", any: "/any", none: "/not/any", some_not: "/not/all" }[node.mode];
    node.parts.forEach((part, n) => walk(part, `${pointer}${list}/${n}`));
  };
  walk(root, "");
  return found;
}

export interface Mistake {
  pointer: string;
  message: string;
}

/** Each mistake at the node it belongs to: the deepest one whose place it lies in. */
export function placed(root: Group, mistakes: Mistake[]): Map<Node, Mistake[]> {
  const places = [...pointersOf(root)].sort((a, b) => b[1].length - a[1].length);
  const found = new Map<Node, Mistake[]>();
  for (const mistake of mistakes) {
    const at = places.find(([, p]) => mistake.pointer === p || mistake.pointer.startsWith(`${p}/`));
    const node = at?.[0] ?? root;
    found.set(node, [...(found.get(node) ?? []), mistake]);
  }
  return found;
}

/** The mistakes under a place of a larger document, told from there: for the editor of one of its conditions. */
export function mistakesUnder(mistakes: Mistake[], prefix: string): Mistake[] {
  return mistakes
    .filter((m) => m.pointer === prefix || m.pointer.startsWith(`${prefix}/`))
    .map((m) => ({ pointer: m.pointer.slice(prefix.length), message: m.message }));
}

// --- changing it ---------------------------------------------------------------------------------------------------

/** A comparison with another field: what still fits stays. */
export function withField(leaf: Leaf, field: Field, before: Field | undefined): Leaf {
  const operators = operatorsOf(field);
  const op = operators.includes(leaf.op) ? leaf.op : (operators[0] ?? "eq");
  const isAlike =
    before !== undefined &&
    before.kind === field.kind &&
    before.refers_to === field.refers_to &&
    !before.choices?.length &&
    !field.choices?.length;
  const changed = { ...leaf, field: field.name };
  return withOperator({ ...changed, op: leaf.op, value: isAlike ? leaf.value : null }, op);
}

/** A comparison with another operator: one value becomes a list of one, and back. */
export function withOperator(leaf: Leaf, op: string): Leaf {
  let { value } = leaf;
  if (takesNone(op)) value = null;
  else if (takesMany(op))
    value = Array.isArray(value) ? value : value === null || value === "" ? [] : [value];
  else if (Array.isArray(value)) value = value[0] ?? null;
  return { ...leaf, op, value };
}

export function countOf(node: Node): number {
  return isGroup(node) ? node.parts.reduce((sum, part) => sum + countOf(part), 1) : 1;
}

// --- what is not right yet -----------------------------------------------------------------------------------------

const NUMBER = /^-?\d{1,18}(\.\d{1,9})?$/;

/** The key of what is wrong with one value, or null. The server has the last word. */
export function valueMistake(value: Json, field: Field): string | null {
  if (value === null || value === "" || (Array.isArray(value) && !value.length)) return "missing";
  if (field.choices?.length) return field.choices.some((c) => c.value === value) ? null : "unknownChoice";
  switch (field.kind) {
    case "number":
      return NUMBER.test(String(value)) ? null : "number";
    case "boolean":
      return typeof value === "boolean" ? null : "missing";
    case "id":
      return typeof value === "number" && Number.isInteger(value) && value > 0 ? null : "missing";
    case "date":
      return /^\d{4}-\d{2}-\d{2}$/.test(String(value)) && !Number.isNaN(Date.parse(String(value)))
        ? null
        : "date";
    case "instant":
      return Number.isNaN(Date.parse(String(value))) ? "date" : null;
    default:
      return typeof value === "string" && value.length <= MAX_TEXT ? null : "tooLong";
  }
}

/** What is not right yet, each with its place and the key of what to say (`condition.mistake.<key>`). */
export function mistakesOf(root: Group, fields: Field[]): { node: Node; pointer: string; key: string }[] {
  const known = new Map(fields.map((f) => [f.name, f]));
  const found: { node: Node; pointer: string; key: string }[] = [];
  for (const [node, pointer] of pointersOf(root)) {
    const say = (key: string, more = "") => found.push({ node, pointer: pointer + more, key });
    if (isGroup(node)) {
      if (!node.parts.length && (node !== root || node.mode !== "all")) say("emptyGroup");
      continue;
    }
    const field = known.get(node.field);
    if (!field) say(node.field ? "unknownField" : "noField", "/field");
    else if (!operatorsOf(field).includes(node.op)) say("operator", "/op");
    else if (takesNone(node.op)) continue;
    else if (!takesMany(node.op)) {
      const key = valueMistake(node.value, field);
      if (key) say(key, "/value");
    } else if (!Array.isArray(node.value) || !node.value.length) say("missing", "/value");
    else if (node.value.length > MAX_VALUES) say("tooMany", "/value");
    else {
      const n = node.value.findIndex((v) => valueMistake(v, field) !== null);
      if (n >= 0) say(valueMistake(node.value[n] ?? null, field) ?? "missing", `/value/${n}`);
    }
  }
  if (countOf(root) > MAX_NODES) found.push({ node: root, pointer: "", key: "tooLarge" });
  return found;
}

// --- in words --------------------------------------------------------------------------------------------------------

export interface Speech {
  /** A sentence's part by key: `condition.words.<key>`. */
  say: (key: string, values?: Record<string, string>) => string;
  /** One value as people read it. */
  show: (value: Json, field: Field | undefined) => string;
}

function leafInWords(leaf: Leaf, fields: Map<string, Field>, speech: Speech): string {
  const field = fields.get(leaf.field);
  const name = field?.label ?? (leaf.field || speech.say("something"));
  const op = leaf.op ? speech.say(`op.${wordOf(leaf.op, field?.kind)}`) : speech.say("op.eq");
  if (takesNone(leaf.op)) return speech.say("empty", { field: name, op });
  const values = (Array.isArray(leaf.value) ? leaf.value : [leaf.value]).filter(
    (v) => v !== null && v !== "",
  );
  const shown = values.map((v) => speech.show(v, field)).join(", ");
  return speech.say("leaf", { field: name, op, value: shown || "…" });
}

function inWords(node: Node, fields: Map<string, Field>, speech: Speech): string {
  if (!isGroup(node)) return leafInWords(node, fields, speech);
  if (!node.parts.length) return speech.say(node.mode === "all" || node.mode === "none" ? "always" : "never");
  const words = node.parts.map((part) => {
    const said = inWords(part, fields, speech);
    const isPlain =
      !isGroup(part) || part.mode === "none" || part.mode === "some_not" || part.parts.length < 2;
    return isPlain ? said : speech.say("inner", { words: said });
  });
  const joined = words.join(
    ` ${speech.say(node.mode === "all" || node.mode === "some_not" ? "and" : "or")} `,
  );
  return node.mode === "none" || node.mode === "some_not" ? speech.say("not", { words: joined }) : joined;
}

/** The condition in words: "Amount is at least $1,000.00 and (Type is one of IT hardware, HR)". */
export function describe(json: Json | Group, fields: Field[], speech: Speech): string {
  const isTree = typeof json === "object" && json !== null && "parts" in json && "mode" in json;
  const root = isTree ? (json as Group) : treeOf(json as Json);
  return inWords(root, new Map(fields.map((f) => [f.name, f])), speech);
}

/** The people, teams and departments a condition names, for looking up what they are called. */
export function referencesIn(
  root: Group,
  fields: Field[],
): Record<"person" | "team" | "department", number[]> {
  const known = new Map(fields.map((f) => [f.name, f]));
  const found = { person: new Set<number>(), team: new Set<number>(), department: new Set<number>() };
  for (const [node] of pointersOf(root)) {
    if (isGroup(node)) continue;
    const whose = known.get(node.field)?.refers_to;
    if (!whose) continue;
    for (const value of Array.isArray(node.value) ? node.value : [node.value])
      if (typeof value === "number") found[whose].add(value);
  }
  return { person: [...found.person], team: [...found.team], department: [...found.department] };
}
