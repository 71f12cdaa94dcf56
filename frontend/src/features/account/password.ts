/** How long a password is, as people count: what looks like one character is one. */
export function lengthOf(password: string): number {
  return [...password.normalize("NFC")].length;
}

export type Strength = "short" | "enough" | "long";

/** Length is what counts, so length is what is said; whether it is one everybody tries, the server knows. */
export function strengthOf(password: string, least: number): Strength {
  const length = lengthOf(password);
  if (length < least) return "short";
  return length < Math.max(20, least + 4) ? "enough" : "long";
}
