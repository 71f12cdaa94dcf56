"""Where one is reached besides by mail: seen by oneself, and taken away."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.notifications.models import ContactPoint

PATH = "/contact-points"


async def test_ones_own_addresses_are_seen_and_taken_away(fresh_database: Any, fresh_who: Any) -> None:
    jane, mike = await fresh_who("employee"), await fresh_who("manager")
    push = "push.example.com/5ec2e7"
    async with fresh_database.transaction() as session:
        for channel, address in (("slack", "U12345"), ("push", push), ("sms", "+4915112345678")):
            verified = None if channel == "sms" else now()
            session.add(
                ContactPoint(user_id=jane.id, channel=channel, address=address, verified_at=verified, created_at=now())
            )
    page = await jane.get(PATH)
    shown = [(p["channel"], p["address"], p["is_verified"]) for p in page["items"]]
    assert shown == [
        ("slack", "U12345", True),
        ("push", "push.example.com", True),
        ("sms", "+4915112345678", False),
    ]
    assert "5ec2e7" not in str(page)
    first = await jane.get(PATH, params={"limit": 1})
    second = await jane.get(PATH, params={"limit": 1, "cursor": first["next_cursor"]})
    assert [p["channel"] for p in second["items"]] == ["push"]
    assert (await mike.get(PATH))["items"] == []
    slack = page["items"][0]["id"]
    await mike.delete(f"{PATH}/{slack}", expect=404)
    await jane.delete(f"{PATH}/{slack}")
    await jane.delete(f"{PATH}/{slack}", expect=404)
    assert [p["channel"] for p in (await jane.get(PATH))["items"]] == ["push", "sms"]
    async with fresh_database.read() as session:
        (fact,) = await session.scalars(select(EventRow).where(EventRow.type == "contact_point.removed"))
        assert (fact.actor_id, fact.data["channel"]) == (jane.id, "slack")
    await jane.get(PATH, params={"cursor": "x"}, expect=422)
