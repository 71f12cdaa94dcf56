/** Two texts side by side: what they share at both ends, and what differs between. Pure. */
export interface Part {
  text: string;
  kind: "same" | "before" | "after";
}

const words = (text: string) => text.match(/\s+|[^\s]+/g) ?? [];

/** The parts to show, in order: shared beginning, old middle, new middle, shared end. */
export function difference(before: string, after: string): Part[] {
  const [old, now] = [words(before), words(after)];
  const most = Math.min(old.length, now.length);
  let start = 0;
  while (start < most && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < most - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const parts: Part[] = [
    { kind: "same", text: old.slice(0, start).join("") },
    { kind: "before", text: old.slice(start, old.length - end).join("") },
    { kind: "after", text: now.slice(start, now.length - end).join("") },
    { kind: "same", text: old.slice(old.length - end).join("") },
  ];
  return parts.filter((part) => part.text !== "");
}

/** Of a long shared text only what stands next to the difference. */
export function shortened(parts: Part[], room = 120): Part[] {
  return parts.map((part, n) => {
    if (part.kind !== "same" || part.text.length <= room) return part;
    return {
      ...part,
      text: n === 0 ? `… ${part.text.slice(-room).trimStart()}` : `${part.text.slice(0, room).trimEnd()} …`,
    };
  });
}
