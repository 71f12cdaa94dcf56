"""Who sets something up leaves in the trail what it was before and what it is after, and never a secret."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.architecture.configuration_register import (
    BRINGS,
    CHANGES,
    SENTENCE,
    SETS_NOTHING_UP,
    SWITCHES,
    TAKES,
    VERSIONS,
)
from tests.architecture.test_architecture import permissions, routes
from tests.conftest import Api
from waypost.kernel.db import Base
from waypost.kernel.events import EventRow, registry

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
PREFIX = "/api/v1"
SECRET = "Zq7-never-in-the-trail-Kx2"


def sets_up(permission: str) -> bool:
    """Whether it is a permission by which something is set up."""
    return permission.endswith(":configure") or permission == "sessions:manage"


async def test_every_endpoint_that_sets_something_up_is_known(app: Any) -> None:
    found = {
        f"{method} {route.path.removeprefix(PREFIX)}"
        for route in routes(app)
        if any(map(sets_up, permissions(route.dependant)))
        for method in CHANGING & set(route.methods or ())
    }
    known = [*CHANGES, *SWITCHES, *VERSIONS, *BRINGS, *TAKES, *SETS_NOTHING_UP]
    assert len(known) == len(set(known)), "each stands in one place"
    unknown = sorted(found - set(known))
    assert not unknown, "\n".join(SENTENCE.format(route=route) for route in unknown)
    assert set(known) <= found, set(known) - found


def fields_of(type_: str) -> set[str]:
    return {f.name for f in dataclasses.fields(registry[type_])}


@pytest.mark.parametrize("route", CHANGES)
def test_a_change_has_both(route: str) -> None:
    told = fields_of(CHANGES[route])
    assert {"before", "after"} <= told or "changes" in told, CHANGES[route]


@pytest.mark.parametrize("route", SWITCHES)
def test_a_switch_says_which_it_is(route: str) -> None:
    type_, state = SWITCHES[route]
    assert state in fields_of(type_)


@pytest.mark.parametrize("route", VERSIONS)
def test_a_document_names_its_version_and_all_are_kept(route: str) -> None:
    type_, table = VERSIONS[route]
    assert any(name.endswith("version") or name == "changes" for name in fields_of(type_))
    assert table in Base.metadata.tables


@pytest.mark.parametrize("route", [*BRINGS, *TAKES])
def test_what_comes_or_goes_is_named(route: str) -> None:
    type_ = (BRINGS | TAKES)[route]
    assert len(fields_of(type_)) >= 2, type_


# --- and what really is recorded --------------------------------------------------------------------------------------

Doing = Callable[[Api], Awaitable[tuple[str, str, Any, Any]]]


async def _mailbox(admin: Api) -> tuple[str, str, Any, Any]:
    body = {"name": "Desk", "address": "desk@example.com", "host": "imap.example.com", "username": "desk"}
    body |= {"password": SECRET, "ticket_type": "IT_SUPPORT"}
    made = await admin.post("/mailboxes", body, expect=201)
    await admin.put(f"/mailboxes/{made['id']}", {**body, "host": "mail.example.com", "version": 1})
    return "mailbox.changed", "host", "imap.example.com", "mail.example.com"


async def _mailbox_password(admin: Api) -> tuple[str, str, Any, Any]:
    box = next(b for b in (await admin.get("/mailboxes"))["items"] if b["name"] == "Desk")
    body = {"name": "Desk", "address": "desk@example.com", "host": "mail.example.com", "username": "desk"}
    body |= {"password": f"{SECRET}-2", "ticket_type": "IT_SUPPORT", "version": box["version"]}
    await admin.put(f"/mailboxes/{box['id']}", body)
    return "mailbox.changed", "password", "(set)", "(another)"


async def _channel(admin: Api) -> tuple[str, str, Any, Any]:
    version = next(c for c in (await admin.get("/notification-channels"))["items"] if c["key"] == "slack")["version"]
    body = {"version": version, "is_on": False, "settings": {"token": f"xoxb-{SECRET}"}}
    await admin.put("/notification-channels/slack", body)
    return "channel.set_up", "token", None, "(another)"


async def _defaults(admin: Api) -> tuple[str, str, Any, Any]:
    now_ = await admin.get("/notification-defaults")
    event = next(e for e, ways in now_["events"].items() if "email" in ways and not now_["mandatory"].get(e))
    was = now_["events"][event]["email"]
    events = {e: dict(ways) for e, ways in now_["events"].items()}
    events[event]["email"] = not was
    body = {"version": now_["version"], "events": events, "mandatory": now_["mandatory"]}
    await admin.put("/notification-defaults", body)
    return "notification.defaults_changed", event, ..., ...


async def _department(admin: Api) -> tuple[str, str, Any, Any]:
    made = await admin.post("/departments", {"name": "Before"}, expect=201)
    await admin.call("PATCH", f"/departments/{made['id']}", {"name": "After", "version": made["version"]})
    return "department.changed", "name", "Before", "After"


async def _team(admin: Api) -> tuple[str, str, Any, Any]:
    made = await admin.post("/teams", {"name": "Before team"}, expect=201)
    await admin.call("PATCH", f"/teams/{made['id']}", {"name": "After team", "version": made["version"]})
    return "team.changed", "name", "Before team", "After team"


async def _stream(admin: Api) -> tuple[str, str, Any, Any]:
    body = {"name": "Both", "kind": "HTTPS", "url": "https://siem.example.com/a", "secret": SECRET}
    made = await admin.post("/audit/streams", body, expect=201)
    await admin.put(f"/audit/streams/{made['id']}", {**body, "batch_size": 7, "version": 1})
    return "audit_stream.changed", "batch_size", 200, 7


async def _provider(admin: Api) -> tuple[str, str, Any, Any]:
    settings = {"client_secret": SECRET}
    body = {"key": "both", "kind": "oidc", "name": "Before", "settings": settings}
    made = await admin.post("/identity-providers", body, expect=201)
    changed = {"name": "After", "version": made["version"], "settings": {"client_secret": f"{SECRET}-2"}}
    rules = {k: made[k] for k in CHANGE_RULES if k in made}
    await admin.put(f"/identity-providers/{made['id']}", {**rules, **changed})
    return "provider.changed", "name", "Before", "After"


CHANGE_RULES = ("is_on", "creates_people", "updates_people", "links_by", "trusts_second_factor")
DOINGS = [_mailbox, _mailbox_password, _channel, _defaults, _department, _team, _stream, _provider]


@pytest.mark.parametrize("do", DOINGS, ids=lambda f: f.__name__.strip("_"))
async def test_what_was_and_what_is_stands_in_the_trail(do: Doing, who: Any, database: Any) -> None:
    admin = await who("admin")
    type_, name, was, is_ = await do(admin)
    async with database.read() as session:
        newest = select(EventRow).where(EventRow.type == type_).order_by(EventRow.id.desc()).limit(1)
        event = (await session.scalars(newest)).one()
        leaked = await session.scalar(
            text("SELECT count(*) FROM events WHERE data::text LIKE :secret"), {"secret": f"%{SECRET}%"}
        )
    before, after = event.data["before"], event.data["after"]
    assert set(before) == set(after), "both sides name the same"
    assert before != after
    assert name in after, json.dumps(event.data)
    if was is not ...:
        assert (before[name], after[name]) == (was, is_)
    assert before[name] != after[name]
    assert event.actor_id == admin.id
    assert leaked == 0
