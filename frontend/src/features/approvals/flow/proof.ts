import type { InjectionKey, Ref } from "vue";

/** Whose proof is shown below the steps of a flow, and whether it is open from the beginning. */
export const proofOf: InjectionKey<{ ticketId: Ref<number>; isOpen: Ref<boolean> }> = Symbol("proof");
