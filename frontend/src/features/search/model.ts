/** A piece of a text that was found, and whether it is what was looked for. */
export interface Piece {
  text: string;
  isMarked: boolean;
}

const SIGNS: Record<string, string> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#x27;": "'",
};

/** The server's text in which only `<mark>` is markup, as pieces: shown as text, so nothing in it can ever be more. */
export function pieces(html: string): Piece[] {
  return html
    .split(/(<mark>.*?<\/mark>)/s)
    .filter((piece) => piece !== "")
    .map((piece) => {
      const isMarked = piece.startsWith("<mark>") && piece.endsWith("</mark>");
      const said = isMarked ? piece.slice(6, -7) : piece;
      return { text: said.replace(/&(?:amp|lt|gt|quot|#x27);/g, (sign) => SIGNS[sign] ?? sign), isMarked };
    });
}

/** What was written, without one of its filters. */
export function without(q: string, text: string): string {
  const at = q.indexOf(text);
  const rest = at < 0 ? q : q.slice(0, at) + q.slice(at + text.length);
  return rest.replace(/\s+/g, " ").trim();
}

/** What was written, with a filter more. */
export function withFilter(q: string, field: string, value: string): string {
  const word = `${field}:${value.toLowerCase()}`;
  return q.split(/\s+/).includes(word) ? q : `${q.trim()} ${word}`.trim();
}
