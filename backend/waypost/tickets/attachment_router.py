"""`/tickets/{id}/attachments`, `/attachments`, `/files`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.responses import StreamingResponse

from waypost.access.actor import Actor
from waypost.access.deps import costly, permit, public
from waypost.access.permissions import Permission
from waypost.directory.names import names
from waypost.kernel import hints
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, database
from waypost.kernel.errors import Unavailable, invalid_field
from waypost.kernel.filenames import disposition
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.settings import get_settings
from waypost.kernel.uploads import OVERHEAD, BadUpload, read_upload
from waypost.tickets import attaching, files, keeping
from waypost.tickets.errors import (
    AttachmentInfected,
    AttachmentIsAnswer,
    AttachmentNotFound,
    AttachmentNotReady,
    AttachmentTooLarge,
    AttachmentWasJudged,
    FileContradictsEnding,
    NothingToScan,
    NotYours,
    RangeNotInFile,
    TicketIsClosed,
    TicketNotFound,
    TooManyAttachments,
)
from waypost.tickets.models import Attachment
from waypost.tickets.queries import find_ticket
from waypost.tickets.schemas import AttachmentLink, AttachmentPage, AttachmentRead

router = APIRouter(route_class=StrictRoute, tags=["Attachments"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]
RangeHeader = Annotated[str | None, Header(alias="Range", max_length=200, examples=["bytes=0-1023"])]
# A file is never a page of ours: it runs nothing, loads nothing, and stands in nobody's frame but our own preview's.
_SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "visibility": {"type": "string", "enum": ["PUBLIC", "INTERNAL"], "default": "PUBLIC"},
                        "file": {"type": "string", "format": "binary"},
                    },
                },
                "example": {"visibility": "PUBLIC", "file": "quote.pdf"},
            }
        },
    }
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/octet-stream": {"example": "…"}}},
    206: {"description": "A part of it.", "content": {"application/octet-stream": {"example": "…"}}},
}
_OPENING = problems(AttachmentNotFound, AttachmentNotReady, AttachmentInfected, RangeNotInFile, Unavailable)


@router.post(
    "/tickets/{ticket_id}/attachments",
    status_code=201,
    response_model=AttachmentRead,
    openapi_extra=_FORM,
    responses=problems(
        TicketNotFound,
        NotYours,
        TicketIsClosed,
        BadUpload,
        FileContradictsEnding,
        AttachmentTooLarge,
        TooManyAttachments,
        Unavailable,
    ),
)
@costly
async def add_attachment(ticket_id: PathId, request: Request, actor: Reader, once: OnceOnly) -> Response:
    """Add a file, in the field `file` of a form; a field `visibility` before it may say `INTERNAL`."""
    async with database().read() as session:
        await attaching.check_may_add(session, actor, ticket_id)
    most = get_settings().attachment_max_bytes
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > most + OVERHEAD):
        raise attaching.too_large(most)
    upload = await read_upload(request)
    visibility = upload.fields.get("visibility", "PUBLIC")
    if visibility not in ("PUBLIC", "INTERNAL"):
        raise invalid_field("/visibility", "must be PUBLIC or INTERNAL")
    return await attaching.add_attachment(database(), actor, ticket_id, upload, visibility=visibility, once=once)


@router.get("/tickets/{ticket_id}/attachments", response_model=AttachmentPage, responses=problems(TicketNotFound))
async def attachments(ticket_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """The files of a ticket, oldest first; a ticket has at most 100."""
    return json_response({"items": await attaching.attachment_list(session, actor, ticket_id), "next_cursor": None})


async def _stream(row: Attachment, range_header: str | None, *, inline: bool) -> Response:
    try:
        span = files.span_of(range_header, row.size)
    except files.NotInFile as wrong:
        raise RangeNotInFile(f"The file has {row.size} bytes.", size=row.size) from wrong
    is_shown = inline and row.content_type in files.SHOWN
    headers = {
        "Content-Type": f"{row.content_type}; charset=utf-8" if row.content_type == "text/plain" else row.content_type,
        "Content-Length": str(span.length),
        "Content-Disposition": disposition(row.filename, inline=is_shown),
        "Content-Security-Policy": _PDF if is_shown and row.content_type == "application/pdf" else _SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Accept-Ranges": "bytes",
        "ETag": f'"{row.sha256}"',
    }
    if row.content_type not in files.SHOWN:
        headers["Content-Type"] = files.UNKNOWN
    if span.is_part:
        headers["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{row.size}"
    body: AsyncIterator[bytes] = await attaching.contents(row, start=span.start, length=span.length)
    return StreamingResponse(body, 206 if span.is_part else 200, headers)


@router.get("/attachments/{attachment_id}", response_class=Response, responses=_BYTES | _OPENING)
async def attachment(attachment_id: PathId, actor: Reader, range_header: RangeHeader = None) -> Response:
    """A file's bytes, or the part a `Range` names."""
    async with database().read() as session:
        row = await attaching.find_attachment(session, actor, attachment_id)
    return await _stream(row, range_header, inline=False)


@router.delete(
    "/attachments/{attachment_id}",
    status_code=204,
    responses=problems(AttachmentNotFound, NotYours, TicketIsClosed, AttachmentIsAnswer, AttachmentWasJudged),
)
async def remove_attachment(attachment_id: PathId, actor: Reader) -> Response:
    """Take away a file one added oneself."""
    await attaching.remove_attachment(database(), actor, attachment_id)
    return Response(status_code=204)


@router.post(
    "/attachments/{attachment_id}/scan",
    response_model=AttachmentRead,
    responses=problems(AttachmentNotFound, NotYours, NothingToScan),
)
@costly
async def scan_attachment(attachment_id: PathId, actor: Reader) -> Response:
    """Let the virus scanner look once more at a file it could not judge: for who added it, and the team."""
    row = await attaching.ask_for_scan(database(), actor, attachment_id)
    await hints.ask(keeping.TASK)
    async with database().read() as session:
        found = await find_ticket(session, actor, row.ticket_id)
        people = await names.people(session, [row.uploaded_by_id])
        judged_until = await attaching.judged_until(session, row.ticket_id)
    return json_response(attaching.attachment_json(row, people, actor, found, judged_until))


@router.post(
    "/attachments/{attachment_id}/link",
    status_code=201,
    response_model=AttachmentLink,
    responses=problems(AttachmentNotFound, AttachmentNotReady, AttachmentInfected),
)
async def link_attachment(attachment_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """A link with which the browser loads the file by itself, for five minutes and while this session lives."""
    row = await attaching.find_attachment(session, actor, attachment_id)
    url, until = attaching.make_link(actor, row)
    return json_response({"url": url, "expires_at": rfc3339(until)}, 201)


@router.get("/files/{token}", response_class=Response, responses=_BYTES | _OPENING)
@public
async def file(
    token: Annotated[str, Path(max_length=200, pattern=r"^[\x21-\x7e]+$", examples=["7.3.12.1795630000.c2lnbmVk"])],
    range_header: RangeHeader = None,
    download: bool = False,
) -> Response:
    """The file of a link; shown where a browser can do that safely, unless `download` is asked for."""
    async with database().read() as session:
        row = await attaching.follow_link(session, token)
    return await _stream(row, range_header, inline=not download)
