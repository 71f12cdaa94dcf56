import { expect, it } from "vitest";
import type { TicketTypeRead } from "@/api/generated";
import { basicsOf, blank, creating, differing, typeKeyFor, updating } from "./basics";

it.each([
  ["Print order", "PRINT_ORDER"],
  ["  3D-Druck & mehr ", "D_DRUCK_MEHR"],
  ["???", ""],
])("%s is called %s", (name, key) => expect(typeKeyFor(name)).toBe(key));

it("says to the server what it takes, and no more", () => {
  const basics = { ...blank("IT"), key: "A", name: "A" };
  expect(creating(basics, {})).toMatchObject({ key: "A", prefix: null, category: "IT", form: {} });
  expect("is_active" in creating(basics, {})).toBe(false);
  const body = updating(basics, {}, 3, "why");
  expect(body).toMatchObject({ version: 3, note: "why", is_active: true });
  expect("key" in body || "prefix" in body).toBe(false);
});

it("tells what differs", () => {
  const type = {
    ...blank("IT"),
    id: 1,
    form: {},
    form_version: 1,
    version: 1,
    team: { id: 2, name: "IT Support" },
    default_priority: "LOW",
  } as TicketTypeRead;
  const before = basicsOf(type);
  expect(before.team_id).toBe(2);
  expect(differing(before, { ...before, keywords: ["x"], team_id: null })).toEqual(["keywords", "team_id"]);
  expect(differing(before, basicsOf({ ...type, team: null }))).toEqual(["team_id"]);
});
