"""The page over the mails of one's own machine: what is attached can be fetched as it was sent."""

from __future__ import annotations

from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session
from httpx2 import ASGITransport, AsyncClient

from waypost.vendors.mail_catcher import Catcher, build


async def test_what_is_attached_is_fetched_as_it_was_sent() -> None:
    mail = EmailMessage()
    mail["Subject"], mail["To"] = "Numbers <now>", "a@example.com"
    mail.set_content("Attached.")
    mail.add_alternative("<p>Attached.</p>", subtype="html")
    mail.add_attachment(b"%PDF-1.7 \xff", maintype="application", subtype="pdf", filename="Übersicht <1>.pdf")
    envelope = Envelope()
    envelope.original_content, envelope.rcpt_tos = mail.as_bytes(), ["a@example.com"]
    catcher = Catcher()
    await catcher.handle_DATA(SMTP.__new__(SMTP), Session.__new__(Session), envelope)

    async with AsyncClient(transport=ASGITransport(build(catcher)), base_url="http://mails") as client:
        page = (await client.get("/mails/1")).text
        assert '<a href="/mails/1/files/0">Übersicht &lt;1&gt;.pdf</a>' in page
        file = await client.get("/mails/1/files/0")
        assert (file.content, file.headers["content-type"]) == (b"%PDF-1.7 \xff", "application/pdf")
        assert file.headers["content-disposition"].startswith("attachment;")
        for gone in ("/mails/1/files/1", "/mails/1/files/-1", "/mails/2/files/0"):
            assert "not here any more" in (await client.get(gone)).text
