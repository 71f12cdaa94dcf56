/** What lies on this device until the server has it: a person's drafts, each under its own name. */
import type { Local, Shelf } from "./keeper";

const PREFIX = "waypost.draft.";
const isLocal = (value: unknown): value is Local => {
  const local = value as Partial<Local> | null;
  return (
    typeof local === "object" &&
    local !== null &&
    typeof local.ticket_type === "string" &&
    typeof local.base === "number" &&
    typeof local.at === "string"
  );
};

export function shelfOf(
  userId: number,
  storage: Storage = localStorage,
): Shelf & { all(): [string, Local][] } {
  const place = `${PREFIX}${userId}.`;
  function get(id: string): Local | null {
    try {
      const local: unknown = JSON.parse(storage.getItem(place + id) ?? "null");
      return isLocal(local) ? local : null;
    } catch {
      return null; // closed to us, or not ours
    }
  }
  return {
    get,
    /** Whether it lies there now: storage may be full, or closed to us. */
    put(id, local) {
      try {
        storage.setItem(place + id, JSON.stringify(local));
        return true;
      } catch {
        return false;
      }
    },
    remove(id) {
      try {
        storage.removeItem(place + id);
      } catch {
        // Closed to us: then nothing lies there.
      }
    },
    all() {
      try {
        const names = Array.from({ length: storage.length }, (_, n) => storage.key(n) ?? "");
        return names
          .filter((name) => name.startsWith(place))
          .map((name) => name.slice(place.length))
          .flatMap((id) => {
            const local = get(id);
            return local ? [[id, local] as [string, Local]] : [];
          });
      } catch {
        return [];
      }
    },
  };
}
