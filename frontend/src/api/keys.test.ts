import { describe, expect, it } from "vitest";

// What is kept under one key is one thing, whoever asks: a screen that keeps a page where another keeps a list shows nothing.
const SOURCES = import.meta.glob("../**/*.{ts,vue}", {
  query: "?raw",
  import: "default",
  eager: true,
}) as Record<string, string>;
const ASKED =
  /queryKey: (\["[a-z-]+"(?:, "[a-z-]+")*\]),\s*(?:enabled[^\n]*\n\s*)?queryFn: ([\s\S]*?)\n\s*(?:\w+: |\w+,|\}\))/g;
// Both give `{ items }`; one of them reads on behind the first hundred.
const ALIKE = ['["ticket-types"]'];

describe("keys of what is kept", () => {
  it("stand for one request each", () => {
    const asked = new Map<string, Set<string>>();
    for (const source of Object.values(SOURCES))
      for (const [, key = "", request = ""] of source.matchAll(ASKED))
        asked.set(key, (asked.get(key) ?? new Set()).add(request.replaceAll(/\s+/g, " ").trim()));
    expect(asked.size).toBeGreaterThan(20);
    const several = [...asked].filter(([key, requests]) => requests.size > 1 && !ALIKE.includes(key));
    expect(several.map(([key, requests]) => [key, ...requests])).toEqual([]);
  });
});
