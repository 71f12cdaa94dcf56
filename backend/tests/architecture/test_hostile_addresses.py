"""What nobody's client sends, in every address there is: refused or answered, never a defect of ours."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

METHODS = ("get", "post", "put", "delete", "patch")
HOSTILE = ("\x00", "0", "-1", str(2**31), str(2**63), "\u0661", "%", "'")


def operations(app: Any) -> list[tuple[str, str, dict[str, Any]]]:
    paths = app.openapi()["paths"]
    return [(m, path, op) for path, methods in paths.items() for m, op in methods.items() if m in METHODS]


def example_body(operation: dict[str, Any]) -> Any:
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")


def address(path: str, operation: dict[str, Any], value: str) -> str:
    """The path with this value for each of its parameters."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(value, safe=""))
    return path.removeprefix("/api/v1")


def names(operation: dict[str, Any], where: str) -> list[str]:
    return [p["name"] for p in operation.get("parameters", []) if p["in"] == where]


async def status_of(api: Any, method: str, path: str, **more: Any) -> int:
    answer = await asyncio.wait_for(api.call(method.upper(), path, expect=None, **more), 20)
    return int(answer.status_code)


@pytest.mark.parametrize("username", ["admin", "agent"])
async def test_no_address_breaks_it(app: Any, who: Any, username: str) -> None:
    api, asked, broken = await who(username), 0, []
    for method, path, operation in operations(app):
        if not names(operation, "path"):
            continue
        for value in HOSTILE:
            asked += 1
            status = await status_of(api, method, address(path, operation, value), body=example_body(operation))
            if status >= 500:
                broken.append(f"{method} {path} {value!r} -> {status}")
    assert asked > 400
    assert broken == []


@pytest.mark.parametrize("username", ["admin", "agent"])
async def test_no_query_breaks_it(app: Any, who: Any, username: str) -> None:
    api, asked, broken = await who(username), 0, []
    for method, path, operation in operations(app):
        if method != "get":
            continue
        for name in names(operation, "query"):
            for value in HOSTILE:
                asked += 1
                status = await status_of(api, method, address(path, operation, "1"), params={name: value})
                if status >= 500:
                    broken.append(f"{method} {path}?{name}={value!r} -> {status}")
    assert asked > 400
    assert broken == []


@pytest.mark.parametrize("version", [2**31, 2**62])
async def test_every_version_is_bounded(app: Any, version: int) -> None:
    """Whatever a body calls its version fits the column that counts it."""
    schemas = app.openapi()["components"]["schemas"]
    bodies = {
        content["schema"]["$ref"].rpartition("/")[2]
        for _, _, op in operations(app)
        for content in op.get("requestBody", {}).get("content", {}).values()
        if "$ref" in content["schema"]
    }
    fields = [(b, f, s) for b in bodies for f, s in schemas[b].get("properties", {}).items() if f == "version"]
    assert len(fields) > 6
    for body, field, schema in fields:
        kinds = [k for k in schema.get("anyOf", [schema]) if k.get("type") == "integer"]
        assert all(k.get("maximum", version) < version for k in kinds), f"{body}.{field}"
