/** Reading without a network, and the worker that makes it possible: what of it is there from the start. */
import { onlineManager, type QueryClient } from "@tanstack/vue-query";
import { watch } from "vue";
import { asProblem } from "@/api/problem";
import { useConnection } from "@/stores/connection";
import { useSession } from "@/stores/session";
import { isMarked } from "./mark";

const isMissing = (error: unknown) => asProblem(error).code === "not_kept";
const load = () => import("./keeping");

const PATIENCE = 6000; // a server that says nothing for so long is away, when there is something to read meanwhile

/** Who is signed in, asked of the server; when it cannot be asked, who was here last, to read what was kept. */
export async function findWhoIsHere(queries: QueryClient): Promise<void> {
  const session = useSession();
  const restored = session.restore();
  if (!isMarked()) return restored;
  let timer: number | undefined;
  const late = new Promise<"late">((tell) => (timer = window.setTimeout(tell, PATIENCE, "late" as const)));
  const first = await Promise.race([restored, late]);
  clearTimeout(timer);
  if (!session.user && (first === "late" || session.isUnreachable)) await readKept(queries);
}

/** After a start without the server: what the last person here looked at, to read. */
async function readKept(queries: QueryClient): Promise<void> {
  const session = useSession();
  try {
    const me = await (await load()).open(queries);
    if (!me || session.user) return; // or the server did answer meanwhile
    onlineManager.setOnline(false);
    session.enterKept(me);
  } catch {
    // storage is closed to us, or the part that reads it never came
  }
}

/** Keep what is read while somebody is signed in, and nothing after them. */
export function startKeeping(queries: QueryClient): void {
  const session = useSession();
  const connection = useConnection();
  session.whenOver(async () => {
    if (isMarked()) await (await load()).forget();
  });
  watch(
    () => (session.user && !session.isKept && !session.hasEnded ? session.user : null),
    (me) => {
      if (!me) return;
      // Not before what is on the screen has come.
      window.setTimeout(() => {
        if (session.user?.id === me.id && !session.hasEnded && !session.isKept)
          load()
            .then(({ keep }) => keep(queries, me))
            .catch(() => undefined); // a browser that keeps nothing for us is read with a network
      }, 500);
    },
    { immediate: true },
  );
  watch(
    () => session.isKept,
    (isKept, was) => {
      if (!was || isKept) return;
      onlineManager.setOnline(true);
      queries.removeQueries({ type: "inactive" }); // what was kept is as it was, and is read anew
      void queries.invalidateQueries();
    },
  );
  let end: (() => void) | undefined;
  watch(
    () => connection.state === "offline",
    async (isOffline) => {
      end?.();
      end = undefined;
      if (isOffline) {
        end = await load().then(
          ({ sayWhatIsMissing }) => sayWhatIsMissing(queries),
          () => undefined,
        );
        // What could not be shown is asked for, also where nothing is asked again by itself.
      } else void queries.invalidateQueries({ predicate: ({ state }) => isMissing(state.error) });
    },
    { immediate: true },
  );
}
