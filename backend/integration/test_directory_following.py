"""Following a real OpenLDAP and a real Active Directory: who comes, changes, moves and goes, and what is not done unseen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

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
from tests.conftest import Api
from waypost.access.models import LoginSession, UserRole
from waypost.access.providers.ldap import runs, syncing
from waypost.access.providers.ldap.following import left_lately
from waypost.access.providers.ldap.models import DirectoryRun, DirectoryRunPerson
from waypost.access.providers.models import Identity, IdentityProvider
from waypost.approvals.models import ApprovalStep
from waypost.directory.models import Department, User
from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.settings import get_settings
from waypost.notifications.models import Notification


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    allow_this_machine(monkeypatch)
    yield
    get_settings.cache_clear()


async def follow(database: Any, row: IdentityProvider, **run: Any) -> DirectoryRun:
    """One look at the directory, as the clock asks for it."""
    async with database.transaction() as session:
        made = DirectoryRun(provider_id=row.id, state="WAITING", asked_at=now(), **run)
        session.add(made)
        await session.flush()
    await syncing.run_due(database)
    return await run_of(database, made.id)


async def run_of(database: Any, run_id: int) -> DirectoryRun:
    async with database.read() as session:
        return await session.get_one(DirectoryRun, run_id)


async def people_of(database: Any, run: DirectoryRun) -> dict[str, DirectoryRunPerson]:
    async with database.read() as session:
        rows = await session.scalars(select(DirectoryRunPerson).where(DirectoryRunPerson.run_id == run.id))
        return {r.name: r for r in rows}


async def person(database: Any, username: str) -> User:
    async with database.read() as session:
        return (await session.scalars(select(User).where(User.username == username))).one()


async def came_by(database: Any, row: IdentityProvider) -> set[str]:
    async with database.read() as session:
        mine = select(User.username).join(Identity, Identity.user_id == User.id)
        return set(await session.scalars(mine.where(Identity.provider_id == row.id, User.is_active)))


@pytest.fixture
async def house(fresh_database: Any, openldap: OpenLdap, request: Any) -> AsyncIterator[IdentityProvider]:
    """An organisational unit of its own, followed."""
    unit = f"ou={request.node.name[:40].replace('[', '').replace(']', '')},{open_ldap.BASE}"
    openldap.add(unit, ["organizationalUnit"])
    async with provider(fresh_database, openldap_settings(openldap, base_dn=unit, group_base=open_ldap.BASE)) as row:
        yield row


def add(openldap: OpenLdap, house: IdentityProvider, uid: str, **more: object) -> str:
    below = house.settings["base_dn"].removesuffix(f",{open_ldap.BASE}")
    return openldap.add_person(uid, below=below, **more)


async def test_people_come_with_managers_departments_and_roles(
    fresh_database: Any, openldap: OpenLdap, house: IdentityProvider
) -> None:
    boss = add(openldap, house, "zboss", title="Head")
    worker = add(openldap, house, "aworker", manager=boss, departmentNumber="Mktg", title="Clerk")
    add(openldap, house, "lost", mail="")
    openldap.add_group("sync-desk", worker)
    await map_groups(fresh_database, house, **{"sync-desk": "agent", "*": "employee"})
    await change(fresh_database, house, departments=["Mktg = Marketing"])
    dry = await follow(fresh_database, house, is_dry=True)
    assert (dry.state, dry.counts["CREATE"], dry.counts["SKIP"]) == ("PLANNED", 2, 1)
    assert await came_by(fresh_database, house) == set()
    run = await follow(fresh_database, house)
    assert (run.state, run.error, run.counts["CREATE"], run.counts["FAILED"]) == ("DONE", None, 2, 0)
    assert "no e-mail address" in (await people_of(fresh_database, run))["Lost Doe"].note
    made = await person(fresh_database, "aworker")
    async with fresh_database.read() as session:
        department = await session.scalar(select(Department.name).where(Department.id == made.department_id))
        roles = await session.scalars(select(UserRole.provider_id).where(UserRole.user_id == made.id))
        # an agent by its group; an employee is everybody whom a provider brings
        assert set(roles) == {house.id, None}
    assert department == "Marketing"
    assert made.manager_id == (await person(fresh_database, "zboss")).id
    again = await follow(fresh_database, house)
    assert (again.state, again.is_whole) == ("DONE", False)
    assert again.counts["SAME"] >= 2
    assert again.counts["UPDATE"] == again.counts["DEACTIVATE"] == 0


async def test_what_changed_is_read_alone_and_a_changed_group_reads_all(
    fresh_database: Any, openldap: OpenLdap, house: IdentityProvider
) -> None:
    first = add(openldap, house, "first", title="Clerk")
    second = add(openldap, house, "second")
    group = openldap.add_group("sync-changing", first)
    await map_groups(fresh_database, house, **{"sync-changing": "agent"})
    await follow(fresh_database, house)
    openldap.change(first, title="Buyer", sn="Roe")
    run = await follow(fresh_database, house)
    assert (run.is_whole, run.counts["UPDATE"]) == (False, 1)
    user = await person(fresh_database, "first")
    assert (user.job_title, user.last_name) == ("Buyer", "Roe")
    openldap.set_members(group, second)
    run = await follow(fresh_database, house)
    assert (run.is_whole, run.counts["UPDATE"]) == (True, 2)
    async with fresh_database.read() as session:
        holders = await session.scalars(select(UserRole.user_id).where(UserRole.provider_id == house.id))
        assert list(holders) == [(await person(fresh_database, "second")).id]


async def test_an_entry_that_is_renamed_or_moved_is_the_same_person(
    fresh_database: Any, openldap: OpenLdap, house: IdentityProvider
) -> None:
    dn = add(openldap, house, "married")
    for n in range(3):
        add(openldap, house, f"stays{n}")
    await follow(fresh_database, house)
    before = await person(fresh_database, "married")
    inner = f"ou=inner,{house.settings['base_dn']}"
    openldap.add(inner, ["organizationalUnit"])
    openldap.do(openldap.client.modify_dn(dn, "uid=newname", new_superior=inner))
    openldap.change(f"uid=newname,{inner}", mail="newname@example.com", sn="Newname")
    run = await follow(fresh_database, house)
    assert (run.state, run.counts["CREATE"], run.counts["DEACTIVATE"], run.counts["UPDATE"]) == ("DONE", 0, 0, 1)
    after = await person(fresh_database, "newname")  # a username made of the directory's follows it
    assert (after.id, after.email, after.last_name) == (before.id, "newname@example.com", "Newname")


async def test_more_than_a_thousand_are_read_page_by_page(
    fresh_database: Any, openldap: OpenLdap, house: IdentityProvider
) -> None:
    below = house.settings["base_dn"]
    for n in range(1200):
        values = {"cn": f"P {n}", "sn": f"P{n}", "uid": f"many{n}", "mail": f"many{n}@example.com"}
        openldap.do(openldap.client.add(f"uid=many{n},{below}", ["inetOrgPerson"], values))
    run = await follow(fresh_database, house, is_dry=True)
    assert (run.state, run.counts["CREATE"]) == ("PLANNED", 1200)


@pytest.fixture
async def crowd(fresh_database: Any, openldap: OpenLdap, house: IdentityProvider) -> list[str]:
    """Twenty people who came by a directory: one may go unseen, two may not."""
    dns = [add(openldap, house, f"crowd{n:02}") for n in range(20)]
    await map_groups(fresh_database, house, **{"*": "employee"})
    run = await follow(fresh_database, house)
    assert run.counts["CREATE"] == 20
    return dns


async def test_one_of_twenty_may_go_and_come_back(
    fresh_database: Any, app: Any, openldap: OpenLdap, house: IdentityProvider, crowd: list[str]
) -> None:
    door = Door(app, fresh_database)
    said = await door.come_in("crowd00", open_ldap.PASSWORD)
    token = {"Authorization": f"Bearer {said['access_token']}"}
    assert (await door.http.get("/auth/me", headers=token)).status_code == 200
    openldap.remove(crowd[0])
    run = await follow(fresh_database, house)
    assert (run.state, run.counts["DEACTIVATE"], run.is_whole) == ("DONE", 1, False)
    assert (await people_of(fresh_database, run))["Crowd00 Doe"].reason == "GONE"
    assert (await door.http.get("/auth/me", headers=token)).status_code == 401
    assert not (await person(fresh_database, "crowd00")).is_active
    await door.http.aclose()


async def test_who_leaves_in_small_parts_is_counted_together(
    fresh_database: Any, fresh_who: Any, openldap: OpenLdap, house: IdentityProvider, crowd: list[str]
) -> None:
    admin: Api = await fresh_who("admin")
    for n in range(3):
        openldap.remove(crowd[n])
        assert (await follow(fresh_database, house)).state == "DONE", "up to three, whatever their share"
    openldap.remove(crowd[3])
    run = await follow(fresh_database, house)
    assert (run.state, run.stop["leaving"], run.stop["active"], run.stop["left_lately"]) == ("STOPPED", 1, 17, 3)
    later = now() + timedelta(hours=1, minutes=1)
    with clock(lambda: later):
        held = await follow(fresh_database, house)
    assert (held.state, held.plan_of_id) == ("HELD", run.id), "nobody has looked at it yet"
    asked = await admin.post(f"/identity-providers/{house.id}/runs/{run.id}/apply", expect=201)
    await syncing.run_due(fresh_database)
    assert (await run_of(fresh_database, asked["id"])).counts["DEACTIVATE"] == 1
    async with fresh_database.read() as session:
        assert await left_lately(session, house.id, now() - timedelta(hours=1)) == 3, (
            "what was let through is not counted"
        )


async def test_two_of_twenty_stop_it_until_somebody_lets_exactly_that_be_done(
    fresh_database: Any, fresh_who: Any, openldap: OpenLdap, house: IdentityProvider, crowd: list[str]
) -> None:
    admin: Api = await fresh_who("admin")
    await change(fresh_database, house, stop_above_percent="0")  # else two of twenty are so few that they may leave
    openldap.remove(crowd[0])
    openldap.remove(crowd[1])
    run = await follow(fresh_database, house)
    assert (run.state, run.stop["kind"], run.stop["leaving"], run.stop["active"]) == ("STOPPED", "TOO_MANY", 2, 20)
    assert len(await came_by(fresh_database, house)) == 20
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        told = list(await session.scalars(select(Notification).where(Notification.kind == "directory.stopped")))
    assert [n.user_id for n in told] == [admin.id]
    held = await follow(fresh_database, house)
    assert (held.state, held.plan_of_id) == ("HELD", run.id)
    path = f"/identity-providers/{house.id}/runs"
    shown = await admin.get(f"{path}/{run.id}")
    assert shown["allowed_actions"] == ["apply", "dismiss"]
    people = await admin.get(f"{path}/{run.id}/people", params={"action": "DEACTIVATE"})
    assert [(p["name"], p["reason"]) for p in people["items"]] == [("Crowd00 Doe", "GONE"), ("Crowd01 Doe", "GONE")]
    # by the time it is allowed it has become another plan: that stops again
    openldap.remove(crowd[2])
    asked = await admin.post(f"{path}/{run.id}/apply", expect=201)
    await admin.post(f"{path}/{run.id}/apply", expect=409)
    await syncing.run_due(fresh_database)
    other = await run_of(fresh_database, asked["id"])
    assert (other.state, other.stop["leaving"]) == ("STOPPED", 3)
    assert (await run_of(fresh_database, run.id)).state == "DISMISSED"
    await admin.post(f"{path}/{run.id}/apply", expect=409)
    # and exactly that one is done
    asked = await admin.post(f"{path}/{other.id}/apply", expect=201)
    await syncing.run_due(fresh_database)
    done = await run_of(fresh_database, asked["id"])
    assert (done.state, done.counts["DEACTIVATE"], done.counts["FAILED"]) == ("DONE", 3, 0)
    assert len(await came_by(fresh_database, house)) == 17
    settled = await run_of(fresh_database, other.id)
    assert (settled.state, settled.settled_by_id) == ("APPLIED", admin.id)


async def test_a_plan_that_was_dismissed_is_not_told_of_again(
    fresh_database: Any, fresh_who: Any, openldap: OpenLdap, house: IdentityProvider, crowd: list[str]
) -> None:
    admin: Api = await fresh_who("admin")
    for dn in crowd[:4]:
        openldap.remove(dn)
    run = await follow(fresh_database, house)
    path = f"/identity-providers/{house.id}/runs/{run.id}"
    assert (await admin.post(f"{path}/dismiss"))["state"] == "DISMISSED"
    await admin.post(f"{path}/dismiss", expect=409)
    assert (await follow(fresh_database, house)).state == "HELD"
    assert len(await came_by(fresh_database, house)) == 20
    # a step-up is asked for, when the sign-in is not fresh
    async with fresh_database.transaction() as session:
        await session.execute(update(LoginSession).values(proved_at=None))
    refused = await admin.post(f"{path}/apply", expect=403)
    assert refused["code"] == "step_up_needed"


async def test_the_last_administrator_stays_whatever_the_directory_says(
    fresh_database: Any, openldap: OpenLdap, house: IdentityProvider, crowd: list[str]
) -> None:
    await change(fresh_database, house, stop_above_percent="100")
    group = openldap.add_group("sync-admins", crowd[5])
    await map_groups(fresh_database, house, **{"sync-admins": "admin"})
    await follow(fresh_database, house)
    async with fresh_database.transaction() as session:  # nobody else administers
        await session.execute(update(User).where(User.username == "admin").values(is_active=False))
    openldap.set_members(group, open_ldap.ADMIN)
    run = await follow(fresh_database, house)
    assert (run.state, run.stop["kind"], run.stop["names"]) == ("STOPPED", "LAST_ADMINISTRATOR", ["Crowd05 Doe"])
    openldap.set_members(group, crowd[5])
    openldap.remove(crowd[5])
    run = await follow(fresh_database, house)
    assert (run.state, run.stop["kind"]) == ("STOPPED", "LAST_ADMINISTRATOR")
    assert "crowd05" in await came_by(fresh_database, house)


async def test_a_directory_that_answers_badly_deactivates_nobody(
    fresh_database: Any, openldap: OpenLdap, house: IdentityProvider, crowd: list[str]
) -> None:
    await change(fresh_database, house, stop_above_percent="100", user_filter="(objectClass=device)")
    run = await follow(fresh_database, house)
    assert (run.state, len(await came_by(fresh_database, house))) == ("FAILED", 20)
    assert "nobody is found" in run.error
    await change(fresh_database, house, user_filter="", base_dn=f"ou=not there,{open_ldap.BASE}")
    assert (await follow(fresh_database, house)).state == "FAILED"
    await change(fresh_database, house, base_dn=house.settings["base_dn"])
    openldap.stop()
    try:
        run = await follow(fresh_database, house)
    finally:
        openldap.start()
    assert run.state == "FAILED"
    assert len(await came_by(fresh_database, house)) == 20


async def test_one_bad_entry_stops_nobody_else(
    fresh_database: Any, openldap: OpenLdap, house: IdentityProvider
) -> None:
    add(openldap, house, "good1")
    add(openldap, house, "clash", mail="employee@example.com")
    add(openldap, house, "good2", mail="good2@example.com")
    add(openldap, house, "good3", mail="GOOD2@example.com")
    async with fresh_database.transaction() as session:
        await session.execute(update(User).where(User.username == "employee").values(email="employee@example.com"))
    run = await follow(fresh_database, house)
    assert (run.state, run.counts["CREATE"], run.counts["SKIP"]) == ("DONE", 2, 2)
    assert {"good1", "good2"} <= await came_by(fresh_database, house)


async def test_a_run_whose_worker_died_is_marked_and_the_next_one_goes_on(
    fresh_database: Any, openldap: OpenLdap, house: IdentityProvider
) -> None:
    add(openldap, house, "early")
    async with fresh_database.transaction() as session:
        session.add(DirectoryRun(provider_id=house.id, state="RUNNING", asked_at=now(), started_at=now()))
    await syncing.run_due(fresh_database)
    await change(fresh_database, house, syncs=True)
    async with fresh_database.transaction() as session:
        await session.execute(update(DirectoryRun).values(asked_at=now().replace(year=2020)))
        await runs.add_due(session, now())
        await runs.add_due(session, now())
    await syncing.run_due(fresh_database)
    async with fresh_database.read() as session:
        states = list(await session.scalars(select(DirectoryRun.state).order_by(DirectoryRun.id)))
    assert states == ["FAILED", "DONE"]
    assert await came_by(fresh_database, house) == {"early"}


@pytest.fixture
async def domain(fresh_database: Any, ad: SambaAd) -> AsyncIterator[tuple[IdentityProvider, str]]:
    """A unit of the domain that is followed, however many of it go."""
    unit = ad.add_unit("Followed")
    settings = ad_settings(ad, base_dn=f"{unit},{samba_ad.BASE}", group_base=samba_ad.BASE, stop_above_percent="100")
    async with provider(fresh_database, settings) as row:
        yield row, unit


async def test_whoever_active_directory_disables_is_out_at_once_and_somebody_else_decides(
    fresh_database: Any, fresh_who: Any, app: Any, ad: SambaAd, domain: tuple[IdentityProvider, str], hardware: Any
) -> None:
    row, unit = domain
    boss = ad.add_person("fboss", "Fred", "Boss", below=unit)
    clerk = ad.add_person("fclerk", "Frida", "Clerk", below=unit, manager=boss)
    inner = ad.add_group("FInner", clerk)
    ad.add_group("FOuter", inner)
    await map_groups(fresh_database, row, FOuter="agent", **{"*": "employee"})
    run = await follow(fresh_database, row)
    assert (run.state, run.error, run.counts["CREATE"]) == ("DONE", None, 2)
    async with fresh_database.transaction() as session:  # above the one from the directory stands somebody of the house
        manager = await session.scalar(select(User).where(User.username == "manager"))
        await session.execute(update(User).where(User.username == "fboss").values(manager_id=manager.id))
        employee = await session.scalar(select(User).where(User.username == "employee"))
        fboss = await session.scalar(select(User).where(User.username == "fboss"))
        await session.execute(update(User).where(User.id == employee.id).values(manager_id=fboss.id))
    requester: Api = await fresh_who("employee")
    ticket = await requester.post("/tickets", hardware("500.00"), expect=201)
    async with fresh_database.read() as session:
        step = await session.scalar(select(ApprovalStep).where(ApprovalStep.subject_id == ticket["id"]))
        assert step.approver_id == fboss.id
    door = Door(app, fresh_database)
    said = await door.come_in("fboss", samba_ad.PASSWORD)
    token = {"Authorization": f"Bearer {said['access_token']}"}
    ad.change(boss, userAccountControl=samba_ad.DISABLED)
    run = await follow(fresh_database, row)
    assert (run.state, run.is_whole, run.counts["DEACTIVATE"], run.counts["FAILED"]) == ("DONE", False, 1, 0)
    assert (await people_of(fresh_database, run))["Fred Boss"].reason == "DISABLED"
    assert (await door.http.get("/auth/me", headers=token)).status_code == 401
    assert (await door.http.post("/auth/refresh")).status_code == 401
    async with fresh_database.read() as session:
        steps = await session.scalars(select(ApprovalStep).where(ApprovalStep.subject_id == ticket["id"]))
        waits = [s.approver_id for s in steps if s.status in ("PENDING", "ASKED", "WAITING")]
    assert waits == [manager.id]
    # and comes back when they are
    ad.change(boss, userAccountControl=samba_ad.NORMAL)
    run = await follow(fresh_database, row)
    assert run.counts["REACTIVATE"] == 1
    assert (await door.come_in("fboss", samba_ad.PASSWORD))["user"]["username"] == "fboss"
    # but not when it was somebody here who sent them away
    admin: Api = await fresh_who("admin")
    await admin.put(f"/users/{fboss.id}/active", {"is_active": False})
    ad.change(boss, title="Anything")
    run = await follow(fresh_database, row)
    assert (run.counts["REACTIVATE"], run.counts["SKIP"]) == (0, 1)
    # renamed and moved within, then out of what is followed
    moved = ad.move(clerk, unit, name="Frida Married")
    ad.change(moved, sn="Married")
    run = await follow(fresh_database, row)
    assert (run.counts["UPDATE"], run.counts["CREATE"], run.counts["DEACTIVATE"]) == (1, 0, 0)
    assert (await person(fresh_database, "fclerk")).last_name == "Married"
    ad.move(moved, "CN=Users")
    run = await follow(fresh_database, row)
    assert (run.counts["DEACTIVATE"], run.is_whole) == (1, False)
    assert not (await person(fresh_database, "fclerk")).is_active
    await door.http.aclose()
