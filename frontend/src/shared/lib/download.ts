/** Files that come with an answer, kept by the browser under the name the server gave them. */

/** The name in a `Content-Disposition`, or the other one. */
export function nameOf(disposition: string | null, otherwise: string): string {
  return /filename="([^"]+)"/.exec(disposition ?? "")?.[1] ?? otherwise;
}

/** Give a file to the browser's downloads. */
export function keep(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
