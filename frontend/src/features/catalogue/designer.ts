/** Pure: a form as an administrator puts it together. A field keeps its JSON Schema, so nothing unknown gets lost. */
import type { Field, Json } from "@/shared/conditions/conditions";
import { fieldsIn } from "@/shared/conditions/holds";
import { FACT_KINDS, fieldsOf, kindOf, kindsIn, type FieldKind, type Schema } from "@/features/tickets";

export interface DraftField {
  /** Its own while it is edited: keys change with titles. */
  id: number;
  key: string;
  /** Not published yet: its key may still change. */
  isNew: boolean;
  required: boolean;
  schema: Schema;
}
export interface DraftForm {
  fields: DraftField[];
  /** What the form says besides its fields. */
  rest: Schema;
}

export const omit = (schema: Schema, ...words: string[]): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([word]) => !words.includes(word)));

const SHOW_WHEN = "x-show-when";
let last = 0;
const nextId = (): number => (last += 1);

export const titleOf = (field: DraftField): string =>
  typeof field.schema.title === "string" && field.schema.title.trim() ? field.schema.title : field.key;
export const isPlain = (field: DraftField): boolean => !("x-kind" in field.schema);
export const conditionOf = (field: DraftField): Json => (field.schema[SHOW_WHEN] as Json | undefined) ?? null;

// --- the server's form and ours ------------------------------------------------------------------------------------

export function draftOf(form: Schema): DraftForm {
  return {
    rest: omit(form, "properties", "required"),
    fields: fieldsOf(form).map((field) => ({
      id: nextId(),
      key: field.key,
      isNew: false,
      required: field.required,
      schema: { ...field.schema },
    })),
  };
}

export function formOf({ fields, rest }: DraftForm): Schema {
  return {
    ...rest,
    properties: Object.fromEntries(
      fields.map(({ key, schema }, n) => [key, { ...cleaned(schema), "x-order": n + 1 }]),
    ),
    required: fields.filter((field) => field.required).map((field) => field.key),
  };
}
/** Without what was left empty. */
const cleaned = (schema: Schema): Schema =>
  Object.fromEntries(
    Object.entries(schema).filter(
      ([word, value]) => value !== undefined && !(word === "description" && value === ""),
    ),
  );

/** The same form in the same words, whatever the order of its members: for telling whether anything was changed. */
export function isSameForm(a: Schema, b: Schema): boolean {
  return JSON.stringify(sorted(formOf(draftOf(a)))) === JSON.stringify(sorted(formOf(draftOf(b))));
}
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [
        key,
        key === "required" && Array.isArray(inner) ? [...inner].sort() : sorted(inner),
      ]),
  );
}

/** The titles of the fields that a form asks for openly and the one before kept sealed. */
export function unsealed(before: Schema, after: Schema): string[] {
  const sealed = new Set(
    fieldsOf(before)
      .filter((field) => field.schema["x-sensitive"] === true)
      .map((field) => field.key),
  );
  return fieldsOf(after)
    .filter((field) => sealed.has(field.key) && field.schema["x-sensitive"] !== true)
    .map((field) => field.title);
}

// --- putting it together -------------------------------------------------------------------------------------------

const STARTS: Record<FieldKind, Schema> = {
  text: { type: "string", maxLength: 200 },
  long_text: { type: "string", maxLength: 4000 },
  number: { type: "number" },
  money: {},
  date: {},
  choice: { type: "string", enum: ["Yes", "No"] },
  multi_choice: { type: "array", items: { type: "string", enum: ["First", "Second"] } },
  person: {},
  department: {},
  file: { maxItems: 5 },
  checkbox: { type: "boolean" },
};

/** A key for a title: small letters, digits and _, and no other field's. */
export function keyFor(title: string, taken: string[]): string {
  const plain = title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[^a-z]+|_+$/g, "")
    .slice(0, 40)
    .replace(/_+$/, "");
  const base = plain || "field";
  const used = new Set(taken.map((key) => key.toLowerCase()));
  for (let n = 1; ; n += 1) {
    const key = n === 1 ? base : `${base}_${n}`;
    if (!used.has(key)) return key;
  }
}

export function newField(kind: FieldKind, title: string, fields: DraftField[]): DraftField {
  return {
    id: nextId(),
    key: keyFor(
      title,
      fields.map((f) => f.key),
    ),
    isNew: true,
    required: false,
    schema: { "x-kind": kind, title, ...STARTS[kind] },
  };
}

/** A copy behind its original. */
export function duplicated(fields: DraftField[], id: number, title: string): DraftField[] {
  const n = fields.findIndex((f) => f.id === id);
  const original = fields[n];
  if (!original) return fields;
  const copy: DraftField = {
    ...original,
    id: nextId(),
    isNew: true,
    key: keyFor(
      title,
      fields.map((f) => f.key),
    ),
    schema: { ...structuredClone(original.schema), title },
  };
  return [...fields.slice(0, n + 1), copy, ...fields.slice(n + 1)];
}

export function moved(fields: DraftField[], id: number, by: -1 | 1): DraftField[] {
  const n = fields.findIndex((f) => f.id === id);
  const to = n + by;
  if (n < 0 || to < 0 || to >= fields.length) return fields;
  const changed = [...fields];
  const [field] = changed.splice(n, 1);
  changed.splice(to, 0, field as DraftField);
  return changed;
}

export const without = (fields: DraftField[], id: number): DraftField[] => fields.filter((f) => f.id !== id);

/** A field with another title; one that is not published yet gets the key of it, everywhere it is named. */
export function renamed(fields: DraftField[], id: number, title: string): DraftField[] {
  const field = fields.find((f) => f.id === id);
  if (!field) return fields;
  const others = fields.filter((f) => f.id !== id);
  const key = field.isNew
    ? keyFor(
        title,
        others.map((f) => f.key),
      )
    : field.key;
  return fields.map((f) => {
    if (f.id === id) return { ...f, key, schema: { ...f.schema, title } };
    const condition = conditionOf(f);
    if (key === field.key || !fieldsIn(condition).includes(`custom.${field.key}`)) return f;
    const said = withName(condition, `custom.${field.key}`, `custom.${key}`);
    return { ...f, schema: { ...f.schema, [SHOW_WHEN]: said } };
  });
}
function withName(condition: Json, from: string, to: string): Json {
  if (Array.isArray(condition)) return condition.map((part) => withName(part, from, to));
  if (typeof condition !== "object" || condition === null) return condition;
  return Object.fromEntries(
    Object.entries(condition).map(([word, value]) => [
      word,
      word === "field" && value === from ? to : word === "value" ? value : withName(value, from, to),
    ]),
  );
}

/** A field with a word of its schema changed; without a value the word goes. */
export function withWord(field: DraftField, word: string, value: unknown): DraftField {
  const rest = omit(field.schema, word);
  const isNothing =
    value === undefined ||
    value === null ||
    value === "" ||
    (Array.isArray(value) && !value.length && word !== "enum");
  return { ...field, schema: isNothing && word !== "title" ? rest : { ...rest, [word]: value } };
}

/** Plain JSON Schema made a field of the kind that draws it; rules that kind does not know go. */
export function asKind(field: DraftField, kind: FieldKind = kindOf(field.schema)): DraftField {
  const kept = ["title", "description", "x-order", SHOW_WHEN, ...(LIMITS[kind] ?? [])];
  const words = Object.fromEntries(Object.entries(field.schema).filter(([word]) => kept.includes(word)));
  return { ...field, schema: { ...STARTS[kind], ...words, title: titleOf(field), "x-kind": kind } };
}
const LIMITS: Partial<Record<FieldKind, string[]>> = {
  text: ["minLength", "maxLength", "pattern"],
  long_text: ["minLength", "maxLength"],
  number: ["type", "minimum", "maximum"],
  choice: ["enum", "x-choices"],
  multi_choice: ["items", "x-choices", "minItems", "maxItems"],
};

// --- choices ---------------------------------------------------------------------------------------------------------

export interface Choice {
  value: string;
  label: string;
  /** Published: tickets may hold its value, so only its label changes. */
  isKept: boolean;
}
/** A choice field with other choices. A new one is called by its label, until it is published. */
export function withChoices(field: DraftField, choices: Choice[]): DraftField {
  const values: string[] = [];
  const labels: Record<string, string> = {};
  for (const { value, label, isKept } of choices) {
    const name = isKept ? value : label.trim();
    if (values.includes(name) && !isKept) {
      values.push(`${name} ${values.length + 1}`);
      continue;
    }
    values.push(name);
    if (isKept && label.trim() !== value) labels[value] = label.trim();
  }
  const isSeveral = kindOf(field.schema) === "multi_choice";
  const changed = isSeveral
    ? withWord(field, "items", { type: "string", enum: values })
    : withWord(field, "enum", values);
  const { default: start } = changed.schema;
  const isGone = Array.isArray(start)
    ? start.some((v) => !values.includes(String(v)))
    : start !== undefined && !values.includes(String(start));
  const labelled = withWord(changed, "x-choices", Object.keys(labels).length ? labels : undefined);
  return isGone ? withWord(labelled, "default", undefined) : labelled;
}

// --- conditions ------------------------------------------------------------------------------------------------------

/** The keys of the fields that are shown depending on this one, directly or through others. */
export function dependants(fields: DraftField[], key: string): Set<string> {
  const found = new Set<string>();
  const look = (name: string): void => {
    for (const field of fields)
      if (!found.has(field.key) && fieldsIn(conditionOf(field)).includes(`custom.${name}`)) {
        found.add(field.key);
        look(field.key);
      }
  };
  look(key);
  return found;
}

/** The fields whose condition names this one. */
export const namedBy = (fields: DraftField[], key: string): DraftField[] =>
  fields.filter((field) => fieldsIn(conditionOf(field)).includes(`custom.${key}`));

/** What the condition of a field may speak of: the ticket itself and its siblings, but none that depend on it. */
export function conditionFields(
  fields: DraftField[],
  key: string,
  facts: {
    label: (name: string) => string;
    priorities: { value: string; label: string }[];
    currency: string | null;
  },
): Field[] {
  const form = formOf({ fields, rest: {} });
  const kinds = kindsIn(form);
  const closed = dependants(fields, key);
  const own = Object.entries(FACT_KINDS)
    .filter(([name]) => facts.currency !== null || (name !== "amount" && name !== "currency"))
    .map(([name, kind]): Field => ({
      name,
      kind,
      label: facts.label(name),
      choices: name === "priority" ? facts.priorities : undefined,
      refers_to: name === "department_id" ? "department" : name === "requester_id" ? "person" : null,
      currency: name === "amount" ? facts.currency : null,
    }));
  const siblings = fieldsOf(form)
    .filter((field) => field.schema["x-sensitive"] !== true) // nothing is shown by what nobody else may read
    .filter((field) => field.key !== key && !closed.has(field.key) && kinds[`custom.${field.key}`])
    .map((field): Field => ({
      name: `custom.${field.key}`,
      kind: kinds[`custom.${field.key}`] ?? "text",
      label: field.title,
      choices: field.choices.length ? field.choices : undefined,
      refers_to: field.kind === "person" || field.kind === "department" ? field.kind : null,
    }));
  return [...siblings, ...own];
}

/** The server's mistakes about one field, by the word of its schema: `/form/properties/note/default` → `default`. */
export function mistakesAbout(
  errors: { pointer: string; message: string }[],
  key: string,
): Record<string, string> {
  const start = `/form/properties/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return Object.fromEntries(
    errors
      .filter((e) => e.pointer === start || e.pointer.startsWith(`${start}/`))
      .map((e) => [e.pointer.slice(start.length + 1).split("/")[0] ?? "", e.message]),
  );
}
