/** Pure: what is usual and what is mandatory, as administrators switch it. */

/** How an administrator has one pair: for a role also "as the company has it". */
export type Choice = "on" | "off" | "always" | "company";

export interface Defaults {
  events: Record<string, Record<string, boolean | null>>;
  mandatory: Record<string, string[]>;
}

export function choiceOf(defaults: Defaults, event: string, channel: string): Choice {
  if (defaults.mandatory[event]?.includes(channel)) return "always";
  const value = defaults.events[event]?.[channel] ?? null;
  return value === null ? "company" : value ? "on" : "off";
}

/** The defaults with one pair chosen anew; what is mandatory is on as well. */
export function chosen(defaults: Defaults, event: string, channel: string, choice: Choice): Defaults {
  const others = (defaults.mandatory[event] ?? []).filter((c) => c !== channel);
  const keys = choice === "always" ? [...others, channel] : others;
  const value = choice === "company" ? null : choice !== "off";
  const rest = Object.fromEntries(Object.entries(defaults.mandatory).filter(([e]) => e !== event));
  return {
    events: { ...defaults.events, [event]: { ...defaults.events[event], [channel]: value } },
    mandatory: keys.length ? { ...rest, [event]: keys } : rest,
  };
}
