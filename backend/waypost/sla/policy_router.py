"""`/sla/policies`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.versions import etag
from waypost.sla import policy_reading, policy_setting
from waypost.sla.errors import NameTaken, PolicyNotFound, TooMany, VersionNotFound
from waypost.sla.policy_documents import BadPolicy
from waypost.sla.policy_schemas import (
    PolicyCreate,
    PolicyList,
    PolicyOrder,
    PolicyRead,
    PolicyUpdate,
    PolicyVersionPage,
    PolicyVersionRead,
)
from waypost.sla.policy_setting import Setup

router = APIRouter(route_class=StrictRoute, prefix="/sla/policies", tags=["Service levels"])
Configurer = Annotated[Actor, permit(Permission.SLA_CONFIGURE)]
Reader = Annotated[Actor, permit(Permission.SLA_READ)]


async def is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.SLA_CONFIGURE)
    async with database().read() as session:
        await policy_reading.find_policy(session, path_id(request.path_params.get("policy_id")))


async def _answer(session: ReadSession, actor: Actor, policy_id: int, status: int = 200) -> Response:
    found = await policy_reading.one_policy(session, actor, policy_id)
    return json_response(found, status, etag(policy_id, found["version"]))


def _setup(body: PolicyCreate | PolicyUpdate) -> Setup:
    return Setup(body.name, body.document(), body.is_active, body.note)


@router.get("", response_model=PolicyList)
async def sla_policies(session: ReadSession, actor: Reader) -> Response:
    """The policies in the order they are asked: a request goes by the first active one whose condition holds."""
    return json_response(await policy_reading.policy_list(session, actor))


@router.post(
    "",
    status_code=201,
    response_model=PolicyRead,
    responses=problems(NameTaken, TooMany, BadPolicy, InvalidCondition),
)
async def add_sla_policy(body: PolicyCreate, session: WriteSession, actor: Configurer, once: OnceOnly) -> Response:
    """Add a policy, before all others unless a place is given."""

    async def work() -> Response:
        row = await policy_setting.add_policy(session, actor, _setup(body), body.position)
        return await _answer(session, actor, row.id, 201)

    return await once.answer(session, actor.user_id, work)


@router.put("/order", response_model=PolicyList, responses=problems(StaleVersion))
async def order_sla_policies(body: PolicyOrder, session: WriteSession, actor: Configurer) -> Response:
    """Ask the policies in another order."""
    await policy_setting.order_policies(session, actor, body.order, body.instead_of)
    return json_response(await policy_reading.policy_list(session, actor))


@router.get("/{policy_id}", response_model=PolicyRead, responses=problems(PolicyNotFound))
async def sla_policy(policy_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """One policy."""
    return await _answer(session, actor, policy_id)


@router.put(
    "/{policy_id}",
    response_model=PolicyRead,
    responses=problems(PolicyNotFound, NameTaken, StaleVersion, BadPolicy, InvalidCondition),
)
@guarded(is_there)
async def change_sla_policy(
    policy_id: PathId, body: PolicyUpdate, session: WriteSession, actor: Configurer
) -> Response:
    """Change a policy: its next version, for what begins from now on. What runs keeps the version it began with."""
    row = await policy_setting.change_policy(session, actor, policy_id, body.version, _setup(body))
    return await _answer(session, actor, row.id)


@router.delete("/{policy_id}", status_code=204, responses=problems(PolicyNotFound))
async def remove_sla_policy(policy_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """Take a policy out of the list. What began by it goes on by it."""
    await policy_setting.remove_policy(session, actor, policy_id)
    return Response(status_code=204)


@router.get("/{policy_id}/versions", response_model=PolicyVersionPage, responses=problems(PolicyNotFound))
async def sla_policy_versions(
    policy_id: PathId, session: ReadSession, _: Reader, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """Who changed a policy, when, why, and what of it; newest first."""
    return json_response(await policy_reading.version_page(session, policy_id, cursor=cursor, limit=limit))


@router.get(
    "/{policy_id}/versions/{version}",
    response_model=PolicyVersionRead,
    responses=problems(PolicyNotFound, VersionNotFound),
)
async def sla_policy_version(policy_id: PathId, version: PathId, session: ReadSession, _: Reader) -> Response:
    """What a policy said in one version, and which parts of it say something else now."""
    return json_response(await policy_reading.one_version(session, policy_id, version))
