"""The OpenAPI document: documented errors on every operation, an example in every request and answer."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from waypost.kernel.errors import Forbidden, Invalid, Refusal, Unauthenticated
from waypost.kernel.limits import TooManyRequests
from waypost.kernel.problems import PROBLEM, STATUS

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable; what a program should look at."},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def problems(*refusals: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route for the refusals it can answer with."""
    documented: dict[int | str, dict[str, Any]] = {}
    for refusal in refusals:
        status = STATUS[refusal.kind]
        sentence = (refusal.__doc__ or refusal.title).strip().splitlines()[0]
        entry = documented.setdefault(status, {"description": refusal.title, "content": {PROBLEM: {"examples": {}}}})
        content = entry["content"][PROBLEM]
        content["schema"] = {"$ref": "#/components/schemas/Problem"}
        content["examples"][refusal.code] = {
            "summary": sentence,
            "value": {
                "type": f"urn:waypost:problem:{refusal.code}",
                "title": refusal.title,
                "status": status,
                "detail": sentence,
                "instance": "/api/v1/…",
                "code": refusal.code,
            },
        }
    return documented


def complete(app: FastAPI) -> None:
    """Let the app describe itself with the problems every operation can answer and an example everywhere."""
    made = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = PROBLEM_SCHEMA
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            public = {r.path for r in iter_route_contexts(app.routes) if getattr(r.endpoint, "__public__", False)}
            document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            for path, methods in document["paths"].items():
                for operation in methods.values():
                    _complete(operation, schemas, public=path in public)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], schemas: dict[str, Any], *, public: bool) -> None:
    answers = operation["responses"]
    documented = problems(TooManyRequests)
    if operation.get("parameters") or operation.get("requestBody"):
        documented |= problems(Invalid)
    if not public:
        operation["security"] = [{"bearer": []}]
        documented |= problems(Unauthenticated) | problems(Forbidden)
    unchecked = answers.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if str(unchecked.get("$ref", "")).endswith("HTTPValidationError"):
        del answers["422"]  # the framework's own; ours are problems
    for status, answer in documented.items():
        if str(status) not in answers or PROBLEM not in answers[str(status)].get("content", {}):
            answers[str(status)] = answer
    for part in (operation.get("requestBody", {}), *(a for s, a in answers.items() if s.startswith("2"))):
        for content in part.get("content", {}).values():
            if "schema" in content and "example" not in content:
                content["example"] = example_of(content["schema"], schemas)


def example_of(schema: dict[str, Any], schemas: dict[str, Any], within: frozenset[str] = frozenset()) -> Any:
    """A value that fits a schema, put together from its fields' examples. `within` are the schemas one is inside of:
    what contains itself ends with an empty list or null."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return example_of(schemas[name], schemas, within | {name})
    if schema.get("examples"):
        return schema["examples"][0]
    for word in ("example", "const", "default"):
        if word in schema:
            return schema[word]
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return example_of(next(s for s in schema[word] if not _is_inside(s, within)), schemas, within)
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {name: example_of(inner, schemas, within) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [] if _is_inside(schema.get("items", {}), within) else [example_of(schema["items"], schemas, within)]
    samples = {"string": "text", "integer": 1, "number": 1.5, "boolean": False, "null": None}
    if schema.get("format") == "date-time":
        return "2026-11-23T09:30:00Z"
    return samples.get(str(kind))


def _is_inside(schema: dict[str, Any], within: frozenset[str]) -> bool:
    return str(schema.get("$ref", "")).rsplit("/", 1)[-1] in within
