import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as api from "@/api/generated";
import { Problem } from "@/api/problem";
import { useStepUp } from "./stepUp";

const until = (seconds: number | null) => ({
  data: {
    factors: ["password"],
    valid_until: seconds === null ? null : new Date(Date.now() + seconds * 1000).toISOString(),
    max_age_seconds: 300,
  },
});
const needed = () => new Problem(403, { code: "step_up_needed", detail: "Confirm", factors: ["password"] });

beforeEach(() => setActivePinia(createPinia()));
afterEach(() => vi.restoreAllMocks());

function answering(state: ReturnType<typeof until>) {
  vi.spyOn(api, "stepUpState").mockResolvedValue(state as never);
  vi.spyOn(api, "confirmStepUp").mockResolvedValue(until(300) as never);
}

test("what counts for a while yet is not asked for again", async () => {
  answering(until(120));
  const stepUp = useStepUp();
  await expect(stepUp.ensure()).resolves.toBe(true);
  expect(stepUp.isAsking).toBe(false);
});

test.each([null, 5])("what does not, or hardly, is: %s", async (seconds) => {
  answering(until(seconds));
  const stepUp = useStepUp();
  const asked = stepUp.ensure();
  await vi.waitFor(() => expect(stepUp.isAsking).toBe(true));
  expect(stepUp.factors).toEqual(["password"]);
  await stepUp.confirm("right");
  await expect(asked).resolves.toBe(true);
  expect(stepUp.isAsking).toBe(false);
});

test("the work is done again once it was confirmed, and only then", async () => {
  answering(until(null));
  const stepUp = useStepUp();
  const work = vi.fn<() => Promise<string>>().mockRejectedValueOnce(needed()).mockResolvedValue("done");
  const done = stepUp.withProof(work);
  await vi.waitFor(() => expect(stepUp.isAsking).toBe(true));
  expect(work).toHaveBeenCalledTimes(1);
  await stepUp.confirm("right");
  await expect(done).resolves.toBe("done");
  expect(work).toHaveBeenCalledTimes(2);
});

test("who turns away gets the refusal, and can try again later", async () => {
  answering(until(null));
  const stepUp = useStepUp();
  for (let n = 0; n < 2; n++) {
    const work = vi.fn<() => Promise<string>>().mockRejectedValue(needed());
    const done = stepUp.withProof(work);
    await vi.waitFor(() => expect(stepUp.isAsking).toBe(true));
    stepUp.turnAway();
    await expect(done).rejects.toMatchObject({ code: "step_up_needed" });
    expect(work).toHaveBeenCalledTimes(1);
    expect(stepUp.isAsking).toBe(false);
  }
});

test("several that need it at once ask one question", async () => {
  answering(until(null));
  const stepUp = useStepUp();
  const works = [1, 2].map((n) =>
    vi.fn<() => Promise<number>>().mockRejectedValueOnce(needed()).mockResolvedValue(n),
  );
  const all = Promise.all(works.map((work) => stepUp.withProof(work)));
  await vi.waitFor(() => expect(stepUp.isAsking).toBe(true));
  await stepUp.confirm("right");
  await expect(all).resolves.toEqual([1, 2]);
});

test("a wrong password keeps asking; another refusal is no question", async () => {
  answering(until(null));
  vi.spyOn(api, "confirmStepUp").mockRejectedValueOnce(new Problem(422, { code: "wrong_proof" }));
  const stepUp = useStepUp();
  const asked = stepUp.ensure();
  await vi.waitFor(() => expect(stepUp.isAsking).toBe(true));
  await expect(stepUp.confirm("wrong")).rejects.toMatchObject({ code: "wrong_proof" });
  expect(stepUp.isAsking).toBe(true);
  stepUp.turnAway();
  await expect(asked).resolves.toBe(false);
  const stale = new Problem(412, { code: "stale_version" });
  await expect(stepUp.withProof(() => Promise.reject(stale))).rejects.toBe(stale);
  expect(stepUp.isAsking).toBe(false);
});
