/** Reading without a network, and the worker that makes it possible: what of it is there from the start. */
import { onlineManager, type QueryClient } from "@tanstack/vue-query";
import { watch } from "vue";
import { asProblem } from "@/api/problem";
import { useConnection } from "@/stores/connection";
import { useSession } from "@/stores/session";
import { isMarked } from "./mark";

const isMissing = (error: unknown) => asProblem(error).code === "not_kept";
const load = () => import("./keeping");

/** After a start without the server: what the last person here looked at, to read. False when there is nothing. */
export async function readKept(queries: QueryClient): Promise<boolean> {
  if (!isMarked()) return false;
  const session = useSession();
  try {
    const me = await (await load()).open(queries);
    if (!me) return false;
    onlineManager.setOnline(false);
    session.enterKept(me);
    return true;
  } catch {
    return false; // storage is closed to us, or the part that reads it never came
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
