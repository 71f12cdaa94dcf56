"""`/routing-rules`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.tickets import rehearsal, routing, rules
from waypost.tickets.errors import NoSuchRules, RehearsalRunning
from waypost.tickets.routing_models import RoutingRuleSet
from waypost.tickets.routing_schemas import (
    Rehearsal,
    RulesDraft,
    RulesPublish,
    RulesRead,
    RulesRestore,
    RulesVersionPage,
)

router = APIRouter(route_class=StrictRoute, prefix="/routing-rules", tags=["Routing"])
Configurer = Annotated[Actor, permit(Permission.ROUTING_CONFIGURE)]
VersionNumber = Annotated[int, Path(ge=0, le=2**31 - 1)]


async def _answer(session: ReadSession, kept: RoutingRuleSet | None) -> Response:
    read = rules.rules_of(kept)
    broken = rules.faults(kept, await rules.company(session, read))
    never = routing.unreachable(read)
    people = await names.people(session, [kept.published_by_id if kept else None])
    version = kept.version if kept else 0
    documents = kept.rules if kept else []
    return json_response(
        {
            "version": version,
            "rules": [d | {"broken": broken.get(d["key"]), "unreachable": never.get(d["key"])} for d in documents],
            "note": kept.note if kept else "",
            "published_by": people.get(kept.published_by_id) if kept else None,
            "published_at": rfc3339(kept.published_at) if kept else None,
        },
        headers={"ETag": f'"routing-{version}"'},
    )


@router.get("", response_model=RulesRead)
async def routing_rules(session: ReadSession, _: Configurer) -> Response:
    """The rules in force, in their order."""
    return await _answer(session, await rules.newest(session))


@router.put("", response_model=RulesRead, responses=problems(StaleVersion, InvalidCondition))
async def publish_routing_rules(body: RulesPublish, session: WriteSession, actor: Configurer) -> Response:
    """Put these rules in force instead of the version one read. They count for requests sent from now on."""
    documents = [r.model_dump() for r in body.rules]
    made = await rules.publish(session, actor, version=body.version, documents=documents, note=body.note)
    return await _answer(session, made)


@router.post("/dry-run", response_model=Rehearsal, responses=problems(InvalidCondition, RehearsalRunning))
async def rehearse_routing_rules(body: RulesDraft, session: ReadSession, actor: Configurer) -> Response:
    """What these rules would have done with the newest 500 tickets one may see. Nothing is written."""
    documents = [r.model_dump() for r in body.rules]
    return json_response(await rehearsal.rehearse(session, actor, documents))


@router.get("/versions", response_model=RulesVersionPage)
async def routing_versions(session: ReadSession, _: Configurer, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """Who changed the rules, when, and how; newest first."""
    rows, following = await rules.version_page(session, cursor=cursor, limit=limit)
    people = await names.people(session, [kept.published_by_id for kept, _ in rows])
    return json_response({"items": [_version(k, c, people) for k, c in rows], "next_cursor": following})


def _version(
    kept: RoutingRuleSet, changes: list[routing.Change], people: dict[int | None, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "version": kept.version,
        "note": kept.note,
        "restored_from": kept.restored_from,
        "published_by": people.get(kept.published_by_id),
        "published_at": rfc3339(kept.published_at),
        "changes": [
            {
                "kind": c.kind,
                "name": c.name,
                "fields": [{"field": f, "old": old, "new": new} for f, old, new in c.fields],
            }
            for c in changes
        ],
    }


@router.get("/versions/{version}", response_model=RulesRead, responses=problems(NoSuchRules))
async def routing_version(version: VersionNumber, session: ReadSession, _: Configurer) -> Response:
    """The rules of a version, as they were."""
    return await _answer(session, await rules.one_version(session, version))


async def _version_is_there(request: Request) -> None:
    """404 before a 422."""
    version = min(path_id(request.path_params.get("version")), 2**31 - 1)
    async with database().read() as session:
        await rules.one_version(session, version)


@router.post("/versions/{version}/restore", response_model=RulesRead, responses=problems(NoSuchRules, StaleVersion))
@guarded(_version_is_there)
async def restore_routing_rules(
    version: VersionNumber, body: RulesRestore, session: WriteSession, actor: Configurer
) -> Response:
    """Put the rules of an earlier version in force again, as a new version."""
    return await _answer(session, await rules.restore(session, actor, version, instead_of=body.instead_of))
