"""`/tickets/export`. Comes before `/tickets/{id}`: "export" is no id."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.responses import StreamingResponse

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.http import StrictRoute
from waypost.kernel.openapi import problems
from waypost.tickets import exporting
from waypost.tickets.list_query import ListFilters, ListSort

router = APIRouter(route_class=StrictRoute, tags=["Tickets"])
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ColumnKey = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200, examples=["ticket_number"])]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file. `X-Export-Rows` says how many tickets are in it, `X-Export-Cut: true` that there are more.",
        "content": {
            "text/csv": {"example": "Number,Title\r\nITH-2026-000123,New laptop request\r\n"},
            KINDS["xlsx"]: {"example": "…"},
        },
    }
}


@router.get("/tickets/export", response_class=Response, responses=_FILE | problems(exporting.TooManyExports))
async def export_tickets(
    request: Request,
    actor: Annotated[Actor, permit(Permission.TICKETS_READ)],
    filters: ListFilters,
    sort: ListSort = "-created_at",
    format: Annotated[Literal["csv", "xlsx"], Query(description="Comma-separated, or Excel.")] = "csv",
    columns: Annotated[
        list[ColumnKey], Query(max_length=250, description="In this order; `custom.<key>` for one type's fields.")
    ] = [],  # noqa: B006
    bom: Annotated[bool, Query(description="A mark at the start of a CSV, by which Excel knows UTF-8.")] = True,
) -> Response:
    """The list as a file: the same tickets in the same order, 100,000 rows at most. Times are in one's own time zone."""

    async def is_waited_for() -> bool:
        return not await request.is_disconnected()

    asked = exporting.Asked(filters, sort, columns, format, bom)
    try:
        made = await exporting.export_tickets(database(), actor, asked, is_waited_for=is_waited_for)
    except exporting.ExportAbandoned:
        return Response(status_code=499)  # nobody reads it; the log of requests knows the number
    headers = {
        "Content-Type": KINDS[format],
        "Content-Length": str(made.size),
        "Content-Disposition": f'attachment; filename="tickets-{now():%Y-%m-%d}.{format}"',
        "Cache-Control": "no-store",
        "X-Export-Rows": str(made.rows),
        "X-Export-Cut": str(made.is_cut).lower(),
    }
    return StreamingResponse(made.pieces(), 200, headers)
