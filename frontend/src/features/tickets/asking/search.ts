/**
 * Pure: which kind of request somebody means by everyday words. Words are compared without accents, capitals and
 * plural, as beginnings, and with a slip of the finger; what people call it counts more than what explains it.
 */

export interface Searchable {
  name: string;
  description: string;
  category: string;
  keywords: string[];
  form: Record<string, unknown>;
}
export interface Indexed<T> {
  type: T;
  /** Each word once, with the weight of the best place it stands in. */
  words: Map<string, number>;
  /** Whole names and keywords, for what is looked for in several words. */
  phrases: string[];
}

const WEIGHT = { name: 10, keyword: 9, category: 4, description: 4, form: 1 };
const PHRASE = 12;
// Words that say nothing of what is needed.
const EMPTY = new Set(
  (
    "a an and any are as at be because but by can could do does for from get give has have help how i in is it me my " +
    "need needs new no not of on or our please request some that the there this to up want was we what when where " +
    "which who why with would you your"
  ).split(" "),
);

/** The words of a text, bare of accents and capitals: "Schlüssel-Karte" is "schlussel", "karte". */
export function wordsOf(text: string): string[] {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}

/** A word without its plural. */
export function single(word: string): string {
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && /(ss|x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return word.length > 3 && /[^isu]s$/.test(word) ? word.slice(0, -1) : word;
}

/** Whether one word becomes the other by at most `most` slips: a letter too many, missing, wrong, or two swapped. */
export function isNear(one: string, other: string, most: number): boolean {
  if (Math.abs(one.length - other.length) > most) return false;
  let twoAgo: number[] = [];
  let before = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= other.length; j += 1) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      let steps = Math.min(before[j]! + 1, row[j - 1]! + 1, before[j - 1]! + cost);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        steps = Math.min(steps, twoAgo[j - 2]! + 1);
      row.push(steps);
      least = Math.min(least, steps);
    }
    if (least > most) return false;
    twoAgo = before;
    before = row;
  }
  return before[other.length]! <= most;
}

/** How much a typed word means another one, from 0 to 1. */
function likeness(typed: string, word: string): number {
  if (typed === word) return 1;
  if (word.startsWith(typed)) return typed.length > 1 ? 0.8 : 0.3;
  if (word.length > 3 && typed.startsWith(word)) return 0.6;
  if (typed.length > 3 && word.includes(typed)) return 0.5;
  if (typed.length < 4) return 0;
  const most = typed.length > 7 ? 2 : 1;
  if (isNear(typed, word, most)) return 0.6;
  // still being typed, and with a slip already
  return typed.length > 4 && word.length > typed.length && isNear(typed, word.slice(0, typed.length), 1)
    ? 0.4
    : 0;
}

function formWords(form: Record<string, unknown>): string {
  const properties = (form.properties ?? {}) as Record<string, Record<string, unknown>>;
  return Object.values(properties)
    .flatMap((p) => [p.title, p.description, ...(Array.isArray(p.enum) ? p.enum : [])])
    .filter((word) => typeof word === "string")
    .join(" ");
}

export function indexOf<T extends Searchable>(types: T[]): Indexed<T>[] {
  return types.map((type) => {
    const words = new Map<string, number>();
    const put = (text: string, weight: number) => {
      for (const word of wordsOf(text)) {
        const bare = single(word);
        if (!EMPTY.has(word)) words.set(bare, Math.max(words.get(bare) ?? 0, weight));
      }
    };
    put(type.name, WEIGHT.name);
    for (const keyword of type.keywords) put(keyword, WEIGHT.keyword);
    put(type.category, WEIGHT.category);
    put(type.description, WEIGHT.description);
    put(formWords(type.form), WEIGHT.form);
    const phrases = [type.name, ...type.keywords].map((p) => wordsOf(p).map(single).join(" "));
    return { type, words, phrases: phrases.filter((p) => p.includes(" ")) };
  });
}

/**
 * The types that fit, best first; of equals the one that stands first in the list. All of them before a word says
 * anything, none when none fits.
 */
export function search<T>(index: Indexed<T>[], typed: string): T[] {
  const all = wordsOf(typed.slice(0, 200)).slice(0, 20);
  const asked = [...new Set(all.filter((word) => !EMPTY.has(word)).map(single))];
  if (!asked.length) return index.map((entry) => entry.type);
  const whole = ` ${all.map(single).join(" ")} `;
  return index
    .map(({ type, words, phrases }) => {
      let score = phrases.some((p) => whole.includes(` ${p} `)) ? PHRASE : 0;
      for (const word of asked) {
        let best = 0;
        for (const [other, weight] of words) best = Math.max(best, likeness(word, other) * weight);
        score += best;
      }
      return { type, score };
    })
    .filter(({ score }) => score > 0.5) // a half-likely word of a form alone is chance
    .sort((a, b) => b.score - a.score)
    .map(({ type }) => type);
}

/** The keys somebody asks by most, of their latest requests (newest first): the more often and the later, the sooner. */
export function oftenAsked(latest: string[], most: number): string[] {
  const score = new Map<string, number>();
  latest.forEach((key, n) => score.set(key, (score.get(key) ?? 0) + 1 / (1 + n / 10)));
  return [...score.entries()]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([key]) => key);
}
