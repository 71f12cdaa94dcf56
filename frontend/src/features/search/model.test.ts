import { describe, expect, it } from "vitest";
import { pieces, withFilter, without } from "./model";

describe("pieces", () => {
  it("parts what is marked from what is not, and reads the signs", () => {
    expect(pieces("a &lt;b&gt; <mark>C &amp; D</mark> &#x27;e&quot;")).toEqual([
      { text: "a <b> ", isMarked: false },
      { text: "C & D", isMarked: true },
      { text: " 'e\"", isMarked: false },
    ]);
  });
  it("reads each sign once only", () => {
    expect(pieces("&amp;lt;mark&amp;gt;")).toEqual([{ text: "&lt;mark&gt;", isMarked: false }]);
    expect(pieces("")).toEqual([]);
  });
});

describe("filters in the box", () => {
  it("are taken out of what was written", () => {
    expect(without('laptop status:open "two words"', "status:open")).toBe('laptop "two words"');
    expect(without("laptop", "is:late")).toBe("laptop");
  });
  it("are put behind it once", () => {
    expect(withFilter("laptop ", "status", "IN_PROGRESS")).toBe("laptop status:in_progress");
    expect(withFilter("laptop status:open", "status", "OPEN")).toBe("laptop status:open");
  });
});
