/** One line to the server for all tabs of a browser: the tab that holds a lock leads, and tells the others what it hears. */

export interface Sharing<Message> {
  /** Tell the other tabs. */
  tell(message: Message): void;
  /** Do `work` as soon as no other tab leads, and lead until it ends. */
  lead(work: () => Promise<void>, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Where a browser cannot share (no locks, no channel between tabs), every tab leads itself. */
function alone<Message>(): Sharing<Message> {
  return { tell: () => undefined, lead: (work) => work(), close: () => undefined };
}

/** Share with the tabs that use the same `name`; `hear` gets what the leading one tells. */
export function share<Message>(name: string, hear: (message: Message) => void): Sharing<Message> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (!locks || typeof BroadcastChannel === "undefined") return alone();
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<Message>) => hear(event.data);
  return {
    tell: (message) => channel.postMessage(message),
    lead: (work, signal) => locks.request(name, { signal }, work).then(() => undefined),
    close: () => channel.close(),
  };
}
