"""`/automation`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.automation import facts, queries, rehearsing, service
from waypost.automation.errors import (
    MoreThanYours,
    OrderIsOld,
    RuleNameTaken,
    RuleNotFound,
    TooManyRules,
    TrialRunning,
)
from waypost.automation.models import AutomationRule
from waypost.automation.schemas import (
    AutomationRulePage,
    AutomationRuleRead,
    AutomationVersionPage,
    RuleCallPage,
    RuleChange,
    RuleOrder,
    RuleRunPage,
    RuleSecret,
    RuleTrial,
    RuleWrite,
    TriedRule,
)
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion, VersionRequired
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.versions import IfMatch, etag, version_of
from waypost.tickets.errors import TicketNotFound
from waypost.tickets.fields_schemas import TicketFields

router = APIRouter(route_class=StrictRoute, prefix="/automation", tags=["Automation"])
Configurer = Annotated[Actor, permit(Permission.AUTOMATION_CONFIGURE)]


async def _answer(session: ReadSession, actor: Actor, row: AutomationRule, status: int = 200) -> Response:
    (told,) = await queries.rules_json(session, actor, [row])
    return json_response(told, status, etag(row.id, row.version))


async def _there_is(request: Request) -> None:
    """404 before a 422."""
    async with database().read() as session:
        await service.find(session, path_id(request.path_params.get("rule_id")))


@router.get("/fields", response_model=TicketFields)
async def automation_fields(session: ReadSession, actor: Configurer) -> Response:
    """What a rule's condition may speak of: the tickets' fields, and what was before and who did it."""
    return json_response({"items": await facts.described(session, actor)})


@router.get("/rules", response_model=AutomationRulePage)
async def automation_rules(
    session: ReadSession, actor: Configurer, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """The rules in the order in which they are asked."""
    items, following = await queries.rule_page(session, actor, cursor=cursor, limit=limit)
    return json_response({"items": items, "next_cursor": following})


@router.post(
    "/rules",
    status_code=201,
    response_model=AutomationRuleRead,
    responses=problems(MoreThanYours, StepUpNeeded, InvalidCondition, RuleNameTaken, TooManyRules),
)
async def create_automation_rule(body: RuleWrite, session: WriteSession, actor: Configurer, once: OnceOnly) -> Response:
    """Write a rule; it is asked behind the others."""

    async def work() -> Response:
        row = await service.create(session, actor, name=body.name, is_active=body.is_active, document=body.document())
        return await _answer(session, actor, row, 201)

    return await once.answer(session, actor.user_id, work)


@router.post(
    "/rules/dry-run",
    response_model=TriedRule,
    responses=problems(MoreThanYours, InvalidCondition, TicketNotFound, TrialRunning),
)
async def try_automation_rule(body: RuleTrial, actor: Configurer) -> Response:
    """What a rule would do with one ticket, or with what happened of late. Nothing is written."""
    return json_response(await rehearsing.rehearse(database(), actor, body.document(), body.ticket_id))


@router.put("/order", status_code=204, responses=problems(OrderIsOld))
async def order_automation_rules(body: RuleOrder, session: WriteSession, actor: Configurer) -> Response:
    """Ask the rules in this order from now on; all of them are named."""
    await service.order(session, actor, body.rule_ids)
    return Response(status_code=204)


@router.get("/runs", response_model=RuleRunPage)
async def automation_runs(
    session: ReadSession,
    actor: Configurer,
    rule_id: Annotated[Id | None, Query(description="Of one rule.", examples=[7])] = None,
    ticket_id: Annotated[Id | None, Query(description="Of one ticket.", examples=[42])] = None,
    all_asked: Annotated[bool, Query(description="Also where the condition did not hold.", examples=[False])] = False,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """What rules did and why, newest first; of the tickets one sees."""
    items, following = await queries.run_page(
        session, actor, rule_id=rule_id, ticket_id=ticket_id, all_asked=all_asked, cursor=cursor, limit=limit
    )
    return json_response({"items": items, "next_cursor": following})


@router.get("/rules/{rule_id}", response_model=AutomationRuleRead, responses=problems(RuleNotFound))
async def automation_rule(rule_id: PathId, session: ReadSession, actor: Configurer) -> Response:
    """One rule."""
    return await _answer(session, actor, await service.find(session, rule_id))


@router.put(
    "/rules/{rule_id}",
    response_model=AutomationRuleRead,
    responses=problems(
        RuleNotFound, MoreThanYours, StepUpNeeded, InvalidCondition, RuleNameTaken, StaleVersion, VersionRequired
    ),
)
@guarded(_there_is)
async def change_automation_rule(
    rule_id: PathId, body: RuleChange, session: WriteSession, actor: Configurer, if_match: IfMatch = None
) -> Response:
    """Change a rule of the version one read, or switch it on or off."""
    row = await service.change(
        session,
        actor,
        rule_id,
        version=version_of(rule_id, body.version, if_match),
        name=body.name,
        is_active=body.is_active,
        document=body.document(),
    )
    return await _answer(session, actor, row)


@router.delete("/rules/{rule_id}", status_code=204, responses=problems(RuleNotFound))
async def remove_automation_rule(rule_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """Take a rule away. What it did stays in the log."""
    await service.remove(session, actor, rule_id)
    return Response(status_code=204)


@router.get("/rules/{rule_id}/versions", response_model=AutomationVersionPage, responses=problems(RuleNotFound))
async def automation_rule_versions(
    rule_id: PathId, session: ReadSession, _: Configurer, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """A rule as it was, newest first."""
    await service.find(session, rule_id)
    items, following = await queries.version_page(session, rule_id, cursor=cursor, limit=limit)
    return json_response({"items": items, "next_cursor": following})


@router.get("/rules/{rule_id}/calls", response_model=RuleCallPage, responses=problems(RuleNotFound))
async def automation_rule_calls(
    rule_id: PathId, session: ReadSession, _: Configurer, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """What a rule called, and what waits to be called."""
    await service.find(session, rule_id)
    items, following = await queries.call_page(session, rule_id, cursor=cursor, limit=limit)
    return json_response({"items": items, "next_cursor": following})


@router.post(
    "/rules/{rule_id}/secret",
    response_model=RuleSecret,
    responses=problems(RuleNotFound, MoreThanYours, StepUpNeeded),
)
async def renew_automation_secret(rule_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """A new secret by which the rule signs its calls: shown this once, and the only one from now on."""
    return json_response({"secret": await service.new_secret(session, actor, rule_id)})
