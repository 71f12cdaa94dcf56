"""`/sla/policies/…/replay`: a service level tried out on the newest requests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, permit
from waypost.access.permissions import Permission
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.sla.errors import PolicyNotFound
from waypost.sla.policy_documents import BadPolicy
from waypost.sla.policy_router import is_there
from waypost.tickets import level_replay
from waypost.tickets.level_replay_schemas import PolicyReplayed, PolicyTried

router = APIRouter(route_class=StrictRoute, prefix="/sla/policies", tags=["Service levels"])
Configurer = Annotated[Actor, permit(Permission.SLA_CONFIGURE)]


@router.post("/replay", response_model=PolicyReplayed, responses=problems(BadPolicy, InvalidCondition))
@costly
async def replay_new_sla_policy(body: PolicyTried, session: ReadSession, actor: Configurer) -> Response:
    """What would be due when, of the newest 500 requests, were this a new policy before all others. Nothing is written."""
    return json_response(await level_replay.replay(session, actor, body.setup(), None))


@router.post(
    "/{policy_id}/replay",
    response_model=PolicyReplayed,
    responses=problems(PolicyNotFound, BadPolicy, InvalidCondition),
)
@costly
@guarded(is_there)
async def replay_sla_policy(policy_id: PathId, body: PolicyTried, session: ReadSession, actor: Configurer) -> Response:
    """What would be due when, of the newest 500 requests, were this the policy's next version. Nothing is written."""
    return json_response(await level_replay.replay(session, actor, body.setup(), policy_id))
