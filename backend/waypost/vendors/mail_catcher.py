"""A mail server for one's own machine: takes every mail, keeps the last ones in memory, shows them on a page.

Started only when no SMTP server is configured, listening on loopback only; nothing it takes leaves the machine.
"""

from __future__ import annotations

import asyncio
import html
import signal
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast
from urllib.parse import quote

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response
from granian.constants import Interfaces
from granian.server.embed import Server

KEPT = 500
MAX_BYTES = 10 * 1024 * 1024
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'; "
    "sandbox allow-downloads allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
_STYLE = """
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{margin:0 auto;max-width:960px;padding:24px}
h1{font-size:20px}h2{font-size:16px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:8px;border-bottom:1px solid #8884;
vertical-align:top}iframe{width:100%;height:70vh;border:1px solid #8884;border-radius:8px;background:#fff}.m{color:#647084}
@media(max-width:600px){td:nth-child(3),th:nth-child(3){display:none}}"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail taken."""

    id: int
    recipients: tuple[str, ...]
    message: EmailMessage


class Catcher:
    """Keeps the newest mails. The SMTP side calls `handle_DATA`."""

    def __init__(self) -> None:
        self.mails: deque[Mail] = deque(maxlen=KEPT)
        self._count = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail."""
        self._count += 1
        message = message_from_bytes(envelope.original_content or b"", policy=default)
        self.mails.appendleft(Mail(self._count, tuple(envelope.rcpt_tos), message))
        return "250 OK"


def _page(title: str, body: str) -> HTMLResponse:
    whole = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
    return HTMLResponse(whole, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(cast(Any, part).get_content()) if part is not None else ""


def _files(message: EmailMessage) -> list[tuple[str, str, bytes]]:
    """What is attached to a mail: its name, its kind and its content."""
    return [
        (part.get_filename() or "file", part.get_content_type(), cast(bytes, part.get_payload(decode=True)) or b"")
        for part in message.iter_attachments()
    ]


def build(catcher: Catcher) -> FastAPI:
    """The page over the mails: `/`, one mail at `/mails/{id}`, its files, and all of them as JSON at `/mails.json`."""
    app = FastAPI(title="Waypost mail catcher", openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/")
    async def index() -> HTMLResponse:
        rows = "".join(
            f'<tr><td><a href="/mails/{m.id}">{html.escape(str(m.message["Subject"]))}</a></td>'
            f'<td>{html.escape(", ".join(m.recipients))}</td><td class="m">{html.escape(str(m.message["Date"]))}</td></tr>'
            for m in catcher.mails
        )
        empty = '<p class="m">No mail yet. Submit a request, and its approver gets one.</p>'
        table = f"<table><tr><th>Subject</th><th>To</th><th>Sent</th></tr>{rows}</table>"
        return _page("Mails", f"<h1>Mails Waypost sent</h1>{table if rows else empty}")

    @app.get("/mails.json")
    async def listing() -> JSONResponse:
        return JSONResponse(
            [
                {
                    "id": m.id,
                    "to": m.recipients,
                    "subject": str(m.message["Subject"]),
                    "headers": {k: str(v) for k, v in m.message.items()},
                    "text": _part(m.message, "plain"),
                }
                for m in catcher.mails
            ]
        )

    @app.get("/mails/{mail_id}")
    async def one(mail_id: int) -> HTMLResponse:
        found = next((m for m in catcher.mails if m.id == mail_id), None)
        if found is None:
            return _page("Gone", '<p>This mail is not here any more. <a href="/">All mails</a></p>')
        head = "".join(
            f"<tr><th>{html.escape(k)}</th><td>{html.escape(str(v))}</td></tr>"
            for k, v in found.message.items()
            if k.lower() not in ("mime-version", "content-type")
        )
        files = "".join(
            f'<li><a href="/mails/{mail_id}/files/{n}">{html.escape(name)}</a> '
            f'<span class="m">{len(content):,} bytes</span></li>'
            for n, (name, _, content) in enumerate(_files(found.message))
        )
        body = html.escape(_part(found.message, "html"), quote=True)
        frame = f'<iframe title="The mail" sandbox="allow-top-navigation-by-user-activation allow-popups" srcdoc="{body}"></iframe>'
        attached = f"<h2>Attached</h2><ul>{files}</ul>" if files else ""
        return _page(
            str(found.message["Subject"]),
            f'<p><a href="/">All mails</a></p><h1>{html.escape(str(found.message["Subject"]))}</h1>{frame}{attached}'
            f"<table>{head}</table>",
        )

    @app.get("/mails/{mail_id}/files/{place}")
    async def attached(mail_id: int, place: int) -> Response:
        found = next((m for m in catcher.mails if m.id == mail_id), None)
        files = _files(found.message) if found is not None else []
        if not 0 <= place < len(files):
            return _page("Gone", '<p>This file is not here any more. <a href="/">All mails</a></p>')
        name, kind, content = files[place]
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        return Response(content, media_type=kind, headers=headers)

    return app


async def serve(smtp_port: int, page_port: int) -> None:
    """Take mails on `smtp_port` and show them on `page_port`, both on loopback, until told to stop."""
    catcher = Catcher()
    loop = asyncio.get_running_loop()
    controller = UnthreadedController(
        catcher, hostname="127.0.0.1", port=smtp_port, loop=loop, data_size_limit=MAX_BYTES, enable_SMTPUTF8=True
    )
    listening = await loop.create_server(controller.factory, "127.0.0.1", smtp_port)
    server = Server(build(catcher), address="127.0.0.1", port=page_port, interface=Interfaces.ASGI, log_enabled=False)
    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, server.stop)
    try:
        await server.serve()
    finally:
        listening.close()
