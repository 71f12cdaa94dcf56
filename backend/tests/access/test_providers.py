"""Providers: set up by those who may, and the rules by which people who come by one are found, linked, made, given roles."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from sqlalchemy import delete, select, update

from tests.conftest import PASSWORD, Api
from waypost.access.models import LoginSession, Role, RolePermission, UserRole
from waypost.access.providers import registry
from waypost.access.providers.errors import IdentityTaken, NotLetIn
from waypost.access.providers.kinds import Findings, Found, Provider
from waypost.access.providers.models import Identity, IdentityProvider, ProviderGroup
from waypost.access.providers.people import (
    ExternalPerson,
    bring_in,
    free_username,
    link,
    roles_from_groups,
    usable_email,
)
from waypost.access.queries import actors
from waypost.access.service import admit, set_password
from waypost.access.sessions import Caller
from waypost.directory.models import User
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import SYSTEM, EventRow
from waypost.kernel.settings_form import Field
from waypost.notifications.models import Delivery

_numbers = itertools.count(1)


class Test:
    """A kind for tests: it answers what its settings say."""

    __test__ = False
    key: ClassVar[str] = "testing"
    label: ClassVar[str] = "Testing"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("server", "Server", "url"),
        Field("secret", "Secret", "secret"),
        Field("scopes", "Scopes", "list", required=False, default=["openid"]),
        Field("way", "Way", "choice", required=False, choices=("a", "b")),
        Field("strict", "Strict", "boolean", required=False),
    )

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        return {"way": "does not go with strict"} if settings.get("strict") and settings.get("way") == "a" else {}

    async def test(self, provider: Provider) -> Findings:
        if provider.get("way") == "b":
            return Findings(error="The server says no.")
        return Findings(
            (
                Found("Scopes", ", ".join(provider.get("scopes"))),
                Found("Secret", f"{len(provider.get('secret'))} characters"),
            )
        )


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.KINDS, "testing", Test())


@pytest.fixture
async def provider(database: Any) -> AsyncIterator[IdentityProvider]:
    """A provider that may do nothing with people, removed afterwards with all it gave."""
    at = now()
    async with database.transaction() as session:
        row = IdentityProvider(
            key=f"p{next(_numbers)}",
            kind="testing",
            name="House",
            is_on=True,
            settings={},
            links_by="NONE",
            creates_people=False,
            updates_people=False,
            version=1,
            created_at=at,
            updated_at=at,
        )
        session.add(row)
    yield row
    async with database.transaction() as session:
        await session.execute(delete(IdentityProvider).where(IdentityProvider.id == row.id))


def somebody(**more: Any) -> ExternalPerson:
    n = next(_numbers)
    said = {"subject": f"s-{n}", "username": f"Some.Body{n}@corp", "email": f"some.body{n}@example.com"}
    return ExternalPerson(**{**said, "first_name": "Some", "last_name": f"Body{n}", **more})


async def come(database: Any, provider: IdentityProvider, external: ExternalPerson) -> User:
    async with database.transaction() as session:
        user: User = await bring_in(session, provider, external, SYSTEM, now())
        return user


async def refused(database: Any, provider: IdentityProvider, external: ExternalPerson) -> str:
    with pytest.raises(NotLetIn) as caught:
        await come(database, provider, external)
    return caught.value.reason


async def roles(database: Any, user_id: int) -> dict[str, int | None]:
    """What somebody is besides an employee, and by which provider."""
    async with database.read() as session:
        rows = await session.execute(
            select(Role.key, UserRole.provider_id)
            .join(Role, Role.id == UserRole.role_id)
            .where(UserRole.user_id == user_id)
        )
        return {row.key: row.provider_id for row in rows if (row.key, row.provider_id) != ("employee", None)}


async def by_map(database: Any, provider: IdentityProvider, **groups: str) -> None:
    async with database.transaction() as session:
        await session.execute(delete(ProviderGroup).where(ProviderGroup.provider_id == provider.id))
        ids = {r.key: r.id for r in await session.scalars(select(Role))}
        session.add_all(ProviderGroup(provider_id=provider.id, group_name=g, role_id=ids[r]) for g, r in groups.items())


async def user_of(database: Any, username: str) -> User:
    async with database.read() as session:
        user: User = (await session.scalars(select(User).where(User.username == username))).one()
        return user


async def events_of(database: Any, user_id: int, type_: str) -> list[dict[str, Any]]:
    async with database.read() as session:
        rows = select(EventRow.data).where(EventRow.type == type_, EventRow.object_id == user_id).order_by(EventRow.id)
        return list(await session.scalars(rows))


# --- who somebody is -----------------------------------------------------------------------------------------------


async def test_nobody_is_made_unless_that_is_wanted(database: Any, provider: IdentityProvider) -> None:
    assert await refused(database, provider, somebody()) == "no_account"
    provider.creates_people = True
    assert await refused(database, provider, somebody(email=None)) == "no_email"
    assert await refused(database, provider, somebody(email="no address")) == "no_email"
    assert await refused(database, provider, somebody(is_active=False)) == "not_active"
    for subject in ("", "x" * 301, "a\x00b"):
        assert await refused(database, provider, somebody(subject=subject)) == "no_subject"
    who = somebody()
    user = await come(database, provider, who)
    assert (user.email, user.first_name) == (who.email, "Some")
    assert user.username == str(who.username).lower().removesuffix("@corp")
    assert await roles(database, user.id) == {}
    async with database.read() as session:  # whatever their groups say: they work here
        mine = select(Role.key).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == user.id)
        assert list(await session.scalars(mine)) == ["employee"]
    assert (await events_of(database, user.id, "identity.linked"))[0]["by"] == "created"


async def test_they_are_found_by_subject_whatever_else_changes(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = True
    who = somebody()
    first = await come(database, provider, who)
    again = somebody(subject=who.subject, username="admin", email="admin@waypost.example", email_verified=True)
    assert (await come(database, provider, again)).id == first.id
    assert (await user_of(database, first.username)).email == who.email, "what it says is not followed"


async def test_another_provider_may_use_the_same_subject(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = True
    who = somebody()
    await come(database, provider, who)
    async with database.transaction() as session:
        other = IdentityProvider(
            key=f"p{next(_numbers)}",
            kind="testing",
            name="Other",
            links_by="NONE",
            creates_people=True,
            created_at=now(),
            updated_at=now(),
        )
        session.add(other)
    other.creates_people = True
    assert await refused(database, other, who) == "account_exists", "the same subject there is somebody else"


@pytest.mark.parametrize(
    ("links_by", "is_verified", "is_linked"),
    [("NONE", True, False), ("VERIFIED_EMAIL", False, False), ("VERIFIED_EMAIL", True, True)],
)
async def test_an_account_is_linked_only_as_allowed(
    database: Any, provider: IdentityProvider, links_by: str, is_verified: bool, is_linked: bool
) -> None:
    colleague = await user_of(database, "colleague")
    provider.links_by, provider.creates_people = links_by, True
    who = somebody(email=colleague.email.upper(), email_verified=is_verified)
    if not is_linked:
        assert await refused(database, provider, who) == "account_exists"
        return
    assert (await come(database, provider, who)).id == colleague.id
    assert (await events_of(database, colleague.id, "identity.linked"))[-1] == {
        "user_id": colleague.id,
        "provider_id": provider.id,
        "by": "verified_email",
    }
    second = somebody(email=colleague.email, email_verified=True)
    assert await refused(database, provider, second) == "account_exists", "a second subject with the same address"


async def test_what_is_no_boolean_vouches_for_nothing(database: Any, provider: IdentityProvider) -> None:
    provider.links_by = "VERIFIED_EMAIL"
    colleague = await user_of(database, "colleague")
    who = somebody(email=colleague.email, email_verified="true")
    assert await refused(database, provider, who) == "account_exists"


@pytest.mark.parametrize("power", ["admin", "identity:configure", "directory:configure", "roles:configure"])
async def test_nobody_becomes_an_administrator_by_an_address(
    database: Any, provider: IdentityProvider, power: str
) -> None:
    provider.links_by = "VERIFIED_EMAIL"
    username = "admin" if power == "admin" else "outsider"
    target = await user_of(database, username)
    if power != "admin":
        async with database.transaction() as session:
            role = Role(key=f"power{next(_numbers)}", name="Power", is_system=False)
            session.add(role)
            await session.flush()
            session.add(RolePermission(role_id=role.id, permission=power, scope=9))
            session.add(UserRole(user_id=target.id, role_id=role.id))
    who = somebody(email=target.email, email_verified=True)
    assert await refused(database, provider, who) == "account_exists"
    if power != "admin":
        async with database.transaction() as session:
            await session.execute(delete(Role).where(Role.id == role.id))
        assert (await come(database, provider, who)).id == target.id


async def test_who_has_left_is_not_let_in(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = True
    who = somebody()
    user = await come(database, provider, who)
    async with database.transaction() as session:
        (await session.get(User, user.id)).is_active = False
    assert await refused(database, provider, who) == "not_active"
    assert await refused(database, provider, somebody(email=user.email, email_verified=True)) == "account_exists"


async def test_two_first_sign_ins_at_once_make_one_account(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = True
    who = somebody()
    made = await asyncio.gather(*(come(database, provider, who) for _ in range(4)))
    assert len({user.id for user in made}) == 1


async def test_an_identity_belongs_to_one_account(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = True
    who = somebody()
    user, other = await come(database, provider, who), await user_of(database, "colleague")
    async with database.transaction() as session:
        await link(session, provider, who.subject, user.id, SYSTEM, now(), by="themselves")
    with pytest.raises(IdentityTaken):
        async with database.transaction() as session:
            await link(session, provider, who.subject, other.id, SYSTEM, now(), by="themselves")


async def test_names_are_free_and_plain(database: Any) -> None:
    async with database.read() as session:
        assert await free_username(session, "admin") == "admin2"
        assert await free_username(session, "Jürgen O'Hara@corp.example") == "jrgenohara"
        assert await free_username(session, "…") == "person"
    assert usable_email("x" * 300 + "@example.com") is None
    assert usable_email(None) is None


# --- what follows a provider ---------------------------------------------------------------------------------------


async def test_what_a_provider_owns_follows_it(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = provider.updates_people = True
    provider.settings = {"follows_usernames": True}
    boss, who = somebody(), somebody()
    await come(database, provider, boss)
    user = await come(database, provider, who)
    later = somebody(
        subject=who.subject,
        first_name=" New\n name ",
        last_name="\u200b",
        job_title="Lead",
        email="fresh@example.com",
        email_verified=True,
        department="marketing",
        manager_subject=boss.subject,
        timezone="Europe/Berlin",
    )
    again = await come(database, provider, later)
    assert (again.first_name, again.last_name, again.job_title) == ("New name", who.last_name, "Lead")
    assert (again.email, again.timezone) == ("fresh@example.com", "Europe/Berlin")
    assert again.department_id is not None
    assert again.manager_id is not None
    assert f"{again.username}@corp" == str(later.username).lower(), "the name that was made of theirs follows"
    changed = (await events_of(database, user.id, "identity.person_changed"))[-1]["changed"]
    assert changed == [
        "department_id",
        "email",
        "first_name",
        "job_title",
        "manager_id",
        "timezone",
        "username",
    ]
    taken = replace(later, email="admin@example.com", email_verified=False, timezone="../../etc/passwd")
    assert (await come(database, provider, taken)).email == "fresh@example.com"
    unknown = replace(later, department="No such", manager_subject="nobody", first_name="a\x00b")
    assert (await come(database, provider, unknown)).department_id == again.department_id
    circle = somebody(subject=boss.subject, manager_subject=who.subject)
    assert (await come(database, provider, circle)).manager_id is None


async def test_an_address_somebody_has_is_not_taken_over(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = provider.updates_people = True
    who = somebody()
    await come(database, provider, who)
    admin = await user_of(database, "admin")
    later = somebody(subject=who.subject, email=admin.email, email_verified=True)
    assert (await come(database, provider, later)).email == who.email


# --- roles ---------------------------------------------------------------------------------------------------------


async def test_roles_come_and_go_with_groups(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = True
    await by_map(database, provider, desk="agent", board="executive", **{"*": "manager"})
    who = somebody(groups=("desk", "unknown", "Board", "\x00"))
    user = await come(database, provider, who)
    assert await roles(database, user.id) == {"agent": provider.id, "manager": provider.id}
    async with database.transaction() as session:  # by hand, beside
        role = (await session.scalars(select(Role).where(Role.key == "auditor"))).one()
        session.add(UserRole(user_id=user.id, role_id=role.id))
    await come(database, provider, somebody(subject=who.subject, groups=("board",)))
    assert await roles(database, user.id) == {"auditor": None, "executive": provider.id, "manager": provider.id}
    last = (await events_of(database, user.id, "identity.roles_changed"))[-1]
    assert (last["given"], last["taken"]) == (["executive"], ["agent"])
    await come(database, provider, somebody(subject=who.subject, groups=None))
    assert "executive" in await roles(database, user.id), "who says nothing about groups changes nothing"
    await come(database, provider, somebody(subject=who.subject, groups=()))
    assert await roles(database, user.id) == {"auditor": None, "manager": provider.id}
    assert len(await events_of(database, user.id, "identity.roles_changed")) == 3


async def test_a_role_given_by_hand_stays(database: Any, provider: IdentityProvider) -> None:
    await by_map(database, provider, desk="agent")
    agent = await user_of(database, "agent2")
    for groups in (["desk"], []):
        async with database.transaction() as session:
            await roles_from_groups(session, provider, agent, groups, SYSTEM)
        assert (await roles(database, agent.id))["agent"] is None


async def test_the_last_administrator_stays_one(database: Any, provider: IdentityProvider) -> None:
    admin = await user_of(database, "admin")
    async with database.transaction() as session:
        role = (await session.scalars(select(Role).where(Role.key == "admin"))).one()
        others = (
            await session.execute(delete(UserRole).where(UserRole.role_id == role.id).returning(UserRole.user_id))
        ).all()
        session.add(UserRole(user_id=admin.id, role_id=role.id, provider_id=provider.id))
    try:
        async with database.transaction() as session:
            given, taken = await roles_from_groups(session, provider, admin, [], SYSTEM)
        assert (given, taken) == ([], [])
        assert "admin" in await roles(database, admin.id)
    finally:
        async with database.transaction() as session:
            await session.execute(delete(UserRole).where(UserRole.role_id == role.id))
            session.add_all(UserRole(user_id=row.user_id, role_id=role.id) for row in others)


# --- setting up ----------------------------------------------------------------------------------------------------


SETUP = {"server": "https://idp.example.com", "secret": "s3cret"}


def added(**more: Any) -> dict[str, Any]:
    return {"kind": "testing", "key": f"house{next(_numbers)}", "name": "House", "settings": SETUP, **more}


def rules(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    kept = ("version", "name", "is_on", "creates_people", "links_by", "updates_people", "trusts_second_factor")
    return {**{k: row[k] for k in kept}, **more}


@pytest.fixture
async def admin(app: Any) -> AsyncIterator[Api]:
    api = await Api(app, "admin").sign_in()
    yield api
    await api.http.aclose()


@pytest.mark.usefixtures("kind")
async def test_setting_one_up(admin: Api, database: Any) -> None:
    row = await admin.post("/identity-providers", added(), expect=201)
    assert (row["is_on"], row["health"]["state"], row["version"]) == (False, "OFF", 1)
    fields = {f["key"]: f for f in row["fields"]}
    assert (fields["secret"]["value"], fields["secret"]["is_set"]) == (None, True)
    assert fields["server"]["value"] == SETUP["server"]
    path = f"/identity-providers/{row['id']}"
    asked = rules(row, is_on=True, creates_people=True, settings={"way": "a", "secret": "Gr7x"})
    row = await admin.put(path, asked)
    assert (row["is_on"], row["version"], row["health"]["state"]) == (True, 2, "UNTRIED")
    await admin.put(path, asked, expect=412)
    event = await last(database, "provider.changed")
    assert event["after"] == {"is_on": True, "creates_people": True, "way": "a", "secret": "(another)"}
    assert event["before"]["secret"] == "(set)"
    assert "Gr7x" not in str(event)
    tested = await admin.post(f"{path}/test")
    assert tested == {
        "error": None,
        "found": [
            {"label": "Scopes", "value": "openid", "is_good": True},
            {"label": "Secret", "value": "4 characters", "is_good": True},
        ],
    }
    assert (await admin.get(path))["health"]["state"] == "WORKS"
    row = await admin.put(path, rules(row, settings={"way": "b"}))
    assert (await admin.post(f"{path}/test"))["error"] == "The server says no."
    assert (await admin.get(path))["health"]["last_error"] == "The server says no."
    items = (await admin.get("/identity-providers"))["items"]
    assert row["id"] in [i["id"] for i in items]
    await admin.delete(path)
    await admin.get(path, expect=404)


async def last(database: Any, type_: str) -> dict[str, Any]:
    async with database.read() as session:
        wanted = select(EventRow.data).where(EventRow.type == type_).order_by(EventRow.id.desc()).limit(1)
        data: dict[str, Any] = (await session.scalars(wanted)).one()
        return data


@pytest.mark.usefixtures("kind")
async def test_what_is_wrong_is_named(admin: Api) -> None:
    def pointers(problem: dict[str, Any]) -> set[str]:
        return {e["pointer"] for e in problem["errors"]}

    bad = {"server": "ftp://x", "secret": 5, "scopes": ["a", 3], "way": "c", "strict": "yes", "other": 1}
    problem = await admin.post("/identity-providers", added(settings=bad), expect=422)
    assert pointers(problem) == {f"/settings/{k}" for k in bad}
    inside = await admin.post("/identity-providers", added(settings={"server": "https://127.0.0.1/"}), expect=422)
    assert pointers(inside) == {"/settings/server"}
    assert pointers(await admin.post("/identity-providers", added(kind="nothing"), expect=422)) == {"/kind"}
    assert pointers(await admin.post("/identity-providers", added(key="A b"), expect=422)) == {"/key"}
    body = added(settings={})
    row = await admin.post("/identity-providers", body, expect=201)
    path = f"/identity-providers/{row['id']}"
    await admin.post("/identity-providers", body, expect=409)
    assert "missing" in (await admin.post(f"{path}/test"))["error"]
    lacking = await admin.put(path, rules(row, is_on=True), expect=422)
    assert pointers(lacking) == {"/settings/server", "/settings/secret"}
    odd = {**SETUP, "strict": True, "way": "a"}
    assert pointers(await admin.put(path, rules(row, is_on=True, settings=odd), expect=422)) == {"/settings/way"}
    long = {"server": "https://e.example/" + "x" * 3000}
    assert pointers(await admin.put(path, rules(row, settings=long), expect=422)) == {"/settings/server"}
    await admin.put(path, rules(row, links_by="EMAIL"), expect=422)
    await admin.delete(path)


@pytest.mark.usefixtures("kind")
async def test_only_those_who_may_set_up(who: Any, admin: Api, database: Any) -> None:
    agent = await who("agent")
    row = await admin.post("/identity-providers", added(), expect=201)
    path = f"/identity-providers/{row['id']}"
    for method, address in (
        ("GET", "/identity-providers"),
        ("GET", "/identity-provider-kinds"),
        ("POST", "/identity-providers"),
        ("GET", path),
        ("PUT", path),
        ("DELETE", path),
        ("POST", f"{path}/test"),
        ("GET", f"{path}/groups"),
        ("PUT", f"{path}/groups"),
    ):
        await agent.call(method, address, {} if method in ("POST", "PUT") else None, expect=403)
    async with database.transaction() as session:  # who has not shown for a while that it is them is asked to
        login = await session.scalar(
            select(LoginSession).where(LoginSession.user_id == admin.id).order_by(LoginSession.id.desc()).limit(1)
        )
        login.proved_at = None
    for method, address, body in (
        ("POST", "/identity-providers", added()),
        ("PUT", path, rules(row)),
        ("PUT", f"{path}/groups", {"version": 1, "groups": {}}),
        ("DELETE", path, None),
    ):
        assert (await admin.call(method, address, body, expect=403))["code"] == "step_up_needed"
    await admin.post("/auth/step-up", {"factor": "password", "password": PASSWORD})
    await admin.delete(path)


@pytest.mark.usefixtures("kind")
async def test_groups_give_what_one_could_give(admin: Api, app: Any, database: Any) -> None:
    row = await admin.post("/identity-providers", added(), expect=201)
    path = f"/identity-providers/{row['id']}/groups"
    kept = await admin.put(path, {"version": 1, "groups": {"desk": ["agent", "agent"], "*": ["employee"], "none": []}})
    assert kept["items"] == [
        {"group": "*", "roles": [{"key": "employee", "name": "Employee"}]},
        {"group": "desk", "roles": [{"key": "agent", "name": "Agent"}]},
    ]
    assert kept["version"] == 2
    await admin.put(path, {"version": 1, "groups": {}}, expect=412)
    unknown = await admin.put(path, {"version": 2, "groups": {"a/b": ["nobody"]}}, expect=422)
    assert unknown["errors"][0]["pointer"] == "/groups/a~1b"
    await admin.put(path, {"version": 2, "groups": {"x" * 301: ["agent"]}}, expect=422)
    helper = await somebody_with(database, app, {"identity:configure": 9, "sessions:own": 1})
    await helper.put(path, {"version": 2, "groups": {"desk": ["admin"]}}, expect=403)
    await helper.put(path, {"version": 2, "groups": {"desk": ["agent", "executive"]}}, expect=403)
    less = await helper.put(path, {"version": 2, "groups": {"*": ["employee"]}})
    assert [i["group"] for i in less["items"]] == ["*"], "what was there may be left or taken away"
    await admin.delete(f"/identity-providers/{row['id']}")


async def somebody_with(database: Any, app: Any, granted: dict[str, int]) -> Api:
    n = next(_numbers)
    async with database.transaction() as session:
        role = Role(key=f"helper{n}", name="Helper", is_system=False)
        user = User(username=f"helper{n}", email=f"helper{n}@example.com", first_name="Help", last_name="Er")
        session.add_all([role, user])
        await session.flush()
        session.add_all(RolePermission(role_id=role.id, permission=p, scope=s) for p, s in granted.items())
        session.add(UserRole(user_id=user.id, role_id=role.id))
        await set_password(session, SYSTEM, user, PASSWORD, pointer="/password")
    return await Api(app, f"helper{n}").sign_in()


@pytest.mark.usefixtures("kind")
async def test_removing_takes_what_it_gave(admin: Api, database: Any) -> None:
    row = await admin.post("/identity-providers", added(), expect=201)
    async with database.transaction() as session:
        provider = await session.get(IdentityProvider, row["id"])
        provider.creates_people = True
    await by_map(database, provider, **{"*": "manager"})
    user = await come(database, provider, somebody(groups=()))
    assert await roles(database, user.id) == {"manager": row["id"]}
    from waypost.access.factors import CameBy

    async with database.transaction() as session:
        opened = await admit(
            session, Caller("", ""), user_id=user.id, method="testing", came_by=CameBy(row["id"], "sid")
        )
    await admin.delete(f"/identity-providers/{row['id']}")
    assert await roles(database, user.id) == {}
    async with database.read() as session:
        login = await session.get(LoginSession, opened.session_id)
        assert (login.end_reason, login.provider_id) == ("provider_removed", None)
        assert await session.scalar(select(Identity).where(Identity.user_id == user.id)) is None
        assert (await session.get(User, user.id)).is_active
    assert (await last(database, "provider.removed"))["provider_id"] == row["id"]


@pytest.mark.usefixtures("kind")
async def test_the_provider_of_the_last_administrator_stays(admin: Api, database: Any) -> None:
    row = await admin.post("/identity-providers", added(), expect=201)
    async with database.transaction() as session:
        role = (await session.scalars(select(Role).where(Role.key == "admin"))).one()
        had = list(await session.scalars(select(UserRole.user_id).where(UserRole.role_id == role.id)))
        for mine in await session.scalars(select(UserRole).where(UserRole.role_id == role.id)):
            mine.provider_id = row["id"]
    actors.forget_all()
    try:
        assert (await admin.delete(f"/identity-providers/{row['id']}", expect=409))["code"] == "last_administrator"
        assert had
    finally:
        async with database.transaction() as session:
            for mine in await session.scalars(select(UserRole).where(UserRole.role_id == role.id)):
                mine.provider_id = None
    await admin.delete(f"/identity-providers/{row['id']}")


async def test_secrets_are_sealed_anew_with_a_new_key(admin: Api, database: Any, kind: None) -> None:
    from waypost.kernel import crypto, sealing

    row = await admin.post("/identity-providers", added(), expect=201)
    crypto.add_key()
    assert await sealing.rewrap(database, IdentityProvider) >= 1
    assert await sealing.rewrap(database, IdentityProvider) == 0
    async with database.read() as session:
        kept = await session.get(IdentityProvider, row["id"])
        assert registry.unseal(kept) == {"secret": "s3cret"}
        assert b"s3cret" not in kept.sealed
    await admin.delete(f"/identity-providers/{row['id']}")


async def test_what_is_emptied_there_is_emptied_here(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = provider.updates_people = True
    above = somebody()
    await come(database, provider, above)
    told = {"job_title": "Editor", "department": "Finance", "manager_subject": above.subject}
    person = somebody(**told)
    await come(database, provider, person)
    user = await come(database, provider, person)
    assert (user.job_title, user.department_id is None, user.manager_id is None) == ("Editor", False, False)
    silent = replace(person, job_title=None, department=None, manager_subject=None)
    user = await come(database, provider, silent)
    assert (user.job_title, user.department_id is None, user.manager_id is None) == ("Editor", False, False), (
        "not heard"
    )
    silent = replace(silent, empties=("job_title", "department", "manager"))
    user = await come(database, provider, silent)
    assert (user.job_title, user.department_id, user.manager_id) == ("", None, None)
    # what somebody here wrote instead stays
    await come(database, provider, replace(person, job_title="Poet"))
    async with database.transaction() as session:
        await session.execute(update(User).where(User.id == user.id).values(job_title="Lyricist"))
    assert (await come(database, provider, silent)).job_title == "Lyricist"


async def test_a_username_follows_when_it_is_free_and_is_told(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = provider.updates_people = True
    n = next(_numbers)
    one = await come(database, provider, somebody(subject=f"ceo{n}", username=f"one{n}@corp"))
    await come(database, provider, somebody(subject=f"ceo{n}", username=f"ceo{n}@corp", email=one.email))
    assert (await user_of(database, f"one{n}")).id == one.id, "whoever names themselves there keeps their name here"
    provider.settings = {"follows_usernames": True}
    person = somebody(username=f"old.name{n}@corp")
    user = await come(database, provider, person)
    assert user.username == f"old.name{n}"
    # somebody else has it: it stays, and follows once it is free
    taken = await come(database, provider, replace(person, username="colleague@corp"))
    assert taken.username == f"old.name{n}"
    renamed = await come(database, provider, replace(person, username=f"new.name{n}@corp"))
    assert renamed.username == f"new.name{n}"
    (told,) = await events_of(database, user.id, "identity.username_changed")
    assert (told["before"], told["after"]) == (f"old.name{n}", f"new.name{n}")
    await relay.drain(database)
    async with database.read() as session:
        mail = select(Delivery.subject).where(Delivery.user_id == user.id, Delivery.kind == "account.username_changed")
        assert list(await session.scalars(mail)) == [f"Your username is new.name{n} from now on"]
    # one that was chosen here is the person's own
    async with database.transaction() as session:
        await session.execute(update(User).where(User.id == user.id).values(username=f"chosen{n}"))
    assert (await come(database, provider, replace(person, username=f"third{n}@corp"))).username == f"chosen{n}"


async def test_an_administrators_username_follows_nobody(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = provider.updates_people = True
    provider.settings = {"follows_usernames": True}
    n = next(_numbers)
    person = somebody(username=f"root.one{n}@corp")
    user = await come(database, provider, person)
    async with database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        session.add(UserRole(user_id=user.id, role_id=role_id))
    again = await come(database, provider, replace(person, username=f"other{n}@corp"))
    assert again.username == f"root.one{n}"
    async with database.transaction() as session:
        await session.execute(delete(UserRole).where(UserRole.user_id == user.id, UserRole.role_id == role_id))


async def test_two_who_take_a_name_at_once_both_come_in(database: Any, provider: IdentityProvider) -> None:
    provider.creates_people = provider.updates_people = True
    provider.settings = {"follows_usernames": True}
    n = next(_numbers)
    people = [somebody(subject=f"twin{n}.{i}", username=f"twin{n}x{i}@corp") for i in "ab"]
    for person in people:
        await come(database, provider, person)
    wanted = f"both{n}"
    came = await asyncio.gather(*(come(database, provider, replace(p, username=f"{wanted}@corp")) for p in people))
    names = [user.username for user in came]
    assert names.count(wanted) == 1
    assert len({*names} & {f"twin{n}xa", f"twin{n}xb"}) == 1, "who comes second goes on under the old one"
