/** What many decisions at once come to: which can be, their totals, whom they are for. Pure. */
import type { QueueItem } from "@/api/generated";

export const MOST_AT_ONCE = 200; // of one request to the server

export type Why = "emergency" | "amount" | "waiting" | "other";

/** Why a request is not decided together with others, or null when it can be. */
export function whyAlone(item: QueueItem): Why | null {
  if (item.one_by_one) return item.one_by_one.why === "EMERGENCY" ? "emergency" : "amount";
  if (item.status !== "PENDING") return "waiting";
  return item.allowed_actions.includes("approve") && item.allowed_actions.includes("reject") ? null : "other";
}

/** Sums by currency, to the cent: `[["USD", "1450.00"]]`. Decimal strings are added as whole cents, never as floats. */
export function totals(items: QueueItem[]): [currency: string, amount: string][] {
  const sums = new Map<string, bigint>();
  for (const { ticket } of items) {
    if (!ticket.amount || !ticket.currency) continue;
    sums.set(ticket.currency, (sums.get(ticket.currency) ?? 0n) + cents(ticket.amount));
  }
  return [...sums].sort(([a], [b]) => a.localeCompare(b)).map(([currency, sum]) => [currency, decimal(sum)]);
}

function cents(amount: string): bigint {
  const [whole = "0", part = ""] = amount.split(".");
  return BigInt(whole) * 100n + BigInt(part.padEnd(2, "0").slice(0, 2));
}

const decimal = (sum: bigint) => `${sum / 100n}.${String(sum % 100n).padStart(2, "0")}`;

/** For whom, the one with most first: `[["Jane Doe", 3]]`; `nobody` stands for a requester who is gone. */
export function whomFor(items: QueueItem[], nobody: string): [name: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { ticket } of items) {
    const name = ticket.requester?.name ?? nobody;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
}

/** In portions the server takes. */
export function portions<T>(all: T[], most = MOST_AT_ONCE): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, n) => all.slice(n * most, (n + 1) * most));
}
