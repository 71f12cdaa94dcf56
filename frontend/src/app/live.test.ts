import { expect, it } from "vitest";
import { parse } from "./live";

it("takes whole events and keeps the rest", () => {
  const [events, rest] = parse(
    'id: 1-2\nevent: ticket.updated\ndata: {"id": 7}\n\n: still here\n\nid: 1-3\nev',
  );
  expect(events).toEqual([{ id: "1-2", name: "ticket.updated", data: { id: 7 } }]);
  expect(rest).toBe("id: 1-3\nev");
});

it("reads the line ends of every server", () => {
  const [events, rest] = parse('event: a\r\ndata: {}\r\n\r\nevent: b\r\ndata: {"x":"a: b"}\r\n\r\n');
  expect(events.map((e) => [e.name, e.data])).toEqual([
    ["a", {}],
    ["b", { x: "a: b" }],
  ]);
  expect(rest).toBe("");
});
