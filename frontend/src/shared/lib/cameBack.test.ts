import { expect, it } from "vitest";
import { cameWith } from "./cameBack";

it("reads what stands behind the #, and nothing else", () => {
  expect(cameWith("")).toBeNull();
  expect(cameWith("#section")).toBeNull();
  expect(cameWith("#came=wpt_abc")).toEqual({ ticket: "wpt_abc" });
  expect(cameWith("#refused=denied")).toEqual({ refused: "denied" });
  expect(cameWith("#refused=fails")).toEqual({ refused: "fails" });
  expect(cameWith("#refused=<b>")).toEqual({ refused: "over" });
});
