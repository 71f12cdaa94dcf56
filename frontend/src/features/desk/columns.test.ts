import { expect, it } from "vitest";
import { exported } from "./columns";

it("names what is shown as the server does, and money with its currency", () => {
  expect(exported(["number", "title", "amount", "due", "tags"])).toEqual([
    "ticket_number",
    "title",
    "amount",
    "currency",
    "due_date",
    "tags",
  ]);
});
