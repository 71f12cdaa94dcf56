import { describe, expect, it } from "vitest";
import {
  asKind,
  conditionFields,
  conditionOf,
  dependants,
  draftOf,
  duplicated,
  formOf,
  isSameForm,
  unsealed,
  keyFor,
  mistakesAbout,
  moved,
  namedBy,
  newField,
  renamed,
  titleOf,
  withChoices,
  without,
  withWord,
  type DraftField,
} from "./designer";

const leaf = (field: string, value: unknown) => ({ field: `custom.${field}`, op: "eq", value });
const form = {
  type: "object",
  additionalProperties: false,
  required: ["need"],
  properties: {
    reason: { "x-kind": "text", title: "Why", "x-order": 2, "x-show-when": { all: [leaf("need", "old")] } },
    need: { "x-kind": "choice", title: "What for", enum: ["new", "old"], "x-order": 1 },
    more: { "x-kind": "text", title: "More", "x-order": 3, "x-show-when": { not: leaf("reason", "x") } },
    plain: { type: "string", maxLength: 4000, pattern: "^a", title: "Plain" },
  },
};
const at = (fields: DraftField[], key: string): DraftField => {
  const found = fields.find((f) => f.key === key);
  if (!found) throw new Error(key);
  return found;
};
const keys = (fields: DraftField[]) => fields.map((f) => f.key);

describe("a form and its draft", () => {
  it("come back as they went, in order", () => {
    const draft = draftOf(form);
    expect(keys(draft.fields)).toEqual(["need", "reason", "more", "plain"]);
    const again = formOf(draft);
    expect(again).toMatchObject({ type: "object", additionalProperties: false, required: ["need"] });
    expect(again.properties).toMatchObject({ plain: { pattern: "^a", "x-order": 4 } });
    expect(isSameForm(form, again)).toBe(true);
    expect(isSameForm(form, { ...form, required: [] })).toBe(false);
    expect(isSameForm({ ...form, required: ["a", "b"] }, { ...form, required: ["b", "a"] })).toBe(true);
  });

  it("an empty form is one too", () => {
    expect(formOf(draftOf({}))).toEqual({ properties: {}, required: [] });
  });
});

describe("fields", () => {
  it.each([
    ["Budget code", [], "budget_code"],
    ["  Größe (cm)!", [], "gro_e_cm"],
    ["2nd quote", [], "nd_quote"],
    ["???", [], "field"],
    ["Note", ["NOTE", "note_2"], "note_3"],
    ["x".repeat(60), [], "x".repeat(40)],
  ])("%s is called %s", (title, taken, key) => expect(keyFor(title, taken)).toBe(key));

  it("are added, copied, moved and taken away", () => {
    const { fields } = draftOf(form);
    const added = [...fields, newField("money", "What for", fields)];
    expect(keys(added)).toContain("what_for");
    const need = at(fields, "need");
    const copied = duplicated(fields, need.id, "Copy of need");
    expect(keys(copied).slice(0, 2)).toEqual(["need", "copy_of_need"]);
    expect(at(copied, "copy_of_need").schema.enum).not.toBe(need.schema.enum);
    expect(duplicated(fields, -1, "x")).toBe(fields);
    expect(keys(moved(fields, need.id, 1)).slice(0, 2)).toEqual(["reason", "need"]);
    expect(moved(fields, need.id, -1)).toBe(fields);
    expect(keys(without(fields, need.id))).not.toContain("need");
  });

  it("keep their key once they are published; new ones are called by their title, in conditions too", () => {
    const { fields } = draftOf(form);
    const kept = renamed(fields, at(fields, "need").id, "Purpose");
    expect(titleOf(at(kept, "need"))).toBe("Purpose");
    const fresh = fields.map((f) => (f.key === "need" ? { ...f, isNew: true } : f));
    const changed = renamed(fresh, at(fresh, "need").id, "Purpose");
    expect(keys(changed)[0]).toBe("purpose");
    expect(conditionOf(at(changed, "reason"))).toEqual({ all: [leaf("purpose", "old")] });
    expect(conditionOf(at(changed, "more"))).toEqual({ not: leaf("reason", "x") });
    expect(renamed(fields, -1, "x")).toBe(fields);
  });

  it("lose a word without a value, but never their title", () => {
    const field = at(draftOf(form).fields, "need");
    expect(withWord(field, "description", "Help").schema.description).toBe("Help");
    expect("description" in withWord(field, "description", "").schema).toBe(false);
    expect(withWord(field, "title", "").schema.title).toBe("");
    expect(titleOf(withWord(field, "title", " "))).toBe("need");
  });

  it("of plain JSON Schema become a kind", () => {
    const made = asKind(at(draftOf(form).fields, "plain"));
    expect(made.schema).toEqual({ "x-kind": "long_text", type: "string", maxLength: 4000, title: "Plain" });
  });
});

describe("choices", () => {
  it("keep the values tickets hold; new ones are called by their label", () => {
    const { fields } = draftOf(form);
    const need = { ...at(fields, "need") };
    need.schema = { ...need.schema, default: "old" };
    const changed = withChoices(need, [
      { value: "new", label: "Brand new", isKept: true },
      { value: "", label: " Rented ", isKept: false },
      { value: "", label: "Rented", isKept: false },
    ]);
    expect(changed.schema).toMatchObject({
      enum: ["new", "Rented", "Rented 3"],
      "x-choices": { new: "Brand new" },
    });
    expect("default" in changed.schema, "its default is gone").toBe(false);
    const several = asKind(need, "multi_choice");
    const started = { ...several, schema: { ...several.schema, default: ["First"] } };
    const kept = withChoices(started, [{ value: "First", label: "First", isKept: true }]);
    expect(kept.schema).toMatchObject({ items: { enum: ["First"] }, default: ["First"] });
    expect("x-choices" in kept.schema).toBe(false);
  });
});

describe("conditions", () => {
  const facts = {
    label: (name: string) => `The ${name}`,
    priorities: [{ value: "LOW", label: "Low" }],
    currency: "USD",
  };

  it("speak of siblings that do not depend on the field, and of the ticket", () => {
    const { fields } = draftOf(form);
    expect(dependants(fields, "need")).toEqual(new Set(["reason", "more"]));
    expect(namedBy(fields, "need").map((f) => f.key)).toEqual(["reason"]);
    const names = (key: string) => conditionFields(fields, key, facts).map((f) => f.name);
    expect(names("need")).not.toContain("custom.reason");
    expect(names("more")).toEqual(
      expect.arrayContaining(["custom.need", "custom.reason", "amount", "priority"]),
    );
    const [need] = conditionFields(fields, "more", facts);
    expect(need).toMatchObject({ kind: "choice", choices: [{ value: "new" }, { value: "old" }] });
    expect(conditionFields(fields, "more", { ...facts, currency: null }).map((f) => f.name)).not.toContain(
      "amount",
    );
  });
});

it("the server's mistakes find their field", () => {
  const errors = [
    { pointer: "/form/properties/note/default", message: "does not fit" },
    { pointer: "/form/properties/note/x-show-when/all/0/field", message: "is unknown" },
    { pointer: "/form/properties/note", message: "is odd" },
    { pointer: "/form/properties/note2/title", message: "is empty" },
  ];
  expect(mistakesAbout(errors, "note")).toEqual({
    default: "does not fit",
    "x-show-when": "is unknown",
    "": "is odd",
  });
});

describe("a mark that is taken away", () => {
  const secret = { "x-kind": "text", title: "Account", "x-sensitive": true };
  const open = { "x-kind": "text", title: "Bank account" };
  it("names the fields that are asked for openly from then on", () => {
    const before = { properties: { iban: secret, pay: { ...secret, title: "Pay" }, why: open } };
    expect(unsealed(before, { properties: { iban: open, pay: secret, why: open } })).toEqual([
      "Bank account",
    ]);
    expect(unsealed(before, before)).toEqual([]);
  });
  it("is not that of a field that is removed, or new", () => {
    expect(unsealed({ properties: { iban: secret } }, { properties: { other: open } })).toEqual([]);
    expect(unsealed({}, { properties: { iban: open } })).toEqual([]);
  });
});
