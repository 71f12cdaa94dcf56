// @vitest-environment jsdom
import { beforeEach, expect, it } from "vitest";
import { leaveNothing } from "./belongings";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
const kept = (storage: Storage) => Object.fromEntries(Object.entries({ ...storage }));

it("leaves no title, and no draft the server has", () => {
  sessionStorage.setItem("waypost.recent.7", '[{"id":1,"number":"IT-1","title":"Secret"}]');
  localStorage.setItem("waypost.drafts.7", '{"1.PUBLIC":{"body":"kept there","base":"at 1","dirty":false}}');
  localStorage.setItem("waypost.outbox.7", "{}");
  leaveNothing();
  expect(kept(sessionStorage)).toEqual({});
  expect(kept(localStorage)).toEqual({});
});

it("keeps what only this browser knows, and how it is set up", () => {
  localStorage.setItem(
    "waypost.drafts.7",
    '{"1.PUBLIC":{"body":"a","base":null,"dirty":true},"2.PUBLIC":{"body":"b","base":"at 1","dirty":false}}',
  );
  localStorage.setItem("waypost.outbox.7", '{"x":{"id":"x","body":"not sent"}}');
  localStorage.setItem("waypost.preferences", '{"theme":"dark"}');
  localStorage.setItem("waypost.draft.7.1", '{"ticket_type":"IT"}');
  leaveNothing();
  expect(JSON.parse(localStorage.getItem("waypost.drafts.7") ?? "")).toEqual({
    "1.PUBLIC": { body: "a", base: null, dirty: true },
  });
  expect(localStorage.getItem("waypost.outbox.7")).toContain("not sent");
  expect(localStorage.getItem("waypost.preferences")).toContain("dark");
  expect(localStorage.getItem("waypost.draft.7.1")).toContain("IT");
});

it("throws away what cannot be read", () => {
  localStorage.setItem("waypost.drafts.7", "{broken");
  localStorage.setItem("waypost.outbox.7", "null");
  leaveNothing();
  expect(kept(localStorage)).toEqual({});
});
