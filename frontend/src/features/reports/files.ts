/** Hands a text to the browser as a file; the mark at its beginning tells spreadsheets that it is UTF-8. */
export function save(name: string, text: string): void {
  const link = document.createElement("a");
  const address = URL.createObjectURL(new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" }));
  link.href = address;
  link.download = name.replace(/[^\p{L}\p{N}. -]+/gu, "");
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 1000);
}
