import { expect, it } from "vitest";
import type { ProviderField, ProviderGroupsRead } from "@/api/generated";
import { changesOf, filledIn, groupsOf, keyOf, lackingOf, rowsOf, valuesOf } from "./model";

const field = (more: Partial<ProviderField>): ProviderField => ({
  key: "x",
  label: "X",
  kind: "text",
  help: "",
  required: false,
  is_secret: false,
  choices: [],
  default: null,
  value: null,
  is_set: false,
  ...more,
});
const fields = [
  field({ key: "issuer", kind: "url", required: true, value: "https://a", is_set: true }),
  field({ key: "secret", kind: "secret", required: true, is_secret: true, is_set: true }),
  field({ key: "scopes", kind: "list", default: ["openid", "email"] }),
  field({ key: "out", kind: "boolean", default: true }),
];

it("a form begins with what is set, or counts while nothing is", () => {
  expect(valuesOf(fields)).toEqual({ issuer: "https://a", secret: "", scopes: "openid\nemail", out: true });
});

it("lays over the form what was found out, where there is a field for it", () => {
  const values = valuesOf(fields);
  expect(filledIn(fields, values, { issuer: "https://b", out: false, unheard: "of" })).toEqual({
    ...values,
    issuer: "https://b",
    out: false,
  });
  expect(filledIn(fields, values, {})).toEqual(values);
});

it("sends what differs, and nothing else", () => {
  expect(changesOf(fields, valuesOf(fields))).toEqual({});
  const changed = { issuer: " ", secret: "new", scopes: " a \n\nb", out: false };
  expect(changesOf(fields, changed)).toEqual({ issuer: null, secret: "new", scopes: ["a", "b"], out: false });
  expect(changesOf(fields, { ...valuesOf(fields), scopes: "\n" })).toEqual({ scopes: null });
});

it("says what is missing; a secret that is kept is not", () => {
  expect(lackingOf(fields, { ...valuesOf(fields), issuer: "" })).toEqual(["issuer"]);
  expect(lackingOf([field({ key: "s", required: true, is_secret: true })], { s: "" })).toEqual(["s"]);
});

it("makes a key of a name", () => {
  expect(keyOf("Größe & Söhne GmbH")).toBe("gro-e-sohne-gmbh");
  expect(keyOf("2nd house")).toBe("nd-house");
  expect(keyOf("…")).toBe("provider");
});

it("edits groups as rows, everybody first", () => {
  const read: ProviderGroupsRead = {
    version: 1,
    next_cursor: null,
    items: [{ group: "desk", roles: [{ key: "agent", name: "Agent" }] }],
  };
  expect(rowsOf(read)).toEqual([
    { group: "*", roles: [] },
    { group: "desk", roles: ["agent"] },
  ]);
  expect(
    groupsOf([
      { group: "*", roles: [] },
      { group: " desk ", roles: ["agent"] },
      { group: "desk", roles: ["agent", "auditor"] },
      { group: "", roles: ["admin"] },
    ]),
  ).toEqual({ desk: ["agent", "auditor"] });
});
