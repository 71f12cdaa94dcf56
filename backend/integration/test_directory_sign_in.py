"""Signing in with passwords of a real OpenLDAP and a real Active Directory: by every name, and what neither lets through."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from integration import open_ldap, samba_ad
from integration.directories import (
    Door,
    ad_settings,
    allow_this_machine,
    change,
    map_groups,
    openldap_settings,
    provider,
)
from integration.open_ldap import OpenLdap
from integration.samba_ad import SambaAd
from tests.conftest import PASSWORD as DEMO
from waypost.access.models import Credential, LoginSession
from waypost.access.providers.ldap.kind import Ldap
from waypost.access.providers.models import Identity, IdentityProvider
from waypost.access.providers.registry import provider_of
from waypost.directory.models import User
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    allow_this_machine(monkeypatch)
    yield
    get_settings.cache_clear()


@pytest.fixture
async def door(app: Any, database: Any) -> AsyncIterator[Door]:
    made = Door(app, database)
    yield made
    await made.forget()
    await made.http.aclose()


@pytest.fixture
async def ldap_house(database: Any, openldap: OpenLdap) -> AsyncIterator[IdentityProvider]:
    async with provider(database, openldap_settings(openldap)) as row:
        yield row


@pytest.fixture
async def ad_house(database: Any, ad: SambaAd) -> AsyncIterator[IdentityProvider]:
    async with provider(database, ad_settings(ad)) as row:
        yield row


async def last_failure(database: Any) -> str:
    async with database.read() as session:
        row = await session.scalar(
            select(EventRow).where(EventRow.type == "auth.login_failed").order_by(EventRow.id.desc()).limit(1)
        )
    return str(row.data["reason"])


async def test_openldap_lets_in_with_the_right_password_only(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("olivia", "Olivia", "Stone", title="Buyer")
    said = await door.come_in("olivia", open_ldap.PASSWORD)
    assert said["user"]["username"] == "olivia"
    assert await door.code("Olivia@example.com", open_ldap.PASSWORD) == "olivia"
    assert await door.code("olivia", "something else") == "wrong_credentials"
    assert await door.code("olivia ", open_ldap.PASSWORD) == "olivia"
    async with database.read() as session:
        user = await session.scalar(select(User).where(User.username == "olivia"))
        assert (user.email, user.job_title) == ("olivia@example.com", "Buyer")
        assert await session.scalar(select(Credential.user_id).where(Credential.user_id == user.id)) is None
        login = await session.scalar(select(LoginSession).where(LoginSession.user_id == user.id).limit(1))
        assert login.provider_id == ldap_house.id


SLY = [
    "*",
    "*)(uid=*",
    "*)(objectClass=*",
    "oscar)(|(uid=*",
    "oscar*",
    "oscar\\2a",
    "\\2a",
    "osc\0ar",
    "C\\*",
    "*@*",
    "(",
]


async def test_no_name_reaches_somebody_else(door: Door, openldap: OpenLdap, ldap_house: IdentityProvider) -> None:
    openldap.add_person("oscar")
    assert await door.code("oscar", open_ldap.PASSWORD) == "oscar"
    for typed in SLY:
        answer = await door.knock(typed, open_ldap.PASSWORD)
        assert answer.status_code in (401, 422), answer.text
        await door.forget()


async def test_a_name_with_signs_of_filters_is_one_name(
    door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("od*(d)", "Odd", mail="odd@example.com")
    said = await door.come_in("od*(d)", open_ldap.PASSWORD)
    assert said["user"]["email"] == "odd@example.com"


async def test_an_empty_password_is_an_anonymous_sign_in_and_lets_nobody_in(
    door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("emma")
    for password in ("", " ", "\t"):
        answer = await door.knock("emma", password)
        assert answer.status_code in (401, 422), answer.text
        await door.forget()


async def test_two_entries_with_one_address_let_nobody_in_by_it(
    door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("twin1", mail="twins@example.com")
    openldap.add_person("twin2", mail="twins@example.com")
    assert await door.code("twins@example.com", open_ldap.PASSWORD) == "wrong_credentials"


async def test_a_locked_entry_of_openldap_is_not_let_in(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("nobody", mail="")
    assert await door.code("nobody", open_ldap.PASSWORD) == "not_let_in"  # without an address there is no account
    assert await last_failure(database) == "no_email"


async def test_people_are_made_only_when_that_is_allowed(database: Any, door: Door, openldap: OpenLdap) -> None:
    openldap.add_person("newcomer")
    async with provider(database, openldap_settings(openldap), creates_people=False):
        assert await door.code("newcomer", open_ldap.PASSWORD) == "not_let_in"
        assert await door.code("newcomer", "wrong") == "wrong_credentials"  # it is told to who has the password only
    async with database.read() as session:
        assert await session.scalar(select(User.id).where(User.username == "newcomer")) is None


async def test_an_address_of_somebody_here_does_not_make_one_them(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("impostor", mail="admin@example.com")
    assert await door.code("impostor", open_ldap.PASSWORD) in ("not_let_in", "impostor")
    async with database.read() as session:
        admin = await session.scalar(select(User).where(User.username == "admin"))
        linked = select(func.count()).select_from(Identity).where(Identity.user_id == admin.id)
        assert await session.scalar(linked) == 0


async def test_who_has_a_password_here_uses_that_one(
    door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("colleague", mail="other.colleague@example.com")
    assert await door.code("colleague", DEMO) == "colleague"
    assert await door.code("colleague", open_ldap.PASSWORD) == "wrong_credentials"
    # and the one of the directory comes in by a name that is theirs alone
    assert await door.code("other.colleague@example.com", open_ldap.PASSWORD) == "colleague2"


async def test_groups_in_groups_give_roles_and_take_them_again(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    dn = openldap.add_person("gina")
    inner = openldap.add_group("desk", dn)
    outer = openldap.add_group("support", inner)
    openldap.set_members(inner, dn, outer)  # and around in a circle
    await map_groups(database, ldap_house, support="agent", **{"*": "employee"})
    said = await door.come_in("gina", open_ldap.PASSWORD)
    assert {"agent", "employee"} <= _roles(said)
    await change(database, ldap_house, nested_groups=False)
    assert "agent" not in _roles(await door.come_in("gina", open_ldap.PASSWORD))
    await change(database, ldap_house, nested_groups=True)
    openldap.set_members(inner, open_ldap.ADMIN)
    said = await door.come_in("gina", open_ldap.PASSWORD)
    assert "agent" not in _roles(said)
    assert "employee" in _roles(said)


def _roles(said: dict[str, Any]) -> set[str]:
    return {r["key"] if isinstance(r, dict) else r for r in said["user"]["roles"]}


async def test_while_the_directory_is_down_people_here_still_come_in(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("dora")
    openldap.stop()
    try:
        for _ in range(6):  # and not being able to ask is no wrong password
            answer = await door.knock("dora", open_ldap.PASSWORD)
            assert (answer.status_code, answer.json()["code"]) == (503, "directory_away")
        assert await door.code("employee", DEMO) == "employee"
        assert await door.code("employee", "wrong") == "wrong_credentials"
    finally:
        openldap.start()
    assert (await door.come_in("dora", open_ldap.PASSWORD))["user"]["username"] == "dora"


async def test_the_next_server_is_asked_when_one_is_away(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("nina")
    await change(database, ldap_house, servers=["localhost:9", f"localhost:{openldap.tls}"])
    assert await door.code("nina", open_ldap.PASSWORD) == "nina"


async def test_nothing_is_said_over_a_connection_that_is_not_trusted(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("theo")
    sound = {"ca_file": str(openldap.ca_file), "security": "tls", "certificate_name": ""}
    for wrong in (
        {"ca_file": ""},
        {"certificate_name": "dc1.example.com"},
        {"security": "starttls"},  # at the port for TLS
        {"ca_file": "/does/not/exist.pem"},
    ):
        await change(database, ldap_house, **{**sound, **wrong})
        assert await door.code("theo", open_ldap.PASSWORD) == "directory_away"
    by_starttls = {"security": "starttls", "servers": [f"localhost:{openldap.plain}"]}
    await change(database, ldap_house, **{**sound, **by_starttls})
    assert await door.code("theo", open_ldap.PASSWORD) == "theo"


async def test_plain_connections_go_to_this_machine_only_and_only_where_allowed(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    openldap.add_person("paula")
    await change(database, ldap_house, security="none", servers=[f"localhost:{openldap.plain}"])
    assert await door.code("paula", open_ldap.PASSWORD) == "paula"
    monkeypatch.setenv("OUTGOING_ALLOW", "[]")
    get_settings.cache_clear()
    assert await door.code("paula", open_ldap.PASSWORD) == "directory_away"
    monkeypatch.setenv("OUTGOING_ALLOW", '["10.0.0.0/8"]')
    get_settings.cache_clear()
    await change(database, ldap_house, servers=["10.1.2.3:389"])
    assert await door.code("paula", open_ldap.PASSWORD) == "directory_away"  # allowed, but not in the clear
    await change(database, ldap_house, security="tls", servers=["169.254.169.254:636"])
    assert await door.code("paula", open_ldap.PASSWORD) == "directory_away"


async def test_the_test_button_says_what_is_found_and_what_is_wrong(
    database: Any, openldap: OpenLdap, ldap_house: IdentityProvider
) -> None:
    openldap.add_person("sam")
    kind = Ldap()

    async def findings() -> Any:
        async with database.read() as session:
            return await kind.test(provider_of(await session.get(IdentityProvider, ldap_house.id)))

    tested = await findings()
    assert tested.error is None
    said = {f.label: f.value for f in tested.found}
    assert said["Connected"] == "localhost, encrypted"
    assert "active" in said["People"]
    assert any("has no account here yet" in v or "is " in v for v in said.values())
    await change(database, ldap_house, base_dn="ou=elsewhere,dc=example,dc=com")
    assert "Nobody" in (await findings()).error
    await change(database, ldap_house, base_dn="dc=nowhere", bind_dn="cn=other,dc=example,dc=com")
    assert "account to search with" in (await findings()).error


async def test_active_directory_knows_people_by_all_their_names(
    door: Door, ad: SambaAd, ad_house: IdentityProvider
) -> None:
    ad.add_person("adam", "Adam", "Smith")
    for name in ("adam", "ADAM", "CORP\\adam", "corp\\Adam", "adam@corp.example.com", "adam@example.com"):
        assert await door.code(name, samba_ad.PASSWORD) == "adam", name
    for name in ("OTHER\\adam", "adam@other.com", "CORP\\", "\\adam"):
        assert await door.code(name, samba_ad.PASSWORD) == "wrong_credentials", name


async def test_what_active_directory_refuses_is_told_apart_in_the_log_and_not_at_the_door(
    database: Any, door: Door, ad: SambaAd, ad_house: IdentityProvider
) -> None:
    disabled = ad.add_person("dan")
    assert await door.code("dan", samba_ad.PASSWORD) == "dan"
    ad.change(disabled, userAccountControl=samba_ad.DISABLED)
    ad.add_person("xena", accountExpires=131000000000000000)
    ad.add_person("moss", pwdLastSet=0)
    for name, reason in (("dan", "directory_disabled"), ("xena", "directory_account_expired")):
        assert await door.code(name, samba_ad.PASSWORD) == "wrong_credentials"
        async with database.read() as session:
            rows = await session.scalars(
                select(EventRow).where(EventRow.type == "auth.login_failed").order_by(EventRow.id.desc()).limit(2)
            )
            assert reason in [r.data["reason"] for r in rows]
    assert await door.code("moss", samba_ad.PASSWORD) == "directory_password_over"
    assert await door.code("moss", "wrong") == "wrong_credentials"  # only who has the password is told


async def test_waypost_locks_nobody_out_of_active_directory(
    database: Any, door: Door, ad: SambaAd, ad_house: IdentityProvider
) -> None:
    """The domain locks an account at six wrong passwords; four get there, whichever of the names is typed."""
    ad.add_person("lena")
    names = ["lena", "CORP\\lena", "lena@corp.example.com", "lena@example.com"] * 5
    codes = [(await door.knock(n, f"wrong {i}")).json()["code"] for i, n in enumerate(names)]
    assert codes[:4] == ["wrong_credentials"] * 4
    assert set(codes[4:]) == {"too_many_attempts"}
    await door.forget()
    assert await door.code("lena", samba_ad.PASSWORD) == "lena"


async def test_a_locked_account_is_not_told_from_a_wrong_password(
    door: Door, ad: SambaAd, ad_house: IdentityProvider
) -> None:
    ad.add_person("lock")
    for n in range(8):
        assert await door.code("lock", f"wrong {n}") == "wrong_credentials"
    assert await door.code("lock", samba_ad.PASSWORD) == "wrong_credentials"


async def test_who_is_unknown_takes_as_long_as_who_is_known(
    door: Door, ad: SambaAd, ad_house: IdentityProvider
) -> None:
    ad.add_person("tim")

    async def seconds(name: str) -> float:
        times = []
        for _ in range(3):
            began = time.perf_counter()
            assert await door.code(name, "wrong") == "wrong_credentials"
            times.append(time.perf_counter() - began)
        return min(times)

    await seconds("tim")
    known, unknown, here = await seconds("tim"), await seconds("nobody-of-this-name"), await seconds("employee")
    assert 0.5 < known / unknown < 2
    assert 0.4 < known / here < 2.5


async def test_nested_groups_of_active_directory_give_roles(
    database: Any, door: Door, ad: SambaAd, ad_house: IdentityProvider
) -> None:
    person = ad.add_person("greg")
    inner = ad.add_group("Desk", person)
    ad.add_group("Support", inner)
    await map_groups(database, ad_house, Support="agent")
    assert "agent" in _roles(await door.come_in("greg", samba_ad.PASSWORD))
    ad.change_members(inner, remove=person)
    assert "agent" not in _roles(await door.come_in("greg", samba_ad.PASSWORD))


async def test_active_directory_takes_no_password_in_the_clear(
    database: Any, door: Door, ad: SambaAd, ad_house: IdentityProvider
) -> None:
    ad.add_person("clara")
    await change(database, ad_house, security="none", servers=["localhost:389"])
    assert await door.code("clara", samba_ad.PASSWORD) == "directory_away"
    await change(database, ad_house, security="starttls", servers=["localhost:389"])
    assert await door.code("clara", samba_ad.PASSWORD) == "clara"


async def test_nothing_of_a_password_is_kept(
    database: Any, door: Door, openldap: OpenLdap, ldap_house: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Tr0ub4dor-and-3"
    openldap.add_person("secretive", userPassword=secret)
    with caplog.at_level("DEBUG"):
        assert await door.code("secretive", secret) == "secretive"
        assert await door.code("secretive", secret + "x") == "wrong_credentials"
    assert secret not in caplog.text
    async with database.read() as session:
        events = await session.scalars(select(EventRow).order_by(EventRow.id.desc()).limit(50))
        assert all(secret not in str(e.data) for e in events)
