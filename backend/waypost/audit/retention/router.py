"""`/audit/retention`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.audit.retention import service
from waypost.audit.retention.schemas import RetentionRead, RetentionSetup
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, prefix="/audit/retention", tags=["Audit"])
Administrator = Annotated[Actor, permit(Permission.AUDIT_CONFIGURE)]


async def _may(request: Request) -> None:
    """403 before a 422."""
    (await current_actor(request)).require(Permission.AUDIT_CONFIGURE)


@router.get("", response_model=RetentionRead)
async def audit_retention(session: ReadSession, _: Administrator) -> Response:
    """For how long each group of entries is kept."""
    return json_response(await service.policy(session))


@router.put("", response_model=RetentionRead, responses=problems(StaleVersion, StepUpNeeded))
@guarded(_may)
async def set_audit_retention(body: RetentionSetup, session: WriteSession, actor: Administrator) -> Response:
    """Keep groups of entries for so many years. Older ones are removed within the hour, for good. Needs a step-up."""
    years = body.model_dump(exclude={"version"})
    await service.set_policy(session, actor, version=body.version, years=years)
    return json_response(await service.policy(session))
