"""`/approvals/workflows/{id}/break-glass`, `/approval-reviews`: approving an emergency unasked, and its review."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.errors import SignatureRefused, StepUpNeeded
from waypost.access.permissions import Permission
from waypost.approvals import overriding, queries, review_queries, reviews
from waypost.approvals.errors import CommentNeeded, SelfApproval, StepDecided, WorkflowNotFound
from waypost.approvals.review_errors import (
    AskedYourself,
    GlassNotYours,
    NotAnEmergency,
    NotReviewer,
    ReviewDecided,
    ReviewNotFound,
)
from waypost.approvals.review_schemas import GlassAnswer, GlassBreak, ReviewPage, ReviewRead, State, Verdict
from waypost.approvals.signing_router import offered
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, tags=["Approvals"])
# What is whose is said by the services: who does not see a request must not learn of it from a 403.
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]


async def _breaking(request: Request) -> None:
    """404 and 403 before a 422."""
    actor = await current_actor(request)
    async with database().read() as session:
        await overriding.check_breaking(session, actor, path_id(request.path_params.get("workflow_id")))


async def _reviewing(request: Request) -> None:
    """404 and 403 before a 422."""
    actor = await current_actor(request)
    async with database().read() as session:
        await reviews.check_reviewer(session, actor, path_id(request.path_params.get("review_id")))


@router.post(
    "/approvals/workflows/{workflow_id}/break-glass",
    response_model=GlassAnswer,
    responses=problems(
        WorkflowNotFound,
        GlassNotYours,
        SelfApproval,
        StepUpNeeded,
        SignatureRefused,
        CommentNeeded,
        StepDecided,
        NotAnEmergency,
        AskedYourself,
        StaleVersion,
    ),
)
@guarded(_breaking)
async def break_glass(
    request: Request, workflow_id: PathId, body: GlassBreak, session: WriteSession, actor: Reader, once: OnceOnly
) -> Response:
    """Approve an emergency at once without being asked, with a reason. Everybody asked is told, and it is reviewed."""

    async def work() -> Response:
        review_id = await overriding.break_glass(
            session,
            actor,
            workflow_id,
            comments=body.comments,
            version=body.version,
            signature=offered(request, body.signature),
        )
        return json_response(
            {
                "workflow": await queries.workflow_ref(session, workflow_id),
                "review": await review_queries.one_review(session, actor, review_id),
            }
        )

    return await once.answer(session, actor.user_id, work)


@router.get("/approval-reviews", response_model=ReviewPage)
async def approval_reviews(
    session: ReadSession,
    actor: Reader,
    state: Annotated[State | None, Query(description="Those that stand so only.", examples=["OPEN"])] = None,
    everybody: Annotated[bool, Query(description="All there are, for those with `audit:read`.")] = False,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """The reviews the caller may decide, and those of glass the caller broke; the newest first."""
    return json_response(
        await review_queries.review_page(session, actor, state=state, everybody=everybody, cursor=cursor, limit=limit)
    )


@router.get("/approval-reviews/{review_id}", response_model=ReviewRead, responses=problems(ReviewNotFound))
async def approval_review(review_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """One review: who broke the glass and why, who may give the verdict, and what it was."""
    return json_response(await review_queries.one_review(session, actor, review_id))


@router.post(
    "/approval-reviews/{review_id}/decide",
    response_model=ReviewRead,
    responses=problems(ReviewNotFound, NotReviewer, CommentNeeded, ReviewDecided),
)
@guarded(_reviewing)
async def decide_review(review_id: PathId, body: Verdict, session: WriteSession, actor: Reader) -> Response:
    """Confirm that the glass was rightly broken, or object, with a comment. Neither undoes what was approved."""
    await reviews.decide(session, actor, review_id, objects=body.verdict == "OBJECT", comments=body.comments)
    return json_response(await review_queries.one_review(session, actor, review_id))
