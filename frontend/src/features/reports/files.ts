import { keep } from "@/shared/lib/download";

/** Hands a text to the browser as a file; the mark at its beginning tells spreadsheets that it is UTF-8. */
export function save(name: string, text: string): void {
  const file = new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" });
  keep(file, name.replace(/[^\p{L}\p{N}. -]+/gu, ""));
}
