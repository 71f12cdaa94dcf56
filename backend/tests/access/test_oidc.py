"""Signing in by OpenID Connect: as it goes, and every way a hostile issuer, browser or link may try to bend it."""

from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from sqlalchemy import delete, select, update

from tests.access.issuer import _RSA, CLIENT, EC, SECRET, Issuer, running
from tests.conftest import Api
from waypost.access.models import LoginSession, Role, SignInChallenge, TotpSecret, UserRole
from waypost.access.providers import oidc_tokens
from waypost.access.providers.models import Identity, IdentityProvider, ProviderGroup, SignInTransaction
from waypost.access.providers.oidc_claims import groups_of, is_vouched, person_of
from waypost.access.providers.oidc_issuer import issuers
from waypost.access.providers.oidc_tokens import USUAL, WrongToken, read_header
from waypost.access.providers.sign_in_schemas import own_path
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings

_numbers = itertools.count(1)


@pytest.fixture
async def issuer(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Issuer]:
    monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8"]')
    monkeypatch.setenv("PUBLIC_URL", "http://waypost.test")
    get_settings.cache_clear()
    async with running() as made:
        yield made
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
async def admin(app: Any) -> AsyncIterator[Api]:
    api = await Api(app, "admin").sign_in()
    yield api
    await api.http.aclose()


class House:
    """A provider as it is set up here, and the issuer behind it."""

    def __init__(self, row: dict[str, Any], issuer: Issuer, app: Any, database: Any, admin: Api) -> None:
        self.row, self.issuer, self.app, self.database, self.admin = row, issuer, app, database, admin

    @property
    def callback(self) -> str:
        return f"/auth/oidc/{self.row['key']}/callback"

    async def set(self, **more: Any) -> None:
        """Lay rules or settings over those in force."""
        kept = ("version", "name", "is_on", "creates_people", "links_by", "updates_people", "trusts_second_factor")
        rules = {k: more.pop(k, self.row[k]) for k in kept}
        path = f"/identity-providers/{self.row['id']}"
        self.row = await self.admin.put(path, {**rules, "settings": more})
        issuers.forget(self.issuer.url)

    async def leave(self, browser: Api, next_path: str = "/tickets") -> dict[str, str]:
        """To the issuer's page and signed in there; the parameters one comes back with."""
        going = await browser.post(f"/auth/providers/{self.row['key']}/leave", {"next": next_path})
        return self.issuer.sign_in(going["url"])

    async def back(self, browser: Api, answer: dict[str, str], **more: Any) -> tuple[str, dict[str, str]]:
        """Where one is sent on to, and what its fragment says."""
        got = await browser.get(self.callback, expect=None, params={**answer, **more})
        assert got.status_code == 303, got.text
        page, _, fragment = got.headers["location"].partition("#")
        return page, {k: v[0] for k, v in parse_qs(fragment).items()}

    async def sign_in(self, browser: Api | None = None, expect: int = 200) -> dict[str, Any]:
        """The whole way."""
        browser = browser or Api(self.app)
        _, said = await self.back(browser, await self.leave(browser))
        answer: dict[str, Any] = await browser.post("/auth/providers/come-in", {"ticket": said["came"]}, expect=expect)
        if "access_token" in answer:
            browser.http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return answer

    async def last_failure(self) -> str:
        async with self.database.read() as session:
            wanted = select(EventRow.data).where(EventRow.type == "auth.login_failed").order_by(EventRow.id.desc())
            return str((await session.scalars(wanted.limit(1))).one()["reason"])


@pytest.fixture
async def house(issuer: Issuer, app: Any, database: Any, admin: Api) -> AsyncIterator[House]:
    settings = {"issuer": issuer.url, "client_id": CLIENT, "client_secret": SECRET}
    body = {"kind": "oidc", "key": f"house-{next(_numbers)}", "name": "House", "settings": settings}
    row = await admin.post("/identity-providers", body, expect=201)
    made = House(row, issuer, app, database, admin)
    issuer.claims = {"sub": f"jane-{next(_numbers)}", "given_name": "Jane", "family_name": "Doe"}
    issuer.claims |= {"email": f"{issuer.claims['sub']}@example.com", "email_verified": True, "sid": "there-1"}
    issuer.claims |= {"preferred_username": issuer.claims["sub"], "groups": ["desk"]}
    await made.set(is_on=True, creates_people=True)
    async with database.transaction() as session:
        ids = {r.key: r.id for r in await session.scalars(select(Role))}
        for group, role in (("desk", "agent"), ("*", "employee")):
            session.add(ProviderGroup(provider_id=row["id"], group_name=group, role_id=ids[role]))
    yield made
    async with database.transaction() as session:
        await session.execute(delete(IdentityProvider).where(IdentityProvider.id == row["id"]))


# --- as it goes ----------------------------------------------------------------------------------------------------


async def test_signing_in_for_the_first_time(house: House) -> None:
    assert {"key": house.row["key"], "name": "House", "kind": "oidc"} in (await Api(house.app).get("/auth/providers"))[
        "items"
    ]
    browser = Api(house.app)
    page, said = await house.back(browser, await house.leave(browser, "/tickets?q=a%20b"))
    assert page == "/login?next=/tickets%3Fq%3Da%2520b"
    answer = await browser.post("/auth/providers/come-in", {"ticket": said["came"]})
    user = answer["user"]
    assert (user["first_name"], user["last_name"], user["email"]) == ("Jane", "Doe", house.issuer.claims["email"])
    assert sorted(r["key"] for r in user["roles"]) == ["agent", "employee"]
    assert "waypost_refresh" in browser.http.cookies
    await browser.post("/auth/refresh")
    async with house.database.read() as session:
        login = await session.scalar(select(LoginSession).where(LoginSession.user_id == user["id"]))
        assert (login.provider_id, login.provider_session) == (house.row["id"], "there-1")
        assert b"eyJ" not in login.provider_hint, "what it wants to see at sign-out is sealed"
    form = house.issuer.sent[-1]
    assert form["redirect_uri"] == f"http://waypost.test/api/v1{house.callback}"
    assert SECRET not in str(form)
    again = await house.sign_in()
    assert again["user"]["id"] == user["id"]
    assert (await house.admin.get(f"/identity-providers/{house.row['id']}"))["health"]["state"] == "WORKS"


async def test_groups_follow_and_gone_ones_are_taken(house: House) -> None:
    await house.sign_in()
    house.issuer.claims["groups"] = None
    house.issuer.userinfo = {"sub": house.issuer.claims["sub"], "groups": []}
    assert [r["key"] for r in (await house.sign_in())["user"]["roles"]] == ["employee"]


async def test_what_the_token_lacks_comes_from_userinfo(house: House) -> None:
    claims = house.issuer.claims
    house.issuer.userinfo = {
        "sub": claims["sub"],
        "email": claims.pop("email"),
        "groups": claims.pop("groups"),
        "exp": 1,
    }
    user = (await house.sign_in())["user"]
    assert user["email"] == house.issuer.userinfo["email"]
    assert "agent" in [r["key"] for r in user["roles"]]
    house.issuer.userinfo["sub"] = "somebody-else"
    browser = Api(house.app)
    assert (await house.back(browser, await house.leave(browser)))[1] == {"refused": "fails"}
    assert "somebody else" in await house.last_failure()


@pytest.mark.parametrize("way", ["client_secret_post", "private_key_jwt", "private_key_jwt_ec"])
async def test_other_ways_to_show_who_asks(house: House, way: str) -> None:
    key = EC if way.endswith("_ec") else _RSA[1]
    settings = {"client_authentication": way.removesuffix("_ec")}
    if way != "client_secret_post":
        settings["private_key"] = key.as_pem(private=True).decode()
    await house.set(**settings)
    assert "private" not in str([f["value"] for f in house.row["fields"]]).lower().replace("private_key_jwt", "")
    assert "access_token" in await house.sign_in()
    form = house.issuer.sent[-1]
    if way == "client_secret_post":
        assert form["client_secret"] == SECRET
        return
    token = jwt.decode(form["client_assertion"], key, algorithms=["RS256", "ES256"])
    assert token.claims["aud"] == f"{house.issuer.url}/token"
    assert (token.claims["iss"], token.claims["sub"]) == (CLIENT, CLIENT)
    assert "client_secret" not in form


async def test_a_second_factor_is_asked_for_unless_the_provider_vouches(house: House) -> None:
    user = (await house.sign_in())["user"]
    secret = pyotp.random_base32()
    from waypost.access import factors

    async with house.database.transaction() as session:
        sealed = factors.seal(secret, user["id"])
        session.add(
            TotpSecret(
                user_id=user["id"],
                sealed=sealed.value,
                sealed_with=sealed.key_id,
                last_step=0,
                created_at=now(),
                confirmed_at=now(),
            )
        )
    house.issuer.claims["amr"] = ["pwd", "mfa"]
    asked = await house.sign_in()
    assert asked["mfa_required"], "its word alone is not enough"
    browser = Api(house.app)
    done = await browser.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": pyotp.TOTP(secret).now()})
    async with house.database.read() as session:
        newest = (
            select(LoginSession).where(LoginSession.user_id == user["id"]).order_by(LoginSession.id.desc()).limit(1)
        )
        login = await session.scalar(newest)
        assert (login.provider_id, login.provider_session, login.is_vouched) == (house.row["id"], "there-1", False)
    assert done["user"]["id"] == user["id"]
    await house.set(trusts_second_factor=True)
    assert "access_token" in await house.sign_in()
    house.issuer.claims["amr"] = ["pwd"]
    assert (await house.sign_in())["mfa_required"]


async def test_a_role_that_needs_a_second_factor_is_content_with_a_vouched_one(house: House) -> None:
    async with house.database.transaction() as session:
        role = Role(key=f"strict{next(_numbers)}", name="Strict", is_system=False, needs_second_factor=True)
        session.add(role)
        await session.flush()
        session.add(ProviderGroup(provider_id=house.row["id"], group_name="desk", role_id=role.id))
    await house.set(trusts_second_factor=True)
    assert (await house.sign_in())["user"]["must_enrol"]
    house.issuer.claims["acr"] = "mfa"
    assert not (await house.sign_in())["user"]["must_enrol"]
    async with house.database.transaction() as session:
        await session.execute(delete(Role).where(Role.id == role.id))


async def test_who_may_not_come_in_is_told_so(house: House) -> None:
    await house.set(creates_people=False)
    problem = await house.sign_in(expect=403)
    assert problem["code"] == "not_let_in"
    assert house.issuer.claims["email"] not in str(problem)
    assert (await house.last_failure()).startswith("no_account")


# --- bent by somebody ----------------------------------------------------------------------------------------------


def _unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def _shared(token: str) -> str:
    """Signed with the public key as if it were a shared secret."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": _RSA[0].kid}).encode()).rstrip(b"=").decode()
    signed = f"{head}.{token.split('.')[1]}"
    mac = hmac.digest(_RSA[0].as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = "admin"
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.{signature}"


SOON = int(time.time())
LIES: dict[str, tuple[dict[str, Any], str]] = {
    "issuer of another": ({"iss": "https://evil.example"}, "iss"),
    "issuer with a slash more": ({"iss": "http://127.0.0.1/"}, "iss"),
    "no issuer": ({"iss": None}, "iss"),
    "audience of another": ({"aud": "other"}, "aud"),
    "no audience": ({"aud": None}, "aud"),
    "several audiences without azp": ({"aud": [CLIENT, "other"]}, "azp"),
    "azp of another": ({"aud": [CLIENT, "other"], "azp": "other"}, "azp"),
    "no nonce": ({"nonce": None}, "nonce"),
    "nonce of another": ({"nonce": "another"}, "nonce"),
    "expired": ({"exp": SOON - 3600}, "exp"),
    "never expires": ({"exp": None}, "expire"),
    "expiry as text": ({"exp": "9999999999"}, "exp"),
    "made in the future": ({"iat": SOON + 7200}, "in the future"),
    "made long ago": ({"iat": SOON - 7200}, "too long ago"),
    "no time": ({"iat": None}, "iat"),
    "valid later only": ({"nbf": SOON + 7200}, "not yet valid"),
    "nobody": ({"sub": None}, "nobody"),
    "empty": ({"sub": ""}, "nobody"),
    "a number": ({"sub": 5}, "sub"),
    "a very long name": ({"sub": "x" * 256}, "nobody"),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_token_that_lies_opens_nothing(house: House, name: str) -> None:
    claims, why = LIES[name]
    house.issuer.claims |= claims
    browser = Api(house.app)
    assert await house.back(browser, await house.leave(browser)) == ("/login?next=/tickets", {"refused": "fails"})
    reason = await house.last_failure()
    assert reason.startswith("not_believed")
    assert why in reason
    assert (await house.admin.get(f"/identity-providers/{house.row['id']}"))["health"]["state"] == "FAILING"


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (_unsigned, "not allowed"),
        (_shared, "not allowed"),
        (_changed, "signature"),
        (lambda t: t[:-6] + "AAAAAA", "signature"),
        (lambda t: f"{t}.x.y", "no signed token"),
        (lambda t: "." + t.partition(".")[2], "header"),
        (lambda t: "x" * 70_000, "no signed token"),
    ],
)
async def test_a_token_that_is_signed_otherwise_opens_nothing(house: House, lie: Any, why: str) -> None:
    house.issuer.lie = lie
    browser = Api(house.app)
    assert (await house.back(browser, await house.leave(browser)))[1] == {"refused": "fails"}
    assert why in await house.last_failure()


@pytest.mark.parametrize(
    ("header", "key", "why"),
    [
        ({"kid": "unknown"}, None, "no such key"),
        ({"kid": _RSA[0].kid}, _RSA[1], "signature"),
        ({"crit": ["exp"]}, None, "extensions"),
        ({"typ": "at+jwt"}, None, "no ID token"),
        ({"typ": "logout+jwt"}, None, "no ID token"),
        ({"kid": _RSA[1].kid, "jwk": _RSA[1].as_dict(private=False)}, _RSA[1], "no such key"),
        ({"kid": _RSA[1].kid, "jku": "https://evil.example/keys"}, _RSA[1], "no such key"),
    ],
)
async def test_a_header_chooses_nothing(house: House, header: dict[str, Any], key: Any, why: str) -> None:
    issuer = house.issuer

    def lie(token: str) -> str:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        signer = key or issuer.keys[0]
        head = {"alg": "RS256", "kid": signer.kid, **header}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
        first = base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=")
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signature = signer.raw_value.sign(first + b"." + body, PKCS1v15(), SHA256())
        return f"{first.decode()}.{body.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    issuer.lie = lie
    browser = Api(house.app)
    assert (await house.back(browser, await house.leave(browser)))[1] == {"refused": "fails"}
    assert why in await house.last_failure()


async def test_an_answer_counts_once_and_only_in_its_time(house: House) -> None:
    browser = Api(house.app)
    answer = await house.leave(browser)
    _, said = await house.back(browser, answer)
    assert (await house.back(browser, answer))[1] == {"refused": "over"}, "a replayed state"
    await browser.post("/auth/providers/come-in", {"ticket": said["came"]})
    await browser.post("/auth/providers/come-in", {"ticket": said["came"]}, expect=401)
    for wrong in ({}, {"state": "invented", "code": "x"}, {"code": "x"}):
        assert (await house.back(browser, wrong))[1] == {"refused": "over"}
    late = await house.leave(browser)
    async with house.database.transaction() as session:
        await session.execute(update(SignInTransaction).values(expires_at=now()))
    assert (await house.back(browser, late))[1] == {"refused": "over"}


async def test_many_at_once_with_one_answer_give_one_ticket(house: House) -> None:
    browser = Api(house.app)
    answer = await house.leave(browser)
    came = await asyncio.gather(*(house.back(browser, answer) for _ in range(4)))
    assert sorted(next(iter(said)) for _, said in came) == ["came", "refused", "refused", "refused"]


async def test_an_answer_opens_nothing_in_another_browser(house: House) -> None:
    mine, other = Api(house.app), Api(house.app)
    _, said = await house.back(mine, await house.leave(mine))
    await house.leave(other)  # it has a cookie of its own
    await other.post("/auth/providers/come-in", {"ticket": said["came"]}, expect=401)
    await Api(house.app).post("/auth/providers/come-in", {"ticket": said["came"]}, expect=401)
    _, planted = await house.back(other, await house.leave(mine))
    await other.post("/auth/providers/come-in", {"ticket": planted["came"]}, expect=401)
    assert "access_token" in await mine.post("/auth/providers/come-in", {"ticket": planted["came"]})


async def test_a_code_is_bound_to_the_sign_in_that_asked(house: House) -> None:
    attacker, victim = Api(house.app), Api(house.app)
    stolen = (await house.leave(victim))["code"]
    answer = await house.leave(attacker)
    assert (await house.back(attacker, answer, code=stolen))[1] == {"refused": "fails"}, "PKCE"
    assert "invalid_grant" in await house.last_failure()
    first = await house.leave(attacker)
    await house.back(attacker, first)
    second = await house.leave(attacker)
    assert (await house.back(attacker, second, code=first["code"]))[1] == {"refused": "fails"}, "a replayed code"


async def test_another_issuers_answer_is_not_taken_for_this_ones(house: House, admin: Api) -> None:
    browser = Api(house.app)
    for iss in ("https://evil.example", f"{house.issuer.url}/"):
        assert (await house.back(browser, await house.leave(browser), iss=iss))[1] == {"refused": "fails"}
        assert "was not asked" in await house.last_failure()
    answer = await house.leave(browser)
    del answer["iss"]
    assert (await house.back(browser, answer))[1] == {"refused": "fails"}
    assert "does not say by whom" in await house.last_failure()
    assert not house.issuer.sent, "no code was handed to anybody"
    settings = {"issuer": house.issuer.url, "client_id": "other", "client_secret": "x"}
    other = {"kind": "oidc", "key": f"house-{next(_numbers)}", "name": "Other", "settings": settings}
    row = await admin.post("/identity-providers", other, expect=201)
    got = await browser.get(f"/auth/oidc/{row['key']}/callback", expect=None, params=await house.leave(browser))
    assert got.headers["location"].endswith("#refused=over"), "the state belongs to another provider"
    await admin.delete(f"/identity-providers/{row['id']}")


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "tickets",
        "/\t/evil",
        "/a\nb",
        "",
        "/x" * 1500,
    ],
)
async def test_nobody_is_sent_elsewhere(house: House, path: str) -> None:
    await Api(house.app).post(f"/auth/providers/{house.row['key']}/leave", {"next": path}, expect=422)


@given(st.text(max_size=30))
def test_only_paths_of_ours_are_own_paths(said: str) -> None:
    from urllib.parse import urljoin

    try:
        path = own_path("/" + said)
    except ValueError:
        return
    assert urljoin("https://waypost.test/login", path).startswith("https://waypost.test/")


async def test_a_browser_of_another_site_begins_nothing(house: House) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        path = f"/auth/providers/{house.row['key']}/leave"
        await Api(house.app).post(path, {}, expect=403, headers=headers)
        await Api(house.app).post("/auth/providers/come-in", {"ticket": "wpt_xxxxxxxx"}, expect=403, headers=headers)
        await Api(house.app).post("/auth/sign-out", expect=403, headers=headers)


async def test_who_says_no_there_is_told_so(house: House) -> None:
    browser = Api(house.app)
    answer = await house.leave(browser)
    refused = {"state": answer["state"], "iss": answer["iss"], "error": "access_denied"}
    assert (await house.back(browser, refused))[1] == {"refused": "denied"}
    answer = await house.leave(browser)
    assert (await house.back(browser, {**answer, "error": "server_error"}))[1] == {"refused": "fails"}


async def test_one_that_is_off_lets_nobody_in(house: House) -> None:
    browser = Api(house.app)
    answer = await house.leave(browser)
    _, said = await house.back(browser, await house.leave(browser))
    await house.set(is_on=False)
    assert (await house.back(browser, answer))[1] == {"refused": "over"}
    await browser.post("/auth/providers/come-in", {"ticket": said["came"]}, expect=409)
    await browser.post(f"/auth/providers/{house.row['key']}/leave", {}, expect=409)
    await browser.post("/auth/providers/unknown/leave", {}, expect=404)
    assert house.row["key"] not in [w["key"] for w in (await browser.get("/auth/providers"))["items"]]


# --- the issuer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "https://evil.example"}, "must be equal"),
        ({"issuer": None}, "must be equal"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"userinfo_endpoint": "https://a:b@example.com/"}, "userinfo_endpoint"),
        ({"end_session_endpoint": 5}, "end_session_endpoint"),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, "not among the allowed"),
        ({"jwks_uri": "https://10.0.0.1/keys"}, "inside this network"),
    ],
)
async def test_a_description_that_is_not_right_is_not_used(house: House, metadata: dict[str, Any], why: str) -> None:
    house.issuer.metadata = metadata
    tested = await house.admin.post(f"/identity-providers/{house.row['id']}/test")
    assert why in tested["error"]


async def test_a_test_says_what_was_found(house: House) -> None:
    path = f"/identity-providers/{house.row['id']}"
    tested = await house.admin.post(f"{path}/test")
    assert tested["error"] is None
    found = {f["label"]: f["value"] for f in tested["found"]}
    assert found["Issuer"] == house.issuer.url
    assert found["Keys"] == "RSA rsa-0"
    assert found["Signing out"] == "from here and from there (back-channel)"
    addresses = {a["key"]: a["url"] for a in (await house.admin.get(path))["addresses"]}
    assert addresses["redirect"] == f"http://waypost.test/api/v1{house.callback}"
    house.issuer.fails = True
    assert "answers 503" in (await house.admin.post(f"{path}/test"))["error"]


async def test_an_issuer_inside_is_not_called_unless_allowed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTGOING_ALLOW", "[]")
    get_settings.cache_clear()
    issuers.forget(house.issuer.url)
    before = len(house.issuer.asked)
    problem = await Api(house.app).post(f"/auth/providers/{house.row['key']}/leave", {}, expect=503)
    assert problem["code"] == "provider_fails"
    assert len(house.issuer.asked) == before


async def test_keys_are_fetched_anew_for_one_we_do_not_know_but_not_for_each(house: House) -> None:
    await house.sign_in()
    looks = house.issuer.asked.count("/keys")
    await house.sign_in()
    assert house.issuer.asked.count("/keys") == looks, "they are kept"
    house.issuer.keys = [_RSA[1]]
    browser = Api(house.app)
    assert (await house.back(browser, await house.leave(browser)))[1] == {"refused": "fails"}, "just looked"
    assert house.issuer.asked.count("/keys") == looks
    issuers._of(house.issuer.url).keys_at -= 11
    assert "access_token" in await house.sign_in()
    assert house.issuer.asked.count("/keys") == looks + 1
    house.issuer.keys = [_RSA[0]]
    for _ in range(3):  # whoever asks with invented keys makes us ask no more often
        await house.back(browser, await house.leave(browser))
    assert house.issuer.asked.count("/keys") == looks + 1


async def test_settings_are_judged(house: House) -> None:
    path = f"/identity-providers/{house.row['id']}"
    kept = ("version", "name", "is_on", "creates_people", "links_by", "updates_people", "trusts_second_factor")
    rules = {k: house.row[k] for k in kept}

    async def pointers(**settings: Any) -> list[str]:
        problem = await house.admin.put(path, {**rules, "settings": settings}, expect=422)
        return sorted(e["pointer"].removeprefix("/settings/") for e in problem["errors"])

    assert await pointers(algorithms=["none"]) == ["algorithms"]
    assert await pointers(algorithms=["HS256"]) == ["algorithms"]
    assert await pointers(client_secret=None) == ["client_secret"]
    assert await pointers(client_authentication="private_key_jwt") == ["private_key"]
    assert await pointers(client_authentication="private_key_jwt", private_key="no key") == ["private_key"]
    assert await pointers(issuer=f"{house.issuer.url}?a=b") == ["issuer"]


# --- trying, linking, signing out ------------------------------------------------------------------------------------


async def test_trying_shows_and_changes_nothing(house: House, admin: Api, who: Any) -> None:
    await house.set(is_on=False)
    path = f"/identity-providers/{house.row['id']}"

    async def tried() -> dict[str, Any]:
        going = await admin.post(f"{path}/tries")
        page, said = await house.back(admin, house.issuer.sign_in(going["url"]))
        assert page == f"/settings/identity-providers/{house.row['id']}"
        await admin.post("/auth/providers/come-in", {"ticket": said["came"]}, expect=401)
        await (await who("agent")).post(f"{path}/tried", {"ticket": said["came"]}, expect=403)
        seen: dict[str, Any] = await admin.post(f"{path}/tried", {"ticket": said["came"]})
        return seen

    seen = await tried()
    subject = house.issuer.claims["sub"]
    assert (seen["outcome"], seen["user"], seen["groups"]) == ("CREATED", subject, ["desk"])
    assert [r["key"] for r in seen["roles"]] == ["agent", "employee"]
    assert {"name": "email", "value": f"{subject}@example.com"} in seen["claims"]
    async with house.database.read() as session:
        assert await session.scalar(select(User).where(User.username == subject)) is None
        assert await session.scalar(select(Identity).where(Identity.provider_id == house.row["id"])) is None
    await house.set(is_on=True)
    await house.sign_in()
    assert (await tried())["outcome"] == "FOUND"
    house.issuer.claims |= {"sub": "new", "email": "colleague@example.com"}
    async with house.database.read() as session:
        house.issuer.claims["email"] = await session.scalar(select(User.email).where(User.username == "colleague"))
    assert (await tried())["outcome"] == "ACCOUNT_EXISTS"
    await house.set(links_by="VERIFIED_EMAIL")
    linked = await tried()
    assert (linked["outcome"], linked["user"]) == ("LINKED", "colleague")


async def test_an_administrator_links_an_account_themselves(house: House, admin: Api, app: Any) -> None:
    async def linked(api: Api) -> dict[str, str]:
        going = await api.post(f"/auth/identities/{house.row['key']}/leave")
        page, said = await house.back(api, house.issuer.sign_in(going["url"]))
        assert page == "/account/security"
        return said

    said = await linked(admin)
    other = await Api(app, "agent").sign_in()
    await other.post("/auth/identities", {"ticket": said["came"]}, expect=401)
    await admin.post("/auth/identities", {"ticket": said["came"]}, expect=204)
    mine = (await admin.get("/auth/identities"))["items"]
    assert [i["provider"]["key"] for i in mine] == [house.row["key"]]
    assert house.row["key"] in [w["key"] for w in (await other.get("/auth/identities"))["more"]]
    assert (await house.sign_in())["user"]["username"] == "admin"
    taken = await linked(other)
    assert (await other.post("/auth/identities", {"ticket": taken["came"]}, expect=409))["code"] == "identity_taken"
    await other.delete(f"/auth/identities/{mine[0]['id']}", expect=404)
    await admin.delete(f"/auth/identities/{mine[0]['id']}")
    assert (await admin.get("/auth/identities"))["items"] == []
    async with house.database.transaction() as session:  # roles its groups gave stay until it is gone
        await session.execute(delete(UserRole).where(UserRole.provider_id == house.row["id"]))


async def test_the_only_way_in_stays(house: House) -> None:
    browser = Api(house.app)
    await house.sign_in(browser)
    (mine,) = (await browser.get("/auth/identities"))["items"]
    assert (await browser.delete(f"/auth/identities/{mine['id']}", expect=409))["code"] == "last_way_in"


async def test_signing_out_here_leads_there(house: House) -> None:
    browser = Api(house.app)
    await house.sign_in(browser)
    url = (await browser.post("/auth/sign-out"))["url"]
    asked = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{house.issuer.url}/logout?")
    assert (asked["post_logout_redirect_uri"], asked["client_id"]) == ("http://waypost.test/login", CLIENT)
    claims = jwt.decode(asked["id_token_hint"], house.issuer.keys[0], algorithms=["RS256"]).claims
    assert claims["sub"] == house.issuer.claims["sub"]
    assert len(asked["state"]) > 20
    await browser.get("/auth/me", expect=401)
    await house.sign_in(browser)
    await house.set(signs_out_there=False)
    assert await browser.post("/auth/sign-out") == {"url": None}
    await house.sign_in(browser)
    await house.set(signs_out_there=True)
    house.issuer.fails = True
    assert await browser.post("/auth/sign-out") == {"url": None}, "one is signed out here all the same"
    assert await (await Api(house.app, "agent").sign_in()).post("/auth/sign-out") == {"url": None}
    assert await Api(house.app).post("/auth/sign-out") == {"url": None}


async def told(house: House, token: str, **more: Any) -> httpx2.Response:
    path = f"/auth/oidc/{house.row['key']}/back-channel-logout"
    answer: httpx2.Response = await Api(house.app).post(path, expect=None, data={"logout_token": token, **more})
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def test_signing_out_there_ends_it_here(house: House) -> None:
    one, two = Api(house.app), Api(house.app)
    await house.sign_in(one)
    house.issuer.claims["sid"] = "there-2"
    await house.sign_in(two)
    answer = await told(house, house.issuer.logout_token(sid="there-1"))
    assert (answer.status_code, answer.json()) == (200, {"ended": 1})
    await one.get("/auth/me", expect=401)
    await one.post("/auth/refresh", expect=401)
    await two.get("/auth/me")
    nobody = await told(house, house.issuer.logout_token(sid="there-2", sub="somebody-else"))
    assert nobody.json() == {"ended": 0}
    await two.get("/auth/me")
    assert (await told(house, house.issuer.logout_token(sub=house.issuer.claims["sub"]))).json() == {"ended": 1}
    await two.get("/auth/me", expect=401)


async def test_a_sign_in_that_waits_ends_too(house: House) -> None:
    user = (await house.sign_in())["user"]
    from waypost.access import factors

    async with house.database.transaction() as session:
        came = factors.CameBy(house.row["id"], "there-1")
        await factors.ask(session, user["id"], ["totp"], method="oidc", at=now(), came_by=came)
    await told(house, house.issuer.logout_token(sid="there-1"))
    async with house.database.read() as session:
        waiting = select(SignInChallenge).where(SignInChallenge.user_id == user["id"])
        assert await session.scalar(waiting) is None


LOGOUT_LIES: dict[str, dict[str, Any]] = {
    "with a nonce": {"nonce": "x"},
    "without events": {"events": None},
    "with other events": {"events": {"http://schemas.openid.net/event/other": {}}},
    "with an event that is no object": {"events": {oidc_tokens.LOGOUT: True}},
    "without an id": {"jti": None},
    "about nobody": {"sid": None},
    "about a number": {"sid": 5},
    "of another issuer": {"iss": "https://evil.example"},
    "for another": {"aud": "other"},
    "made long ago": {"iat": SOON - 3600},
    "made in the future": {"iat": SOON + 7200},
    "without a time": {"iat": None},
    "expired": {"exp": SOON - 3600},
}


@pytest.mark.parametrize("name", LOGOUT_LIES)
async def test_a_logout_token_that_lies_ends_nothing(house: House, name: str) -> None:
    browser = Api(house.app)
    await house.sign_in(browser)
    answer = await told(house, house.issuer.logout_token(**{"sid": "there-1", **LOGOUT_LIES[name]}))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    await browser.get("/auth/me")


async def test_a_logout_token_counts_once_and_must_be_one(house: House) -> None:
    browser = Api(house.app)
    await house.sign_in(browser)
    token = house.issuer.logout_token(sid="other")
    assert (await told(house, token)).status_code == 200
    assert (await told(house, token)).status_code == 400, "a replayed one"
    for wrong in (
        house.issuer.logout_token(sid="there-1", key=_RSA[1]),
        *(house.issuer.logout_token(sid="there-1", header={"typ": typ}) for typ in ("at+jwt", "JWT", "", None)),
        house.issuer.id_token("n", sid="there-1"),
        _unsigned(token),
        _shared(token),
        "",
        "nonsense",
    ):
        assert (await told(house, wrong)).status_code == 400
    path = f"/auth/oidc/{house.row['key']}/back-channel-logout"
    twice = f"logout_token={token}&logout_token={token}".encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await Api(house.app).post(path, expect=None, content=twice, headers=form)
    assert answer.status_code == 400
    await Api(house.app).post("/auth/oidc/unknown/back-channel-logout", expect=404)
    await browser.get("/auth/me")


# --- pure ----------------------------------------------------------------------------------------------------------


@given(st.text(max_size=60))
def test_whatever_is_sent_is_only_wrong(token: str) -> None:
    with pytest.raises(WrongToken):
        read_header(token, USUAL)


@given(
    st.dictionaries(
        st.sampled_from(["groups", "roles", "amr", "acr", "email", "name", "_claim_names"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_claims_may_be_anything(claims: dict[str, Any]) -> None:
    config = {"groups_claim": "groups", "second_factor_values": ["mfa"]}
    person = person_of(config, {"sub": "s", **claims})
    assert person.groups is None or all(isinstance(g, str) for g in person.groups)
    assert isinstance(is_vouched(config, claims), bool)


def test_groups_are_read_where_they_stand() -> None:
    assert groups_of({"groups_claim": "groups"}, {}) == ()
    assert groups_of({"groups_claim": "groups"}, {"groups": "one"}) == ("one",)
    assert groups_of({"groups_claim": "groups"}, {"_claim_names": {"groups": "src1"}}) is None
    assert groups_of({}, {"groups": ["a"]}) is None
    nested = {"realm_access": {"roles": ["a", 5, "", "b"]}, "https://x/roles": ["c"]}
    assert groups_of({"groups_claim": "realm_access.roles"}, nested) == ("a", "b")
    assert groups_of({"groups_claim": "https://x/roles"}, nested) == ("c",)
    assert groups_of({"groups_claim": "realm_access.roles.x"}, nested) == ()


def test_people_have_the_names_they_are_given() -> None:
    whole = person_of({}, {"sub": "s", "name": "Jane van Doe", "email_verified": "true"})
    assert (whole.first_name, whole.last_name, whole.email_verified) == ("Jane", "van Doe", False)
    assert person_of({"vouches_for_email": True}, {"sub": "s"}).email_verified
    config = {"department_claim": "dept", "job_title_claim": "title"}
    placed = person_of(config, {"sub": "s", "dept": "Marketing", "title": "Lead"})
    assert (placed.department, placed.job_title) == ("Marketing", "Lead")
