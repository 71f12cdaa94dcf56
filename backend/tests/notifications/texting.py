"""Phones and the network they are in: a server on loopback that takes text messages as gateways and Twilio do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from sqlalchemy import select, update

from tests.notifications.wire import Request, Said, Wire
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.channels.registry import seal
from waypost.notifications.models import ChannelSettings, ContactPoint, Delivery

TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
HOOK = "sesame0123456789open"
PHONE, OTHER = "+4915112345678", "+4915112345679"
CODE = re.compile(r"APPROVE ([0-9A-Z]{5}) or")


@dataclass
class Network:
    """Takes what it is given, unless it is told what to say next."""

    instead: list[Any] = field(default_factory=list)
    taken: int = 0

    def __call__(self, request: Request) -> Any:
        if self.instead:
            said = self.instead.pop(0)
            return said(request) if callable(said) else said
        self.taken += 1
        if request.path.endswith("/Messages.json"):
            return Said({"sid": f"SM{self.taken:032}", "status": "queued"}, 201)
        return Said(b"0: Accepted for delivery", 202)


@dataclass
class Texting:
    wire: Wire
    network: Network
    database: Any
    who: Any
    hardware: Any

    def sent(self) -> list[dict[str, str]]:
        """What went out: to whom, what it said, and where reports go."""
        found = []
        for request in self.wire.taken:
            written = request.body.decode() if request.method == "POST" else urlsplit(request.path).query
            form = {k: v[0] for k, v in parse_qs(written).items()}
            to, text = form.get("to") or form.get("To"), form.get("text") or form.get("Body")
            report = form.get("dlr-url") or form.get("StatusCallback") or ""
            found.append({"to": str(to), "text": str(text), "report": report})
        return found

    def last(self) -> str:
        return self.sent()[-1]["text"]

    async def tell(self) -> None:
        await relay.drain(self.database)
        await sending.send_due(self.database)

    async def has_phone(self, username: str, phone: str = PHONE, *events: str) -> int:
        """Somebody's phone, proved, and the events they want to be told of there."""
        person = await self.who(username)
        async with self.database.transaction() as session:
            at = now()
            point = ContactPoint(
                user_id=person.id, channel="sms", address=phone, verified_at=at, details={}, created_at=at
            )
            session.add(point)
            await session.flush()
            made = point.id
        if events:
            chosen = await person.get("/notifications/preferences")
            chosen["events"] = {event: {"sms": True} for event in events}
            await person.put("/notifications/preferences", chosen)
        return int(made)

    async def ask(self, amount: str = "500.00", **more: Any) -> dict[str, Any]:
        """A request of the employee's, and whoever is asked told."""
        employee = await self.who("employee")
        made: dict[str, Any] = await employee.post("/tickets", self.hardware(amount, **more), expect=201)
        await self.tell()
        return made

    async def code(self, **more: Any) -> tuple[dict[str, Any], str]:
        """A request the manager was told of by SMS, and the code in the message."""
        ticket = await self.ask(**more)
        found = CODE.search(self.last())
        assert found is not None, self.last()
        return ticket, found[1]

    async def status(self, ticket: dict[str, Any]) -> str:
        return str((await (await self.who("employee")).get(f"/tickets/{ticket['id']}"))["status"])

    async def bring(self, text: str, phone: str = PHONE, id: str = "", secret: str = HOOK, **more: Any) -> Any:
        """A message that comes in by the gateway; what it is answered with is sent."""
        anybody = (await self.who("employee")).http
        brought = {"from": phone, "text": text, **({"id": id} if id else {}), **more}
        answer = await anybody.get(f"/integrations/sms/gateway/{secret}/messages", params=brought)
        if answer.status_code == 200:
            assert answer.content == b"", "what stands in the answer some gateways send to the phone"
            await self.tell()
        return answer

    async def answer(self, text: str, phone: str = PHONE, **more: Any) -> str:
        """What somebody reads who sends this; empty when nothing comes."""
        before = len(self.wire.taken)
        brought = await self.bring(text, phone, **more)
        assert brought.status_code == 200, brought.text
        news = self.sent()[before:]
        assert all(one["to"] == phone for one in news)
        return "\n".join(one["text"].removeprefix("Waypost: ") for one in news)

    async def deliveries(self, *where: Any) -> list[Delivery]:
        async with self.database.read() as session:
            found = select(Delivery).where(Delivery.channel == "sms", *where).order_by(Delivery.id)
            return list(await session.scalars(found))

    async def decided(self) -> list[EventRow]:
        """The decisions that came by SMS."""
        return [e for t in ("approved", "rejected") for e in await self.events(f"approval.{t}") if e.channel == "sms"]

    async def events(self, type_: str) -> list[EventRow]:
        async with self.database.read() as session:
            return list(await session.scalars(select(EventRow).where(EventRow.type == type_).order_by(EventRow.id)))


def signed(path: str, form: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    """The headers Twilio sends with a form to this path of ours."""
    text = f"{get_settings().origin}{path}" + "".join(k + v for k, v in sorted(form.items()))
    made = base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()
    return {"X-Twilio-Signature": made, "content-type": "application/x-www-form-urlencoded"}


async def by_twilio(http: Any, what: str, form: dict[str, str], *, token: str = TOKEN, query: str = "") -> Any:
    """A call of Twilio's to us."""
    path = f"/integrations/sms/twilio/{what}{query}"
    return await http.post(path, content=urlencode(form), headers=signed(f"/api/v1{path}", form, token))


async def set_up(database: Any, settings: dict[str, Any], secrets: dict[str, str]) -> None:
    async with database.transaction() as session:
        await session.execute(update(Delivery).values(status="SENT"))
        row = ChannelSettings(key="sms", is_on=True, settings=settings, updated_at=now())
        seal(row, secrets)
        await session.merge(row)
