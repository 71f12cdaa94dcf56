/** Numbers, money and times as people here read them: by their locale and time zone. */

let locale: string | undefined;
let zone: string | undefined;

/** Set once a person is known. An unknown locale or zone falls back to the browser's. */
export function useFormats(personLocale?: string, personZone?: string): void {
  try {
    locale = personLocale ? new Intl.Locale(personLocale).toString() : undefined;
  } catch {
    locale = undefined;
  }
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: personZone });
    zone = personZone || undefined;
  } catch {
    zone = undefined;
  }
}

/** `1450.00` and `USD` as `$1,450.00`; the decimal string is shown exactly, never through a float's rounding. */
export function money(amount: string, currency: string | null): string {
  try {
    const format = new Intl.NumberFormat(locale, { style: "currency", currency: currency ?? "USD" });
    return format.format(amount as unknown as number);
  } catch {
    return `${amount} ${currency ?? ""}`.trim();
  }
}

export function number(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(locale, options).format(value);
}

export function date(value: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: zone }).format(new Date(value));
}

export function dateTime(value: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: zone }).format(
    new Date(value),
  );
}

export function time(value: string): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: "short", timeZone: zone }).format(new Date(value));
}

/** An exact instant as briefly as can be: the time when it is today, with the day when it is not. */
export function moment(value: string, now: number, withSeconds = false): string {
  const at = new Date(value);
  const day = new Intl.DateTimeFormat("en", { dateStyle: "short", timeZone: zone });
  const clock: Intl.DateTimeFormatOptions = withSeconds
    ? { hour: "numeric", minute: "2-digit", second: "2-digit" }
    : { hour: "numeric", minute: "2-digit" };
  const date: Intl.DateTimeFormatOptions =
    day.format(at) === day.format(now) ? {} : { weekday: "short", day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(locale, { ...date, ...clock, timeZone: zone }).format(at);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** "in 3 hours", "2 days ago", or "now" within a minute. */
export function relative(value: string, now: number): string {
  const seconds = Math.round((new Date(value).getTime() - now) / 1000);
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return format.format(0, "second");
}

/** How long something took, in the unit people would say: minutes, hours, or days. */
export function duration(hours: number): string {
  const said = (value: number, unit: string) =>
    number(value, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 });
  if (hours < 1) return said(Math.max(1, Math.round(hours * 60)), "minute");
  return hours < 48 ? said(hours, "hour") : said(hours / 24, "day");
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** "320 byte", "48 kB", "2.4 MB": rounded up, so that what is over a limit never reads like the limit itself. */
export function fileSize(bytes: number): string {
  const step = bytes < 1024 ? 0 : bytes < 1024 ** 2 ? 1 : bytes < 1024 ** 3 ? 2 : 3;
  const fine = step < 2 ? 1 : 10;
  const value = Math.ceil((bytes / 1024 ** step) * fine) / fine;
  return number(value, { style: "unit", unit: SIZES[step], unitDisplay: step ? "short" : "long" });
}

/** Several names as a sentence takes them: "Ana, Ben, and Cem". */
export function names(list: string[]): string {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(list);
}

/** Several names of which one is enough: "Ana, Ben, or Cem". */
export function either(list: string[]): string {
  return new Intl.ListFormat(locale, { type: "disjunction" }).format(list);
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? (words.at(-1)?.[0] ?? "") : "")).toUpperCase();
}
