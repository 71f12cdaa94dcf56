"""`/reports`: dashboards."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems
from waypost.reports import dashboards
from waypost.reports.errors import DashboardNotFound
from waypost.reports.schemas import Dashboard, DashboardKinds, DashboardRead

router = APIRouter(route_class=StrictRoute, prefix="/reports", tags=["Reports"])
Reader = Annotated[Actor, permit(Permission.REPORTS_READ)]
DaysWord = Literal["7", "30", "90", "365"]


@router.get("/dashboard", response_model=Dashboard)
async def dashboard(session: ReadSession, actor: Reader) -> Response:
    """The reader's tickets in numbers, at most some seconds old."""
    return json_response(await dashboards.contract_dashboard(session, actor))


@router.get("/dashboards", response_model=DashboardKinds)
async def dashboard_kinds(actor: Reader) -> Response:
    """The dashboards the reader may open, the one made for them first."""
    return json_response({"kinds": [kind.value for kind in dashboards.kinds_for(actor)]})


@router.get("/dashboards/{kind}", response_model=DashboardRead, responses=problems(DashboardNotFound))
async def dashboard_read(
    session: ReadSession,
    actor: Reader,
    kind: dashboards.Kind,
    days: Annotated[DaysWord, Query(description="How far what is told of a time reaches back.")] = "30",
) -> Response:
    """One dashboard: every number is exactly what its reader finds in the list."""
    return json_response(await dashboards.dashboard(session, actor, kind, int(days)))
