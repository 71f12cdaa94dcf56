// @vitest-environment jsdom
import { QueryClient, VueQueryPlugin } from "@tanstack/vue-query";
import { mount } from "@vue/test-utils";
import { createPinia } from "pinia";
import { expect, it } from "vitest";
import { emptyFilters, type Filters } from "../model";
import FilterChips from "./FilterChips.vue";

const FIELDS = [
  { name: "completed_at", label: "Completed", kind: "instant" },
  { name: "completed_in_time", label: "Completed in time", kind: "boolean" },
];
const since = { field: "completed_at", op: "gte", value: "2026-01-01T12:00:00Z" };
const late = { field: "completed_in_time", op: "eq", value: false };

function shown(condition: unknown, fields?: unknown[]) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  for (const key of ["ticket-types", "teams", "departments"]) queries.setQueryData([key], { items: [] });
  if (fields) queries.setQueryData(["ticket-fields", "list"], { items: fields });
  let filters: Filters = { ...emptyFilters(), condition: JSON.stringify(condition) };
  const chips = mount(FilterChips, {
    props: {
      count: "",
      modelValue: filters,
      "onUpdate:modelValue": (next: Filters | undefined) => (filters = next ?? filters),
    },
    global: {
      stubs: { Button: true },
      plugins: [createPinia(), [VueQueryPlugin, { queryClient: queries }]],
    },
  });
  const words = () => chips.findAll("button span.truncate").map((chip) => chip.text());
  return { chips, words, filters: () => filters };
}

it("a further condition is told in words, each thing it asks for by itself", async () => {
  const { chips, words, filters } = shown({ all: [since, late] }, FIELDS);
  expect(words()).toHaveLength(2);
  expect(words()[0]).toMatch(/^Completed is on or after .*2026/);
  expect(words()[1]).toBe("Completed in time is no");
  await chips.findAll("li button")[0]?.trigger("click");
  expect(filters().condition).toBe(JSON.stringify(late));
});

it("what is cut off can be read whole", () => {
  const { chips, words } = shown({ any: [since, late] }, FIELDS);
  expect(words()).toHaveLength(1);
  expect(chips.find("li button").attributes("title")).toBe(words()[0]);
});

it("as long as nobody knows what its fields are called, it is a further condition", () => {
  expect(shown(late).words()).toEqual(["Further condition"]);
});
