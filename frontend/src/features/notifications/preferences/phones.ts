/** Pure: one's own phones, and the codes that prove them. */
import type { ContactPointRead } from "@/api/generated";

export const MOST_PHONES = 2;

export const phonesOf = (points: ContactPointRead[]): ContactPointRead[] =>
  points.filter((p) => p.channel === "sms");

/** The phone a code is waited for: the one just asked for, else one that was never proved. */
export const nextOf = (phones: ContactPointRead[], asked: number | null): ContactPointRead | null =>
  phones.find((p) => p.id === asked) ?? phones.find((p) => !p.is_verified) ?? null;

/** A code as people copy it: blanks and dashes in it do not count. */
export const digitsOf = (written: string): string => written.replace(/[\s\-–]/g, "");

export const isCode = (written: string): boolean => /^[0-9]{6}$/.test(digitsOf(written));
