import type { Suggestions, ViewRead } from "@/api/generated";

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

/** One line under the search box: what it says, and where it leads. */
export interface Offer {
  id: string;
  group: "words" | "tickets" | "people" | "views" | "all";
  label: string;
  hint?: string;
  icon: string;
  /** Where it leads. */
  to?: { path: string; query?: Record<string, string> };
  /** What stands in the box once it is chosen: these go on. */
  goesOn?: string;
}

/** What the server suggests as lines in the order they are shown, and last the way to everything that is found. */
export function offers(found: Suggestions | undefined, words: string): Offer[] {
  if (!words) return [];
  const all: Offer = {
    id: "all",
    group: "all",
    label: words,
    icon: "i-lucide-search",
    to: { path: "/search", query: { q: words } },
  };
  if (!found) return [all];
  return [
    ...found.words.map((said): Offer => {
      const last = said.slice(said.lastIndexOf(" ") + 1);
      return { id: `w:${said}`, group: "words", label: last, icon: "i-lucide-funnel", goesOn: said };
    }),
    ...found.tickets.map((ticket): Offer => ({
      id: `t:${ticket.id}`,
      group: "tickets",
      label: ticket.title,
      hint: ticket.ticket_number,
      icon: "i-lucide-ticket",
      to: { path: `/tickets/${ticket.id}` },
    })),
    ...found.people.map((person): Offer => ({
      id: `p:${person.id}`,
      group: "people",
      label: person.name,
      hint: person.department?.name ?? person.username,
      icon: "i-lucide-user-round",
      to: { path: "/tickets", query: { requester_id: String(person.id) } },
    })),
    ...found.views.map((view): Offer => ({
      id: `v:${view.id}`,
      group: "views",
      label: view.name,
      icon: "i-lucide-bookmark",
      to: { path: "/tickets", query: { view: String(view.id) } },
    })),
    all,
  ];
}

/** The next line, from none (-1) through all of them and back to none. */
export function stepped(at: number, by: 1 | -1, many: number): number {
  const next = at + by;
  if (next < -1) return many - 1;
  return next >= many ? -1 : next;
}

/** One's own views that ask for words and nothing else: saved searches, by name. */
export function savedSearches(views: ViewRead[]): ViewRead[] {
  return views.filter(
    (view) =>
      view.scope === "PERSONAL" &&
      !view.condition &&
      typeof view.filters.q === "string" &&
      Object.keys(view.filters).length === 1,
  );
}
