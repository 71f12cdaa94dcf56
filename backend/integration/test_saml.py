"""Signing in by SAML at a real SimpleSAMLphp: in, out, out from there, sealed, and with what it checks of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import select

from integration.simplesamlphp import JANE, JOHN, Browser, Form, Idp, simplesamlphp
from tests.conftest import Api
from waypost.access.models import LoginSession
from waypost.access.providers.models import Identity
from waypost.access.providers.saml import bounded, guard, kind
from waypost.kernel.settings import get_settings

CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"


@pytest.fixture(scope="module")
def provider() -> Iterator[Idp]:
    with simplesamlphp() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
async def house(servers: dict[str, str]) -> AsyncIterator[None]:
    """Metadata may be read on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8"]')
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()
    await bounded.close()


@dataclass
class Company:
    """Waypost and the provider, who know each other."""

    provider: Idp
    row: dict[str, Any]
    ours: kind.Here
    certificate: str

    def knows(self, **more: Any) -> None:
        self.provider.knows(
            entity_id=self.ours.entity_id,
            acs_url=self.ours.acs_url,
            sls_url=self.ours.sls_url,
            certificate=self.certificate,
            **more,
        )


@pytest.fixture(scope="module")
async def company(provider: Idp, house: None, who: Any) -> AsyncIterator[Company]:
    """Set up as an administrator does it: metadata read, looked at, saved, groups mapped, switched on."""
    admin = await who("admin")
    read = await admin.post("/identity-providers/saml/metadata", {"url": provider.metadata_url})
    key = "simplesamlphp"
    body = {"kind": "saml", "key": key, "name": "SimpleSAMLphp", "settings": read["settings"]}
    row = await admin.post("/identity-providers", body, expect=201)
    path = f"/identity-providers/{row['id']}"
    tested = await admin.post(f"{path}/test")
    assert tested["error"] is None
    groups = {"version": 1, "groups": {"waypost-agents": ["agent"], "*": ["employee"]}}
    await admin.put(f"{path}/groups", groups)
    rules = {"name": "SimpleSAMLphp", "is_on": True, "creates_people": True, "links_by": "NONE", "updates_people": True,
             "trusts_second_factor": False, "version": 2, "settings": {}}  # fmt: skip
    row = await admin.put(path, rules)
    certificate = (await (await who(None)).get(f"/auth/saml/{key}/certificate", expect=None)).text
    yield Company(provider, row, kind.Here(key), certificate)
    await admin.delete(path)


class Person:
    """Somebody at a browser that goes to both."""

    def __init__(self, app: Any, company: Company) -> None:
        self.api, self.company, self.there = Api(app), company, Browser(company.provider)
        self.key = company.row["key"]

    async def close(self) -> None:
        self.there.close()
        await self.api.http.aclose()

    async def leave(self) -> str:
        return str((await self.api.post(f"/auth/providers/{self.key}/leave", {"next": "/tickets"}))["url"])

    async def bring(self, form: Form) -> str:
        assert form.action == self.company.ours.acs_url
        answer = await self.api.http.post(f"/auth/saml/{self.key}/acs", data=form.fields)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def come_in(self, name: tuple[str, str] = JANE) -> dict[str, Any]:
        location = await self.bring(self.there.sign_in(await self.leave(), name))
        ticket = urlsplit(location).fragment
        assert ticket.startswith("came="), location
        came = await self.api.post("/auth/providers/come-in", {"ticket": ticket.removeprefix("came=")})
        self.api.http.headers["Authorization"] = f"Bearer {came['access_token']}"
        user: dict[str, Any] = came["user"]
        return user

    async def ours(self, address: str) -> str:
        """Go to an address of ours that the provider sent the browser to; where that leads."""
        assert address.startswith(self.company.ours.sls_url), address
        answer = await self.api.http.get(f"/auth/saml/{self.key}/sls?{urlsplit(address).query}")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


@pytest.fixture
async def person(app: Any, company: Company) -> AsyncIterator[Person]:
    company.knows()
    made = Person(app, company)
    yield made
    await made.close()


async def test_jane_comes_in_with_the_roles_of_her_groups(person: Person, database: Any) -> None:
    jane = await person.come_in()
    assert (jane["first_name"], jane["last_name"], jane["email"]) == ("Jane", "Roe", "jane.roe@example.com")
    assert {r["key"] for r in jane["roles"]} == {"agent", "employee"}
    assert (await person.api.get("/auth/me"))["id"] == jane["id"]
    async with database.read() as session:
        assert await session.scalar(select(Identity.subject).where(Identity.user_id == jane["id"])) == "p-0001"
    # again, at once, since she is still signed in there: the same person, a session of her own
    again = await person.come_in()
    assert again["id"] == jane["id"]
    assert "validate.authnrequest" not in person.company.provider.log()


async def test_a_request_that_is_not_signed_by_us_is_refused_there(person: Person) -> None:
    url = await person.leave()
    assert "Signature=" in url
    page = person.there.page(url.replace("RelayState=", "RelayState=x"))
    assert "jane" not in page.lower()
    assert "Unhandled exception" in page or "signature" in page.lower(), page[:500]


@pytest.mark.parametrize(
    "way",
    [
        {"encrypt": True},
        {"encrypt": True, "cipher": CBC},
        {"sign_response": False},
        {"sign_assertion": False},
    ],
    ids=["sealed", "sealed with CBC and signed outside", "only the assertion signed", "only the response signed"],
)
async def test_however_it_signs_and_seals(person: Person, way: dict[str, Any]) -> None:
    person.company.knows(**way)
    form = person.there.sign_in(await person.leave(), JOHN)
    message = guard.unpack(form.fields["SAMLResponse"])
    assert (b"EncryptedAssertion" in message) == way.get("encrypt", False)
    location = await person.bring(form)
    assert "#came=" in location, location


async def test_the_same_response_twice(person: Person) -> None:
    form = person.there.sign_in(await person.leave())
    assert "#came=" in await person.bring(form)
    assert (await person.bring(form)).endswith("#refused=over")


async def test_a_response_nobody_asked_for(person: Person) -> None:
    address = (
        f"{person.company.provider.url}/saml2/idp/SSOService.php?spentityid={quote(person.company.ours.entity_id)}"
    )
    form = person.there.sign_in(address)
    assert (await person.bring(form)).endswith("#refused=over")


async def test_signing_out_here_is_signing_out_there(person: Person) -> None:
    await person.come_in()
    url = (await person.api.post("/auth/sign-out"))["url"]
    await person.api.get("/auth/me", expect=401)
    assert url.startswith(person.company.provider.url)
    back = person.there.leaves(url)
    assert "SAMLResponse=" in back
    assert (await person.ours(back)).endswith("/login")
    # and there she is asked for her password again
    page = person.there.http.get(await person.leave(), follow_redirects=True)
    assert 'name="password"' in page.text


async def test_signing_out_there_is_signing_out_here_at_once(person: Person, database: Any) -> None:
    jane = await person.come_in()
    await person.api.get("/auth/me")
    there = person.company.provider.url
    to = person.there.leaves(f"{there}/saml2/idp/initSLO.php?RelayState={quote(there + '/')}")
    assert "SAMLRequest=" in to
    back = await person.ours(to)
    await person.api.get("/auth/me", expect=401)
    assert back.startswith(f"{there}/saml2/idp/SingleLogoutService.php?SAMLResponse=")
    person.there.http.get(back)
    assert "LogoutResponse" in person.company.provider.log()
    async with database.read() as session:
        wanted = select(LoginSession.end_reason).where(LoginSession.user_id == jane["id"])
        assert await session.scalar(wanted.order_by(LoginSession.id.desc()).limit(1)) == "provider_logout"
