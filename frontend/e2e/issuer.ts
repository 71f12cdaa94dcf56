/** An OpenID Connect issuer that a journey brings along: whoever comes to its page is let through as one person. */
import { createHash, createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Issuer {
  url: string;
  /** Who is let through, as claims. */
  person: Record<string, unknown>;
  close: () => void;
}

const base64 = (value: string | Buffer) => Buffer.from(value).toString("base64url");

export async function openIssuer(person: Record<string, unknown>): Promise<Issuer> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "journey", use: "sig", alg: "RS256" };
  const codes = new Map<string, { nonce: string; challenge: string; client: string }>();
  const made: Issuer = { url: "", person, close: () => server.close() };

  function token(nonce: string, client: string): string {
    const at = Math.floor(Date.now() / 1000);
    const claims = { iss: made.url, aud: client, iat: at, exp: at + 300, nonce, sid: "s1", ...made.person };
    const signed = `${base64(JSON.stringify({ alg: "RS256", kid: "journey" }))}.${base64(JSON.stringify(claims))}`;
    return `${signed}.${base64(createSign("RSA-SHA256").update(signed).sign(privateKey))}`;
  }

  const json = (response: ServerResponse, value: unknown, status = 200) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  const sendTo = (response: ServerResponse, address: string, params: Record<string, string>) =>
    response.writeHead(302, { location: `${address}?${new URLSearchParams(params).toString()}` }).end();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: asked } = new URL(request.url ?? "/", made.url);
    const said = (name: string) => asked.get(name) ?? "";
    if (pathname === "/.well-known/openid-configuration")
      json(response, {
        issuer: made.url,
        authorization_endpoint: `${made.url}/authorize`,
        token_endpoint: `${made.url}/token`,
        jwks_uri: `${made.url}/keys`,
        end_session_endpoint: `${made.url}/logout`,
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ["RS256"],
      });
    else if (pathname === "/keys") json(response, { keys: [jwk] });
    else if (pathname === "/authorize") {
      const code = randomBytes(16).toString("hex");
      codes.set(code, { nonce: said("nonce"), challenge: said("code_challenge"), client: said("client_id") });
      sendTo(response, said("redirect_uri"), { code, state: said("state"), iss: made.url });
    } else if (pathname === "/token") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const kept = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      const verifier = form.get("code_verifier") ?? "";
      if (!kept || createHash("sha256").update(verifier).digest("base64url") !== kept.challenge)
        json(response, { error: "invalid_grant" }, 400);
      else
        json(response, { id_token: token(kept.nonce, kept.client), access_token: "a", token_type: "Bearer" });
    } else if (pathname === "/logout")
      sendTo(response, said("post_logout_redirect_uri"), { state: said("state") });
    else json(response, {}, 404);
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  made.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return made;
}
