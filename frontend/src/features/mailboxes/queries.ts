import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import type { Filters } from "./model";

const BOXES = ["mailboxes"] as const;
const MAILS = ["incoming-mails"] as const;

export function useMailboxes() {
  return useQuery({
    queryKey: BOXES,
    queryFn: ({ signal }) => data(api.mailboxList({ signal })),
    refetchInterval: 15_000, // how each goes
  });
}

/** Add a mailbox (`id` null), or change one. */
export function useSaveMailbox() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version, body }: { id: number | null; version: number; body: api.MailboxSetup }) =>
      id === null
        ? data(api.addMailbox({ body, headers: { "Idempotency-Key": idempotencyKey() } }))
        : data(api.changeMailbox({ path: { mailbox_id: id }, body: { ...body, version } })),
    onSettled: () => queries.invalidateQueries({ queryKey: BOXES }),
  });
}

export function useTryMailbox() {
  return useMutation({ mutationFn: (body: api.MailboxTest) => data(api.tryMailbox({ body })) });
}

export function useRemoveMailbox() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => data(api.removeMailbox({ path: { mailbox_id: id } })),
    onSettled: () => queries.invalidateQueries({ queryKey: BOXES }),
  });
}

export function useMails(filters: Ref<Filters>) {
  return useInfiniteQuery({
    queryKey: [...MAILS, "list", filters],
    queryFn: ({ pageParam, signal }) =>
      data(api.incomingMails({ query: { ...filters.value, limit: 50, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: (before) => before,
  });
}

/** What one mail says, once it is asked for. */
export function useMail(id: number, isOpen: Ref<boolean>) {
  return useQuery({
    queryKey: [...MAILS, "one", id],
    queryFn: ({ signal }) => data(api.incomingMail({ path: { mail_id: id }, signal })),
    enabled: isOpen,
  });
}

function useDealing<T, R>(work: (what: T) => Promise<R>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: MAILS }),
        queries.invalidateQueries({ queryKey: BOXES }),
      ]),
  });
}
export const useTakeAnew = () =>
  useDealing((id: number) => data(api.takeMailAnew({ path: { mail_id: id } })));
export const useDiscard = () => useDealing((ids: number[]) => data(api.discardMails({ body: { ids } })));
export const usePutOnTicket = () =>
  useDealing(({ id, body }: { id: number; body: api.MailPlace }) =>
    data(api.putMailOnTicket({ path: { mail_id: id }, body })),
  );
