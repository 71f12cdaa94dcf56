"""npm's `oidc-provider`: a certified OpenID Connect issuer, with people who are let in by any password."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
from joserfc.jwk import RSAKey

from integration.systems import npm, running

VERSION = "9.13.3"
CLIENT, SECRET = "waypost", "a-secret-of-32-characters-or-more"
_FORM = re.compile(r"<form[^>]*action=\"([^\"]+)\"[^>]*>(.*?)</form>", re.DOTALL)
_FIELD = re.compile(r"<input[^>]*>", re.DOTALL)
_SCRIPT = """
import { readFileSync } from "node:fs";
import { Provider } from "PACKAGE";
const { issuer, port, jwks, people, client } = JSON.parse(readFileSync(process.argv[2]));
const provider = new Provider(issuer, {
  jwks,
  clients: [client],
  claims: {
    openid: ["sub", "sid"],
    email: ["email", "email_verified"],
    profile: ["given_name", "family_name", "preferred_username"],
    groups: ["groups"],
  },
  scopes: ["openid", "offline_access", "email", "profile", "groups"],
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
  },
  // it calls nobody on its own machine, unless told to: here that is where we are
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
});
provider.listen(port, "127.0.0.1", () => console.log("oidc-provider is listening"));
"""


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An issuer that listens."""

    issuer: str


@contextmanager
def oidc_provider(
    folder: Path, port: int, client: dict[str, Any], people: dict[str, dict[str, Any]], kid: str
) -> Iterator[OidcProvider]:
    """An issuer with a fresh key of this name, one client, and these people."""
    package = npm("oidc-provider", VERSION).parent / "oidc-provider" / "lib" / "index.js"
    script, settings = folder / "issuer.mjs", folder / "issuer.json"
    script.write_text(_SCRIPT.replace("PACKAGE", str(package)).replace("import { Provider }", "import * as library"))
    script.write_text(script.read_text().replace("new Provider(", "new (library.Provider ?? library.default)("))
    key = RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)
    issuer = f"http://127.0.0.1:{port}"
    jwks = {"keys": [key.as_dict(private=True)]}
    settings.write_text(json.dumps({"issuer": issuer, "port": port, "jwks": jwks, "people": people, "client": client}))
    with running("node", str(script), str(settings), ready="oidc-provider is listening"):
        yield OidcProvider(issuer)


class Person:
    """Somebody's browser at the issuer: it keeps cookies there, and fills in what is asked."""

    def __init__(self) -> None:
        self.http = httpx2.AsyncClient(follow_redirects=False, timeout=20)

    async def sign_in(self, address: str, login: str, back: str) -> dict[str, str]:
        """From our address to theirs, through their pages, until they send back to `back`; the parameters."""
        return await self._walk(await self.http.get(address), address, back, {"login": login, "password": "any"})

    async def sign_out(self, address: str, back: str) -> dict[str, str]:
        """The same for signing out: their page asks whether to, and is told yes."""
        return await self._walk(await self.http.get(address), address, back, {"logout": "yes"})

    async def _walk(self, answer: httpx2.Response, at: str, back: str, typed: dict[str, str]) -> dict[str, str]:
        for _ in range(20):
            where = answer.headers.get("location")
            if where:
                at = urljoin(at, where)
                if at.startswith(back):
                    return dict(httpx2.URL(at).params)
                answer = await self.http.get(at)
                continue
            action, fields = _form_of(answer.text)
            at = urljoin(at, action)
            answer = await self.http.post(
                at, data=fields | {k: v for k, v in typed.items() if k in fields or k == "logout"}
            )
        raise AssertionError(f"never came back from {at}: {answer.status_code} {answer.text[:500]}")


def _form_of(page: str) -> tuple[str, dict[str, str]]:
    """A page's form: where it goes, and its fields with what stands in them."""
    found = _FORM.search(page)
    assert found, page[:1000]
    fields = {}
    for field in _FIELD.findall(found[2]):
        said = dict(re.findall(r"(\w+)=\"([^\"]*)\"", field))
        if "name" in said:
            fields[said["name"]] = html.unescape(said.get("value", ""))
    return html.unescape(found[1]), fields
