/** Pure: with what a browser comes back from a provider's page, behind the # of the address. */
export type Refused = "over" | "denied" | "fails";
export interface CameBack {
  ticket?: string;
  refused?: Refused;
}

/** What the address says; null when nobody came back. What is not known is taken as having taken too long. */
export function cameWith(hash: string): CameBack | null {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const ticket = said.get("came");
  if (ticket) return { ticket };
  const refused = said.get("refused");
  if (!refused) return null;
  return { refused: refused === "denied" || refused === "fails" ? refused : "over" };
}
