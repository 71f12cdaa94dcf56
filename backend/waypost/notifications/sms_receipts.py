"""What a network says became of a text message: once it is settled it stays so, in whatever order reports come."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.notifications.models import ContactPoint, Delivery
from waypost.notifications.reply_codes import CHANNEL
from waypost.vendors.sms import OPTED_OUT, UNDELIVERED


async def take(session: AsyncSession, delivery_id: int, receipt: str, why: str, ref: str = "") -> None:
    """Keep what became of a message, and of those that went out in it. What is none of ours is left alone.

    A report may be faster than we are to write down that the message was taken: then it says so as well. `ref` is what
    the network calls the message; one it called otherwise is an earlier try.
    """
    key = (Delivery.id == delivery_id, Delivery.channel == CHANNEL)
    first = (await session.scalars(select(Delivery).where(*key).with_for_update())).one_or_none()
    if first is None or first.receipt is not None or not first.attempts:
        return
    if ref and first.provider_ref and ref != first.provider_ref:
        return
    rows = [first]
    if first.bundle and "#" in first.bundle:
        same = (
            Delivery.channel == CHANNEL,
            Delivery.user_id == first.user_id,
            Delivery.bundle == first.bundle,
            Delivery.recipient == first.recipient,
            Delivery.id != first.id,
        )
        rows += await session.scalars(select(Delivery).where(*same).order_by(Delivery.id).with_for_update())
    at = now()
    for row in rows:
        row.receipt, row.receipt_at = receipt, at
        if receipt == UNDELIVERED:
            row.status, row.last_error = "FAILED", why[:500]
        elif row.status == "PENDING":
            row.status, row.sent_at, row.last_error = "SENT", at, None
    await session.flush()
    if why == OPTED_OUT:
        theirs = (ContactPoint.channel == CHANNEL, ContactPoint.address == first.recipient)
        await session.execute(update(ContactPoint).where(*theirs).values(stopped_at=at))
