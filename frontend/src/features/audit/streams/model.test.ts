import { describe, expect, it } from "vitest";
import type { StreamRead } from "@/api/generated";
import { bodyOf, draftOf, switched, usualFor, whereOf } from "./model";

const STREAM: StreamRead = {
  id: 1,
  name: "SIEM",
  kind: "SYSLOG",
  families: ["auth"],
  is_on: true,
  host: "siem.example.com",
  port: 514,
  transport: "TCP",
  hostname: null,
  app_name: "waypost",
  facility: 0,
  enterprise_number: 99,
  longest: 8192,
  url: null,
  auth: null,
  header_name: null,
  body_format: null,
  batch_size: null,
  is_gzip: null,
  ca_certificate: "PEM",
  client_certificate: null,
  has_secrets: true,
  version: 4,
  health: {
    state: "WORKS",
    position: 10,
    sealed_to: 10,
    behind: 0,
    behind_since: null,
    sent_count: 10,
    failures: 0,
    failing_since: null,
    last_error: null,
    failed_at: null,
    worked_at: null,
    paused_until: null,
  },
};

describe("a destination as it is filled in", () => {
  it("begins as it is, without secrets", () => {
    const draft = draftOf(STREAM);
    expect(draft).toMatchObject({
      host: "siem.example.com",
      facility: 0,
      longest: 8192,
      secret: "",
      url: "",
    });
    expect(bodyOf(draft)).toMatchObject({ secret: null, client_key: null, url: null, ca_certificate: "PEM" });
  });
  it("begins anew with what is usual", () => {
    expect(draftOf(null)).toMatchObject({ kind: "SYSLOG", transport: "TLS", port: 6514, is_on: true });
    expect(bodyOf({ ...draftOf(null), app_name: " ", name: " a " })).toMatchObject({
      app_name: "waypost",
      name: "a",
    });
  });
  it("is switched as it is", () => {
    expect(switched(STREAM, false)).toMatchObject({ is_on: false, families: ["auth"], longest: 8192 });
  });
  it("keeps a port of one's own", () => {
    const draft = { ...draftOf(null), transport: "UDP" as const };
    expect(usualFor(draft, "TLS")).toEqual({ port: 514, longest: 2048 });
    expect(usualFor({ ...draft, port: 5140, longest: 9000 }, "TLS")).toEqual({ port: 5140, longest: 9000 });
  });
  it("says where it goes", () => {
    expect(whereOf(STREAM)).toBe("TCP siem.example.com:514");
    expect(whereOf({ ...STREAM, kind: "HTTPS", url: "https://x/" })).toBe("https://x/");
  });
});
