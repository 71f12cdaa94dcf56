"""What people are told about roles, and of a provider that opens their account: who, what, once, and when not."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from tests.conftest import Api
from waypost.access import grants, role_changes
from waypost.access.models import Role, RoleChange, RoleRules, UserRole
from waypost.access.providers.models import Identity, IdentityProvider, ProviderGroup
from waypost.access.providers.people import ExternalPerson, bring_in, roles_from_groups
from waypost.access.queries import actors
from waypost.directory.models import User
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import SYSTEM
from waypost.notifications.models import Delivery, Notification

_numbers = itertools.count(1)


async def told(database: Any, person: Api, kind: str) -> list[Delivery]:
    """The mails somebody got of a kind; each has its notice in the app."""
    await relay.drain(database)
    async with database.read() as session:
        mine = (Delivery.user_id == person.id, Delivery.kind == kind, Delivery.channel == "email")
        found = list(await session.scalars(select(Delivery).where(*mine).order_by(Delivery.id)))
        seen = (Notification.user_id == person.id, Notification.kind == kind)
        assert await session.scalar(select(func.count()).where(*seen)) == len(found)
    return found


async def new_role(admin: Api, **more: Any) -> dict[str, Any]:
    n = next(_numbers)
    body = {"key": f"told_{n}", "name": f"Told {n}", "permissions": {"tickets:read": "TEAM"}}
    return dict(await admin.post("/roles", body | more, expect=201))


async def second_administrator(database: Any, person: Api) -> None:
    async with database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        session.add(UserRole(user_id=person.id, role_id=role_id))
        await session.execute(update(RoleRules).values(needs_two=True))
    actors._kept.clear()


async def test_who_gets_a_role_and_loses_it_hears_of_both(fresh_who: Any, fresh_database: Any) -> None:
    admin, colleague = await fresh_who("admin"), await fresh_who("colleague")
    made = await new_role(admin)
    until = now() + timedelta(days=40)
    body = {"user_id": colleague.id, "expires_at": until.isoformat(), "reason": "Covers for Sam"}
    await admin.post(f"/roles/{made['id']}/people", body, expect=201)
    (mail,) = await told(fresh_database, colleague, "role.given")
    assert mail.subject.startswith(f"You have the role {made['name']} until ")
    assert "Covers for Sam" in mail.words["body"]
    await admin.delete(f"/roles/{made['id']}/people/{colleague.id}")
    (mail,) = await told(fresh_database, colleague, "role.taken")
    assert mail.subject == f"You do not have the role {made['name']} any more"
    # what somebody does to themselves they know
    await admin.post(f"/roles/{made['id']}/people", {"user_id": admin.id}, expect=201)
    assert await told(fresh_database, admin, "role.given") == []


async def test_an_end_is_told_to_both_and_once(fresh_who: Any, fresh_database: Any) -> None:
    admin, colleague = await fresh_who("admin"), await fresh_who("colleague")
    made = await new_role(admin)
    until = now() + timedelta(days=40)
    await admin.post(
        f"/roles/{made['id']}/people", {"user_id": colleague.id, "expires_at": until.isoformat()}, expect=201
    )

    async def set_end(**values: Any) -> None:
        async with fresh_database.transaction() as session:
            await session.execute(update(UserRole).where(UserRole.role_id == made["id"]).values(**values))
        for _ in range(2):
            await grants.end_due(fresh_database)

    await set_end(granted_at=now() - timedelta(days=40), expires_at=now() + timedelta(days=5))
    (theirs,) = await told(fresh_database, colleague, "role.ending")
    (givers,) = await told(fresh_database, admin, "role.ending")
    assert theirs.subject.startswith(f"Your role {made['name']} ends on ")
    assert givers.subject.startswith(f"The role {made['name']} of {colleague.me['name']} ends on ")
    assert f"/settings/people/{colleague.id}?tab=roles" in givers.words["link"]
    await set_end(expires_at=now() - timedelta(seconds=1))
    (theirs,) = await told(fresh_database, colleague, "role.ended")
    (givers,) = await told(fresh_database, admin, "role.ended")
    assert (theirs.subject, givers.subject) == (
        f"Your role {made['name']} has ended",
        f"The role {made['name']} of {colleague.me['name']} has ended",
    )


@pytest.mark.parametrize("answer", ["confirm", "refuse", "drop", "expire"])
async def test_who_may_confirm_is_asked_and_who_asked_is_answered(
    fresh_who: Any, fresh_database: Any, answer: str
) -> None:
    admin, second, colleague = await fresh_who("admin"), await fresh_who("hragent"), await fresh_who("colleague")
    made = await new_role(admin, permissions={"audit:read": "ALL"})
    await second_administrator(fresh_database, second)
    path = f"/roles/{made['id']}/people"
    change = (await admin.post(path, {"user_id": colleague.id, "reason": "The review"}, expect=201))["change"]
    (mail,) = await told(fresh_database, second, "role.change_asked")
    assert (
        mail.subject == f"{admin.me['name']} asks you to confirm: {colleague.me['name']} gets the role {made['name']}"
    )
    assert "The review" in mail.words["body"]
    assert await told(fresh_database, admin, "role.change_asked") == [], "nobody confirms what they asked for"
    assert await told(fresh_database, colleague, "role.given") == []
    if answer == "expire":
        async with fresh_database.transaction() as session:
            await session.execute(update(RoleChange).values(expires_at=now() - timedelta(seconds=1)))
        for _ in range(2):
            await role_changes.expire_due(fresh_database)
    else:
        doer = admin if answer == "drop" else second
        await doer.post(f"/role-changes/{change['id']}/{'confirm' if answer == 'confirm' else 'refuse'}")
    answered = await told(fresh_database, admin, "role.change_answered")
    said = {"confirm": "was confirmed", "refuse": "was refused", "expire": "was answered by nobody"}
    assert [m.subject.partition(": ")[0] for m in answered] == (
        [f"What you asked for {said[answer]}"] if answer in said else []
    ), "who lets be what they asked for knows"
    assert len(await told(fresh_database, colleague, "role.given")) == (answer == "confirm")


async def test_what_was_settled_meanwhile_is_not_asked(fresh_who: Any, fresh_database: Any) -> None:
    """The workers were down while somebody found it in the app, and answered."""
    admin, second, colleague = await fresh_who("admin"), await fresh_who("hragent"), await fresh_who("colleague")
    made = await new_role(admin, permissions={"audit:read": "ALL"})
    await second_administrator(fresh_database, second)
    body = {"user_id": colleague.id}
    change = (await admin.post(f"/roles/{made['id']}/people", body, expect=201))["change"]
    await second.post(f"/role-changes/{change['id']}/confirm")
    assert await told(fresh_database, second, "role.change_asked") == []
    assert len(await told(fresh_database, admin, "role.change_answered")) == 1


async def test_several_that_are_asked_for_are_one_mail(
    fresh_who: Any, fresh_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from waypost.kernel.settings import get_settings

    admin, second = await fresh_who("admin"), await fresh_who("hragent")
    made = await new_role(admin, permissions={"audit:read": "ALL"})
    await second_administrator(fresh_database, second)
    monkeypatch.setenv("NOTIFY_GATHER_SECONDS", "60")
    get_settings.cache_clear()
    for username in ("colleague", "employee", "manager"):
        person = await fresh_who(username)
        await admin.post(f"/roles/{made['id']}/people", {"user_id": person.id}, expect=201)
    mails = await told(fresh_database, second, "role.change_asked")
    assert [m.bundle for m in mails] == ["event:role"] * 3
    assert len({m.next_at for m in mails}) == 1


async def test_who_has_just_come_is_not_told_of_their_roles(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    body = {"username": "new.one", "email": "new.one@example.com", "first_name": "New", "last_name": "One"}
    await admin.post("/users", body, expect=201)
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        assert await session.scalar(select(func.count()).where(Delivery.kind.like("role.%"))) == 0


async def a_provider(database: Any, **more: Any) -> IdentityProvider:
    at = now()
    rules = {"links_by": "VERIFIED_EMAIL", "creates_people": True, "updates_people": False, "version": 1}
    said = {"key": f"told{next(_numbers)}", "kind": "oidc", "name": "Contoso", "is_on": True, "settings": {}}
    async with database.transaction() as session:
        row = IdentityProvider(**said | rules | more, created_at=at, updated_at=at)
        session.add(row)
    return row


async def test_roles_by_groups_are_told_as_the_providers(fresh_who: Any, fresh_database: Any) -> None:
    admin, colleague = await fresh_who("admin"), await fresh_who("colleague")
    one, two = await new_role(admin), await new_role(admin)
    provider = await a_provider(fresh_database)
    async with fresh_database.transaction() as session:
        session.add_all(
            ProviderGroup(provider_id=provider.id, group_name=g, role_id=r["id"]) for g, r in (("a", one), ("b", two))
        )
    for groups in (("a",), ("b",), ()):
        async with fresh_database.transaction() as session:
            user = await session.get(User, colleague.id)
            assert user is not None
            await roles_from_groups(session, provider, user, groups, SYSTEM)
    first, second = await told(fresh_database, colleague, "role.given")
    assert "Contoso gave it to you" in first.words["body"]
    assert f"You do not have {one['name']} any more" in second.words["body"]
    (last,) = await told(fresh_database, colleague, "role.taken")
    assert two["name"] in last.subject


async def test_a_provider_that_opens_an_account_is_told_and_can_be_disowned(
    app: Any, fresh_who: Any, fresh_database: Any
) -> None:
    colleague = await fresh_who("colleague")
    provider = await a_provider(fresh_database)
    there = ExternalPerson("s-1", email=colleague.me["email"], email_verified=True)
    new = ExternalPerson("s-2", username="fresh.one", email="fresh.one@example.com", email_verified=True)
    async with fresh_database.transaction() as session:
        await bring_in(session, provider, there, SYSTEM, now())
        made = await bring_in(session, provider, new, SYSTEM, now())
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        linked = select(Delivery).where(Delivery.kind == "account.provider_linked")
        (mail,) = list(await session.scalars(linked))
        assert mail.user_id == colleague.id != made.id, "who is new has no account this could surprise them in"
    assert mail.subject == "Contoso opens your account from now on"
    await Api(app).post("/auth/not-me", {"token": mail.words["link"].partition("#")[2]}, expect=None)
    async with fresh_database.read() as session:
        assert await session.scalar(select(Identity.id).where(Identity.user_id == colleague.id)) is None
    async with fresh_database.transaction() as session:
        await session.execute(delete(IdentityProvider).where(IdentityProvider.id == provider.id))
