"""Nobody gets through the door without a provider's token, and nothing hostile gets through it at all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from scim2_server.routing import ROUTES
from sqlalchemy import delete, func, select, update

from waypost.access.models import Throttle
from waypost.access.providers.models import IdentityProvider
from waypost.access.scim.models import ScimPerson, ScimRequestRow, ScimToken
from waypost.kernel import limits
from waypost.kernel.clock import now
from waypost.kernel.ids import random_token
from waypost.kernel.settings import get_settings

from .pushing import ERROR, PATCH, USER, Push, a_token


@pytest.fixture
async def unthrottled(database: Any) -> None:
    async with database.transaction() as session:
        await session.execute(delete(Throttle).where(Throttle.key.startswith("scim:")))


def asked() -> list[tuple[str, str]]:
    """Every route there is, and some that are none."""
    filled = [
        (r.method, r.pattern.replace("{endpoint}", e).replace("{resource_id}", "7d5a8dd6-3b66-4a4b-9c36-2f1b5cb1a0a0"))
        for r in ROUTES
        for e in (("Users", "Groups") if "{endpoint}" in r.pattern else ("",))
    ]
    return [*filled, ("GET", "/nothing"), ("PATCH", "/Users"), ("OPTIONS", "/Users"), ("GET", "/../v1/Users")]


@pytest.mark.parametrize(
    "token", [None, "", "wsc_short", "wsc_" + "x" * 43, "eyJhbGciOiJub25lIn0.e30.", "wsc_" + "." * 43]
)
async def test_no_route_answers_without_a_token(app: Any, database: Any, unthrottled: None, token: str | None) -> None:
    push = Push(app, None)
    if token is not None:
        push.http.headers["Authorization"] = f"Bearer {token}"
    statuses = set()
    for method, path in asked():
        answer = await push.call(method, path, None, None, content=b'{"userName": "x"}' if method != "GET" else None)
        statuses.add(answer.status_code)
        assert answer.status_code in (401, 429), f"{method} {path}: {answer.status_code}"
        assert answer.json()["schemas"] == [ERROR]
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer")
        async with database.transaction() as session:
            await session.execute(delete(Throttle).where(Throttle.key.startswith("scim:")))
    assert statuses == {401}
    await push.http.aclose()


async def test_a_token_that_is_over_opens_nothing(
    app: Any, database: Any, provider: IdentityProvider, unthrottled: None
) -> None:
    expired = Push(app, await a_token(database, provider, expires_in=timedelta(seconds=-1)))
    revoked_token = await a_token(database, provider)
    off_token = await a_token(database, provider)
    async with database.transaction() as session:
        last_two = (await session.scalars(select(ScimToken).order_by(ScimToken.id.desc()).limit(2))).all()
        last_two[1].revoked_at = now()
    for push in (expired, Push(app, revoked_token)):
        await push.call("GET", "/Users", expect=401)
        await push.call("GET", "/ServiceProviderConfig", expect=401)
    good = Push(app, off_token)
    await good.call("GET", "/Users")
    async with database.transaction() as session:
        await session.execute(update(IdentityProvider).where(IdentityProvider.id == provider.id).values(is_on=False))
    await good.call("GET", "/Users", expect=401)


async def test_guessing_is_slowed_and_locks_nobody_out(app: Any, push: Push, database: Any, unthrottled: None) -> None:
    thief = Push(app, random_token("wsc_"))
    allowed = get_settings().login_attempts_per_address
    seen = [(await thief.call("GET", "/Users", None, None)).status_code for _ in range(allowed + 1)]
    assert seen[0] == 401
    assert seen[-1] == 429
    waiting = await thief.call("GET", "/Users", None, None)
    assert int(waiting.headers["retry-after"]) > 0
    await push.call("GET", "/Users")  # from the same address, with the right one
    async with database.transaction() as session:
        await session.execute(delete(Throttle).where(Throttle.key.startswith("scim:")))


async def test_a_system_that_pushes_too_fast_is_slowed_down(push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSON_REQUESTS_PER_MINUTE", "2")
    monkeypatch.setattr(limits, "limiter", limits.Limiter())
    get_settings.cache_clear()
    try:
        said = [await push.call("GET", "/Users?count=1", None, None) for _ in range(3)]
        assert [answer.status_code for answer in said] == [200, 200, 429]
        assert said[2].headers["retry-after"]
        assert said[2].json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


async def test_what_is_asked_is_written_down_and_bounded(
    app: Any, push: Push, database: Any, provider: IdentityProvider
) -> None:
    await push.call("GET", '/Users?filter=userName eq "secret.name"')
    await push.user("x" * 300, expect=400, emails=[])
    async with database.read() as session:
        rows = (
            await session.scalars(
                select(ScimRequestRow).where(ScimRequestRow.provider_id == provider.id).order_by(ScimRequestRow.id)
            )
        ).all()
        token = await session.scalar(select(ScimToken).where(ScimToken.provider_id == provider.id))
    assert [(r.method, r.path, r.status) for r in rows] == [("GET", "/v2/Users", 200), ("POST", "/v2/Users", 400)]
    assert "userName" in rows[1].detail
    assert "secret" not in repr([(r.path, r.detail) for r in rows])
    assert token.used_at is not None
    for _ in range(0, 260):
        async with database.transaction() as session:
            session.add(
                ScimRequestRow(provider_id=provider.id, at=now(), method="GET", path="/v2", status=200, milliseconds=1)
            )
    for _ in range(60):
        await push.call("GET", "/Schemas")
    async with database.read() as session:
        count = select(func.count()).select_from(ScimRequestRow).where(ScimRequestRow.provider_id == provider.id)
        assert await session.scalar(count) <= 250


def deep(levels: int) -> bytes:
    return (
        b'{"schemas": ["%s"], "userName": "d", "name": ' % USER.encode()
        + b'{"a":' * levels
        + b"1"
        + b"}" * (levels + 1)
    )


HOSTILE: list[tuple[str, str, Any]] = [
    ("POST", "/Users", b""),
    ("POST", "/Users", b"{"),
    ("POST", "/Users", b"[]"),
    ("POST", "/Users", b'"x"'),
    ("POST", "/Users", b"null"),
    ("POST", "/Users", b"\xff\xfe"),
    ("POST", "/Users", b'{"userName": "a", "userName": "b"}'),
    ("POST", "/Users", b'{"userName": NaN}'),
    ("POST", "/Users", deep(2000)),
    ("POST", "/Users", deep(20)),
    ("POST", "/Users", {"schemas": [USER]}),
    ("POST", "/Users", {"schemas": [USER], "userName": ""}),
    ("POST", "/Users", {"schemas": [USER], "userName": 7}),
    ("POST", "/Users", {"schemas": "x", "userName": {}}),
    ("POST", "/Users", {"schemas": [USER], "userName": "nul\x00"}),
    ("POST", "/Users", {"schemas": [USER], "userName": "x" * 10_000}),
    ("POST", "/Users", {"schemas": [USER], "userName": "hostile", "title": "x" * 100_000}),
    ("POST", "/Users", {"schemas": [USER], "userName": "hostile", "externalId": "x" * 10_000}),
    ("POST", "/Users", {"schemas": [USER], "userName": "hostile", "emails": [{"value": "no address"}]}),
    ("POST", "/Users", {"schemas": [USER], "userName": "hostile", "emails": {"value": 1}}),
    (
        "POST",
        "/Users",
        {"schemas": [USER], "userName": "hostile", "emails": [{"value": f"a{n}@b.example.com"} for n in range(99)]},
    ),
    ("POST", "/Users", {"schemas": [USER], "userName": "hostile", "active": "perhaps"}),
    ("POST", "/Users", {"schemas": [USER], "userName": "hostile", "nonsense": 1}),
    ("POST", "/Users", {"schemas": ["urn:x:y"], "userName": "hostile"}),
    ("POST", "/Groups", {"schemas": [], "displayName": "\u202e"}),
    ("POST", "/Groups", {"displayName": "g", "members": [{"value": "1 OR 1=1"}]}),
    ("POST", "/Groups", {"displayName": "g", "members": "all"}),
    ("POST", "/Groups", {"displayName": "g" * 300}),
    ("POST", "/.search", {"filter": "((((((((((((((((((((((((((((((((((userName pr"}),
    ("POST", "/Users/.search", {"filter": "userName eq " + "(" * 5000}),
    ("POST", "/Users/.search", {"count": "many"}),
    ("POST", "/Users/.search", {"startIndex": 10**30, "count": -(10**30)}),
    ("POST", "/Bulk", {"Operations": []}),
    ("PUT", "/Users/{id}", {"schemas": [USER]}),
    ("PUT", "/Users/{id}", {"schemas": [USER], "userName": None}),
    ("PATCH", "/Users/{id}", {}),
    ("PATCH", "/Users/{id}", {"Operations": "x"}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": []}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [7]}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{}]}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": {}, "path": 7}]}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "explode", "path": "title"}]}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "a[b[c", "value": 1}]}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "add", "path": "emails[type eq", "value": 1}]}),
    (
        "PATCH",
        "/Users/{id}",
        {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "userName", "value": ["x"]}]},
    ),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "replace", "value": "x"}]}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "add", "path": "title", "value": "t"}] * 101}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "userName"}]}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "add", "path": "(" * 3000, "value": 1}]}),
    ("PATCH", "/Groups/{group}", {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [[]]}]}),
    (
        "PATCH",
        "/Groups/{group}",
        {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [{"value": "x"}]}]},
    ),
    (
        "PATCH",
        "/Groups/{group}",
        {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": "x" * 999}]},
    ),
    ("PATCH", "/Groups/{group}", {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "displayName"}]}),
    ("GET", "/Users?filter=", None),
    ("GET", "/Users?filter=userName", None),
    ("GET", '/Users?filter=userName co "a"', None),
    ("GET", '/Users?filter=title eq "a"', None),
    ("GET", "/Users?filter=not (active eq true)", None),
    ("GET", "/Users?filter=" + "(" * 3000, None),
    ("GET", "/Users?filter=" + " or ".join(f'userName eq "{n}"' for n in range(120)), None),
    ("GET", '/Users?filter=meta.lastModified gt "yesterday"', None),
    ("GET", '/Users?filter=userName eq "a%00b"', None),
    ("GET", "/Users?filter=%ff%fe", None),
    ("GET", "/Users?count=ten", None),
    ("GET", "/Users?startIndex=" + "9" * 30, None),
    ("GET", "/Users?attributes=" + "x" * 3000, None),
    ("GET", "/Users?attributes=a[b&excludedAttributes=c", None),
    ("GET", "/Users?sortBy=userName", None),
    ("GET", "/Users?" + "x" * 5000, None),
    ("GET", "/Users/%00", None),
    ("GET", "/Users/" + "9" * 3000, None),
    ("GET", "/Users/{id}/nothing", None),
    ("GET", "/Me", None),
    ("TRACE", "/Users", None),
]


@pytest.mark.parametrize(("method", "path", "body"), HOSTILE, ids=lambda v: repr(v)[:60])
async def test_hostile_requests_are_told_what_is_wrong_and_store_nothing(
    push: Push, database: Any, provider: IdentityProvider, method: str, path: str, body: Any
) -> None:
    made, group = await push.user("victim"), await push.group("Victims")
    path = path.replace("{id}", made["id"]).replace("{group}", group["id"])
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()

    answer = await push.call(method, path, None, None, content=content)

    is_fine = (method == "GET" or path.endswith("/.search")) and answer.status_code == 200
    assert is_fine or 400 <= answer.status_code < 500 or answer.status_code == 501, answer.text
    if not is_fine:
        assert answer.json()["schemas"] == [ERROR]
        assert answer.json()["detail"]
    assert (await push.call("GET", f"/Users/{made['id']}"))["meta"]["version"] == made["meta"]["version"]
    assert (await push.call("GET", f"/Groups/{group['id']}"))["meta"]["version"] == group["meta"]["version"]
    async with database.read() as session:
        count = select(func.count()).select_from(ScimPerson).where(ScimPerson.provider_id == provider.id)
        assert await session.scalar(count) == 1


async def test_a_body_is_bounded(push: Push) -> None:
    answer = await push.call("POST", "/Users", None, None, content=b'{"userName": "' + b"x" * 3_000_000 + b'"}')
    assert answer.status_code == 413
    assert answer.json()["schemas"] == [ERROR]
    answer = await push.call("POST", "/Users", None, None, content=b"<x/>", headers={"Content-Type": "text/xml"})
    assert answer.status_code in (400, 415)
