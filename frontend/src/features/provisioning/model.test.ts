import { describe, expect, it } from "vitest";
import type { ProviderGroupsRead, ProviderRead } from "@/api/generated";
import { changed, keyFrom, mapWith, outcome, pushing, setting } from "./model";

const provider = {
  id: 1,
  kind: "scim",
  version: 3,
  name: "Entra ID",
  is_on: false,
  creates_people: true,
  links_by: "NONE",
  updates_people: true,
  trusts_second_factor: false,
  fields: [
    { key: "mail_domain", value: "example.com" },
    { key: "other", value: null },
  ],
} as unknown as ProviderRead;

describe("a provider that pushes", () => {
  it("is told from those one signs in by", () => {
    expect(pushing([provider, { ...provider, kind: "oidc" }])).toEqual([provider]);
  });

  it("gets a key from its name", () => {
    expect(keyFrom("Entra ID")).toBe("entra-id");
    expect(keyFrom("  42 Zürich – Office  ")).toBe("zu-rich-office");
    expect(keyFrom("東京")).toBe("provisioning");
    expect(keyFrom("x".repeat(60))).toHaveLength(40);
  });

  it("changes in what is said, and in nothing else", () => {
    expect(changed(provider, { is_on: true })).toEqual({
      version: 3,
      name: "Entra ID",
      is_on: true,
      creates_people: true,
      links_by: "NONE",
      updates_people: true,
      trusts_second_factor: false,
      settings: {},
    });
  });

  it("shows its settings as text", () => {
    expect(setting(provider, "mail_domain")).toBe("example.com");
    expect(setting(provider, "other")).toBe("");
    expect(setting(provider, "none")).toBe("");
  });

  it("maps one group and leaves the others", () => {
    const map = {
      version: 1,
      items: [{ group: "*", roles: [{ key: "employee", name: "Employee" }] }],
    } as unknown as ProviderGroupsRead;
    expect(mapWith(map, "Agents", ["agent"])).toEqual({ "*": ["employee"], Agents: ["agent"] });
    expect(mapWith(map, "*", [])).toEqual({ "*": [] });
  });

  it("says how a request went", () => {
    expect([200, 409, 503].map(outcome)).toEqual(["fine", "refused", "fault"]);
  });
});
