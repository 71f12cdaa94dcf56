"""An OpenID Connect issuer for tests, on this machine, that can be made to lie in every way a hostile one may."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT, SECRET = "waypost", "s3cr:t/ä"
_RSA = [RSAKey.generate_key(2048, {"kid": f"rsa-{n}", "use": "sig"}, private=True) for n in range(2)]
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"}, private=True)


class Issuer:
    """One issuer. `claims` are laid over an ID token's; `lie` may change a token before it goes out."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.keys: list[Any] = [_RSA[0]]
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.metadata: dict[str, Any] = {}
        self.lie: Callable[[str], str] | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.sent: list[dict[str, str]] = []
        self.authorizations: list[str] = []
        self.fails = False

    # what a test does in place of a person at the issuer's page

    def sign_in(self, address: str) -> dict[str, str]:
        """The parameters with which the browser comes back."""
        asked = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?")
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"state": asked["state"], "code": code, "iss": self.url}

    def id_token(self, nonce: str | None, *, key: Any = None, header: dict[str, Any] | None = None, **more: Any) -> str:
        key = key or self.keys[0]
        at = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "jane",
            "iat": at,
            "exp": at + 300,
            "nonce": nonce,
            **self.claims,
            **more,
        }
        head = {"alg": "ES256" if isinstance(key, ECKey) else "RS256", "kid": key.kid, **(header or {})}
        claims = {k: v for k, v in claims.items() if v is not None}
        return jwt.encode({k: v for k, v in head.items() if v is not None}, claims, key, algorithms=[str(head["alg"])])

    def logout_token(self, *, key: Any = None, header: dict[str, Any] | None = None, **more: Any) -> str:
        at = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": at,
            "exp": at + 120,
            "jti": secrets.token_hex(8),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            **more,
        }
        claims = {k: v for k, v in claims.items() if v is not None}
        key = key or self.keys[0]
        head = {"alg": "RS256", "kid": key.kid, "typ": "logout+jwt", **(header or {})}
        return jwt.encode({k: v for k, v in head.items() if v is not None}, claims, key, algorithms=["RS256"])

    # what it serves

    def answer(self, method: str, path: str, headers: dict[str, str], body: str) -> tuple[int, Any]:
        self.asked.append(path)
        if self.fails:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/me",
                "end_session_endpoint": f"{self.url}/logout",
                "authorization_response_iss_parameter_supported": True,
                "id_token_signing_alg_values_supported": ["RS256"],
                "backchannel_logout_supported": True,
                **self.metadata,
            }
        if path == "/keys":
            return 200, KeySet(self.keys).as_dict(private=False)
        if path == "/me":
            assert headers["authorization"] == "Bearer access"
            return (200, self.userinfo) if self.userinfo is not None else (404, {})
        if path == "/token" and method == "POST":
            return self._token(headers, {k: v[0] for k, v in parse_qs(body).items()})
        return 404, {}

    def _token(self, headers: dict[str, str], form: dict[str, str]) -> tuple[int, Any]:
        self.sent.append(form)
        self.authorizations.append(headers.get("authorization", ""))
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        if headers.get("authorization", "").startswith("Basic "):
            name, _, secret = base64.b64decode(headers["authorization"][6:]).decode().partition(":")
            if (unquote_plus(name), unquote_plus(secret)) != (CLIENT, SECRET):
                return 401, {"error": "invalid_client"}
        elif "client_assertion" not in form and form.get("client_secret") != SECRET:
            return 401, {"error": "invalid_client"}
        token = self.id_token(asked["nonce"])
        return 200, {
            "id_token": self.lie(token) if self.lie else token,
            "access_token": "access",
            "token_type": "Bearer",
        }


@asynccontextmanager
async def running() -> AsyncIterator[Issuer]:
    """An issuer that listens."""
    made: Issuer | None = None

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
            body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
            method, target, _ = first.split(" ")
            assert made is not None
            status, document = made.answer(method, urlsplit(target).path, headers, body)
            raw = json.dumps(document).encode()
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
                f"Connection: close\r\n\r\n".encode()
                + raw
            )
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made = Issuer(server.sockets[0].getsockname()[1])
    async with server:
        yield made
