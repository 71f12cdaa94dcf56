"""Against floods that cost money: how many messages a channel sends in a day, to one person and in all.

An emergency reaches a person however many they have had. What would be too many for one is given up, and can be sent again
from the log; what would be too many in all waits, and administrators are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import String, cast, func, select

from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.notifications.channels import Capped, Caps, Message
from waypost.notifications.models import Delivery
from waypost.vendors.fates import Fate, Misconfigured, Rejected

DAY = timedelta(days=1)
OLDEST = timedelta(days=8)  # of what can still be sent


async def over(database: Database, channel: Capped, caps: Caps, messages: Sequence[Message]) -> list[Fate | None]:
    """What keeps each from being sent; None for what may be. Those before it count as sent."""
    at = now()
    one = func.concat(func.coalesce(Delivery.bundle, cast(Delivery.id, String)), " ", Delivery.recipient)
    sent = (
        select(Delivery.user_id, func.count(func.distinct(one)).label("n"))
        .where(Delivery.channel == channel.key, Delivery.sent_at > at - DAY, Delivery.created_at > at - OLDEST)
        .group_by(Delivery.user_id)
    )
    async with database.read() as session:
        had = Counter({row.user_id: row.n for row in await session.execute(sent)})
    return judged(caps, had, messages)


def judged(caps: Caps, had: Counter[int | None], messages: Sequence[Message]) -> list[Fate | None]:
    """The same of plain values. Pure."""
    found: list[Fate | None] = []
    for message in messages:
        if had.total() >= caps.in_all:
            found.append(Misconfigured(f"{caps.in_all} messages went out within a day: no more do"))
        elif not message.is_urgent and had[message.user_id] >= caps.to_one:
            found.append(Rejected(f"this person had {caps.to_one} messages within a day"))
        else:
            had[message.user_id] += 1
            found.append(None)
    return found
