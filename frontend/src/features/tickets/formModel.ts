/**
 * Pure: a form (JSON Schema with kinds of fields, docs/administrators/ticket-types.md) as it is drawn, filled in and
 * sent. What is shown and what is needed is the server's rule (`catalog/forms.py`, `catalog/showing.py`); both are held
 * to `shared/conditions/vectors.json`.
 */
import type { Json, Kind } from "@/shared/conditions/conditions";
import { fieldsIn, holds, type Kinds } from "@/shared/conditions/holds";

export const FIELD_KINDS = [
  "text",
  "long_text",
  "number",
  "money",
  "date",
  "choice",
  "multi_choice",
  "person",
  "department",
  "file",
  "checkbox",
] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];

/** What the currency of an amount is chosen from; another one that stands there already stays. */
export const CURRENCIES = ["USD", "EUR", "GBP", "CHF"];

export type Schema = Record<string, unknown>;
export type Values = Record<string, unknown>;
export interface Choice {
  value: string;
  label: string;
}
export interface FormField {
  key: string;
  title: string;
  description: string;
  kind: FieldKind;
  widget:
    | "text"
    | "textarea"
    | "select"
    | "number"
    | "checkbox"
    | "date"
    | "money"
    | "several"
    | "person"
    | "department"
    | "file";
  options: string[];
  choices: Choice[];
  required: boolean;
  maxLength?: number;
  schema: Schema;
}
/** What a form's conditions may ask of the ticket itself. `amount` is the decimal string, null when there is none. */
export interface Facts {
  priority?: string | null;
  amount?: string | null;
  currency?: string | null;
  title?: string | null;
  department_id?: number | null;
  requester_id?: number | null;
}
export const FACT_KINDS: Kinds = {
  priority: "choice",
  amount: "number",
  currency: "text",
  title: "text",
  department_id: "id",
  requester_id: "id",
};

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const propertiesOf = (form: Schema): [string, Schema][] =>
  Object.entries(isObject(form.properties) ? form.properties : {}).map(([key, schema]) => [
    key,
    isObject(schema) ? schema : {},
  ]);

/** The fields of a form in the order people fill them in. */
export function fieldsOf(form: Schema): FormField[] {
  const required = new Set(Array.isArray(form.required) ? (form.required as string[]) : []);
  return propertiesOf(form)
    .map(([key, schema], n) => ({ key, schema, order: Number(schema["x-order"] ?? 1000 + n) }))
    .sort((a, b) => a.order - b.order)
    .map(({ key, schema }) => {
      const kind = kindOf(schema);
      const choices = choicesOf(schema);
      return {
        key,
        title: typeof schema.title === "string" ? schema.title : key,
        description: typeof schema.description === "string" ? schema.description : "",
        kind,
        widget: WIDGETS[kind],
        options: choices.map((c) => c.value),
        choices,
        required: required.has(key),
        maxLength: typeof schema.maxLength === "number" ? schema.maxLength : undefined,
        schema,
      };
    });
}

const WIDGETS: Record<FieldKind, FormField["widget"]> = {
  text: "text",
  long_text: "textarea",
  number: "number",
  money: "money",
  date: "date",
  choice: "select",
  multi_choice: "several",
  person: "person",
  department: "department",
  file: "file",
  checkbox: "checkbox",
};

/** The kind of a field; for plain JSON Schema the one that draws it best. */
export function kindOf(schema: Schema): FieldKind {
  const named = FIELD_KINDS.find((kind) => kind === schema["x-kind"]);
  if (named) return named;
  if (Array.isArray(schema.enum)) return "choice";
  if (schema.type === "array" && choicesOf(schema).length) return "multi_choice";
  if (schema.type === "boolean") return "checkbox";
  if (schema.type === "number" || schema.type === "integer") return "number";
  if (schema.format === "date") return "date";
  return schema["x-widget"] === "textarea" || Number(schema.maxLength ?? 0) > 300 ? "long_text" : "text";
}

function choicesOf(schema: Schema): Choice[] {
  const words = isObject(schema.items) ? schema.items.enum : schema.enum;
  const labels = isObject(schema["x-choices"]) ? schema["x-choices"] : {};
  return Array.isArray(words)
    ? words.map(String).map((value) => ({ value, label: String(labels[value] ?? value) }))
    : [];
}

const COMPARED: Record<FieldKind, Kind | null> = {
  text: "text",
  long_text: "text",
  number: "number",
  money: "number",
  date: "date",
  choice: "choice",
  multi_choice: "list",
  person: "id",
  department: "id",
  file: null,
  checkbox: "boolean",
};

/** What conditions compare a field as; null where nothing compares it (files). The server's `form_fields`. */
function comparedAs(schema: Schema): Kind | null {
  const named = FIELD_KINDS.find((kind) => kind === schema["x-kind"]);
  if (named) return COMPARED[named];
  switch (schema.type) {
    case "string":
      if (Array.isArray(schema.enum) && schema.enum.length) return "choice";
      return schema.format === "date" ? "date" : "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return "list";
    default:
      return null;
  }
}
export function kindsIn(form: Schema): Kinds {
  const found: Kinds = { ...FACT_KINDS };
  for (const [key, schema] of propertiesOf(form)) {
    const kind = comparedAs(schema);
    if (kind) found[`custom.${key}`] = kind;
  }
  return found;
}

// --- what is shown ---------------------------------------------------------------------------------------------------

/** The keys of the fields with a condition, those first that others depend on. */
function inOrder(conditions: Map<string, Json>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (key: string): void => {
    const condition = conditions.get(key);
    if (condition === undefined || done.has(key)) return;
    done.add(key);
    for (const name of fieldsIn(condition)) if (name.startsWith("custom.")) visit(name.slice(7));
    found.push(key);
  };
  for (const key of conditions.keys()) visit(key);
  return found;
}

/** The keys of the fields that are not asked for; a hidden field counts as empty for the others. */
export function hiddenIn(form: Schema, values: Values, facts: Facts): Set<string> {
  const conditions = new Map<string, Json>();
  for (const [key, schema] of propertiesOf(form)) {
    const condition = schema["x-show-when"];
    if (condition !== null && condition !== undefined) conditions.set(key, condition as Json);
  }
  const kinds = kindsIn(form);
  const record: Record<string, unknown> = {
    ...facts,
    amount: facts.amount ? { amount: facts.amount } : null,
    ...Object.fromEntries(Object.entries(values).map(([key, value]) => [`custom.${key}`, value])),
  };
  const hidden = new Set<string>();
  for (const key of inOrder(conditions)) {
    if (holds(conditions.get(key), record, kinds)) continue;
    hidden.add(key);
    delete record[`custom.${key}`];
  }
  return hidden;
}

// --- what is sent ----------------------------------------------------------------------------------------------------

/**
 * A typed amount as the decimal string the server takes: "1.450,5" and "1,450.50" are 1450.50. Null when it is none, and
 * when it could be read in two ways that differ a thousandfold ("12,3456").
 */
export function amountOf(typed: string): string | null {
  const text = typed.replace(/[\s'’]/g, "");
  const found = /^(\d{1,12}|\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d{3})+)(?:([.,])(\d{1,2}))?$/.exec(text);
  if (!found?.[1] || (found[2] && found[1].includes(found[2]))) return null;
  const whole = found[1].replace(/[.,]/g, "");
  if (whole.length > 12) return null;
  return `${whole.replace(/^0+(?=\d)/, "")}.${(found[3] ?? "").padEnd(2, "0")}`;
}

/** Whether this stands in the place of an answer that is kept sealed (the server's `catalog/sensitive.py`). */
export const isSealed = (value: unknown): boolean =>
  isObject(value) && Object.keys(value).length === 1 && typeof value.sealed === "string";

const isEmpty = (value: unknown): boolean =>
  value === "" ||
  value === null ||
  value === undefined ||
  (Array.isArray(value) && !value.length) ||
  (isObject(value) && "currency" in value && isEmpty(value.amount));

/** Custom fields as they are sent: empty ones are left out, a typed amount is the server's decimal string. */
export function filled(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => !isEmpty(value))
      .map(([key, value]) => [
        key,
        isObject(value) && typeof value.amount === "string" ? settled(value) : value,
      ]),
  );
}
const settled = (money: Schema): Schema => ({
  ...money,
  amount: amountOf(String(money.amount)) ?? money.amount,
});

/**
 * What of the typed values is sent: without empty fields, and without those the form does not show. Values of fields
 * that vanished stay in `values` while somebody types, so that they are there again when the fields come back.
 * Every page that sends a form uses this (TicketEdit; TicketCreateView when it makes a request or a draft of it).
 */
export function sent(form: Schema, values: Values, facts: Facts): Values {
  const given = filled(values);
  const hidden = hiddenIn(form, given, facts);
  return Object.fromEntries(Object.entries(given).filter(([key]) => !hidden.has(key)));
}

/** The fields that are on the screen now. */
export function shownFields(form: Schema, values: Values, facts: Facts): FormField[] {
  const hidden = hiddenIn(form, filled(values), facts);
  return fieldsOf(form).filter((field) => !hidden.has(field.key));
}

/** The values with the form's defaults where nobody has touched a field yet. */
export function withDefaults(form: Schema, values: Values): Values {
  const defaults = propertiesOf(form).filter(
    ([key, schema]) => "x-kind" in schema && "default" in schema && !(key in values),
  );
  return defaults.length
    ? { ...values, ...Object.fromEntries(defaults.map(([key, schema]) => [key, schema.default])) }
    : values;
}

// --- what is wrong ---------------------------------------------------------------------------------------------------

/** The keys of the fields that must be filled in before a request is submitted, and are not. */
export function missing(form: Schema, values: Values, facts: Facts = {}): string[] {
  const given = sent(form, values, facts);
  return shownFields(form, values, facts)
    .filter((field) => field.required && isLacking(field, given[field.key]))
    .map((field) => field.key);
}
function isLacking(field: FormField, value: unknown): boolean {
  if (value === undefined || (typeof value === "string" && !value.trim())) return true;
  return value === false && "x-kind" in field.schema; // a tick that is needed is a tick
}

/** What is wrong with a value: a key under `tickets.form.wrong`, and its limit. */
export interface Wrong {
  key: string;
  limit?: string | number;
}

/** What is wrong with what was filled in, by field, before the server says it; what is missing is not among it. */
export function wrongIn(form: Schema, values: Values, facts: Facts): Record<string, Wrong> {
  const given = sent(form, values, facts);
  const found: Record<string, Wrong> = {};
  for (const field of fieldsOf(form)) {
    const wrong = field.key in given ? wrongWith(field, given[field.key]) : null;
    if (wrong) found[field.key] = wrong;
  }
  return found;
}

function wrongWith({ kind, schema }: FormField, value: unknown): Wrong | null {
  if (isSealed(value)) return null; // what it says was looked at when it was answered
  const limit = (word: string): string | number | undefined => schema[word] as string | number | undefined;
  const outside = (
    low: string,
    high: string,
    isBelow: (a: string | number) => boolean,
    isAbove: (a: string | number) => boolean,
    keys: [string, string],
  ): Wrong | null => {
    const [least, most] = [limit(low), limit(high)];
    if (least !== undefined && isBelow(least)) return { key: keys[0], limit: least };
    if (most !== undefined && isAbove(most)) return { key: keys[1], limit: most };
    return null;
  };
  switch (kind) {
    case "text":
    case "long_text": {
      const { length } = [...String(value)];
      return outside(
        "minLength",
        "maxLength",
        (n) => length < Number(n),
        (n) => length > Number(n),
        ["short", "long"],
      );
    }
    case "number":
      if (typeof value !== "number" || !Number.isFinite(value)) return { key: "number" };
      if (schema.type === "integer" && !Number.isInteger(value)) return { key: "whole" };
      return outside(
        "minimum",
        "maximum",
        (n) => value < Number(n),
        (n) => value > Number(n),
        ["below", "above"],
      );
    case "money": {
      const amount = isObject(value) ? amountOf(String(value.amount)) : null;
      if (amount === null) return { key: "amount" };
      return outside(
        "x-min",
        "x-max",
        (n) => Number(amount) < Number(n),
        (n) => Number(amount) > Number(n),
        ["below", "above"],
      );
    }
    case "date": {
      const day = String(value);
      if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || day < "1900-01-01" || day > "2199-12-31")
        return { key: "date" };
      return outside(
        "x-min",
        "x-max",
        (d) => day < String(d),
        (d) => day > String(d),
        ["early", "late"],
      );
    }
    case "multi_choice":
    case "file": {
      const count = Array.isArray(value) ? value.length : 0;
      return outside(
        "minItems",
        "maxItems",
        (n) => count < Number(n),
        (n) => count > Number(n),
        ["few", "many"],
      );
    }
    default:
      return null;
  }
}

/** Every message of the server about a field, also about its parts (`price.amount`), by the field's key. */
export function errorOf(errors: Record<string, string>, key: string): string | undefined {
  const name = `custom_fields.${key}`;
  return errors[name] ?? Object.entries(errors).find(([place]) => place.startsWith(`${name}.`))?.[1];
}
