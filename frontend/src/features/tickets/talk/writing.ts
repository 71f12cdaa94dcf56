/** Writing Markdown in a plain text field: what a button, a pick or a paste does to the text. Pure. */

/** A text and what is selected in it. */
export interface Writing {
  text: string;
  start: number;
  end: number;
}

/** Put something before and behind the selection, or take it away where it is already. */
export function wrap({ text, start, end }: Writing, mark: string, sample: string): Writing {
  const inner = text.slice(start, end);
  const n = mark.length;
  if (text.slice(start - n, start) === mark && text.slice(end, end + n) === mark && start >= n) {
    return { text: text.slice(0, start - n) + inner + text.slice(end + n), start: start - n, end: end - n };
  }
  const words = inner || sample;
  return {
    text: text.slice(0, start) + mark + words + mark + text.slice(end),
    start: start + n,
    end: start + n + words.length,
  };
}

/** Begin each selected line with something, or take it away where all of them do. */
export function prefix({ text, start, end }: Writing, mark: string): Writing {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const until = text.indexOf("\n", end) < 0 ? text.length : text.indexOf("\n", end);
  const lines = text.slice(from, until).split("\n");
  const isOn = lines.every((line) => line.startsWith(mark));
  const changed = lines.map((line) => (isOn ? line.slice(mark.length) : mark + line)).join("\n");
  return {
    text: text.slice(0, from) + changed + text.slice(until),
    start: Math.max(from, start + (isOn ? -mark.length : mark.length)),
    end: from + changed.length,
  };
}

/** A link around the selection, with its address selected to be written over. */
export function link({ text, start, end }: Writing, sample: string): Writing {
  const words = text.slice(start, end) || sample;
  const made = `[${words}](https://)`;
  const at = start + words.length + 3;
  return { text: text.slice(0, start) + made + text.slice(end), start: at, end: at + 8 };
}

/** Put words in the place of a part; the caret stands behind them. */
export function replace({ text }: Writing, from: number, to: number, words: string): Writing {
  const caret = from + words.length;
  return { text: text.slice(0, from) + words + text.slice(to), start: caret, end: caret };
}

/** Put a block on lines of its own where the caret is. */
export function block({ text, start, end }: Writing, words: string): Writing {
  const before = text.slice(0, start);
  const lead = !before || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const made = `${lead}${words}\n\n`;
  return replace({ text, start, end }, start, end, made);
}

/** Words as a quotation. */
export function quotation(words: string): string {
  return words
    .trim()
    .split("\n")
    .map((line) => (line ? `> ${line}` : ">"))
    .join("\n");
}

export interface Trigger {
  kind: "mention" | "reply";
  query: string;
  /** Where the @ or / stands. */
  from: number;
}

const MENTION = /(?:^|[^\w@./\\:+-])@([\p{L}\p{N}._-]{0,40})$/u;
const REPLY = /(?:^|\n)\/([^\n]{0,60})$/;

/** What is being looked for at the caret: somebody after an @, a canned reply after a / that begins a line. */
export function trigger(text: string, caret: number): Trigger | null {
  const before = text.slice(Math.max(0, caret - 100), caret);
  const skipped = caret - before.length;
  const mention = MENTION.exec(before)?.[1];
  if (mention !== undefined) return { kind: "mention", query: mention, from: caret - mention.length - 1 };
  const match = REPLY.exec(before);
  if (!match || (skipped && match.index === 0 && before[0] !== "\n")) return null;
  const query = match[1] ?? "";
  return query.startsWith("/") ? null : { kind: "reply", query, from: caret - query.length - 1 };
}

/** A file's name as the words of a picture. */
export function pictureOf(name: string, id: number): string {
  return `![${name.replaceAll(/[[\]\n\\]/g, " ").trim() || "file"}](attachment:${id})`;
}

/** Take something that stands for what is on its way out of the text, or put something in its place. */
export function settle(text: string, placeholder: string, words: string): string {
  const at = text.indexOf(placeholder);
  return at < 0 ? text : text.slice(0, at) + words + text.slice(at + placeholder.length);
}
