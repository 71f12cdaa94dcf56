"""`/reports`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.reports import queries
from waypost.reports.schemas import Dashboard

router = APIRouter(route_class=StrictRoute, prefix="/reports", tags=["Reports"])


@router.get("/dashboard", response_model=Dashboard)
async def dashboard(session: ReadSession, actor: Annotated[Actor, permit(Permission.REPORTS_READ)]) -> Response:
    """The reader's tickets in numbers."""
    return json_response(await queries.dashboard(session, actor))
