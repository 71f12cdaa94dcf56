"""How a route asks who is there: `actor: Annotated[Actor, permit(Permission.TICKETS_READ)]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

import structlog
from fastapi import Depends, Request

from waypost.access import cookies, keys, token_scopes
from waypost.access.actor import Actor
from waypost.access.errors import PersonNeeded, ReadsOnly, SessionEnded
from waypost.access.permissions import Permission
from waypost.access.queries import actors
from waypost.access.sessions import Caller
from waypost.access.token_actors import client_actors, token_actors
from waypost.access.tokens import read_access_token
from waypost.kernel.counting import address_of, check_stranger, count_person
from waypost.kernel.db import database
from waypost.kernel.errors import Unauthenticated
from waypost.kernel.events import acting_by

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def current_actor(request: Request) -> Actor:
    """The person behind the bearer token. Raises `Unauthenticated`, `SessionEnded` (both 401) or `TooManyRequests` (429)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        check_stranger(request)
        raise Unauthenticated
    if token.startswith(keys.PREFIXES):
        check_stranger(request)
        actor = await _by_token(request, token)
    else:
        try:
            claims = read_access_token(token)
        except Unauthenticated:
            check_stranger(request)
            raise
        if claims.client is not None:
            actor = await client_actors.get(database(), claims)
        else:
            actor = await actors.get(database(), user_id=claims.user_id, session_id=claims.session_id)
            if actor and actor.renewed_at and claims.issued < int(actor.renewed_at.timestamp()):
                actor = None  # from before somebody confirmed that it is them: whoever copied it then has nothing of it
    if actor is None:
        check_stranger(request)
        raise SessionEnded
    count_person(request, actor.user_id)
    if actor.is_read_only and request.method not in SAFE:
        raise ReadsOnly
    acting_by.set(actor.by)
    structlog.contextvars.bind_contextvars(actor_id=actor.user_id)
    request.state.actor = actor
    return actor


async def _by_token(request: Request, token: str) -> Actor | None:
    if not any(keys.is_key(token, prefix) for prefix in keys.PREFIXES):
        raise SessionEnded
    return await token_actors.get(database(), token, caller_of(request).ip_address)


async def actor_if_any(request: Request) -> Actor | None:
    """The person behind the bearer token; None without one. A token that is none of ours, or ended, is refused (401)."""
    return await current_actor(request) if "authorization" in request.headers else None


async def authenticate(request: Request) -> None:
    """Raises a 401 refusal for a caller without a live session, and a 403 one without the route's permission.

    Asked before other refusals are told, when the route's own dependencies have not been.
    """
    actor = await current_actor(request)
    for permission in _needed(getattr(request.scope.get("route"), "dependant", None)):
        _require(actor, permission)


def _require(actor: Actor, permission: Permission) -> None:
    if actor.by is not None and permission in token_scopes.NEVER:
        raise PersonNeeded
    actor.require(permission)


def _needed(dependant: Any) -> Iterator[Permission]:
    for inner in getattr(dependant, "dependencies", ()):
        permission = getattr(inner.call, "permission", None)
        if permission is not None:
            yield permission
        yield from _needed(inner)


def caller_of(request: Request) -> Caller:
    """Where a request comes from; what our own proxies say of it is believed."""
    device = cookies.read(request, cookies.DEVICE)
    # pages say where they are from; a program that shows a cookie is no browser with one person at it
    refresh = cookies.refresh_given(request) if "origin" in request.headers else None
    return Caller(
        address_of(request)[:45],
        request.headers.get("user-agent", ""),
        device.value if device else "",
        is_old_device=bool(device and device.is_old),
        refresh=refresh.value if refresh else "",
    )


CurrentActor = Annotated[Actor, Depends(current_actor)]


def permit(permission: Permission, *, also_programs: bool = False) -> Any:
    """The dependency of a route that needs this permission, with whatever scope. Raises 401 or 403.

    `also_programs` lets every token in, where it only learns who it is.
    """

    async def check(actor: CurrentActor) -> Actor:
        if actor.by is None or not also_programs:
            _require(actor, permission)
        return actor

    check.permission = permission  # type: ignore[attr-defined]
    return Depends(check)


def costly(endpoint: Endpoint) -> Endpoint:
    """Mark a route that costs much: one person's calls of all of these together have a limit of their own."""
    endpoint.__costly__ = True  # type: ignore[attr-defined]
    return endpoint


def costly_when(is_costly: Callable[[Request], bool]) -> Callable[[Endpoint], Endpoint]:
    """Mark a route that costs much for some of what is asked of it."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__costly__ = is_costly  # type: ignore[attr-defined]
        return endpoint

    return mark


def public(endpoint: Endpoint) -> Endpoint:
    """Mark a route that needs no session; every other one names a permission (held by a test)."""
    endpoint.__public__ = True  # type: ignore[attr-defined]
    return endpoint
