import { expect, it } from "vitest";
import { choiceOf, chosen, type Choice, type Defaults } from "./defaultsModel";

const company: Defaults = {
  events: { "ticket.status": { email: true, in_app: false } },
  mandatory: { "ticket.assigned": ["email"] },
};

it.each<Choice>(["on", "off", "always", "company"])("what is chosen is what is read: %s", (choice) => {
  const after = chosen(company, "ticket.status", "email", choice);
  expect(choiceOf(after, "ticket.status", "email")).toBe(choice);
  expect(choiceOf(after, "ticket.status", "in_app")).toBe("off");
  expect(choiceOf(after, "ticket.assigned", "email")).toBe("always");
  expect(company.events["ticket.status"]).toEqual({ email: true, in_app: false });
});

it("nothing empty stays behind when something is mandatory no more", () => {
  expect(chosen(company, "ticket.assigned", "email", "on").mandatory).toEqual({});
  const two = chosen(company, "ticket.assigned", "in_app", "always");
  expect(chosen(two, "ticket.assigned", "email", "off").mandatory).toEqual({ "ticket.assigned": ["in_app"] });
});
