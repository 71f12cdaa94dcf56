"""The web app's files, the API's documentation page, and the way back into the app after a reload."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

_NOT_BUILT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Waypost</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>Waypost</h1>
<p>The web app has not been built. Run <code>make run</code>, or <code>npm run build</code> in <code>frontend/</code>.</p>
</main></body></html>"""
_DOCS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Waypost API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/api-docs/swagger-ui.css"></head><body><div id="swagger-ui"></div>
<noscript>The description itself: <a href="{api}/openapi.json">openapi.json</a></noscript>
<script src="/api-docs/swagger-ui-bundle.js"></script><script src="/api-docs/start.js"></script></body></html>"""
_DOCS_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
mimetypes.add_type("application/manifest+json", ".webmanifest")


class Files(StaticFiles):
    """Built files: hashed ones are kept for a year, everything else is asked for again."""

    async def get_response(self, path: str, scope) -> Response:  # type: ignore[no-untyped-def]
        response = await super().get_response(path, scope)
        hashed = path.startswith("assets/")
        if path == "sw.js":  # of the whole app, wherever it is called from
            response.headers["Service-Worker-Allowed"] = "/"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


def serve(app: FastAPI, folder: Path, *, api: str) -> None:
    """Serve the built web app at `/`; a path without a file brings the app, which knows its own routes."""
    index = folder / "index.html"

    async def docs() -> Response:
        return HTMLResponse(_DOCS.format(api=api), headers={"Content-Security-Policy": _DOCS_POLICY})

    docs.__public__ = True  # type: ignore[attr-defined]
    app.add_api_route(f"{api}/docs", docs, methods=["GET"], include_in_schema=False)
    files = Files(directory=folder, check_dir=False) if folder.is_dir() else None

    async def page(request: Request) -> Response:
        path = request.path_params["path"]
        if path.startswith("api/"):
            raise HTTPException(404, "There is nothing here.")
        if files is not None and path and "\x00" not in path:
            try:
                return await files.get_response(path, request.scope)
            except HTTPException as missing:
                if missing.status_code != 404 or "." in path.rsplit("/", 1)[-1]:
                    raise
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    page.__public__ = page.__elsewhere__ = True  # type: ignore[attr-defined]
    app.add_route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False)
