/** Says that something is kept in this browser, so that nothing is opened to look for it. */
export const KEPT_MARK = "waypost.kept";

export function isMarked(): boolean {
  try {
    return localStorage.getItem(KEPT_MARK) !== null;
  } catch {
    return false;
  }
}
