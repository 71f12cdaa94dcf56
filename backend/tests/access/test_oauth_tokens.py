"""Giving an access token back (RFC 7009), asking what one is worth (RFC 7662), and what strangers learn of either."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.access.test_oauth import FORM, _nothing_kept, account, basic, bearer, client_of, trade  # noqa: F401
from tests.conftest import Api
from waypost.access.service_models import RevokedToken
from waypost.access.sessions import forget_old_sessions
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow

PATHS = ("/oauth/revoke", "/oauth/introspect")


async def ask(app: Any, client: dict[str, Any], path: str, token: str, **more: str) -> Any:
    header = {"Authorization": basic(client["client_id"], client["client_secret"])}
    return await Api(app).http.post(path, data={"token": token, **more}, headers=header)


async def test_a_token_given_back_opens_nothing(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    client = await client_of(admin, (await account(admin))["id"])
    first, second = [(await trade(app, client)).json()["access_token"] for _ in range(2)]
    await bearer(app, first).get("/tickets")
    for _ in range(2):  # again is no error
        answer = await ask(app, client, "/oauth/revoke", first, token_type_hint="access_token")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    await bearer(app, first).get("/tickets", expect=401)
    await bearer(app, second).get("/tickets")
    async with fresh_database.transaction() as session:
        told = select(func.count()).where(EventRow.type == "oauth_token.revoked", EventRow.object_id.is_not(None))
        assert await session.scalar(told) == 1
        await forget_old_sessions(session)
        assert await session.scalar(select(func.count()).select_from(RevokedToken)) == 1, "it could be shown still"
        await session.execute(update(RevokedToken).values(expires_at=now() - timedelta(seconds=1)))
        await forget_old_sessions(session)
        assert await session.scalar(select(func.count()).select_from(RevokedToken)) == 0


async def test_a_client_learns_what_its_token_is_worth(app: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    client = await client_of(admin, (await account(admin))["id"])
    granted = (await trade(app, client, scope="tickets:read")).json()
    found = (await ask(app, client, "/oauth/introspect", granted["access_token"])).json()
    assert found["active"] is True
    assert (found["scope"], found["client_id"], found["username"]) == ("tickets:read", client["client_id"], "warehouse")
    assert found["exp"] - found["iat"] == granted["expires_in"]
    await ask(app, client, "/oauth/revoke", granted["access_token"])
    assert (await ask(app, client, "/oauth/introspect", granted["access_token"])).json() == {"active": False}


async def test_of_tokens_of_others_nothing_is_learned_and_none_is_taken(app: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin)
    mine, other = await client_of(admin, made["id"]), await client_of(admin, made["id"])
    theirs = (await trade(app, other)).json()["access_token"]
    persons = admin.http.headers["Authorization"].removeprefix("Bearer ")
    for token in (theirs, persons, "nonsense", theirs[:-2] + "xx"):
        assert (await ask(app, mine, "/oauth/introspect", token)).json() == {"active": False}
    for token in (theirs, persons):
        refused = await ask(app, mine, "/oauth/revoke", token)
        assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    assert (await ask(app, mine, "/oauth/revoke", "nonsense")).status_code == 200
    await bearer(app, theirs).get("/tickets")
    await admin.get("/auth/me")


@pytest.mark.parametrize("path", PATHS)
async def test_who_is_no_client_is_told_nothing(app: Any, fresh_who: Any, path: str) -> None:
    admin = await fresh_who("admin")
    client = await client_of(admin, (await account(admin))["id"])
    token = (await trade(app, client)).json()["access_token"]
    wrong = await ask(app, {**client, "client_secret": "x"}, path, token)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic")
    for headers, body in (
        ({"Content-Type": "application/json"}, b"{}"),
        ({"Content-Type": FORM}, b"token=a&token=b"),
        ({"Content-Type": FORM}, b"client_id=x&client_secret=y"),
        ({"Content-Type": FORM}, b"token=%ff%fe"),
    ):
        answer = await Api(app).http.post(path, content=body, headers=headers)
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] in ("invalid_request", "invalid_client")
    await bearer(app, token).get("/tickets")


async def test_programs_find_both(app: Any) -> None:
    told = (await Api(app).http.get("http://waypost.test/.well-known/oauth-authorization-server")).json()
    for name, path in (("revocation_endpoint", "revoke"), ("introspection_endpoint", "introspect")):
        assert told[name].endswith(f"/api/v1/oauth/{path}")
        assert told[f"{name}_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
