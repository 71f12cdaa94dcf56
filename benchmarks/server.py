"""The product's app with one more route: a fixed body of any size, behind everything every answer goes through."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from waypost.app import create_app


async def fixed(request: Request) -> Response:
    """So many bytes."""
    return Response(b"x" * int(request.path_params["size"]), media_type="application/json")


fixed.__public__ = True  # type: ignore[attr-defined]
app = create_app()
app.router.routes.insert(0, Route("/fixed/{size}", fixed))
