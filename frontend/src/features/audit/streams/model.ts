/** Pure: a destination of the trail as it is filled in. */
import type { StreamCreate, StreamRead } from "@/api/generated";
import { FAMILIES } from "../model";

export type StreamSetup = Omit<StreamCreate, "start">;
export const TRANSPORTS = ["TLS", "TCP", "UDP"] as const;
export const AUTHS = ["BEARER", "HEADER", "NONE"] as const;
export const FORMATS = ["NDJSON", "ARRAY"] as const;
/** What can be sent by itself: what actions begin with. */
export const KINDS_OF_EVENT = FAMILIES;

const TEXTS = [
  "host",
  "hostname",
  "url",
  "header_name",
  "ca_certificate",
  "client_certificate",
  "client_key",
  "secret",
] as const;
type TextKey = (typeof TEXTS)[number];

export type Draft = Omit<Required<StreamSetup>, TextKey | "facility"> &
  Record<TextKey, string> & { facility: number | null };

const PORTS = { TLS: 6514, TCP: 514, UDP: 514 } as const;
const LONGEST = { TLS: 65_536, TCP: 65_536, UDP: 2048 } as const;

/** As the form begins; secrets that are kept are never told. */
export function draftOf(stream: StreamRead | null): Draft {
  return {
    name: stream?.name ?? "",
    kind: stream?.kind ?? "SYSLOG",
    families: [...(stream?.families ?? [])],
    is_on: stream?.is_on ?? true,
    host: stream?.host ?? "",
    port: stream?.port ?? PORTS.TLS,
    transport: stream?.transport ?? "TLS",
    hostname: stream?.hostname ?? "",
    app_name: stream?.app_name ?? "waypost",
    facility: stream?.facility ?? null,
    enterprise_number: stream?.enterprise_number ?? 32_473,
    longest: stream?.longest ?? LONGEST.TLS,
    url: stream?.url ?? "",
    auth: stream?.auth ?? "BEARER",
    header_name: stream?.header_name ?? "",
    body_format: stream?.body_format ?? "NDJSON",
    batch_size: stream?.batch_size ?? 200,
    is_gzip: stream?.is_gzip ?? false,
    ca_certificate: stream?.ca_certificate ?? "",
    client_certificate: stream?.client_certificate ?? "",
    client_key: "",
    secret: "",
  };
}

/** What is sent: an empty text is nothing. */
export function bodyOf(draft: Draft): StreamSetup {
  const texts = Object.fromEntries(TEXTS.map((key) => [key, draft[key].trim() || null]));
  return { ...draft, ...texts, name: draft.name.trim(), app_name: draft.app_name.trim() || "waypost" };
}

/** A destination as it is, but on or off. */
export function switched(stream: StreamRead, isOn: boolean): StreamSetup {
  return { ...bodyOf(draftOf(stream)), is_on: isOn };
}

/** Port and longest message that are usual for another transport; one's own stay. */
export function usualFor(draft: Draft, before: Draft["transport"]): Pick<Draft, "port" | "longest"> {
  const to = draft.transport;
  return {
    port: draft.port === PORTS[before] ? PORTS[to] : draft.port,
    longest: draft.longest === LONGEST[before] ? LONGEST[to] : draft.longest,
  };
}

/** Where it goes, in one line. */
export function whereOf(stream: StreamRead): string {
  if (stream.kind === "HTTPS") return stream.url ?? "";
  return `${stream.transport ?? ""} ${stream.host ?? ""}:${stream.port ?? ""}`.trim();
}
