"""Being told of what is new in a view: each once, as its owner sees it, and not any more once they have left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from waypost.directory.models import User
from waypost.kernel import relay
from waypost.notifications.models import Notification
from waypost.search import alerts, errors, telling_news
from waypost.search.alerting import TOLD_AT, next_digest
from waypost.search.following import run_all
from waypost.search.models import ViewAlert, ViewAlertMatch

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe")
SUPPORT: dict[str, Any] = {"ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}


async def tell(database: Any) -> None:
    """Until nothing is left to be told."""
    await run_all(database)
    while await telling_news.run_due(database):
        pass
    while await relay.drain(database):
        pass


async def told(database: Any, api: Any, word: str) -> list[tuple[str, int | None]]:
    """What somebody was told of the view of a word, oldest first: the title, and the request it is about."""
    async with database.read() as session:
        rows = await session.execute(
            select(Notification.title, Notification.ticket_id)
            .where(
                Notification.user_id == api.id, Notification.kind == "view.matched", Notification.title.contains(word)
            )
            .order_by(Notification.id)
        )
        return [(row.title, row.ticket_id) for row in rows]


async def view_of(api: Any, word: str, how: str | None = "AT_ONCE", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = await api.post(
        "/saved-views", {"name": f"News of {word}", "filters": {"q": word}, **more}, expect=201
    )
    if how:
        made = await api.put(f"/saved-views/{made['id']}/alert", {"how": how})
    return made


async def ask(api: Any, title: str) -> int:
    made: int = (await api.post("/tickets", {**SUPPORT, "title": title}, expect=201))["id"]
    return made


async def test_what_comes_is_told_once(database: Any, who: Any) -> None:
    agent, employee = await who("agent"), await who("employee")
    before = await ask(employee, "A tapir scanner")
    await run_all(database)
    view = await view_of(agent, "tapir")
    assert view["alert"] == {"how": "AT_ONCE", "next_at": None, "is_stopped": False}
    await tell(database)
    assert await told(database, agent, "tapir") == []
    new = await ask(employee, "Another tapir scanner")
    other = await ask(employee, "A mere scanner")
    await tell(database)
    assert await told(database, agent, "tapir") == [("New in “News of tapir”: Another tapir scanner", new)]
    for ticket in (before, new):
        await agent.post(f"/tickets/{ticket}/comments", {"body": "Seen.", "visibility": "PUBLIC"}, expect=201)
    await tell(database)
    assert len(await told(database, agent, "tapir")) == 1
    draft = await employee.get(f"/tickets/{other}")
    await agent.put(
        f"/tickets/{other}", {"title": "A tapir after all", "version": draft["version"]}, expect=None
    )  # whoever may not edit it changes nothing
    several = [await ask(employee, f"Tapir number {n}") for n in range(3)]
    await tell(database)
    assert (await told(database, agent, "tapir"))[1] == ("3 new requests in “News of tapir”", None)
    assert len(several) == 3


async def test_ones_own_doing_is_no_news(database: Any, who: Any) -> None:
    employee = await who("employee")
    await view_of(employee, "quoll")
    ticket = await ask(employee, "A quoll lamp")
    await tell(database)
    assert await told(database, employee, "quoll") == []
    await (await who("agent")).post(f"/tickets/{ticket}/comments", {"body": "Hm", "visibility": "PUBLIC"}, expect=201)
    await tell(database)
    assert await told(database, employee, "quoll") == []  # it is known since they made it


async def test_only_what_its_owner_sees_is_told(database: Any, who: Any) -> None:
    outsider, employee, agent = await who("outsider"), await who("employee"), await who("agent")
    await view_of(outsider, "numbat")
    await view_of(agent, "numbat")
    await ask(employee, "A numbat chair")
    await tell(database)
    assert await told(database, outsider, "numbat") == []
    assert len(await told(database, agent, "numbat")) == 1


async def test_who_leaves_is_told_nothing(database: Any, who: Any) -> None:
    employee, agent2 = await who("employee"), await who("agent2")
    await view_of(agent2, "bilby")
    async with database.transaction() as session:
        await session.execute(update(User).where(User.id == agent2.id).values(is_active=False))
    await ask(employee, "A bilby cable")
    await tell(database)
    async with database.transaction() as session:
        await session.execute(update(User).where(User.id == agent2.id).values(is_active=True))
    await tell(database)
    assert await told(database, agent2, "bilby") == []
    await ask(employee, "A second bilby cable")
    await tell(database)
    assert [title for title, _ in await told(database, agent2, "bilby")] == [
        "New in “News of bilby”: A second bilby cable"
    ]


async def test_a_digest_comes_when_it_is_due_with_what_still_fits(database: Any, who: Any) -> None:
    agent, employee = await who("agent"), await who("employee")
    view = await view_of(agent, "wallaby", "DAILY")
    due = datetime.fromisoformat(view["alert"]["next_at"])
    assert timedelta(0) < due - datetime.now(UTC) <= timedelta(days=1)
    kept, gone = await ask(employee, "A wallaby desk"), await ask(employee, "A wallaby board")
    await tell(database)
    assert await told(database, agent, "wallaby") == []
    async with database.transaction() as session:
        await session.execute(
            update(ViewAlert).where(ViewAlert.view_id == view["id"]).values(next_at=text("now() - interval '1 minute'"))
        )
        await session.execute(text("UPDATE search_documents SET words = '' WHERE ticket_id = :id"), {"id": gone})
    await tell(database)
    assert await told(database, agent, "wallaby") == [("New in “News of wallaby”: A wallaby desk", kept)]
    async with database.read() as session:
        waiting = select(ViewAlertMatch).where(ViewAlertMatch.view_id == view["id"], ViewAlertMatch.told_at.is_(None))
        assert (await session.scalars(waiting)).all() == []
        assert (await session.get_one(ViewAlert, (agent.id, view["id"]))).next_at > datetime.now(UTC)
    await tell(database)
    assert len(await told(database, agent, "wallaby")) == 1


async def test_a_view_that_asks_for_something_else_begins_anew(database: Any, who: Any) -> None:
    agent, employee = await who("agent"), await who("employee")
    await ask(employee, "A potoroo phone")
    view = await view_of(agent, "bandicoot")
    body = {"name": view["name"], "filters": {"q": "potoroo"}, "version": view["version"]}
    changed = await agent.put(f"/saved-views/{view['id']}", body)
    assert changed["alert"]["how"] == "AT_ONCE"
    await tell(database)
    assert await told(database, agent, "bandicoot") == []
    new = await ask(employee, "A potoroo screen")
    await tell(database)
    assert [ticket for _, ticket in await told(database, agent, "bandicoot")] == [new]


async def test_of_a_wide_view_only_newer_requests_are_news(
    database: Any, who: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "MOST_SEEDED", 1)
    agent, employee = await who("agent"), await who("employee")
    old = [await ask(employee, f"A cuscus {n}") for n in range(3)]
    await run_all(database)
    await view_of(agent, "cuscus")
    await agent.post(f"/tickets/{old[0]}/comments", {"body": "Hm", "visibility": "PUBLIC"}, expect=201)
    await employee.post(f"/tickets/{old[0]}/comments", {"body": "Hm", "visibility": "PUBLIC"}, expect=201)
    new = await ask(employee, "A newer cuscus")
    await tell(database)
    assert [ticket for _, ticket in await told(database, agent, "cuscus")] == [new]


async def test_what_cannot_be_asked_any_more_waits_until_it_is_changed(database: Any, who: Any) -> None:
    agent, employee = await who("agent"), await who("employee")
    view = await view_of(agent, "dunnart")
    async with database.transaction() as session:
        await session.execute(
            text(
                'UPDATE saved_views SET condition = \'{"field": "custom.gone", "op": "eq", "value": 1}\' WHERE id = :id'
            ),
            {"id": view["id"]},
        )
    await ask(employee, "A dunnart")
    await tell(database)
    assert (await agent.get(f"/saved-views/{view['id']}"))["alert"]["is_stopped"]
    await agent.put(f"/saved-views/{view['id']}/alert", {"how": "DAILY"}, expect=None)
    body = {"name": view["name"], "filters": {"q": "dunnart"}, "version": view["version"]}
    changed = await agent.put(f"/saved-views/{view['id']}", body)
    assert not changed["alert"]["is_stopped"]


async def test_an_alert_is_ones_own_and_there_are_only_so_many(
    database: Any, who: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, employee = await who("agent"), await who("employee")
    view = await view_of(agent, "kowari", None)
    assert view["alert"] is None
    await employee.put(f"/saved-views/{view['id']}/alert", {"how": "AT_ONCE"}, expect=404)
    wrong = await agent.put(f"/saved-views/{view['id']}/alert", {"how": "HOURLY"}, expect=422)
    assert wrong["errors"][0]["pointer"] == "/how"
    await agent.put(f"/saved-views/{view['id']}/alert", {"how": "WEEKLY"})
    ended = await agent.put(f"/saved-views/{view['id']}/alert", {"how": None})
    assert ended["alert"] is None
    monkeypatch.setattr(alerts, "MOST_ALERTS", 0)
    full = await agent.put(f"/saved-views/{view['id']}/alert", {"how": "WEEKLY"}, expect=409)
    assert full["code"] == errors.TooManyAlerts.code
    async with database.read() as session:
        assert await session.scalar(select(ViewAlert).where(ViewAlert.view_id == view["id"])) is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.sampled_from(ZONES))
def test_a_digest_is_at_eight_where_they_live(at: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    assert next_digest("AT_ONCE", at, zone) is None
    for how, days in (("DAILY", 1), ("WEEKLY", 7)):
        due = next_digest(how, at, zone)
        assert due is not None
        assert due > at
        assert due.timetz().replace(tzinfo=None) == TOLD_AT
        assert due.timestamp() - at.timestamp() <= days * 86400 + 26 * 3600
        assert how == "DAILY" or due.weekday() == 0
