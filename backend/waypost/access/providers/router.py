"""`/identity-providers`, `/identity-provider-kinds`, `/auth/providers`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit, public
from waypost.access.errors import LastAdministrator, StepUpNeeded
from waypost.access.permissions import Permission
from waypost.access.providers import queries, service
from waypost.access.providers.errors import KeyTaken, ProviderNotFound, TooManyProviders
from waypost.access.providers.schemas import (
    ProviderCreate,
    ProviderGroupsRead,
    ProviderGroupsUpdate,
    ProviderKinds,
    ProviderList,
    ProviderRead,
    ProviderTestedRead,
    ProviderUpdate,
    SignInWays,
)
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, tags=["Identity providers"])
Administrator = Annotated[Actor, permit(Permission.IDENTITY_CONFIGURE)]


async def provider_is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.IDENTITY_CONFIGURE)
    async with database().read() as session:
        await queries.find_provider(session, path_id(request.path_params["provider_id"]))


@router.get("/auth/providers", tags=["Sign-in"], response_model=SignInWays)
@public
async def sign_in_ways(session: ReadSession) -> Response:
    """The providers at whose page one can sign in."""
    return json_response({"items": await queries.ways_to_sign_in(session), "next_cursor": None})


@router.get("/identity-provider-kinds", response_model=ProviderKinds)
async def identity_provider_kinds(_: Administrator) -> Response:
    """The kinds of provider that can be added, with the settings each wants."""
    return json_response({"items": queries.kinds(), "next_cursor": None})


@router.get("/identity-providers", response_model=ProviderList)
async def identity_providers(session: ReadSession, _: Administrator) -> Response:
    """Every identity provider, as it is set up, and how it goes."""
    return json_response(await queries.provider_list(session))


@router.post(
    "/identity-providers",
    status_code=201,
    response_model=ProviderRead,
    responses=problems(StepUpNeeded, KeyTaken, TooManyProviders),
)
async def add_identity_provider(
    body: ProviderCreate, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Add a provider. It is off until it is switched on."""

    async def work() -> Response:
        row = await service.add_provider(
            session, actor, kind=body.kind, key=body.key, name=body.name, settings=body.settings
        )
        return json_response(await queries.one_provider(session, row.id), 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/identity-providers/{provider_id}", response_model=ProviderRead, responses=problems(ProviderNotFound))
async def identity_provider(provider_id: PathId, session: ReadSession, _: Administrator) -> Response:
    """One identity provider."""
    return json_response(await queries.one_provider(session, provider_id))


@router.put(
    "/identity-providers/{provider_id}",
    response_model=ProviderRead,
    responses=problems(ProviderNotFound, StepUpNeeded, StaleVersion),
)
@guarded(provider_is_there)
async def change_identity_provider(
    provider_id: PathId, body: ProviderUpdate, session: WriteSession, actor: Administrator
) -> Response:
    """Change a provider, or switch it on or off."""
    rules = service.Rules(**body.model_dump(exclude={"version", "settings"}))
    await service.change_provider(
        session, actor, provider_id, version=body.version, rules=rules, settings=body.settings
    )
    return json_response(await queries.one_provider(session, provider_id))


@router.delete(
    "/identity-providers/{provider_id}",
    status_code=204,
    responses=problems(ProviderNotFound, StepUpNeeded, LastAdministrator),
)
async def remove_identity_provider(provider_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Take a provider away: who signed in by it is signed out, and what its groups gave is taken. People stay."""
    await service.remove_provider(session, actor, provider_id)
    return Response(status_code=204)


@router.post(
    "/identity-providers/{provider_id}/test",
    response_model=ProviderTestedRead,
    responses=problems(ProviderNotFound),
)
async def test_identity_provider(provider_id: PathId, actor: Administrator) -> Response:
    """What the other side answers, as the provider is set up. Signs nobody in and changes nothing."""
    tested = await service.test_provider(database(), actor, provider_id)
    found = [{"label": f.label, "value": f.value, "is_good": f.is_good} for f in tested.found]
    return json_response({"error": tested.error, "found": found})


@router.get(
    "/identity-providers/{provider_id}/groups",
    response_model=ProviderGroupsRead,
    responses=problems(ProviderNotFound),
)
async def identity_provider_groups(provider_id: PathId, session: ReadSession, _: Administrator) -> Response:
    """Which roles a provider's groups give."""
    return json_response(await _groups_json(session, provider_id))


@router.put(
    "/identity-providers/{provider_id}/groups",
    response_model=ProviderGroupsRead,
    responses=problems(ProviderNotFound, StepUpNeeded, StaleVersion),
)
@guarded(provider_is_there)
async def set_identity_provider_groups(
    provider_id: PathId, body: ProviderGroupsUpdate, session: WriteSession, actor: Administrator
) -> Response:
    """Say which roles a provider's groups give; it counts from each one's next sign-in on."""
    await service.set_groups(session, actor, provider_id, version=body.version, groups=body.groups)
    return json_response(await _groups_json(session, provider_id))


async def _groups_json(session: ReadSession, provider_id: int) -> dict[str, object]:
    row = await queries.find_provider(session, provider_id)
    items = await queries.groups_of(session, provider_id)
    return {"version": row.version, "items": items, "next_cursor": None}
