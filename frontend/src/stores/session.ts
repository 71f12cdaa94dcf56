import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { data, dropWaiting, goOn, useTokens } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem } from "@/api/problem";
import { alone } from "@/shared/lib/alone";
import { signWithPasskey } from "@/shared/lib/passkeys";
import { idleSeconds } from "@/shared/lib/use";
import { leaveNothing } from "./belongings";

/** What another tab of this browser has voided is asked for again, after so many milliseconds each time. */
const AGAIN = [100, 400, 1000];
const RENEWAL = "waypost.renewal";

// Says that this browser has a session to come back to; nothing secret. Without it a first visit asks the server nothing.
const MARK = "waypost.session";
function mark(on: boolean): void {
  try {
    if (on) localStorage.setItem(MARK, "1");
    else localStorage.removeItem(MARK);
  } catch {
    // Storage is closed to us: `isMarked` then asks the server.
  }
}
function isMarked(): boolean {
  try {
    return localStorage.getItem(MARK) !== null;
  } catch {
    return true;
  }
}

/** Who is signed in. The access token lives in memory only; the refresh token in a cookie scripts cannot read. */
export const useSession = defineStore("session", () => {
  const user = ref<api.Me | null>(null);
  const hasEnded = ref(false);
  /** Whoever was here last, while nobody can be asked who is: to read what was kept, and nothing else. */
  const isKept = ref(false);
  const isUnreachable = ref(false);
  const waiting = ref<api.SecondFactorAsked | null>(null);
  /** How long this sign-in lasts, unused and in all. */
  const lasts = ref<api.Lasts | null>(null);
  let token: string | null = null;
  let renewing: Promise<boolean> | null = null;
  let restoring: Promise<void> | null = null;

  /** What came of a sign-in or a renewal. Raises when it is another person's than this page is of: that is loaded anew. */
  function enter(answer: { access_token: string; session?: api.Lasts; user?: api.Me }): void {
    mark(true);
    if (answer.user && user.value && answer.user.id !== user.value.id) {
      dropWaiting();
      window.location.reload();
      throw new DOMException("Somebody else is signed in.", "AbortError");
    }
    token = answer.access_token;
    lasts.value = answer.session ?? null;
    hasEnded.value = false;
    isUnreachable.value = false;
    goOn();
    if (isKept.value) void comeBack();
  }

  /** The server can be asked again: it says who is here. */
  async function comeBack(): Promise<void> {
    isKept.value = false;
    await loadUser().catch(() => undefined);
  }

  const partings = new Set<() => Promise<unknown>>();
  /** What is done once the session is over, whoever ended it. */
  function whenOver(act: () => Promise<unknown>): void {
    partings.add(act);
  }
  const part = () => Promise.allSettled([async () => leaveNothing(), ...partings].map((act) => act()));

  const exclusively = <T>(work: () => Promise<T>): Promise<T> => alone(RENEWAL, work);
  async function renewOnce(tries = 0): Promise<boolean> {
    try {
      enter(await exclusively(() => data(api.refresh({ body: { idle_seconds: idleSeconds() } }))));
      return true;
    } catch (error) {
      if (error instanceof DOMException) throw error;
      const problem = asProblem(error);
      const wait = problem.code === "tokens_renewed" ? AGAIN[tries] : undefined;
      if (wait !== undefined) {
        await new Promise((resume) => setTimeout(resume, wait));
        return renewOnce(tries + 1);
      }
      if (problem.status === 0 || problem.status >= 500) throw problem;
      token = null;
      mark(false);
      await part();
      return false;
    }
  }

  /** One renewal at a time, whoever asks. */
  function renew(): Promise<boolean> {
    renewing ??= renewOnce().finally(() => (renewing = null));
    return renewing;
  }

  /** Asks the server whether this sign-in goes on; when it does not, one signs in again where one is. */
  async function check(): Promise<void> {
    const goesOn = await renew().catch(() => true); // who cannot be asked has ended nothing
    if (!goesOn && user.value) hasEnded.value = true;
  }

  /** After it had ended: whether somebody has signed in again in another tab of this browser. */
  async function lookAgain(): Promise<void> {
    if (!hasEnded.value || !isMarked()) return;
    if (await renew().catch(() => false)) await loadUser().catch(() => undefined);
  }

  useTokens({
    access: () => token,
    renew,
    ended: () => {
      if (user.value) hasEnded.value = true;
      return hasEnded.value;
    },
    alone: exclusively,
  });

  async function loadUser(): Promise<void> {
    user.value = await data(api.me({}));
  }

  /** Signs in, or lets the sign-in wait for its second factor (`waiting`). */
  async function login(username: string, password: string): Promise<void> {
    waiting.value = null;
    const answer = await data(api.login({ body: { username, password } }));
    if ("mfa_token" in answer) {
      waiting.value = answer;
      return;
    }
    enter(answer);
    await loadUser();
  }

  /** Goes on with what came back from a provider's page; as `login`, it may wait for a second factor. */
  async function comeIn(ticket: string): Promise<void> {
    waiting.value = null;
    const answer = await data(api.comeInByProvider({ body: { ticket } }));
    if ("mfa_token" in answer) {
      waiting.value = answer;
      return;
    }
    enter(answer);
    await loadUser();
  }

  /** Finishes a sign-in that waits, by a code; one that took too long begins anew. */
  async function verify(code: string): Promise<void> {
    if (!waiting.value) return;
    try {
      enter(await data(api.verifySecondFactor({ body: { mfa_token: waiting.value.mfa_token, code } })));
    } catch (error) {
      if (asProblem(error).code === "challenge_over") waiting.value = null;
      throw error;
    }
    waiting.value = null;
    await loadUser();
  }

  /** Signs in with a passkey alone, or finishes with it a sign-in that waits. */
  async function usePasskey(): Promise<void> {
    const mfa_token = waiting.value?.mfa_token;
    const body = mfa_token ? { mfa_token } : {};
    const { options } = await data(api.passkeySignInOptions({ body }));
    const credential = await signWithPasskey(options);
    enter(await data(api.passkeySignIn({ body: { ...body, credential } })));
    waiting.value = null;
    await loadUser();
  }

  /** After a reload, or when another tab signed in: come back with the cookie. */
  async function restore(): Promise<void> {
    if (!isMarked()) return;
    restoring ??= (async () => {
      try {
        if (await renew()) await loadUser();
      } catch {
        isUnreachable.value = true; // the next navigation asks again
      }
    })().finally(() => (restoring = null));
    await restoring;
  }

  const farewells = new Set<() => Promise<unknown>>();
  /** What has to reach the server while one is still signed in. */
  function beforeLogout(send: () => Promise<unknown>): void {
    farewells.add(send);
  }

  async function logout(): Promise<void> {
    await Promise.allSettled([...farewells].map((send) => send()));
    let elsewhere: string | null = null;
    try {
      elsewhere = (await data(api.signOut({}))).url;
    } finally {
      mark(false);
      token = null;
      user.value = null;
      hasEnded.value = isKept.value = false;
      dropWaiting();
      await part();
    }
    if (elsewhere) window.location.assign(elsewhere); // who signed in at a provider signs out there too
  }

  function enterKept(me: api.Me): void {
    user.value = me;
    isKept.value = true;
  }

  const permissions = computed(() => new Set<string>(user.value?.permissions ?? []));
  const can = (permission: string): boolean => permissions.value.has(permission);

  return {
    user,
    hasEnded,
    lasts,
    enter,
    check,
    lookAgain,
    isKept,
    isUnreachable,
    enterKept,
    whenOver,
    waiting,
    login,
    comeIn,
    verify,
    usePasskey,
    logout,
    restore,
    renew,
    loadUser,
    beforeLogout,
    can,
    accessToken: () => token,
  };
});
