import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { Credential, Signing, SigningAnswer } from "@/api/generated";
import { asProblem } from "@/api/problem";
import { canUsePasskeys, signWithPasskey } from "@/shared/lib/passkeys";
import { useSession } from "./session";

export const NEEDED = "step_up_needed";
const MARGIN = 30_000; // what counts for less than this is asked for anew: a decision waits some seconds before it leaves

/** What a passkey signs, and what the browser needs for it. */
export type Laid = SigningAnswer & { decision: Signing["decision"] };
/** Has what is about to be decided laid before the person: called when they are asked, and again when that is stale. */
export type Lay = () => Promise<Laid>;
/** That it is them; with a signature where it was signed for something. */
export interface Proof {
  signature?: Credential;
}
type Answer = Proof | null;

/** Confirming that it is oneself, before something that matters: one dialog, wherever in the app it is asked for. */
export const useStepUp = defineStore("step-up", () => {
  const session = useSession();
  const isAsking = ref(false);
  const factors = ref<string[]>([]);
  const laid = shallowRef<Laid | null>(null);
  const layFailed = shallowRef<unknown>(null);
  const isSigning = ref(false);
  let lay: Lay | null = null;
  let settle: (answer: Answer) => void = () => undefined;
  let last: { answer: Promise<Answer>; isPlain: boolean } | null = null;

  async function layAgain(): Promise<void> {
    const mine = lay;
    laid.value = layFailed.value = null;
    if (!mine) return;
    try {
      const found = await mine();
      if (lay === mine) laid.value = found;
    } catch (error) {
      if (lay === mine) layFailed.value = error;
    }
  }
  async function open(known: string[], toSign: Lay | null): Promise<Answer> {
    lay = toSign && known.includes("passkey") && canUsePasskeys() ? toSign : null;
    isSigning.value = lay !== null;
    factors.value = known;
    const answer = new Promise<Answer>((resolve) => (settle = resolve));
    isAsking.value = true;
    void layAgain();
    try {
      return await answer;
    } finally {
      lay = null;
      isAsking.value = false;
    }
  }
  /**
   * Open the dialog; null when the person turned away. Who asks for nothing but a confirmation while that is asked for
   * waits for the same answer; what is signed is asked for one after the other.
   */
  function ask(known: string[], toSign: Lay | null = null): Promise<Answer> {
    if (last?.isPlain && !toSign) return last.answer;
    const before: Promise<unknown> = last ? last.answer : Promise.resolve();
    const mine = {
      isPlain: !toSign,
      answer: before.then(() => open(known, toSign)).finally(() => last === mine && (last = null)),
    };
    last = mine;
    return mine.answer;
  }

  /** Before something that needs it: what was given now, or counts already; null when the person turned away. */
  async function ensure(toSign: Lay | null = null): Promise<Answer> {
    const state = await data(api.stepUpState({}));
    const until = state.valid_until ? Date.parse(state.valid_until) : 0;
    // a passkey counts for what it signed: used for something else, as to sign in, it does not stand for this
    const counts = !toSign || !state.proved_by?.split("+").includes("passkey");
    return until - Date.now() > MARGIN && counts ? {} : ask(state.factors, toSign);
  }

  /** Do it; when the server wants a confirmation first, get it and do the same again. Turned away, it is refused. */
  async function withProof<T>(
    work: (signature?: Credential) => Promise<T>,
    toSign: Lay | null = null,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { code, facts } = asProblem(error);
      if (code !== NEEDED) throw error;
      if (toSign && last) {
        await last.answer; // what is said there may count for this, too
        return withProof(work, toSign);
      }
      const known = Array.isArray(facts.factors) ? (facts.factors as string[]) : [];
      const proof = await ask(known, toSign);
      if (!proof) throw error;
      return work(proof.signature);
    }
  }

  /** What was issued before opens nothing any more. */
  function confirmed(state: api.StepUpState): void {
    if (state.tokens) session.enter(state.tokens);
    settle({});
  }

  /** The person's password, or a code of their authenticator app; raises the problem when it is not right. */
  async function confirm(proof: string): Promise<void> {
    const body = factors.value.includes("totp")
      ? ({ factor: "totp", code: proof } as const)
      : ({ factor: "password", password: proof } as const);
    confirmed(await data(api.confirmStepUp({ body })));
  }
  /** What a device of theirs signs; raises when they turn away from it, or it is not right. */
  async function confirmByPasskey(): Promise<void> {
    if (isSigning.value) {
      if (!laid.value) return;
      settle({ signature: await signWithPasskey(laid.value.options) }); // the decision takes it along
      return;
    }
    const { options } = await data(api.passkeyStepUpOptions({}));
    const credential = await signWithPasskey(options);
    confirmed(await data(api.confirmStepUp({ body: { factor: "passkey", credential } })));
  }
  const turnAway = () => settle(null);

  return {
    isAsking,
    isSigning,
    factors,
    laid,
    layFailed,
    layAgain,
    ensure,
    withProof,
    confirm,
    confirmByPasskey,
    turnAway,
  };
});
