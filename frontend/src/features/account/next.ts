/** Where to go on to: only a path of ours, since an address from outside must not lead anywhere else. */
export function ownPath(wanted: unknown): string {
  return typeof wanted === "string" && /^\/(?![/\\])/.test(wanted) ? wanted : "/";
}
