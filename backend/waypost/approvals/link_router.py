"""`/decision-links`: deciding from a mail. Opening a link changes nothing; only a press of a button sends the POST."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from waypost.access.deps import actor_if_any, caller_of, public
from waypost.access.errors import SessionEnded, SignatureRefused, StepUpNeeded
from waypost.approvals import link_reading, links
from waypost.approvals.errors import CommentNeeded, NotAsked, SelfApproval, StepNotOpen
from waypost.approvals.link_errors import (
    LinkClosed,
    LinkExpired,
    LinkNotFound,
    LinkUsed,
    NotYourLink,
    SignInFirst,
    TooManyLinks,
)
from waypost.approvals.link_schemas import DecisionByLink, DecisionLinkRead
from waypost.approvals.signing_router import offered
from waypost.approvals.states import Verb
from waypost.kernel import limits
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, prefix="/decision-links/{link_token}", tags=["Approvals"])
Token = Annotated[str, Path(max_length=200, examples=["wpd_9f86d081884c7d65…"])]
ALLOWED = 120  # a minute from one address: an office has many people, and a token is out of reach of guessing


async def _slow_down(request: Request) -> None:
    whose = caller_of(request).network
    limits.slow_down(limits.Policy("links", ALLOWED), whose, TooManyLinks)


async def _guard(request: Request) -> None:
    """404 and 403 before a 422."""
    await _slow_down(request)
    actor = await actor_if_any(request)
    async with database().read() as session:
        await links.check(session, str(request.path_params["link_token"]), actor)


@router.get("", response_model=DecisionLinkRead, responses=problems(LinkNotFound, SessionEnded, TooManyLinks))
@public
async def decision_link(request: Request, link_token: Token, session: ReadSession) -> Response:
    """How a link stands, and what is needed to decide. Changes nothing, however often it is asked for.

    Needs nobody signed in; who is, is told whether the link is theirs.
    """
    await _slow_down(request)
    return json_response(await link_reading.look(session, link_token, await actor_if_any(request)))


router.add_api_route("", decision_link, methods=["HEAD"], include_in_schema=False)


@router.post(
    "",
    response_model=DecisionLinkRead,
    responses=problems(
        LinkNotFound,
        SignInFirst,
        SessionEnded,
        NotYourLink,
        NotAsked,
        SelfApproval,
        StepUpNeeded,
        SignatureRefused,
        CommentNeeded,
        LinkUsed,
        LinkExpired,
        LinkClosed,
        StepNotOpen,
        StaleVersion,
        TooManyLinks,
    ),
)
@public
@guarded(_guard)
async def decide_by_link(request: Request, link_token: Token, session: WriteSession, body: DecisionByLink) -> Response:
    """Decide with a link, once. What is not routine needs its person signed in; all other checks are as everywhere."""
    await _slow_down(request)
    actor = await actor_if_any(request)
    if actor is None and body.signature is not None:
        raise SignInFirst
    await links.decide(
        session,
        link_token,
        actor,
        Verb(body.action.lower()),
        comments=body.comments or "",
        version=body.version,
        signature=offered(request, body.signature),
    )
    return json_response(await link_reading.look(session, link_token, actor))
