/** For tests: what the server answers, case by case (written by `backend/tests/kernel/test_condition_vectors.py`). */
import { readFileSync } from "node:fs";
import type { Json, Kind } from "./conditions";

interface Vectors {
  kinds: Record<string, Kind>;
  letters: { given: string; folded: string };
  conditions: { condition: Json; record: Record<string, unknown>; holds: boolean }[];
  forms: {
    form: Record<string, unknown>;
    fields: Record<string, unknown>;
    facts: { priority: string; amount: string | null; title: string };
    hidden: string[];
    needed: string[];
  }[];
}
export const readVectors = (): Vectors =>
  JSON.parse(readFileSync("src/shared/conditions/vectors.json", "utf8")) as Vectors;
