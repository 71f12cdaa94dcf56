import { expect, it } from "vitest";
import words from "../locales/en.json";
import type { ChannelRead, FieldRead } from "@/api/generated";
import { askedOf, changesOf, filtersOf, KINDS, lackingOf, valuesOf } from "./model";

const field = (key: string, kind: FieldRead["kind"], more: Partial<FieldRead> = {}): FieldRead => ({
  key,
  kind,
  label: key,
  help: "",
  required: true,
  choices: [],
  value: null,
  is_set: false,
  ...more,
});
const channel: ChannelRead = {
  key: "pigeon",
  label: "Pigeon",
  version: 1,
  is_on: false,
  is_fixed: false,
  fields: [
    field("loft", "text", { value: "North", is_set: true }),
    field("password", "secret", { is_set: true }),
    field("token", "secret"),
    field("address", "url", { required: false }),
    field("is_fast", "boolean", { value: true }),
  ],
  health: {
    state: "OFF",
    failures: 0,
    worked_at: null,
    failed_at: null,
    last_error: null,
    paused_until: null,
  },
};

it("sends what differs, and leaves a secret alone that was not typed", () => {
  const values = valuesOf(channel.fields);
  expect(values).toEqual({ loft: "North", password: "", token: "", address: "", is_fast: true });
  expect(changesOf(channel, values)).toEqual({});
  expect(changesOf(channel, { ...values, loft: "", password: "x", is_fast: false })).toEqual({
    loft: null,
    password: "x",
    is_fast: false,
  });
});

it("says what is missing", () => {
  expect(lackingOf(channel, valuesOf(channel.fields))).toEqual(["token"]);
  expect(lackingOf(channel, { ...valuesOf(channel.fields), token: "x", loft: "" })).toEqual(["loft"]);
});

it("reads filters from an address", () => {
  expect(
    filtersOf({ q: " x ", status: "FAILED", user_id: "7", ticket: "", kind: ["a"], other: "1" }),
  ).toEqual({
    q: "x",
    status: "FAILED",
    user_id: 7,
  });
  expect(filtersOf({ status: "LOST", user_id: "-1" })).toEqual({});
});

it("takes days whole", () => {
  const asked = askedOf({ since: "2026-03-01", until: "2026-03-01", q: "x" });
  expect(new Date(asked.until!).getTime() - new Date(asked.since!).getTime()).toBe(86_400_000);
  expect(asked.q).toBe("x");
  expect(askedOf({ since: "nonsense" }).since).toBeUndefined();
});

it("offers every kind of message that has a name", () => {
  const offered = KINDS.map((kind) => kind.replace(/\./g, "_"));
  expect(offered.sort()).toEqual(
    Object.keys(words.kind)
      .filter((kind) => kind !== "mail_layout")
      .sort(),
  );
});
