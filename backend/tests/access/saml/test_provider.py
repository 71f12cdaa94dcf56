"""SAML as a kind of provider: its settings, our addresses, keys, metadata, and being signed out from there."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree
from sqlalchemy import select

from tests.access.saml import idp
from tests.access.saml.idp import NAMES, Pair, pair
from tests.access.saml.test_core import described
from waypost.access.factors import CameBy
from waypost.access.models import LoginSession
from waypost.access.providers.kinds import Leaving
from waypost.access.providers.models import IdentityProvider
from waypost.access.providers.registry import KINDS, provider_of
from waypost.access.providers.saml import bindings, bounded, kind, mapping, requests, verifying
from waypost.access.providers.saml.reading import Facts, NameId
from waypost.access.providers.saml.refusing import Refused
from waypost.access.sessions import Caller, start_session
from waypost.kernel import sealing
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings

_numbers = itertools.count(1)
SETTINGS = {
    "entity_id": idp.IDP,
    "sso_url": "https://idp.example.com/sso",
    "slo_url": "https://idp.example.com/slo?x=1",
    "certificates": pair("idp").certificate,
}


@pytest.fixture
async def corp(database: Any) -> AsyncIterator[IdentityProvider]:
    """A SAML provider that is on."""
    at = now()
    async with database.transaction() as session:
        row = IdentityProvider(
            key=f"corp{next(_numbers)}", kind="saml", name="Corp", is_on=True, settings=SETTINGS, links_by="NONE",
            creates_people=True, version=1, created_at=at, updated_at=at,
        )  # fmt: skip
        session.add(row)
        await session.flush()
    yield row
    async with database.transaction() as session:
        await session.delete(await session.get(IdentityProvider, row.id))
    await bounded.close()


def sls_of(row: IdentityProvider) -> str:
    return kind.Here(row.key).sls_url


def logout_message(row: IdentityProvider, **more: Any) -> bytes:
    about = {
        "request_id": f"_{secrets.token_hex(8)}", "at": now(), "slo_url": sls_of(row), "entity_id": idp.IDP,
        "name_id": NameId(value="jane"), "session_index": "",
    }  # fmt: skip
    return requests.logout_request(**(about | more))


def query_of(message: bytes, kind_: str = "SAMLRequest", by: Pair | None = None, **more: Any) -> str:
    address = bindings.address("https://x", kind_, message, private_key=(by or pair("idp")).key, **more)
    return address.partition("?")[2]


async def signed_in(database: Any, row: IdentityProvider, user_id: int, name: str, index: str) -> int:
    """A session that came by the provider."""
    came_by = CameBy(row.id, session=kind.session_name(NameId(value=name), index))
    async with database.transaction() as session:
        opened = await start_session(
            session, Caller("127.0.0.1", "test"), user_id=user_id, method="saml", came_by=came_by
        )
    return opened.session_id


async def ended(database: Any, session_id: int) -> str | None:
    async with database.read() as session:
        reason: str | None = await session.scalar(select(LoginSession.end_reason).where(LoginSession.id == session_id))
        return reason


# --- settings -----------------------------------------------------------------------------------------------------------


def test_what_keeps_settings_from_being_used() -> None:
    check = KINDS["saml"].check
    assert check(SETTINGS) == {}
    assert check({**SETTINGS, "certificates": 2 * pair("idp").certificate}) == {}
    assert check({**SETTINGS, "certificates": pair("weak", size=1024).certificate}).keys() == {"certificates"}
    assert check({**SETTINGS, "certificates": ""}).keys() == {"certificates"}
    for address in ("ftp://idp/", "https://", "https://u:p@idp/", "https://idp/#x", "http://idp.example.com/", "http://[",
                    "javascript:alert(1)"):  # fmt: skip
        assert check({**SETTINGS, "sso_url": address}).keys() == {"sso_url"}, address
    assert check({**SETTINGS, "sso_url": "http://127.0.0.1:9300/", "slo_url": "http://localhost/"}) == {}
    transient = {**SETTINGS, "name_id_format": "transient"}
    assert check(transient).keys() == {"subject_attribute"}
    assert check({**transient, "subject_attribute": "uid"}) == {}


async def test_an_administrator_sets_one_up(who: Any) -> None:
    admin = await who("admin")
    key = f"made{next(_numbers)}"
    body = {"kind": "saml", "key": key, "name": "Corp", "settings": {**SETTINGS, "must_encrypt": True}}
    row = await admin.post("/identity-providers", body, expect=201)
    path = f"/identity-providers/{row['id']}"
    addresses = {a["key"]: a["url"] for a in row["addresses"]}
    assert addresses["acs"] == f"{get_settings().origin}/api/v1/auth/saml/{key}/acs"
    assert row["signs_in_by_redirect"]
    tested = await admin.post(f"{path}/test")
    assert tested["error"] is None
    assert {f["label"] for f in tested["found"]} == {"Entity ID", "Sign-in address", "Certificate", "Our certificate"}
    asked = {k: row[k] for k in ("name", "creates_people", "links_by", "updates_people", "trusts_second_factor")}
    bad = {
        **asked,
        "version": 1,
        "is_on": True,
        "settings": {"certificates": "nonsense", "sso_url": "http://idp.example"},
    }
    problem = await admin.put(path, bad, expect=422)
    assert {e["pointer"] for e in problem["errors"]} == {"/settings/certificates", "/settings/sso_url"}
    await admin.put(path, {**asked, "version": 1, "is_on": True, "settings": {}})
    ways = (await (await who(None)).get("/auth/providers"))["items"]
    assert {"key": key, "name": "Corp", "kind": "saml"} in ways
    await admin.delete(path)


async def test_a_test_says_which_certificate_ends_soon_and_what_is_wrong(corp: IdentityProvider) -> None:
    settings = {**SETTINGS, "certificates": pair("idp").certificate + pair("expired").certificate}
    corp.settings = settings
    found = (await KINDS["saml"].test(provider_of(corp))).found
    told = [(f.is_good, f.value) for f in found if f.label == "Certificate"]
    assert [good for good, _ in told] == [True, False]
    assert "ended on 2021-01-01" in told[1][1]
    corp.settings = {**SETTINGS, "certificates": "x"}
    assert "certificates" in str((await KINDS["saml"].test(provider_of(corp))).error)


# --- whom an assertion means --------------------------------------------------------------------------------------------


def facts(**more: Any) -> Facts:
    about: dict[str, Any] = {
        "assertion_id": "_a", "in_response_to": "_r", "valid_until": idp.AT, "name_id": NameId(value="jane"),
        "attributes": {"mail": ("jane@example.com",), "sn": ("Roe",), "groups": ("a", "b")},
    }  # fmt: skip
    return Facts(**(about | more))


def test_usual_names_are_found_and_named_ones_win() -> None:
    assert mapping.person_of(facts(), {}) == {
        "subject": "jane", "username": None, "email": "jane@example.com", "first_name": None, "last_name": "Roe",
        "email_verified": False, "groups": ("a", "b"),
    }  # fmt: skip
    named = {"last_name_attribute": "surname", "vouches_for_email": True}
    person = mapping.person_of(facts(), named)
    assert (person["last_name"], person["email_verified"]) == (None, True)
    by_mail = facts(name_id=NameId(value="j@example.com", format=mapping.EMAIL), attributes={})
    assert mapping.person_of(by_mail, {})["email"] == "j@example.com"


def test_what_names_a_person_for_good() -> None:
    assert mapping.subject_of(facts(attributes={"pid": ("7",)}), {"subject_attribute": "pid"}) == "7"
    for values in ((), ("7", "8")):
        with pytest.raises(Refused, match="no_subject"):
            mapping.subject_of(facts(attributes={"pid": values}), {"subject_attribute": "pid"})
    with pytest.raises(Refused, match="transient"):
        mapping.subject_of(facts(name_id=NameId(value="x", format=mapping.TRANSIENT)), {})


def test_no_groups_are_none_and_unknown_ones_are_unknown() -> None:
    assert mapping.person_of(facts(attributes={}), {})["groups"] == ()
    too_many = {"http://schemas.microsoft.com/claims/groups.link": ("https://graph",)}
    assert mapping.person_of(facts(attributes=too_many), {})["groups"] is None


def test_a_second_factor_is_what_the_administrator_says_is_one() -> None:
    config = {"second_factor_contexts": list(mapping.SECOND_FACTORS)}
    assert mapping.is_vouched(facts(context="https://refeds.org/profile/mfa"), config)
    methods = {"http://schemas.microsoft.com/claims/authnmethodsreferences": ("x", mapping.SECOND_FACTORS[1])}
    assert mapping.is_vouched(facts(attributes=methods), config)
    assert not mapping.is_vouched(facts(context="urn:oasis:names:tc:SAML:2.0:ac:classes:Password"), config)
    assert not mapping.is_vouched(facts(context=""), {})


# --- our own addresses and keys -----------------------------------------------------------------------------------------


async def test_our_metadata_and_certificate_are_public(corp: IdentityProvider, who: Any) -> None:
    nobody = await who(None)
    answer = await nobody.get(f"/auth/saml/{corp.key}/metadata", expect=None)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/samlmetadata+xml; charset=utf-8"
    root = etree.fromstring(answer.content)
    assert root.get("entityID") == kind.Here(corp.key).entity_id
    certificate = (await nobody.get(f"/auth/saml/{corp.key}/certificate", expect=None)).text
    assert root.findtext(".//ds:X509Certificate", namespaces=NAMES) in certificate.replace("\n", "")
    assert verifying.read_certificate(certificate).public_key().key_size == 3072  # type: ignore[union-attr]
    for path in ("/auth/saml/nobody/metadata", "/auth/saml/nobody/certificate", "/auth/saml/nobody/sls"):
        await nobody.get(path, expect=404)


async def test_the_first_key_is_made_once_and_kept_sealed(fresh_database: Any) -> None:
    from waypost.access.providers.saml import keys
    from waypost.access.providers.saml.models import SamlKey
    from waypost.kernel.crypto import add_key

    both = await asyncio.gather(*(keys.key_pairs(fresh_database) for _ in range(2)))
    assert both[0] == both[1] == await keys.key_pairs(fresh_database)
    async with fresh_database.read() as session:
        row = (await session.scalars(select(SamlKey))).one()
    assert b"PRIVATE KEY" not in row.sealed
    add_key()
    assert await sealing.rewrap(fresh_database, SamlKey) == 1
    assert await sealing.rewrap(fresh_database, SamlKey) == 0
    assert await keys.key_pairs(fresh_database) == both[0]


async def test_what_we_ask_is_signed_unless_that_is_switched_off(corp: IdentityProvider, database: Any) -> None:
    from waypost.access.providers.saml import keys

    saml, leaving = KINDS["saml"], Leaving(state="st", nonce="n", verifier="v", request_id="_r1")
    assert isinstance(saml, kind.Saml)
    ours = verifying.read_certificate((await keys.key_pairs(database))[0].certificate)
    url = await saml.sign_in_address(provider_of(corp), leaving)
    arrived = bindings.read(urlsplit(url).query, [ours])
    assert (arrived.relay_state, etree.fromstring(arrived.message).get("ID")) == ("st", "_r1")
    corp.settings = {**SETTINGS, "signs_requests": False}
    assert "Signature" not in parse_qs(urlsplit(await saml.sign_in_address(provider_of(corp), leaving)).query)


async def test_signing_out_there_too(corp: IdentityProvider, database: Any, who: Any) -> None:
    saml, name = KINDS["saml"], NameId(value="jane", format="urn:f")
    assert isinstance(saml, kind.Saml)
    hint = kind.hint_of(name, "_s1")
    url = await saml.sign_out_address(provider_of(corp), None, hint)
    assert url is not None
    assert url.startswith("https://idp.example.com/slo?x=1&SAMLRequest=")
    query = parse_qs(urlsplit(url).query)
    asked = etree.fromstring(bindings.guard.inflate(query["SAMLRequest"][0]))
    assert asked.findtext("saml:NameID", namespaces=NAMES) == "jane"
    assert await saml.sign_out_address(provider_of(corp), None, None) is None

    nobody = await who(None)
    done = requests.logout_response(
        response_id="_x", at=now(), url=sls_of(corp), entity_id=idp.IDP, in_response_to=asked.get("ID")
    )
    path = f"/auth/saml/{corp.key}/sls"
    answer = await nobody.get(f"{path}?{query_of(done, 'SAMLResponse')}", expect=None)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{get_settings().origin}/login")
    other = requests.logout_response(
        response_id="_x", at=now(), url=sls_of(corp), entity_id=idp.IDP, in_response_to="_somebody-elses"
    )
    await nobody.get(f"{path}?{query_of(other, 'SAMLResponse')}", expect=422)


async def test_the_provider_ends_what_it_means_and_nothing_else(
    corp: IdentityProvider, database: Any, who: Any
) -> None:
    person = (await who("colleague")).id
    first = await signed_in(database, corp, person, "jane", "_s1")
    second = await signed_in(database, corp, person, "jane", "_s2")
    other = await signed_in(database, corp, person, "janet", "_s1")
    nobody, path = await who(None), f"/auth/saml/{corp.key}/sls"
    message = logout_message(corp, session_index="_s1")
    answer = await nobody.get(f"{path}?{query_of(message, relay_state='back & forth')}", expect=None)
    assert answer.status_code == 303
    to = urlsplit(answer.headers["location"])
    assert (to.netloc, to.path) == ("idp.example.com", "/slo")
    query = parse_qs(to.query)
    assert query["RelayState"] == ["back & forth"]
    root = etree.fromstring(bindings.guard.inflate(query["SAMLResponse"][0]))
    assert root.get("InResponseTo") == etree.fromstring(message).get("ID")
    assert [await ended(database, s) for s in (first, second, other)] == ["provider_logout", None, None]
    # the same message once more is nothing
    await nobody.get(f"{path}?{query_of(message)}", expect=422)
    # by a form, and for every session of that person
    signed = idp.sign(idp.tree(logout_message(corp)))
    form = {"SAMLRequest": idp.packed(signed), "RelayState": "x"}
    assert (await nobody.http.post(path, data=form)).status_code == 303
    assert [await ended(database, s) for s in (first, second, other)] == ["provider_logout", "provider_logout", None]


async def test_nobody_is_signed_out_by_a_stranger(corp: IdentityProvider, database: Any, who: Any) -> None:
    person = (await who("colleague")).id
    kept = await signed_in(database, corp, person, "jane", "_s1")
    nobody, path = await who(None), f"/auth/saml/{corp.key}/sls"
    for query in (
        "", "SAMLRequest=AAAA", query_of(logout_message(corp), by=pair("stranger")),
        query_of(logout_message(corp, entity_id="https://other.example.com")),
        query_of(logout_message(corp, slo_url="https://other.example.com/sls")),
        query_of(logout_message(corp, at=now() - timedelta(hours=1))), "%ff=1", "\u00e4=1",
    ):  # fmt: skip
        problem = await nobody.get(f"{path}?{query}", expect=422)
        assert problem["code"] == "saml_refused"
    unsigned = {"SAMLRequest": idp.packed(logout_message(corp))}
    for sent in ({"data": unsigned}, {"data": {}}, {"data": {"SAMLRequest": "x", "SAMLResponse": "y"}}, {"json": unsigned},
                 {"content": b"SAMLRequest=a&SAMLRequest=b"}, {"content": b"\xff"}, {"data": {"SAMLRequest": "A" * 700_000}},
                 {"content": b"&".join(b"a%d=1" % n for n in range(50))}):  # fmt: skip
        headers = {} if "json" in sent else {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await nobody.http.post(path, headers=headers, **sent)
        assert answer.status_code == 422, answer.text
    assert await ended(database, kept) is None


async def test_metadata_becomes_settings(who: Any) -> None:
    admin = await who("admin")
    found = await admin.post("/identity-providers/saml/metadata", {"document": described()})
    assert found["settings"]["entity_id"] == "https://idp.example.com/metadata"
    assert found["settings"]["slo_response_url"] == "https://idp/slo/done"
    assert found["settings"]["signs_requests"] is True
    assert KINDS["saml"].check(found["settings"]) == {}
    assert len(found["certificates"]) == 2
    assert found["certificates"][0]["subject"] == "CN=idp"
    for body, code in (
        ({"document": "<a/>"}, "metadata_unusable"),
        ({"document": "<!DOCTYPE a><a/>"}, "metadata_unusable"),
        ({"url": "https://127.0.0.1/metadata"}, "metadata_unusable"),
        ({"url": "file:///etc/passwd"}, "metadata_unusable"),
        ({}, "invalid"),
        ({"url": "https://x", "document": "y"}, "invalid"),
    ):
        assert (await admin.post("/identity-providers/saml/metadata", body, expect=422))["code"] == code
    await (await who("agent")).post("/identity-providers/saml/metadata", {"document": described()}, expect=403)
    await bounded.close()
