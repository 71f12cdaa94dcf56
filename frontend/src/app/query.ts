import { QueryClient } from "@tanstack/vue-query";
import { asProblem } from "@/api/problem";

/** What the server told us, kept and refreshed. Refusals are final; a server that is away is asked again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      gcTime: 10 * 60_000,
      retry: (failures, error) => {
        const { status } = asProblem(error);
        return (status === 0 || status >= 500) && failures < 2;
      },
    },
    // What changes something is done now or not at all: nothing waits for a network to be done unseen later.
    mutations: { retry: false, networkMode: "always" },
  },
});
