"""Service accounts and the OAuth clients of theirs: what they may, what they never are, and attacks on both."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import delete, func, select, text, update

from tests.conftest import Api
from waypost.access import oauth, tokens
from waypost.access.models import LoginSession, Throttle, UserRole
from waypost.access.oauth import OAuthError
from waypost.access.token_actors import client_actors
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery

FORM = "application/x-www-form-urlencoded"
ASK = {"grant_type": "client_credentials"}


@pytest.fixture(autouse=True)
def _nothing_kept() -> Any:
    yield
    client_actors._kept.clear()  # clients of other databases have the same numbers


async def account(admin: Api, name: str = "warehouse", *roles: str) -> dict[str, Any]:
    body = {
        "username": name,
        "name": "Warehouse",
        "purpose": "Orders what is approved",
        "owner_id": admin.id,
        "roles": list(roles) or ["employee"],
    }
    made: dict[str, Any] = await admin.post("/service-accounts", body, expect=201)
    return made


async def client_of(admin: Api, account_id: int, *permissions: str) -> dict[str, Any]:
    body = {"name": "Production", "permissions": list(permissions) or ["tickets:read", "tickets:create"]}
    made: dict[str, Any] = await admin.post(f"/service-accounts/{account_id}/clients", body, expect=201)
    return made


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


async def trade(app: Any, client: dict[str, Any], **fields: str) -> Any:
    header = {"Authorization": basic(client["client_id"], client["client_secret"])}
    return await Api(app).http.post("/oauth/token", data={**ASK, **fields}, headers=header)


def bearer(app: Any, token: str) -> Api:
    api = Api(app)
    api.http.headers["Authorization"] = f"Bearer {token}"
    return api


# --- trading ----------------------------------------------------------------------------------------------------------


async def test_a_client_trades_its_secret_for_a_short_token(app: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin)
    client = await client_of(admin, made["id"])
    answer = await trade(app, client)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    granted = answer.json()
    assert granted["token_type"] == "Bearer"
    assert 0 < granted["expires_in"] <= 900
    assert granted["scope"] == "tickets:create tickets:read"
    api = bearer(app, granted["access_token"])
    me = await api.get("/auth/me")
    assert (me["username"], me["permissions"]) == ("warehouse", ["tickets:create", "tickets:read"])
    body = {"title": "Pallets", "ticket_type": "FACILITY", "custom_fields": {}}
    ticket = await api.post("/tickets", body, expect=201)
    assert ticket["requester"]["username"] == "warehouse"
    in_form = {**ASK, "client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert (await Api(app).http.post("/oauth/token", data=in_form)).status_code == 200
    (listed,) = (await admin.get("/service-accounts"))["items"]
    assert listed["clients"][0]["used_from"] == "127.0.0.1"


async def test_a_scope_narrows_and_never_widens(app: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    client = await client_of(admin, (await account(admin))["id"])
    narrow = (await trade(app, client, scope="tickets:read")).json()
    assert narrow["scope"] == "tickets:read"
    api = bearer(app, narrow["access_token"])
    await api.get("/tickets")
    body = {"title": "Pallets", "ticket_type": "FACILITY", "custom_fields": {}}
    await api.post("/tickets", body, expect=403)
    for wider in ("audit:read", "tickets:read roles:configure", "sessions:own", "everything"):
        refused = await trade(app, client, scope=wider)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope"), wider


@given(st.lists(st.text(max_size=20)), st.none() | st.text(max_size=60))
def test_whatever_is_asked_for_what_is_granted_was_had(had: list[str], scope: str | None) -> None:
    had = [*had, "tickets:read", "tickets:create"]
    try:
        granted = oauth.narrowed(had, scope)
    except OAuthError:
        return
    assert set(granted) <= set(had)
    if scope and scope.strip():
        assert set(granted) <= set(scope.split(" "))


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("application/json", json.dumps(ASK), "invalid_request"),
        (FORM, "", "invalid_request"),
        (FORM, "grant_type", "invalid_request"),
        (FORM, "grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        (FORM, "grant_type=client_credentials&scope=%ff%fe", "invalid_client"),
        (FORM, "grant_type=password&username=admin&password=x", "unsupported_grant_type"),
        (FORM, "grant_type=authorization_code&code=x", "unsupported_grant_type"),
        (FORM, "grant_type=refresh_token&refresh_token=x", "unsupported_grant_type"),
        (FORM, "grant_type=client_credentials", "invalid_client"),
        (FORM, "grant_type=client_credentials&client_id=x&client_secret=y", "invalid_client"),
        (FORM, "grant_type=client_credentials&client_id=%00&client_secret=%00", "invalid_client"),
        (FORM, "&".join(f"a{n}=1" for n in range(50)), "invalid_request"),
    ],
)
async def test_what_is_wrong_is_said_in_the_words_of_the_rfc(
    app: Any, content_type: str, body: str, error: str
) -> None:
    answer = await Api(app).http.post("/oauth/token", content=body, headers={"content-type": content_type})
    told = answer.json()
    assert told["error"] == error
    assert set(told) == {"error", "error_description"}
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic x", "Basic " + "é", "Bearer abc", "Basic " + base64.b64encode(b"ab").decode()]
)
async def test_bad_headers_are_no_clients(app: Any, header: str) -> None:
    sent = {"Authorization": header.encode()}
    answer = await Api(app).http.post("/oauth/token", data=ASK, headers=sent)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_one_says_who_one_is_in_one_way(app: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    client = await client_of(admin, (await account(admin))["id"])
    twice = await trade(app, client, client_secret=client["client_secret"])
    other = await trade(app, client, client_id="another")
    assert {(a.status_code, a.json()["error"]) for a in (twice, other)} == {(400, "invalid_request")}


async def test_wrong_secrets_are_slowed_by_address_and_lock_no_client_out(
    app: Any, fresh_who: Any, fresh_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from waypost.kernel.settings import get_settings

    admin = await fresh_who("admin")
    client = await client_of(admin, (await account(admin))["id"])
    monkeypatch.setenv("LOGIN_ATTEMPTS_PER_ADDRESS", "10")
    get_settings.cache_clear()
    wrong = {**client, "client_secret": client["client_secret"][:-1] + "_"}
    statuses = [(await trade(app, wrong)).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    async with fresh_database.transaction() as session:
        keys = list(await session.scalars(select(Throttle.key)))
        assert keys == ["address:127.0.0.1"], "nothing is counted against the client"
        await session.execute(delete(Throttle))
        refused = select(func.count()).where(EventRow.type == "oauth_token.refused")
        assert await session.scalar(refused) == 10
    assert (await trade(app, client)).status_code == 200
    monkeypatch.undo()
    get_settings.cache_clear()


# --- its end ----------------------------------------------------------------------------------------------------------


async def test_two_secrets_let_one_take_over_from_the_other(app: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin)
    old = await client_of(admin, made["id"])
    path = f"/service-accounts/{made['id']}/clients/{old['id']}"
    made = await admin.post(f"{path}/secrets", expect=201)
    assert made["client_id"] == old["client_id"]  # as programs say it, whichever secret they show
    new = {**old, "client_secret": made["client_secret"]}
    assert (await admin.post(f"{path}/secrets", expect=409))["code"] == "too_many_secrets"
    by_old, by_new = (await trade(app, old)).json(), (await trade(app, new)).json()
    (listed,) = (await admin.get("/service-accounts"))["items"]
    first, second = listed["clients"][0]["secrets"]
    assert old["client_secret"].startswith(first["beginning"])
    await admin.delete(f"{path}/secrets/{first['id']}")
    assert (await trade(app, old)).status_code == 401
    assert (await trade(app, new)).status_code == 200
    await asyncio.sleep(1.1)
    await bearer(app, by_old["access_token"]).get("/tickets", expect=401)
    await bearer(app, by_new["access_token"]).get("/tickets")
    await admin.delete(f"{path}/secrets/{first['id']}", expect=404)
    await admin.delete(path)
    await asyncio.sleep(1.1)
    await bearer(app, by_new["access_token"]).get("/tickets", expect=401)
    assert second["id"] != first["id"]


async def test_switched_off_it_opens_nothing_and_its_owners_leaving_switches_it_off(app: Any, fresh_who: Any) -> None:
    admin, owner = await fresh_who("admin"), await fresh_who("agent2")
    made = await account(admin)
    keep = {"purpose": "", "owner_id": owner.id, "is_on": True, "version": made["version"]}
    made = await admin.put(f"/service-accounts/{made['id']}", keep)
    await admin.put(f"/service-accounts/{made['id']}", keep, expect=412)
    client = await client_of(admin, made["id"])
    body = {"name": "Nightly", "permissions": ["tickets:read"], "expires_in_days": 30}
    token = await admin.post(f"/service-accounts/{made['id']}/tokens", body, expect=201)
    assert token["token"].startswith("wp_svc_")
    apis = [bearer(app, token["token"]), bearer(app, (await trade(app, client)).json()["access_token"])]
    for api in apis:
        await api.get("/tickets")
    await admin.put(f"/users/{owner.id}/active", {"is_active": False})
    await asyncio.sleep(1.1)
    for api in apis:
        await api.get("/tickets", expect=401)
    assert (await trade(app, client)).status_code == 401
    (listed,) = (await admin.get("/service-accounts"))["items"]
    assert listed["is_on"] is False
    again = {"purpose": "", "owner_id": owner.id, "is_on": True, "version": listed["version"]}
    wrong = await admin.put(f"/service-accounts/{made['id']}", again, expect=422)
    assert wrong["errors"][0]["pointer"] == "/owner_id"
    await admin.put(f"/service-accounts/{made['id']}", {**again, "owner_id": admin.id})
    await apis[0].get("/tickets")


async def test_it_loses_what_its_roles_lose(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin)
    api = bearer(app, (await trade(app, await client_of(admin, made["id"]))).json()["access_token"])
    await api.get("/tickets")
    async with fresh_database.transaction() as session:
        await session.execute(delete(UserRole).where(UserRole.user_id == made["id"]))
    await asyncio.sleep(1.1)
    await api.get("/tickets", expect=403)


# --- what it never is -------------------------------------------------------------------------------------------------


async def test_it_is_nobody_who_works_here(app: Any, fresh_who: Any, fresh_database: Any, hardware: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin, "warehouse", "employee", "finance_committee")
    for path in ("/users?q=warehouse", "/people?q=warehouse"):
        assert (await admin.get(path))["items"] == []
    await Api(app).post("/auth/login", {"username": "warehouse", "password": "x" * 20}, expect=401)
    assert (await Api(app).post("/auth/forgot-password", {"username": "warehouse"}, expect=None)).status_code == 204
    await admin.put(f"/users/{made['id']}/active", {"is_active": True}, expect=404)
    await admin.put(f"/teams/1/members/{made['id']}", {"is_lead": False}, expect=422)
    employee = await fresh_who("employee")
    ticket = await employee.post("/tickets", hardware("9000.00"), expect=201)
    flow = json.dumps(await employee.get(f"/tickets/{ticket['id']}/approvals"))
    assert "warehouse" not in flow
    client = await client_of(admin, made["id"])
    api = bearer(app, (await trade(app, client)).json()["access_token"])
    own = await api.post("/tickets", hardware("500.00"), expect=201)
    assert own["status"] in ("IN_REVIEW", "SUBMITTED")
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        assert not await session.scalar(select(func.count()).where(Delivery.user_id == made["id"]))
    for method, path in (("GET", "/auth/sessions"), ("GET", "/auth/tokens"), ("GET", "/service-accounts")):
        assert (await api.call(method, path, expect=403))["code"] == "person_needed"


async def test_what_it_does_later_it_does_as_itself(app: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin, "robot", "employee", "agent")
    client = await client_of(admin, made["id"], "tickets:read", "tickets:create", "tickets:comment", "catalog:read")
    api = bearer(app, (await trade(app, client)).json()["access_token"])
    body = {"title": "Pallets", "ticket_type": "FACILITY", "custom_fields": {}, "submit": True}
    own = await api.post("/tickets", body, expect=201)
    many = {"ticket_ids": [own["id"]], "action": {"type": "comment", "body": "From the robot"}}
    done = await api.post("/tickets/bulk", many)
    assert done["results"][0]["ok"] is True, done


# --- making one -------------------------------------------------------------------------------------------------------


async def test_secrets_are_told_once_and_kept_as_hashes(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin)
    body = {"name": "Production", "permissions": ["tickets:read"]}
    path = f"/service-accounts/{made['id']}/clients"
    first = await admin.post(path, body, expect=201, headers={"Idempotency-Key": "k"})
    again = await admin.post(path, body, expect=201, headers={"Idempotency-Key": "k"})
    assert (again["client_id"], again["client_secret"]) == (first["client_id"], None)
    async with fresh_database.read() as session:
        for table in ("oauth_clients", "oauth_secrets", "idempotency_keys", "events"):
            rows = (await session.execute(text(f"SELECT row_to_json(t)::text FROM {table} t"))).scalars()
            assert not any(first["client_secret"] in row for row in rows), table


async def test_only_administrators_with_a_fresh_proof_make_them(fresh_who: Any, fresh_database: Any) -> None:
    admin, person = await fresh_who("admin"), await fresh_who("employee")
    body = {"username": "x1", "name": "X", "owner_id": admin.id, "roles": ["employee"]}
    await person.post("/service-accounts", body, expect=403)
    await person.get("/service-accounts", expect=403)
    async with fresh_database.transaction() as session:
        await session.execute(update(LoginSession).values(proved_at=None))
    assert (await admin.post("/service-accounts", body, expect=403))["code"] == "step_up_needed"


async def test_a_client_gets_no_more_than_its_account_has(fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin)
    for wanted in ("audit:read", "tokens:own", "sessions:own"):
        body = {"name": "Production", "permissions": ["tickets:read", wanted]}
        refused = await admin.post(f"/service-accounts/{made['id']}/clients", body, expect=422)
        assert refused["errors"][0]["pointer"] == "/permissions/1"
    taken = await admin.post(
        "/service-accounts",
        {"username": "warehouse", "name": "W", "owner_id": admin.id, "roles": []},
        expect=409,
    )
    assert taken["code"]


# --- the access token -------------------------------------------------------------------------------------------------


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    return ".".join((part(json.dumps(header).encode()), part(json.dumps(claims).encode()), part(signature)))


async def test_forged_access_tokens_open_nothing(app: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    made = await account(admin)
    token = (await trade(app, await client_of(admin, made["id"]))).json()["access_token"]
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "Ed25519", "typ": "at+jwt"}
    key, at = tokens._key(), int(now().timestamp())
    public = key.as_dict(private=False)["x"]

    def signed(changes: dict[str, Any], **header: Any) -> str:
        used = {"alg": "Ed25519", "typ": "at+jwt", **header}
        return jwt.encode(used, {**claims, **changes}, key, algorithms=["Ed25519"])

    other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "1"}).encode()).decode()
    attacks = {
        "no algorithm": forged({"alg": "none", "typ": "at+jwt"}, claims),
        "signature of another": f"{head}.{other}.{signature}",
        "the public key as a shared one": jwt.encode(
            {"alg": "HS256", "typ": "at+jwt"}, claims, OctKey.import_key(public), algorithms=["HS256"]
        ),
        "another type": signed({}, typ="JWT"),
        "a key id": signed({}, kid="../../etc/passwd"),
        "a key of its own": signed({}, jwk=key.as_dict(private=False)),
        "expired": signed({"iat": at - 2000, "exp": at - 1000}),
        "no expiry": signed({"exp": None}),
        "another issuer": signed({"iss": "elsewhere"}),
        "another audience": signed({"aud": "elsewhere"}),
        "a session besides": signed({"sid": 1}),
        "another account": signed({"sub": str(admin.id)}),
        "another client": signed({"client_id": "0" * 32}),
        "another secret": signed({"secret": 999_999}),
    }
    await bearer(app, token).get("/tickets")
    for name, attack in attacks.items():
        assert (await bearer(app, attack).get("/auth/me", expect=None)).status_code == 401, name
    odd = await bearer(app, signed({"scope": ["tickets:read"]})).get("/auth/me")
    assert odd["permissions"] == []
    wider = await bearer(app, signed({"scope": "audit:read tickets:read"})).get("/auth/me")
    assert wider["permissions"] == ["tickets:read"], "no more than the client has, whoever signs"


async def test_programs_find_what_there_is(app: Any) -> None:
    answer = await Api(app).http.get("http://waypost.test/.well-known/oauth-authorization-server")
    told = answer.json()
    assert told["token_endpoint"].startswith(told["issuer"])
    assert told["grant_types_supported"] == ["client_credentials"]
    assert "sessions:own" not in told["scopes_supported"]
