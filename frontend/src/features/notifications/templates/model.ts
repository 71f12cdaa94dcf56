/** Pure: the words of a template as they are edited and compared. */

export interface Line {
  kind: "same" | "gone" | "new";
  text: string;
}

/** What differs between two texts, line by line; what is gone stands before what came for it. */
export function compared(before: string, after: string): Line[] {
  const a = before.split("\n");
  const b = after.split("\n");
  // The longest common run, from the end: long[i][j] for a[i…] and b[j…].
  const long = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      long[i]![j] = a[i] === b[j] ? long[i + 1]![j + 1]! + 1 : Math.max(long[i + 1]![j]!, long[i]![j + 1]!);
    }
  }
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i]! });
      i++;
      j++;
    } else if (i < a.length && (j === b.length || long[i + 1]![j]! >= long[i]![j + 1]!)) {
      lines.push({ kind: "gone", text: a[i++]! });
    } else {
      lines.push({ kind: "new", text: b[j++]! });
    }
  }
  return lines;
}

/** A text with words put in the place of what is selected, and where the caret goes then. */
export function putIn(
  text: string,
  start: number,
  end: number,
  words: string,
): { text: string; caret: number } {
  return { text: text.slice(0, start) + words + text.slice(end), caret: start + words.length };
}

/** A kind as an address has it: a dot in it would read as a file's. */
export const slugOf = (kind: string): string => kind.replace(/\./g, "-");
export const kindOf = (slug: string): string => slug.replace(/-/g, ".");

/** The frame around every mail: MJML, one for all channels and languages. */
export const LAYOUT = "mail.layout";

/** The line a mistake speaks of, or null: `line 3: there is no value …`. */
export function lineOf(message: string | undefined): number | null {
  const found = /^line (\d+):/.exec(message ?? "");
  return found ? Number(found[1]) : null;
}

/** Where a line stands in a text, to select it. */
export function rangeOf(text: string, line: number): [number, number] {
  const lines = text.split("\n");
  const n = Math.min(Math.max(line, 1), lines.length) - 1;
  const start = lines.slice(0, n).reduce((sum, l) => sum + l.length + 1, 0);
  return [start, start + (lines[n]?.length ?? 0)];
}
