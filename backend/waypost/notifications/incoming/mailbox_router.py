"""`/mailboxes`, `/incoming-mails`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Instant, Sought
from waypost.notifications.delivery_schemas import Words
from waypost.notifications.incoming import arrivals, mailboxes, placing
from waypost.notifications.incoming.arrivals import Filters
from waypost.notifications.incoming.errors import (
    AddressTaken,
    MailboxGone,
    MailboxNotFound,
    MailNotFound,
    MailNotReadable,
    MailNotWhole,
    NotQuarantined,
)
from waypost.notifications.incoming.mailbox_schemas import (
    MailboxList,
    MailboxRead,
    MailboxSetup,
    MailboxTest,
    MailboxTested,
    MailboxUpdate,
    MailDiscard,
    MailLook,
    MailPage,
    MailPlace,
    MailRead,
    MailsDiscarded,
    Outcome,
)
from waypost.notifications.incoming.mailboxes import setup_of
from waypost.tickets.errors import NotYours, TicketIsClosed, TicketNotFound

router = APIRouter(route_class=StrictRoute, tags=["Mail coming in"])
Administrator = Annotated[Actor, permit(Permission.NOTIFICATIONS_CONFIGURE)]


async def _mail_is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.NOTIFICATIONS_CONFIGURE)
    async with database().read() as session:
        await arrivals.check_mail(session, path_id(request.path_params["mail_id"]))


async def _mailbox_is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.NOTIFICATIONS_CONFIGURE)
    async with database().read() as session:
        await mailboxes.check_mailbox(session, path_id(request.path_params["mailbox_id"]))


@router.get("/mailboxes", response_model=MailboxList)
async def mailbox_list(session: ReadSession, _: Administrator) -> Response:
    """The mailboxes that are read, and how each goes. Passwords are never told."""
    return json_response(await mailboxes.mailbox_list(session))


@router.post("/mailboxes", status_code=201, response_model=MailboxRead, responses=problems(AddressTaken))
async def add_mailbox(body: MailboxSetup, session: WriteSession, actor: Administrator, once: OnceOnly) -> Response:
    """Add a mailbox. While it is on, it is read within seconds."""

    async def work() -> Response:
        row = await mailboxes.add_mailbox(session, actor, setup_of(body.model_dump()))
        return json_response(await mailboxes.one_mailbox(session, row.id), 201)

    return await once.answer(session, actor.user_id, work)


@router.post("/mailboxes/test", response_model=MailboxTested, responses=problems(MailboxNotFound))
@costly
async def try_mailbox(body: MailboxTest, session: ReadSession, _: Administrator) -> Response:
    """Whether a mailbox can be read as it is set up here: how far it goes, and what is in the way. Reads no mail."""
    return json_response(await mailboxes.try_mailbox(session, setup_of(body.model_dump()), body.mailbox_id))


@router.get("/mailboxes/{mailbox_id}", response_model=MailboxRead, responses=problems(MailboxNotFound))
async def mailbox(mailbox_id: PathId, session: ReadSession, _: Administrator) -> Response:
    """One mailbox."""
    return json_response(await mailboxes.one_mailbox(session, mailbox_id))


@router.put(
    "/mailboxes/{mailbox_id}",
    response_model=MailboxRead,
    responses=problems(MailboxNotFound, AddressTaken, StaleVersion),
)
@guarded(_mailbox_is_there)
async def change_mailbox(
    mailbox_id: PathId, body: MailboxUpdate, session: WriteSession, actor: Administrator
) -> Response:
    """Change a mailbox, or switch it on or off. After failures it is tried again at once."""
    await mailboxes.change_mailbox(session, actor, mailbox_id, body.version, setup_of(body.model_dump()))
    return json_response(await mailboxes.one_mailbox(session, mailbox_id))


@router.delete("/mailboxes/{mailbox_id}", status_code=204, responses=problems(MailboxNotFound))
async def remove_mailbox(mailbox_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Take a mailbox away. Its mails stay where they are, and in the log."""
    await mailboxes.remove_mailbox(session, actor, mailbox_id)
    return Response(status_code=204)


@router.get("/incoming-mails", response_model=MailPage)
async def incoming_mails(
    session: ReadSession,
    _: Administrator,
    outcome: Annotated[Outcome | None, Query(description="`QUARANTINED` is what waits to be looked at.")] = None,
    mailbox_id: Annotated[Id | None, Query()] = None,
    ticket: Annotated[Words | None, Query(description="A request's number or id.")] = None,
    q: Annotated[Sought | None, Query(description="Words of the subject or the sender's address.")] = None,
    since: Annotated[Instant | None, Query()] = None,
    until: Annotated[Instant | None, Query()] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """What came in by mail, newest first, and what became of it."""
    filters = Filters(outcome, mailbox_id, ticket, q, since, until)
    return json_response(await arrivals.mail_page(session, filters, cursor=cursor, limit=limit))


@router.post("/incoming-mails/discard", response_model=MailsDiscarded)
async def discard_mails(body: MailDiscard, session: WriteSession, actor: Administrator) -> Response:
    """Discard those of these mails that are in quarantine."""
    return json_response({"count": await arrivals.discard(session, actor, body.ids)})


@router.get("/incoming-mails/{mail_id}", response_model=MailLook, responses=problems(MailNotFound))
async def incoming_mail(mail_id: PathId, session: ReadSession, _: Administrator) -> Response:
    """One mail as text, with its headers. What became a request is read there."""
    return json_response(await arrivals.look_at(session, mail_id))


@router.post(
    "/incoming-mails/{mail_id}/take-anew",
    response_model=MailRead,
    responses=problems(MailNotFound, NotQuarantined, MailNotWhole, MailboxGone),
)
async def take_mail_anew(mail_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Let it be decided about a mail in quarantine once more, as if it had just come."""
    await arrivals.take_anew(session, actor, mail_id)
    return json_response(await arrivals.one_mail(session, mail_id))


@router.post(
    "/incoming-mails/{mail_id}/discard", response_model=MailRead, responses=problems(MailNotFound, NotQuarantined)
)
async def discard_mail(mail_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Discard a mail in quarantine. It stays in the log."""
    await arrivals.discard_one(session, actor, mail_id)
    return json_response(await arrivals.one_mail(session, mail_id))


@router.post(
    "/incoming-mails/{mail_id}/put-on-ticket",
    response_model=MailRead,
    responses=problems(
        MailNotFound, TicketNotFound, NotYours, NotQuarantined, MailNotWhole, MailNotReadable, TicketIsClosed
    ),
)
@guarded(_mail_is_there)
async def put_mail_on_ticket(mail_id: PathId, body: MailPlace, actor: Administrator) -> Response:
    """Make a mail in quarantine a comment on a request, with its files, in one's own name."""
    await placing.put_on_ticket(database(), actor, mail_id, body.ticket, body.visibility)
    async with database().read() as session:
        return json_response(await arrivals.one_mail(session, mail_id))
