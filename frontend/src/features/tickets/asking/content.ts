/** Pure: what a request holds while it is written, as it was typed; half a number or half a date too. */
import type { TicketRead, TicketTypeRead } from "@/api/generated";
import { fieldsOf, isSealed, wrongIn, type FormField, type Schema } from "../formModel";
import { PRIORITIES } from "../model";

export interface Content {
  title: string;
  description: string;
  /** Empty: the type's own. */
  priority: string;
  /** A day, as a date input holds it. */
  due: string;
  amount: string;
  currency: string;
  fields: Record<string, unknown>;
  /** For whom, when not for oneself. */
  requester: { id: number; name: string; departmentId: number | null } | null;
}

const MOST = { title: 200, description: 50_000, amount: 40, currency: 3 };
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export const blank = (): Content => ({
  title: "",
  description: "",
  priority: "",
  due: "",
  amount: "",
  currency: "USD",
  fields: {},
  requester: null,
});

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What was kept, whoever wrote it: what is not as it should be is left empty. */
export function contentOf(kept: unknown): Content {
  const content = blank();
  if (!isRecord(kept)) return content;
  for (const key of ["title", "description", "amount"] as const)
    if (typeof kept[key] === "string") content[key] = kept[key].slice(0, MOST[key]);
  if (typeof kept.currency === "string" && /^[A-Z]{3}$/.test(kept.currency)) content.currency = kept.currency;
  if (typeof kept.priority === "string" && (PRIORITIES as readonly string[]).includes(kept.priority))
    content.priority = kept.priority;
  if (typeof kept.due === "string" && DAY.test(kept.due)) content.due = kept.due;
  if (isRecord(kept.fields)) content.fields = kept.fields;
  const person = kept.requester;
  if (isRecord(person) && Number.isSafeInteger(person.id) && typeof person.name === "string")
    content.requester = {
      id: Number(person.id),
      name: person.name,
      departmentId: Number.isSafeInteger(person.departmentId) ? Number(person.departmentId) : null,
    };
  return content;
}

/** Content as text, whatever the order of its fields: the same text is the same content. */
export function textOf(content: Content): string {
  const ordered = Object.entries(content.fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([...Object.entries({ ...blank(), ...content, fields: ordered })]);
}

/** Where two versions differ, in the order of the form. */
export function differences(
  mine: Content,
  theirs: Content,
  fields: { key: string; title: string }[],
): { key: string; title?: string; mine: string; theirs: string }[] {
  const shown = (value: unknown): string =>
    typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
  const plain = (["title", "description", "priority", "due", "amount", "currency"] as const).map((key) => ({
    key: key as string,
    title: undefined as string | undefined,
    mine: mine[key],
    theirs: theirs[key],
  }));
  const person = {
    key: "requester",
    title: undefined,
    mine: mine.requester?.name ?? "",
    theirs: theirs.requester?.name ?? "",
  };
  const asked = fields.map(({ key, title }) => ({
    key,
    title,
    mine: shown(mine.fields[key]),
    theirs: shown(theirs.fields[key]),
  }));
  return [person, ...plain, ...asked].filter((d) => d.mine !== d.theirs);
}

export interface Copied {
  content: Content;
  /** The titles of what was left out, and why. */
  left: { title: string; why: "gone" | "past" | "file" | "hidden" | "changed" }[];
}

/** A request asked for again: what the form of today still takes. Files, and days that are over, are not taken along. */
export function copyOf(ticket: TicketRead, kind: TicketTypeRead, today: string): Copied {
  const content = blank();
  const left: Copied["left"] = [];
  content.title = ticket.title;
  content.description = ticket.description;
  if (ticket.priority !== kind.default_priority) content.priority = ticket.priority;
  if (ticket.amount && kind.has_amount) {
    content.amount = ticket.amount;
    content.currency = ticket.currency ?? content.currency;
  }
  const due = ticket.due_date?.slice(0, 10) ?? "";
  if (due >= today) content.due = due;
  else if (due) left.push({ title: "due_date", why: "past" });
  const was = new Map(fieldsOf(ticket.form).map((field) => [field.key, field]));
  const is = new Map(fieldsOf(kind.form).map((field) => [field.key, field]));
  for (const [key, value] of Object.entries(ticket.custom_fields)) {
    const field = is.get(key);
    const title = field?.title ?? was.get(key)?.title ?? key;
    if (!field) left.push({ title, why: "gone" });
    else if (field.kind === "file") left.push({ title, why: "file" });
    else if (isSealed(value)) left.push({ title, why: "hidden" });
    else if (!fits(field, value)) left.push({ title, why: "changed" });
    else if (field.kind === "date" && String(value) < today) left.push({ title, why: "past" });
    else content.fields[key] = value;
  }
  return { content, left };
}

/** Whether a value is one this field takes now, by its kind and within its limits. Files are never taken over. */
export function fits(field: FormField, value: unknown): boolean {
  const { key, kind, schema, options } = field;
  const isOfKind = {
    text: () => typeof value === "string" && schema.type !== "array",
    long_text: () => typeof value === "string",
    date: () => typeof value === "string",
    choice: () => typeof value === "string" && options.includes(value),
    multi_choice: () => Array.isArray(value) && value.every((one) => options.includes(String(one))),
    number: () => typeof value === "number",
    money: () => isRecord(value) && typeof value.amount === "string" && typeof value.currency === "string",
    person: () => isId(value),
    department: () => isId(value),
    checkbox: () => typeof value === "boolean",
    file: () => false,
  }[kind]();
  return (
    isOfKind && !(key in wrongIn({ properties: { [key]: withoutCondition(schema) } }, { [key]: value }, {}))
  );
}
const isId = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;
const withoutCondition = (schema: Schema): Schema => ({ ...schema, "x-show-when": null });
