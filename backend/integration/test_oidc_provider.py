"""Signing in, and out, by a real OpenID Connect provider: npm's `oidc-provider`, through its own pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, select

from integration.oidc_provider import CLIENT, SECRET, Person, oidc_provider
from tests.conftest import Api
from waypost.access.models import Role
from waypost.access.providers.models import IdentityProvider, ProviderGroup
from waypost.access.providers.oidc_issuer import issuers
from waypost.kernel.embedded import free_port
from waypost.kernel.settings import get_settings

KEY = "real"
PEOPLE: dict[str, dict[str, Any]] = {
    "jane": {
        "email": "jane@corp.example.com",
        "email_verified": True,
        "given_name": "Jane",
        "family_name": "Real",
        "preferred_username": "jane.real",
        "groups": ["desk"],
    },
    "joe": {"email": "joe@corp.example.com", "email_verified": True, "preferred_username": "joe.real", "groups": []},
    "ann": {"email": "ann@corp.example.com", "email_verified": True, "preferred_username": "ann.real"},
}


class Back:
    """What the provider calls: the one address of ours that it must reach, handed on to the product in this process."""

    def __init__(self, app: Any) -> None:
        self.app, self.port, self.called = app, free_port(), asyncio.Event()

    async def __aenter__(self) -> Back:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:  # opened and not used
            writer.close()
            return
        first, *lines = head.split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split(" ")
        form = {"content-type": headers.get("content-type", "")}
        answer = await Api(self.app).call(method, path.removeprefix("/api/v1"), None, None, content=body, headers=form)
        writer.write(f"HTTP/1.1 {answer.status_code} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        self.called.set()


class House:
    """The provider as it is set up here, and what it takes to come by it."""

    def __init__(self, app: Any, admin: Api, row: dict[str, Any], origin: str) -> None:
        self.app, self.admin, self.row, self.origin = app, admin, row, origin

    async def come(self, person: Person, login: str, browser: Api | None = None) -> tuple[Api, dict[str, Any]]:
        browser = browser or Api(self.app)
        going = await browser.post(f"/auth/providers/{KEY}/leave", {"next": "/tickets"})
        path = f"/auth/oidc/{KEY}/callback"
        params = await person.sign_in(going["url"], login, f"{self.origin}/api/v1{path}")
        got = await browser.get(path, expect=None, params=params)
        page, _, said = got.headers["location"].partition("#")
        assert page == "/login?next=/tickets"
        answer = await browser.post("/auth/providers/come-in", {"ticket": parse_qs(said)["came"][0]})
        browser.http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return browser, answer["user"]


@pytest.fixture
async def browse() -> AsyncIterator[Callable[[], Person]]:
    """`browse()`: somebody's browser at the provider."""
    made: list[Person] = []

    def person() -> Person:
        made.append(Person())
        return made[-1]

    yield person
    for one in made:
        await one.http.aclose()


@pytest.fixture
async def back(app: Any) -> AsyncIterator[Back]:
    async with Back(app) as made:
        yield made


@pytest.fixture
async def house(
    app: Any, database: Any, back: Back, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Any]:
    origin = f"http://127.0.0.1:{back.port}"
    monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8"]')
    monkeypatch.setenv("PUBLIC_URL", origin)
    get_settings.cache_clear()
    port = free_port()
    api = f"{origin}/api/v1/auth/oidc/{KEY}"
    client = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uris": [f"{api}/callback"],
        "post_logout_redirect_uris": [f"{origin}/login"],
        "backchannel_logout_uri": f"{api}/back-channel-logout",
        "backchannel_logout_session_required": True,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }
    admin = await Api(app, "admin").sign_in()
    settings = {"issuer": f"http://127.0.0.1:{port}", "client_id": CLIENT, "client_secret": SECRET}
    settings |= {"scopes": ["openid", "profile", "email", "groups"]}  # type: ignore[dict-item]
    row = await admin.post(
        "/identity-providers", {"kind": "oidc", "key": KEY, "name": "Real", "settings": settings}, 201
    )
    kept = ("version", "name", "links_by", "updates_people", "trusts_second_factor")
    on = {k: row[k] for k in kept} | {"is_on": True, "creates_people": True}
    row = await admin.put(f"/identity-providers/{row['id']}", on)
    async with database.transaction() as session:
        roles = {r.key: r.id for r in await session.scalars(select(Role))}
        for group, role in (("desk", "agent"), ("*", "employee")):
            session.add(ProviderGroup(provider_id=row["id"], group_name=group, role_id=roles[role]))
    made = House(app, admin, row, origin)

    def issuer(kid: str) -> Any:
        return oidc_provider(tmp_path, port, client, PEOPLE, kid)

    yield made, issuer
    async with database.transaction() as session:
        await session.execute(delete(IdentityProvider).where(IdentityProvider.id == row["id"]))
    monkeypatch.undo()
    get_settings.cache_clear()
    issuers.forget(settings["issuer"])


async def test_from_signing_in_to_signing_out_everywhere(house: Any, back: Back, browse: Any) -> None:
    here, issuer = house
    with issuer("key-1") as provider:
        tested = await here.admin.post(f"/identity-providers/{here.row['id']}/test")
        assert tested["error"] is None
        found = {f["label"]: f["value"] for f in tested["found"]}
        assert found["Issuer"] == provider.issuer
        assert "key-1" in found["Keys"]
        assert found["Signing out"] == "from here and from there (back-channel)"

        jane = browse()
        browser, user = await here.come(jane, "jane")
        assert (user["username"], user["email"], user["name"]) == ("jane.real", "jane@corp.example.com", "Jane Real")
        assert sorted(r["key"] for r in user["roles"]) == ["agent", "employee"]
        _, again = await here.come(browse(), "jane")
        assert again["id"] == user["id"]
        _, joe = await here.come(browse(), "joe")
        assert [r["key"] for r in joe["roles"]] == ["employee"]

        # signing out here: their page asks, and sends back; they tell us too, and both sign-ins of that session are over
        second, _ = await here.come(jane, "jane")
        url = (await browser.post("/auth/sign-out"))["url"]
        await browser.get("/auth/me", expect=401)
        await second.get("/auth/me")
        back.called.clear()
        params = await jane.sign_out(url, f"{here.origin}/login")
        assert params["state"] == parse_qs(urlsplit(url).query)["state"][0]
        await asyncio.wait_for(back.called.wait(), 10)
        await second.get("/auth/me", expect=401)
        await second.post("/auth/refresh", expect=401)


async def test_new_keys_are_found_and_a_code_counts_once(house: Any, browse: Any) -> None:
    here, issuer = house
    with issuer("key-1") as provider:
        await here.come(browse(), "ann")
    with issuer("key-2"):  # the same issuer, restarted with another key
        issuers._of(provider.issuer).keys_at -= 11  # more than ten seconds later
        _, ann = await here.come(browse(), "ann")
        assert ann["username"] == "ann.real"

        browser, person = Api(here.app), browse()
        going = await browser.post(f"/auth/providers/{KEY}/leave", {"next": "/"})
        path = f"/auth/oidc/{KEY}/callback"
        params = await person.sign_in(going["url"], "ann", f"{here.origin}/api/v1{path}")
        got = await browser.get(path, expect=None, params=params)
        assert "#came=" in got.headers["location"]
        later = await browser.post(f"/auth/providers/{KEY}/leave", {"next": "/"})
        state = parse_qs(urlsplit(later["url"]).query)["state"][0]
        replayed = await browser.get(path, expect=None, params={**params, "state": state})
        assert replayed.headers["location"].endswith("#refused=fails")
        health = (await here.admin.get(f"/identity-providers/{here.row['id']}"))["health"]
        assert "invalid_grant" in health["last_error"]
