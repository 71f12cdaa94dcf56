"""The door below `/scim`: a token before anything is read, a bounded body, SCIM's own errors, a line of what was asked.

`scim2-server` would ask for credentials in a synchronous method, and not at all for some of its routes; here nobody gets
further than this file without a provider's token.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from urllib.parse import parse_qsl

from fastapi import Request
from scim2_models import InvalidFilterException, InvalidSyntaxException, NotFoundException, UnauthorizedException
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from starlette.types import Receive, Scope, Send

from waypost.access.deps import caller_of
from waypost.access.scim import habits, stops, tokens
from waypost.access.scim.errors import Throttled, TooManyLeave, scim_error
from waypost.access.scim.handler import SERVICE, Handler
from waypost.access.scim.requests import Asked, keep
from waypost.access.scim.storage import Storage
from waypost.kernel.bodies import check_json, read_body
from waypost.kernel.db import database
from waypost.kernel.limits import Policy, slow_down
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings

log = get_logger(__name__)
PREFIX = "/scim"
VERSION = "/v2"
LONGEST_QUERY = 4000
MOST_BRACKETS = 20  # of a filter: a parser should not recurse into a hostile one
RETRY_BURST = 3600
READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and what stands of it in the list of last requests."""

    response: ScimResponse
    detail: str = ""


class Door:
    """Answers below `/scim/v2`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} does not come here")
        began = time.perf_counter()
        scope["route"] = SimpleNamespace(path=f"{PREFIX}{VERSION}")  # measured as one: ids stand in the paths
        request = Request(scope, receive)
        path = scope["path"].removeprefix(PREFIX)
        known: tokens.Known | None = None
        try:
            known = await tokens.recognise(request.headers.get("authorization", ""), caller_of(request).network)
            slow_down(Policy("person", get_settings().quota("person")), f"provider:{known.provider.id}")
            answer = Answer(await _serve(request, path, known))
        except Exception as error:  # all of them leave here in SCIM's shape
            answer = await _refused(error, known)
        if known is not None:
            asked = Asked(known.provider.id, request.method, path[:200], int(answer.response.status), answer.detail)
            await keep(asked, time.perf_counter() - began)
        await _send(answer.response, send)


async def _serve(request: Request, path: str, known: tokens.Known) -> ScimResponse:
    if path != VERSION and not path.startswith(f"{VERSION}/"):
        raise NotFoundException(detail="SCIM 2.0 is spoken below /scim/v2.")
    asked = ScimRequest(
        method=request.method,
        base_url=base_url(),
        path=path.removeprefix(VERSION).removesuffix(".scim"),
        query=_query(request),
        headers=list(request.headers.items()),
    )
    SERVICE.match(asked)  # what is not there is not read for
    raw = await read_body(request)
    if raw:
        SERVICE.ensure_json(request.headers.get("content-type"))
        asked.body = _checked(raw, is_search=path.endswith("/.search"), method=request.method)
    is_read = request.method in READS or path.endswith("/.search")
    rows = Storage(database(), known.provider, mail_domain=known.mail_domain, writes=not is_read)
    return await Handler(rows).handle(asked)


def _checked(raw: bytes, *, is_search: bool, method: str) -> bytes:
    """A body with nothing hostile in it; a person or group without what is ours to say."""
    value = check_json(raw)
    if not isinstance(value, dict):
        raise InvalidSyntaxException(detail="The body has to be a JSON object.")
    if is_search:
        _check_filter(value.get("filter"))
        return raw
    return json.dumps(habits.body(value)).encode() if method in ("POST", "PUT") else raw


def _query(request: Request) -> dict[str, str]:
    said = request.scope["query_string"]
    if len(said) > LONGEST_QUERY:
        raise InvalidSyntaxException(detail=f"The query has at most {LONGEST_QUERY} characters.")
    try:
        query = dict(parse_qsl(said.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50))
    except ValueError as wrong:
        raise InvalidSyntaxException(detail="The query cannot be read.") from wrong
    if any("\x00" in value for value in query.values()):
        raise InvalidSyntaxException(detail="The query must not contain the NUL character.")
    _check_filter(query.get("filter"))
    return query


def _check_filter(said: object) -> None:
    if isinstance(said, str) and (said.count("(") + said.count("[") > MOST_BRACKETS or len(said) > LONGEST_QUERY):
        raise InvalidFilterException(detail="This filter asks for too much at once.")


async def _refused(error: Exception, known: tokens.Known | None) -> Answer:
    if isinstance(error, TooManyLeave) and known is not None:
        await stops.stop(database(), known.provider.id, error.detail)
    told = scim_error(error)
    response = SERVICE.error_response(told)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR and response.status != HTTPStatus.NOT_IMPLEMENTED:
        log.error("a push could not be served", exc_info=error)
    if isinstance(told, UnauthorizedException):
        response.headers["WWW-Authenticate"] = 'Bearer realm="SCIM"'
    if isinstance(told, Throttled):
        waiting = RETRY_BURST if isinstance(error, TooManyLeave) else getattr(error, "retry_after", 60)
        response.headers["Retry-After"] = str(waiting)
    elif response.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "1"
    detail = str((response.body or {}).get("detail") or "")
    return Answer(response, detail[:500])


async def _send(response: ScimResponse, send: Send) -> None:
    body = b"" if response.body is None else json.dumps(response.body).encode()
    headers = {**response.headers, "Cache-Control": "no-store", "Content-Length": str(len(body))}
    if response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        del headers["Content-Length"]
    await send(
        {
            "type": "http.response.start",
            "status": int(response.status),
            "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


def base_url() -> str:
    """The address below which everything is, as an identity system enters it."""
    return f"{get_settings().origin}{PREFIX}{VERSION}"
