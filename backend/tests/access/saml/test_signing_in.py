"""Signing in through the doors: a browser leaves, the identity provider answers, and only that browser comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import xmlsec
from sqlalchemy import func, select

from tests.access.saml import idp
from tests.access.saml.idp import Told, packed, pair
from tests.access.saml.test_provider import SETTINGS, corp, logout_message, query_of  # noqa: F401
from tests.conftest import Api
from waypost.access.models import LoginSession, Role
from waypost.access.providers.models import Identity, IdentityProvider, ProviderGroup, SeenToken
from waypost.access.providers.saml import guard, keys, kind, mapping
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow


class Browser:
    """Somebody's browser: it keeps cookies, and goes where it is sent."""

    def __init__(self, app: Any, row: IdentityProvider) -> None:
        self.api, self.row = Api(app), row

    async def leave(self, next_path: str = "/tickets") -> tuple[str, str]:
        """Leave for the provider; the request's id and the state that goes along."""
        answer = await self.api.post(f"/auth/providers/{self.row.key}/leave", {"next": next_path})
        query = parse_qs(urlsplit(answer["url"]).query)
        request = idp.tree(guard.inflate(query["SAMLRequest"][0]))
        return request.get("ID"), query["RelayState"][0]

    async def bring(self, root: Any, state: str | None, **more: str) -> str:
        """Bring a response; where the browser is sent then. The provider's form comes from another site: no cookies."""
        form = {"SAMLResponse": packed(root), **more} | ({"RelayState": state} if state is not None else {})
        answer = await self.api.http.post(
            f"/auth/saml/{self.row.key}/acs", data=form, headers={"Cookie": "", "Origin": "https://idp.example.com"}
        )
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def come_in(self, location: str, expect: int | None = 200) -> Any:
        ticket = urlsplit(location).fragment.removeprefix("came=")
        return await self.api.post("/auth/providers/come-in", {"ticket": ticket}, expect=expect)


def told(row: IdentityProvider, request_id: str, **more: Any) -> Told:
    here, at = kind.Here(row.key), now().replace(microsecond=0)
    about: dict[str, Any] = {
        "audience": here.entity_id, "acs": here.acs_url, "recipient": here.acs_url, "request_id": request_id,
        "signed_request_id": request_id, "at": at, "not_before": at - timedelta(minutes=1),
        "not_on_or_after": at + timedelta(minutes=5), "assertion_id": f"_{request_id[:30]}",
        "name_id": f"p-{row.key}", "attributes": {
            "mail": [f"{row.key}@example.com"], "givenName": ["Jane"], "sn": ["Roe"], "groups": ["it", "staff"],
        },
    }  # fmt: skip
    return Told(**(about | more))


def signed(said: Told) -> Any:
    return idp.sign(idp.tree(idp.response(said)), "saml:Assertion")


@pytest.fixture
async def browser(app: Any, corp: IdentityProvider, database: Any) -> AsyncIterator[Browser]:  # noqa: F811
    """A browser, and a provider whose people are employees here."""
    async with database.transaction() as session:
        role = await session.scalar(select(Role.id).where(Role.key == "employee"))
        session.add(ProviderGroup(provider_id=corp.id, group_name="*", role_id=role))
    made = Browser(app, corp)
    yield made
    await made.api.http.aclose()


async def last_failure(database: Any, row: IdentityProvider) -> str:
    async with database.read() as session:
        wanted = select(EventRow.data).where(
            EventRow.type == "auth.login_failed", EventRow.data["provider_id"].as_integer() == row.id
        )
        data: dict[str, Any] = (await session.scalars(wanted.order_by(EventRow.id.desc()).limit(1))).one()
        return str(data["reason"])


async def test_somebody_new_comes_in_and_is_known_from_then_on(browser: Browser, database: Any) -> None:
    async with database.transaction() as session:
        role = await session.scalar(select(Role.id).where(Role.key == "agent"))
        session.add(ProviderGroup(provider_id=browser.row.id, group_name="it", role_id=role))
    request_id, state = await browser.leave("/tickets?x=1")
    location = await browser.bring(signed(told(browser.row, request_id)), state)
    assert location.startswith("/login?next=/tickets%3Fx%3D1#came=wpt_")
    came = await browser.come_in(location)
    me = came["user"]
    assert (me["first_name"], me["last_name"], me["email"]) == ("Jane", "Roe", f"{browser.row.key}@example.com")
    assert "agent" in [r["key"] for r in me["roles"]]
    await browser.come_in(location, expect=401)  # a ticket is taken once
    # the second time it is the same person, and the group is gone
    request_id, state = await browser.leave()
    location = await browser.bring(signed(told(browser.row, request_id, attributes={})), state)
    again = (await browser.come_in(location))["user"]
    assert again["id"] == me["id"]
    assert "agent" not in [r["key"] for r in again["roles"]]
    async with database.read() as session:
        login = (
            await session.scalars(
                select(LoginSession).where(LoginSession.user_id == me["id"]).order_by(LoginSession.id.desc()).limit(1)
            )
        ).one()
        assert login.provider_id == browser.row.id
        assert (
            await session.scalar(select(Identity.subject).where(Identity.user_id == me["id"])) == f"p-{browser.row.key}"
        )


async def test_another_browser_gets_nothing(browser: Browser, app: Any) -> None:
    """Whoever plants their own sign-in in somebody's browser, or steals an answer on its way, gets nowhere."""
    request_id, state = await browser.leave()
    location = await browser.bring(signed(told(browser.row, request_id)), state)
    other = Browser(app, browser.row)
    await other.come_in(location, expect=401)
    await other.leave()  # also with a sign-in of its own under way
    await other.come_in(location, expect=401)
    await other.api.http.aclose()
    assert (await browser.come_in(location))["access_token"]


async def test_the_same_response_twice(browser: Browser, database: Any) -> None:
    request_id, state = await browser.leave()
    root = signed(told(browser.row, request_id))
    results = await asyncio.gather(*(browser.bring(root, state) for _ in range(8)))
    assert sorted(r.partition("#")[2].partition("=")[0] for r in results) == ["came"] + ["refused"] * 7
    assert (await browser.bring(root, state)).endswith("#refused=over")
    print(f"{'the same response eight times at once':55} one taken, seven refused")


async def test_the_same_assertion_in_answer_to_another_request(browser: Browser, database: Any) -> None:
    """It could not be: the request it answers is signed. And if that were not so, it would still count once."""
    first, state = await browser.leave()
    await browser.bring(signed(told(browser.row, first)), state)
    second, other = await browser.leave()
    root = signed(replace(told(browser.row, first), request_id=second))
    assert (await browser.bring(root, other)).endswith("#refused=fails")
    assert "wrong_request" in await last_failure(database, browser.row)
    third, last = await browser.leave()
    root = signed(told(browser.row, third, assertion_id=f"_{first[:30]}"))
    assert (await browser.bring(root, last)).endswith("#refused=fails")
    assert "replayed" in await last_failure(database, browser.row)


REFUSED: dict[str, tuple[Any, str]] = {
    "unsigned": (lambda s: idp.tree(idp.response(s)), "not_signed"),
    "signed by a stranger": (lambda s: idp.sign(idp.tree(idp.response(s)), "saml:Assertion", pair("x")), "bad_signature"),
    "another audience": (lambda s: signed(replace(s, audience="https://x")), "wrong_audience"),
    "another request": (lambda s: signed(replace(s, signed_request_id="_x", request_id="_x")), "wrong_request"),
    "unsolicited": (lambda s: signed(replace(s, signed_request_id=None, request_id=None)), "wrong_request"),
    "expired": (lambda s: signed(replace(s, not_on_or_after=s.at - timedelta(hours=1))), "expired"),
    "SHA-1": (lambda s: idp.sign(idp.tree(idp.response(s)), "saml:Assertion", method=xmlsec.constants.TransformRsaSha1),
              "forbidden_algorithm"),
    "a transient name": (lambda s: signed(replace(s, name_id_format=mapping.TRANSIENT)), "no_subject"),
    "two million bytes": (lambda s: b"<a>" + b"x" * 300_000 + b"</a>", "too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_makes_nobody_and_is_told_to_who_looks_after_it(
    browser: Browser, database: Any, who: Any, name: str
) -> None:
    make, reason = REFUSED[name]
    async with database.read() as session:
        before = await session.scalar(select(func.count()).select_from(User))
    request_id, state = await browser.leave()
    location = await browser.bring(make(told(browser.row, request_id)), state)
    assert location == "/login?next=/tickets#refused=fails"
    assert reason in await last_failure(database, browser.row)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == before
        seen = select(func.count()).where(SeenToken.provider_id == browser.row.id)
        assert await session.scalar(seen) == 0
    health = (await (await who("admin")).get(f"/identity-providers/{browser.row.id}"))["health"]
    assert health["state"] == "FAILING"
    assert reason in health["last_error"]
    print(f"{name:55} refused at the door: {reason}")


async def test_a_sign_in_somebody_broke_off_there_is_nobodys_fault(browser: Browser, who: Any) -> None:
    request_id, state = await browser.leave()
    said = told(browser.row, request_id, status="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed")
    assert (await browser.bring(idp.tree(idp.response(said, "")), state)).endswith("#refused=denied")
    health = (await (await who("admin")).get(f"/identity-providers/{browser.row.id}"))["health"]
    assert health["state"] != "FAILING"


async def test_relay_state_leads_nowhere(browser: Browser) -> None:
    for path in ("//evil.example.com", "https://evil.example.com/", "/\\evil.example.com", "javascript:alert(1)"):
        await browser.api.post(f"/auth/providers/{browser.row.key}/leave", {"next": path}, expect=422)
    for planted in ("https://evil.example.com/", "/settings", "", None):
        request_id, _ = await browser.leave()
        assert await browser.bring(signed(told(browser.row, request_id)), planted) == "/login?next=/#refused=over"


async def test_what_is_no_form_is_not_read(browser: Browser) -> None:
    path = f"/auth/saml/{browser.row.key}/acs"
    for sent in ({"json": {"SAMLResponse": "x"}}, {"content": b"x" * 600_000}):
        answer = await browser.api.http.post(path, **sent)
        assert answer.status_code == 422
    await browser.api.post("/auth/saml/nobody/acs", None, expect=404)


async def test_a_provider_that_is_switched_off_lets_nobody_in(browser: Browser, database: Any) -> None:
    request_id, state = await browser.leave()
    other = signed(told(browser.row, request_id))
    async with database.transaction() as session:
        row = await session.get(IdentityProvider, browser.row.id)
        row.is_on = False
    assert (await browser.bring(other, state)).endswith("#refused=over")


async def test_a_sealed_assertion_comes_in(browser: Browser, database: Any) -> None:
    async with database.transaction() as session:
        row = await session.get(IdentityProvider, browser.row.id)
        row.settings = {**SETTINGS, "must_encrypt": True}
    request_id, state = await browser.leave()
    said = told(browser.row, request_id)
    assert (await browser.bring(signed(said), state)).endswith("#refused=fails")
    ours = (await keys.key_pairs(database))[0]
    inside = idp.text(idp.sign(idp.tree(idp.assertion(said))))
    request_id, state = await browser.leave()
    said = told(browser.row, request_id)
    inside = idp.text(idp.sign(idp.tree(idp.assertion(said))))
    to = idp.Pair(b"", ours.certificate)
    location = await browser.bring(idp.tree(idp.response(said, idp.sealed(inside, to))), state)
    assert (await browser.come_in(location))["user"]["first_name"] == "Jane"


async def test_signing_out_here_and_there(browser: Browser, database: Any) -> None:
    request_id, state = await browser.leave()
    came = await browser.come_in(await browser.bring(signed(told(browser.row, request_id)), state))
    browser.api.http.headers["Authorization"] = f"Bearer {came['access_token']}"
    await browser.api.get("/auth/me")
    url = (await browser.api.post("/auth/sign-out"))["url"]
    assert url.startswith("https://idp.example.com/slo?x=1&SAMLRequest=")
    asked = idp.tree(guard.inflate(parse_qs(urlsplit(url).query)["SAMLRequest"][0]))
    assert asked.findtext("saml:NameID", namespaces=idp.NAMES) == f"p-{browser.row.key}"
    assert asked.findtext("samlp:SessionIndex", namespaces=idp.NAMES) == "_session1"
    await browser.api.get("/auth/me", expect=401)

    del browser.api.http.headers["Authorization"]
    request_id, state = await browser.leave()
    came = await browser.come_in(await browser.bring(signed(told(browser.row, request_id)), state))
    browser.api.http.headers["Authorization"] = f"Bearer {came['access_token']}"
    await browser.api.get("/auth/me")
    name = kind.NameId(value=f"p-{browser.row.key}")
    query = query_of(logout_message(browser.row, name_id=name))
    answer = await browser.api.get(f"/auth/saml/{browser.row.key}/sls?{query}", expect=None)
    assert answer.status_code == 303
    await browser.api.get("/auth/me", expect=401)


async def test_a_sign_in_lasts_no_longer_than_the_one_there(browser: Browser, database: Any) -> None:
    request_id, state = await browser.leave()
    end = now().replace(microsecond=0) + timedelta(minutes=30)
    came = await browser.come_in(await browser.bring(signed(told(browser.row, request_id, session_ends=end)), state))
    for _ in range(2):
        async with database.read() as session:
            wanted = select(LoginSession.expires_at).where(LoginSession.user_id == came["user"]["id"])
            assert await session.scalar(wanted.order_by(LoginSession.id.desc()).limit(1)) == end
        await browser.api.post("/auth/refresh")  # and staying in does not make it longer


async def test_a_trusted_second_factor_there_is_one_here(browser: Browser, database: Any) -> None:
    async with database.transaction() as session:
        row = await session.get(IdentityProvider, browser.row.id)
        row.trusts_second_factor = True
    for context, is_vouched in (("urn:oasis:names:tc:SAML:2.0:ac:classes:Password", False),
                                ("https://refeds.org/profile/mfa", True)):  # fmt: skip
        request_id, state = await browser.leave()
        said = told(browser.row, request_id, context=context)
        came = await browser.come_in(await browser.bring(signed(said), state))
        async with database.read() as session:
            wanted = select(LoginSession.is_vouched).where(LoginSession.user_id == came["user"]["id"])
            assert await session.scalar(wanted.order_by(LoginSession.id.desc()).limit(1)) is is_vouched
