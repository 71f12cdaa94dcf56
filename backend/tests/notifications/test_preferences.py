"""How one wants to be told, over HTTP; and what is usual for a role and the company."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from waypost.kernel import relay
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery, Preferences

PATH = "/notifications/preferences"


async def test_one_switches_a_channel_off_and_on(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    jane, agent = await fresh_who("employee"), await fresh_who("agent")
    ticket = await agent.post(
        "/tickets",
        {"title": "Screen", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "requester_id": jane.id, "submit": True},
        expect=201,
    )
    held = await jane.get(PATH)
    assert [c["key"] for c in held["channels"]] == ["in_app", "email"]
    assert held["channels"][1] == {
        "key": "email",
        "label": "E-mail",
        "is_ready": True,
        "address": "employee@example.com",
    }
    assert held["mandatory"]["emergency"] == ["in_app", "email"]
    assert "in_app" not in held["events"]["approval.requested"]
    assert "system" not in held["events"]
    assert "system" in (await (await fresh_who("admin")).get(PATH))["events"]
    off = {event: {**row, "in_app": False} if "in_app" in row else row for event, row in held["events"].items()}
    kept = await jane.put(PATH, {**held, "events": off})
    assert kept["events"] == off
    assert kept["version"] == held["version"] + 1
    assert (await jane.put(PATH, kept))["version"] == kept["version"]  # nothing new

    async def told() -> int:
        await agent.post(f"/tickets/{ticket['id']}/comments", {"body": "Look", "visibility": "PUBLIC"}, expect=201)
        await relay.drain(fresh_database)
        notices = (await jane.get("/notifications", params={"limit": 100}))["items"]
        return sum(n["kind"] == "comment.created" and n["ticket"]["id"] == ticket["id"] for n in notices)

    assert await told() == 0
    back = {event: {**row, "in_app": True} for event, row in held["events"].items()}
    await jane.put(PATH, {**kept, "events": back})
    assert await told() == 1
    async with fresh_database.read() as session:
        mails = (
            await session.scalars(
                select(Delivery).where(
                    Delivery.kind == "comment.created",
                    Delivery.user_id == jane.id,
                    Delivery.words["number"].astext == ticket["ticket_number"],
                )
            )
        ).all()
        assert len(mails) == 2  # the mail was not switched
        assert (await session.get(Preferences, jane.id)).choices == {}  # nothing differs from what is usual
        facts = select(EventRow.data).where(EventRow.type == "notification.preferences_changed")
        assert [d["changed"] for d in await session.scalars(facts)] == [["events"], ["events"]]


async def test_quiet_hours_digests_and_the_time_zone(fresh_who: Any) -> None:
    jane = await fresh_who("employee")
    held = await jane.get(PATH)
    quiet = {"starts": "22:00", "ends": "07:00", "days": [4, 0]}
    changed = {
        **held,
        "quiet_hours": quiet,
        "digests": {"ticket.commented": "HOURLY", "ticket.status": "DAILY"},
        "timezone": "Asia/Kathmandu",
        "language": "de",
    }
    kept = await jane.put(PATH, changed)
    assert kept == {**changed, "quiet_hours": {**quiet, "days": [0, 4]}, "version": held["version"] + 1}
    assert (await jane.get("/auth/me"))["timezone"] == "Asia/Kathmandu"
    assert (await jane.get("/auth/me"))["locale"] == "de"
    silent = {name: value for name, value in kept.items() if name != "language"}
    none = await jane.put(PATH, {**silent, "quiet_hours": None, "digests": {}})
    assert (none["quiet_hours"], none["digests"], none["language"]) == (None, {}, "de")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"no_such": 1}, "/no_such"),
        ({"events": {"ticket.commented": {"email": "yes"}}}, "/events/ticket.commented/email"),
        ({"events": {"ticket.commented": {"pigeon": True}}}, "/events/ticket.commented/pigeon"),
        ({"events": {"no.such": {}}}, "/events/no.such"),
        ({"events": {"emergency": {"email": False}}}, "/events/emergency/email"),
        ({"events": []}, "/events"),
        ({"digests": {"emergency": "DAILY"}}, "/digests/emergency"),
        ({"digests": {"ticket.status": "YEARLY"}}, "/digests/ticket.status"),
        ({"language": "xx"}, "/language"),
        ({"timezone": "Middle/Earth"}, "/timezone"),
        ({"timezone": "../../etc/passwd"}, "/timezone"),
        ({"quiet_hours": {"starts": "25:00", "ends": "07:00", "days": [1]}}, "/quiet_hours/starts"),
        ({"quiet_hours": {"starts": "22:00", "ends": "22:00", "days": [1]}}, "/quiet_hours"),
        ({"quiet_hours": {"starts": "22:00", "ends": "07:00", "days": []}}, "/quiet_hours/days"),
        ({"quiet_hours": {"starts": "22:00", "ends": "07:00", "days": [1, 1]}}, "/quiet_hours/days"),
        ({"quiet_hours": {"starts": "22:00", "ends": "07:00", "days": [7]}}, "/quiet_hours/days/0"),
        ({"version": "0"}, "/version"),
        ({"version": 2**63}, "/version"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_kept(who: Any, change: dict[str, Any], pointer: str) -> None:
    head = await who("head")
    held = await head.get(PATH)
    refused = await head.put(PATH, {**held, **change}, expect=422)
    assert pointer in [e["pointer"] for e in refused["errors"]]
    assert await head.get(PATH) == held


async def test_preferences_need_a_session_and_a_body(who: Any) -> None:
    await (await who(None)).get(PATH, expect=401)
    jane = await who("employee")
    for body in ([], "x", {}):
        await jane.put(PATH, body, expect=422)


async def test_of_two_who_write_at_once_one_is_told(fresh_who: Any) -> None:
    jane = await fresh_who("employee")
    held = await jane.get(PATH)
    asked = [{**held, "digests": {"ticket.status": how}} for how in ("DAILY", "HOURLY")]
    answers = await asyncio.gather(*(jane.put(PATH, body, expect=None) for body in asked))
    assert sorted(a.status_code for a in answers) == [200, 412]


async def test_defaults_of_company_and_role(fresh_database: Any, fresh_who: Any) -> None:
    admin, agent, jane = await fresh_who("admin"), await fresh_who("agent"), await fresh_who("employee")
    held = await admin.get("/notification-defaults")
    assert held["mandatory"] == {}
    assert held["events"]["ticket.commented"] == {"in_app": True, "email": True, "push": True}
    held["events"]["ticket.commented"]["email"] = False
    asked = {"version": held["version"], "events": held["events"], "mandatory": {"ticket.status": ["email"]}}
    kept = await admin.put("/notification-defaults", asked)
    assert kept["mandatory"] == {"ticket.status": ["email"]}
    assert (await jane.get(PATH))["events"]["ticket.commented"]["email"] is False
    own = await jane.get(PATH)
    assert "email" not in own["events"]["ticket.status"]
    assert "email" in own["mandatory"]["ticket.status"]
    switched = {**own, "events": {"ticket.status": {"email": False}}}
    refused = await jane.put(PATH, switched, expect=422)
    assert refused["errors"][0]["pointer"] == "/events/ticket.status/email"
    (role,) = [r for r in held["roles"] if r["name"] == "Agent"]
    path = f"/notification-defaults/{role['id']}"
    of_role = await admin.get(path)
    assert of_role["events"]["ticket.commented"] == {"in_app": None, "email": None, "push": None}
    wanted = {"version": of_role["version"], "events": {"ticket.commented": {"email": True}}}
    assert (await admin.put(path, wanted))["events"]["ticket.commented"]["email"] is True
    await admin.put(path, wanted, expect=412)
    assert (await agent.get(PATH))["events"]["ticket.commented"]["email"] is True
    assert (await jane.get(PATH))["events"]["ticket.commented"]["email"] is False
    assert [r["has_own"] for r in (await admin.get("/notification-defaults"))["roles"] if r["name"] == "Agent"] == [
        True
    ]
    async with fresh_database.read() as session:
        facts = select(EventRow.data).where(EventRow.type == "notification.defaults_changed").order_by(EventRow.id)
        assert [(d["role_id"], d["defaults_version"]) for d in await session.scalars(facts)] == [
            (None, 1),
            (role["id"], 1),
        ]


async def test_defaults_are_for_administrators(who: Any) -> None:
    admin = await who("admin")
    for username in ("employee", "manager", "auditor"):
        api = await who(username)
        await api.get("/notification-defaults", expect=403)
        await api.put("/notification-defaults", {"nonsense": 1}, expect=403)
        await api.put("/notification-defaults/1", {"nonsense": 1}, expect=403)
    await admin.get("/notification-defaults/4611686018427387900", expect=404)
    await admin.put("/notification-defaults/4611686018427387900", {"nonsense": 1}, expect=404)
    held = await admin.get("/notification-defaults")
    asked = {"version": held["version"], "events": {}, "mandatory": {"ticket.status": ["pigeon"]}}
    refused = await admin.put("/notification-defaults", asked, expect=422)
    assert refused["errors"][0]["pointer"] == "/mandatory/ticket.status/0"
    await admin.put("/notification-defaults", {**asked, "mandatory": {}, "version": held["version"] + 1}, expect=412)


async def test_a_role_that_goes_takes_its_defaults_along(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        await session.execute(text("INSERT INTO roles (key, name) VALUES ('gone', 'Gone')"))
        await session.execute(
            text(
                "INSERT INTO notification_defaults (role_id, updated_at) SELECT id, now() FROM roles WHERE key = 'gone'"
            )
        )
        await session.execute(text("DELETE FROM roles WHERE key = 'gone'"))
        assert await session.scalar(text("SELECT count(*) FROM notification_defaults WHERE role_id IS NOT NULL")) == 0
