"""Put a mail into the product: `python post.py USERNAME SUBJECT TICKET_ID < WORDS`, with DATABASE_URL and DATA_DIR of it.

It comes by a mailbox that nobody reads, as if a reader had just stored it. What it has become is written as
`OUTCOME TICKET_ID`. A TICKET_ID other than 0 answers a mail that told USERNAME of that request.
"""

import asyncio
import sys
import time
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "backend"))

from sqlalchemy import select

from waypost.catalog.models import TicketType
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import use_wiring
from waypost.kernel.settings import get_settings
from waypost.notifications.incoming import finding, matching, taking
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.storing import Came, take_in
from waypost.wiring import build_wiring

ADDRESS = "journeys@waypost.example.com"


async def main(username: str, subject: str, ticket_id: int, words: str) -> None:
    database = Database.connect(get_settings())
    try:
        async with database.transaction() as session:
            box = await session.scalar(select(Mailbox).where(Mailbox.address == ADDRESS))
            if box is None:
                kind = await session.scalar(select(TicketType.id).where(TicketType.key == "IT_SUPPORT"))
                at = now()
                box = Mailbox(
                    name="Journeys", address=ADDRESS, kind="imap", ticket_type_id=kind, created_at=at, updated_at=at
                )
                session.add(box)
                await session.flush()
            person = (await session.scalars(select(User).where(User.username == username))).one()
        to = matching.reply_address(ADDRESS, ticket_id, person.id, finding.reply_key()) if ticket_id else ADDRESS
        uid = time.time_ns() // 1000
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"{person.name} <{person.email}>", to, subject
        mail["Message-ID"] = f"<{uid}@journeys.example.com>"
        mail.set_content(words)
        if not ticket_id:
            mail.add_attachment(b"%PDF-1.7 a photo", maintype="application", subtype="pdf", filename="photo.pdf")
        raw = mail.as_bytes()
        mail_id = await take_in(database, box, 1, Came(uid, raw, len(raw), now()))
        await taking.take(database, mail_id)  # or the product's own reader was quicker
        async with database.read() as session:
            row = await session.get_one(IncomingMail, mail_id)
        sys.stdout.write(f"{row.outcome} {row.ticket_id}\n")
    finally:
        await database.dispose()


use_wiring(build_wiring())
asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.stdin.read()))
