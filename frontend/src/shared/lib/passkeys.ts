/** Passkeys: what a device makes and signs. Loaded only when somebody uses one. */
import type { Credential } from "@/api/generated";

/** Whether this browser, at this address, can have them: devices know addresses by name, never by number. */
export function canUsePasskeys(): boolean {
  const isNumber = /^\d+\.\d+\.\d+\.\d+$|^\[/.test(window.location.hostname);
  return typeof window.PublicKeyCredential === "function" && !isNumber;
}

/** The person turned away, or let the time run out. */
export class TurnedAway extends Error {}

async function quietly<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && ["NotAllowedError", "AbortError"].includes(error.name))
      throw new TurnedAway();
    throw error;
  }
}

/** Whether a device says it has one of this person's already. */
export const isKnown = (error: unknown): boolean =>
  error instanceof Error && error.name === "InvalidStateError";

export async function makePasskey(options: Record<string, unknown>): Promise<Credential> {
  const { startRegistration } = await import("@simplewebauthn/browser");
  return (await quietly(startRegistration({ optionsJSON: options as never }))) as unknown as Credential;
}

export async function signWithPasskey(options: Record<string, unknown>): Promise<Credential> {
  const { startAuthentication } = await import("@simplewebauthn/browser");
  return (await quietly(startAuthentication({ optionsJSON: options as never }))) as unknown as Credential;
}
