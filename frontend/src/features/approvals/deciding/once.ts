import { idempotencyKey } from "@/api/client";

const keys = new Map<string, string>();

/**
 * Send something so that it is done once: until it is known to be done, the same again has the same key, and an answer
 * that was lost on the way comes after all. Once it is done, the same words are another decision.
 */
export async function sentOnce<T>(
  what: object,
  send: (headers: { "Idempotency-Key": string }) => Promise<T>,
): Promise<T> {
  const said = JSON.stringify(what);
  const key = keys.get(said) ?? idempotencyKey();
  keys.set(said, key);
  const answer = await send({ "Idempotency-Key": key });
  keys.delete(said);
  return answer;
}
