import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as api from "@/api/generated";
import type { Credential } from "@/api/generated";
import { Problem } from "@/api/problem";
import * as passkeys from "@/shared/lib/passkeys";
import { useStepUp, type Laid } from "./stepUp";

const until = (seconds: number | null) => ({
  data: {
    factors: ["password"],
    valid_until: seconds === null ? null : new Date(Date.now() + seconds * 1000).toISOString(),
    proved_by: seconds === null ? null : "password",
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
  await expect(stepUp.ensure()).resolves.toEqual({});
  expect(stepUp.isAsking).toBe(false);
});

test.each([null, 5])("what does not, or hardly, is: %s", async (seconds) => {
  answering(until(seconds));
  const stepUp = useStepUp();
  const asked = stepUp.ensure();
  await vi.waitFor(() => expect(stepUp.isAsking).toBe(true));
  expect(stepUp.factors).toEqual(["password"]);
  await stepUp.confirm("right");
  await expect(asked).resolves.toEqual({});
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
  await expect(asked).resolves.toBeNull();
  const stale = new Problem(412, { code: "stale_version" });
  await expect(stepUp.withProof(() => Promise.reject(stale))).rejects.toBe(stale);
  expect(stepUp.isAsking).toBe(false);
});

const signed = { id: "k", rawId: "k", type: "public-key" as const, response: { clientDataJSON: "e30" } };
const byPasskey = () => new Problem(403, { code: "step_up_needed", detail: "Confirm", factors: ["passkey"] });
const lay = (title: string) => async (): Promise<Laid> => ({
  decision: "APPROVE",
  statements: [
    {
      step_id: 1,
      workflow_id: 1,
      ticket_number: "A",
      title,
      amount: null,
      currency: null,
      version: 1,
      text: "{}",
    },
  ],
  options: { challenge: title },
});

test("what is signed is laid before one, and the signature goes with the work", async () => {
  answering(until(null));
  vi.spyOn(passkeys, "canUsePasskeys").mockReturnValue(true);
  const sign = vi.spyOn(passkeys, "signWithPasskey").mockResolvedValue(signed);
  const stepUp = useStepUp();
  const work = vi
    .fn<(signature?: Credential) => Promise<string>>()
    .mockRejectedValueOnce(byPasskey())
    .mockResolvedValue("done");
  const done = stepUp.withProof(work, lay("Ten screens"));
  await vi.waitFor(() => expect(stepUp.laid?.statements[0]?.title).toBe("Ten screens"));
  expect(stepUp.isSigning).toBe(true);
  await stepUp.confirmByPasskey();
  await expect(done).resolves.toBe("done");
  expect(sign).toHaveBeenCalledWith({ challenge: "Ten screens" });
  expect(work.mock.calls).toEqual([[], [signed]]);
  expect(api.confirmStepUp).not.toHaveBeenCalled();
});

test("several are signed one after the other, each for itself", async () => {
  answering(until(null));
  vi.spyOn(passkeys, "canUsePasskeys").mockReturnValue(true);
  vi.spyOn(passkeys, "signWithPasskey").mockResolvedValue(signed);
  const stepUp = useStepUp();
  const works = ["one", "two"].map((name) => ({
    name,
    work: vi.fn<(s?: Credential) => Promise<string>>(async (s) => {
      if (!s) throw byPasskey();
      return name;
    }),
  }));
  const all = Promise.all(works.map(({ name, work }) => stepUp.withProof(work, lay(name))));
  for (const name of ["one", "two"]) {
    await vi.waitFor(() => expect(stepUp.laid?.statements[0]?.title).toBe(name));
    await stepUp.confirmByPasskey();
  }
  await expect(all).resolves.toEqual(["one", "two"]);
});

test("a passkey that was used to sign in does not stand for a decision; a code does", async () => {
  const state = until(120);
  answering({ data: { ...state.data, factors: ["passkey"], proved_by: "password+passkey" } } as never);
  vi.spyOn(passkeys, "canUsePasskeys").mockReturnValue(true);
  const stepUp = useStepUp();
  await expect(stepUp.ensure()).resolves.toEqual({});
  const asked = stepUp.ensure(lay("x"));
  await vi.waitFor(() => expect(stepUp.isSigning).toBe(true));
  stepUp.turnAway();
  await expect(asked).resolves.toBeNull();
  answering(state);
  await expect(stepUp.ensure(lay("x"))).resolves.toEqual({});
});

test("what can not be laid before one says why, and can be tried again", async () => {
  answering(until(null));
  vi.spyOn(passkeys, "canUsePasskeys").mockReturnValue(true);
  const stale = new Problem(412, { code: "stale_version" });
  const laying = vi.fn<() => Promise<Laid>>().mockRejectedValueOnce(stale).mockImplementation(lay("now"));
  const stepUp = useStepUp();
  const work = vi.fn<() => Promise<string>>().mockRejectedValue(byPasskey());
  const done = stepUp.withProof(work, laying);
  await vi.waitFor(() => expect(stepUp.layFailed).toBe(stale));
  await stepUp.confirmByPasskey(); // there is nothing to sign yet
  expect(stepUp.isAsking).toBe(true);
  await stepUp.layAgain();
  expect(stepUp.laid?.options).toEqual({ challenge: "now" });
  stepUp.turnAway();
  await expect(done).rejects.toMatchObject({ code: "step_up_needed" });
});
