import { defineStore } from "pinia";
import { ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem } from "@/api/problem";
import { signWithPasskey } from "@/shared/lib/passkeys";

export const NEEDED = "step_up_needed";
const MARGIN = 30_000; // what counts for less than this is asked for anew: a decision waits some seconds before it leaves

/** Confirming that it is oneself, before something that matters: one dialog, wherever in the app it is asked for. */
export const useStepUp = defineStore("step-up", () => {
  const isAsking = ref(false);
  const factors = ref<string[]>([]);
  let asking: Promise<boolean> | null = null;
  let settle: (isConfirmed: boolean) => void = () => undefined;

  /** Open the dialog; false when the person turned away. Who asks while it is open waits for the same answer. */
  function ask(known: string[]): Promise<boolean> {
    asking ??= new Promise<boolean>((resolve) => {
      settle = resolve;
      factors.value = known;
      isAsking.value = true;
    }).finally(() => {
      asking = null;
      isAsking.value = false;
    });
    return asking;
  }

  /** Before something that needs it: true when it counts already, or was given now. */
  async function ensure(): Promise<boolean> {
    const state = await data(api.stepUpState({}));
    const until = state.valid_until ? Date.parse(state.valid_until) : 0;
    return until - Date.now() > MARGIN || ask(state.factors);
  }

  /** Do it; when the server wants a confirmation first, get it and do the same again. Turned away, it is refused. */
  async function withProof<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { code, facts } = asProblem(error);
      if (code !== NEEDED) throw error;
      const known = Array.isArray(facts.factors) ? (facts.factors as string[]) : [];
      if (!(await ask(known))) throw error;
      return work();
    }
  }

  /** The person's password, or a code of their authenticator app; raises the problem when it is not right. */
  async function confirm(proof: string): Promise<void> {
    const body = factors.value.includes("totp")
      ? ({ factor: "totp", code: proof } as const)
      : ({ factor: "password", password: proof } as const);
    await data(api.confirmStepUp({ body }));
    settle(true);
  }
  /** What a device of theirs signs; raises when they turn away from it, or it is not right. */
  async function confirmByPasskey(): Promise<void> {
    const { options } = await data(api.passkeyStepUpOptions({}));
    const credential = await signWithPasskey(options);
    await data(api.confirmStepUp({ body: { factor: "passkey", credential } }));
    settle(true);
  }
  const turnAway = () => settle(false);

  return { isAsking, factors, ensure, withProof, confirm, confirmByPasskey, turnAway };
});
