import { useRouter } from "vue-router";

/** Back to where one came from in the app, with its scroll; or to the other page when one came from outside. */
export function useBack(otherwise: string): () => void {
  const router = useRouter();
  return () => {
    const state = window.history.state as { back?: string | null } | null;
    if (state?.back) router.back();
    else void router.push(otherwise);
  };
}
