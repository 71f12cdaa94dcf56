"""`/absences`: who is away, and when."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from waypost.access.absence_schemas import AbsenceCreate, AbsencePage, AbsenceRead
from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission, Scope
from waypost.directory import absences as service
from waypost.directory.errors import AbsenceNotFound, AbsenceOverlaps
from waypost.directory.models import Absence
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, prefix="/absences", tags=["Directory"])
Setter = Annotated[Actor, permit(Permission.ABSENCES_SET)]


def _everybody(actor: Actor) -> bool:
    return actor.scope(Permission.ABSENCES_SET) is Scope.ALL


def _json(absence: Absence, people: dict[int | None, dict[str, Any]], *, may_set: bool) -> dict[str, Any]:
    return {
        "id": absence.id,
        "person": people.get(absence.user_id),
        "starts_at": rfc3339(absence.starts_at),
        "ends_at": rfc3339(absence.ends_at),
        "is_now": absence.starts_at <= now() < absence.ends_at,
        "reason": (absence.reason or "") if may_set else None,
        "set_by": people.get(absence.created_by_id) if may_set else None,
        "allowed_actions": ["delete"] if may_set else [],
    }


@router.get("", response_model=AbsencePage)
async def absences(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.DIRECTORY_LOOK_UP)],
    user_id: Annotated[Id | None, Query(description="This person's only.", examples=[None])] = None,
    team_id: Annotated[Id | None, Query(description="Of this team's members.", examples=[None])] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Who is away now or will be, soonest first. Without a person or team: one's own, and all one may set."""
    rows, following = await service.absence_page(
        session,
        actor.user_id,
        user_id=user_id,
        team_id=team_id,
        everybody=_everybody(actor),
        cursor=cursor,
        limit=limit,
    )
    people = await names.people(session, [i for a, _ in rows for i in (a.user_id, a.created_by_id)])
    items = [_json(absence, people, may_set=may_set) for absence, may_set in rows]
    return json_response({"items": items, "next_cursor": following})


@router.post("", status_code=201, response_model=AbsenceRead, responses=problems(AbsenceOverlaps))
async def set_absence(body: AbsenceCreate, session: WriteSession, actor: Setter, once: OnceOnly) -> Response:
    """Say when one is away oneself; leads may say it of their team's members, administrators of everybody."""

    async def work() -> Response:
        made = await service.set_absence(
            session,
            actor,
            user_id=body.user_id or actor.user_id,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
            reason=body.reason,
            everybody=_everybody(actor),
        )
        people = await names.people(session, [made.user_id, made.created_by_id])
        return json_response(_json(made, people, may_set=True), 201)

    return await once.answer(session, actor.user_id, work)


@router.delete("/{absence_id}", status_code=204, responses=problems(AbsenceNotFound))
async def remove_absence(absence_id: PathId, session: WriteSession, actor: Setter) -> Response:
    """Take an absence back. Of one that has begun the person is there again at once."""
    await service.remove_absence(session, actor, absence_id, everybody=_everybody(actor))
    return Response(status_code=204)
