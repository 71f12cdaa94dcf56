import { expect, it } from "vitest";
import { fit, fitting, type Command } from "./commands";

const command = (label: string, words?: string): Command => ({
  id: label,
  group: "pages",
  label,
  words,
  icon: "",
  run: () => undefined,
});

it("takes beginnings of words, all of them, whatever their accents and capitals", () => {
  expect(fit(command("Assign to Ána Müller"), "ana mul")).toBeGreaterThan(0);
  expect(fit(command("Assign to Ana"), "ana x")).toBe(0);
  expect(fit(command("Dashboard"), "board")).toBe(0);
  expect(fit(command("Priority: Critical", "urgent"), "urg")).toBe(1);
});

it("puts whole words and labels first", () => {
  const all = [
    command("Tickets"),
    command("Set priority", "urgent"),
    command("Urgent matters"),
    command("Page"),
  ];
  expect(fitting(all, "urgent").map((c) => c.label)).toEqual(["Set priority", "Urgent matters"]);
  expect(fitting([command("New ticket"), command("Tickets")], "tick").map((c) => c.label)).toEqual([
    "Tickets",
    "New ticket",
  ]);
  expect(fitting(all, "")).toEqual([]);
});

it("puts the page itself before the many below it", () => {
  const all = [command("New request: IT support"), command("New request: HR"), command("New request")];
  expect(fitting(all, "new").map((c) => c.label)).toEqual([
    "New request",
    "New request: HR",
    "New request: IT support",
  ]);
});
