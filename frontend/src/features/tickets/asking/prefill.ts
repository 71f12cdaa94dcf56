/** Pure: a form filled in by its address, and the address of a form as it is filled in. It never sends anything. */
import type { LocationQuery } from "vue-router";
import type { TicketTypeRead } from "@/api/generated";
import { amountOf, PRIORITIES } from "../model";
import { blank, fits, type Content } from "./content";

const FIELD = "field.";
const OURS = new Set(["draft", "from"]);
const MOST_ADDRESS = 8000; // what every browser and server takes

type Schema = Record<string, unknown>;
const schemasOf = (kind: TicketTypeRead) => (kind.form.properties ?? {}) as Record<string, Schema>;

/** What an address says of a field, as the value its form keeps; undefined when the field can't be so. */
function valueOf(schema: Schema, said: string[]): unknown {
  const [one = ""] = said;
  if (schema["x-widget"] === "file") return undefined;
  if (schema.type === "array") {
    const items = schema.items as Schema | undefined;
    return said.length && fits(schema, said) && items?.type === "string" ? said : undefined;
  }
  if (said.length > 1 || !one.trim()) return undefined;
  const isNumber = schema.type === "number" || schema.type === "integer";
  const value: unknown =
    schema.type === "boolean" ? ({ true: true, false: false } as Schema)[one] : isNumber ? Number(one) : one;
  if (!fits(schema, value)) return undefined;
  if (schema.format === "date" && !/^\d{4}-\d{2}-\d{2}$/.test(one)) return undefined;
  if (typeof schema.maxLength === "number" && one.length > schema.maxLength) return undefined;
  return value;
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
      const schema = Object.hasOwn(schemasOf(kind), name) ? schemasOf(kind)[name] : undefined;
      const given = schema && valueOf(schema, value);
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
    const schema = schemasOf(kind)[key];
    const said = (Array.isArray(value) ? value : [value]).map(String);
    if (schema && valueOf(schema, said) !== undefined) for (const one of said) put(FIELD + key, one);
  }
  const text = query.toString();
  const address = `/new/${kind.key}${text ? `?${text}` : ""}`;
  return address.length > MOST_ADDRESS ? null : address;
}
