import { expect, test } from "vitest";
import { filesOf } from "../../../scripts/worker.ts";

const chunk = (fileName: string, imports: string[], moduleIds: string[], styles: string[] = []) => ({
  type: "chunk",
  fileName,
  imports,
  moduleIds,
  viteMetadata: { importedCss: new Set(styles) },
});

test("what a view needs is kept with all it imports, once", () => {
  const chunks = [
    chunk("a.js", ["b.js"], ["/x/src/A.vue?vue&type=script"], ["a.css"]),
    chunk("b.js", ["a.js", "outside"], ["/x/src/b.ts"]),
    chunk("c.js", [], ["/x/src/C.vue"]),
  ];
  expect(filesOf(["src/A.vue"], chunks)).toEqual(["a.css", "a.js", "b.js"]);
  expect(() => filesOf(["src/Gone.vue"], chunks)).toThrow(/Gone.vue is in no chunk/);
});
