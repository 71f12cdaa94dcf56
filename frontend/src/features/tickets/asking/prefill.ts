/** Pure: a form filled in by its address, and the address of a form as it is filled in. It never sends anything. */
import type { LocationQuery } from "vue-router";
import type { TicketTypeRead } from "@/api/generated";
import { amountOf, fieldsOf, type FormField } from "../formModel";
import { PRIORITIES } from "../model";
import { blank, fits, type Content } from "./content";

const FIELD = "field.";
const OURS = new Set(["draft", "from"]);
const MOST_ADDRESS = 8000; // what every browser and server takes

const fieldOf = (kind: TicketTypeRead, key: string) => fieldsOf(kind.form).find((field) => field.key === key);

/** What an address says of a field, as the value its form keeps; undefined when the field can't be so. */
function valueOf(field: FormField, said: string[]): unknown {
  const [one = ""] = said;
  if (field.kind === "multi_choice") return said.length && fits(field, said) ? said : undefined;
  if (said.length > 1 || !one.trim()) return undefined;
  const value = read(field, one);
  return fits(field, value) ? value : undefined;
}

function read({ kind }: FormField, text: string): unknown {
  switch (kind) {
    case "number":
    case "person":
    case "department":
      return Number(text);
    case "checkbox":
      return { true: true, false: false }[text];
    case "money": {
      const found = /^(\S+) ([A-Z]{3})$/.exec(text);
      return found && { amount: found[1], currency: found[2] };
    }
    default:
      return text;
  }
}

/** What of a field an address says; none for what it can't. */
function saidOf({ kind }: FormField, value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  if (kind !== "money") return [String(value ?? "")];
  const { amount, currency } = value as { amount?: string; currency?: string };
  return [amount && currency ? `${amount} ${currency}` : ""];
}

export interface Prefilled {
  content: Content;
  /** Whether the address said anything. */
  isFilled: boolean;
  /** What it said and the form does not take. */
  ignored: string[];
}

export function prefilled(kind: TicketTypeRead, query: LocationQuery): Prefilled {
  const content = blank();
  const ignored: string[] = [];
  let isFilled = false;
  const take = (key: string, value: string[]): boolean => {
    const [one = ""] = value;
    if (key.startsWith(FIELD)) {
      const name = key.slice(FIELD.length);
      const field = fieldOf(kind, name);
      const given = field && valueOf(field, value);
      if (given === undefined) return false;
      content.fields = { ...content.fields, [name]: given };
      return true;
    }
    if (value.length !== 1 || !one.trim()) return false;
    switch (key) {
      case "title":
        content.title = one.slice(0, 200);
        return one.length <= 200;
      case "description":
        content.description = one;
        return true;
      case "priority":
        if (!(PRIORITIES as readonly string[]).includes(one)) return false;
        content.priority = one;
        return true;
      case "amount":
        if (!kind.has_amount || amountOf(one) === null) return false;
        content.amount = one;
        return true;
      case "currency":
        if (!kind.has_amount || !/^[A-Z]{3}$/.test(one)) return false;
        content.currency = one;
        return true;
      case "due":
        if (!/^\d{4}-\d{2}-\d{2}$/.test(one) || Number.isNaN(Date.parse(one))) return false;
        content.due = one;
        return true;
      default:
        return false;
    }
  };
  for (const [key, raw] of Object.entries(query)) {
    if (OURS.has(key)) continue;
    const value = (Array.isArray(raw) ? raw : [raw]).map((v) => v ?? "");
    if (take(key, value)) isFilled = true;
    else ignored.push(key);
  }
  return { content, isFilled, ignored };
}

/** The address that fills the form in like this; null when it would be longer than addresses may be. */
export function addressOf(kind: TicketTypeRead, content: Content): string | null {
  const query = new URLSearchParams();
  const put = (key: string, value: string) => value.trim() && query.append(key, value);
  put("title", content.title);
  put("description", content.description);
  put("priority", content.priority);
  put("due", content.due);
  if (kind.has_amount && amountOf(content.amount) !== null) {
    put("amount", content.amount);
    if (content.currency !== blank().currency) put("currency", content.currency);
  }
  for (const [key, value] of Object.entries(content.fields)) {
    const field = fieldOf(kind, key);
    if (field?.schema["x-sensitive"] === true) continue; // addresses stand in logs and histories
    const said = field ? saidOf(field, value) : [];
    if (field && valueOf(field, said) !== undefined) for (const one of said) put(FIELD + key, one);
  }
  const text = query.toString();
  const address = `/new/${kind.key}${text ? `?${text}` : ""}`;
  return address.length > MOST_ADDRESS ? null : address;
}
