"""What is not there is not there, whatever the body says: 404 before 422, on every change of one thing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.architecture.test_hostile_addresses import example_body, operations


@pytest.mark.parametrize("username", ["admin"])
async def test_what_is_not_there_comes_before_a_bad_body(app: Any, who: Any, username: str) -> None:
    api, asked, wrong = await who(username), 0, []
    for method, path, operation in operations(app):
        if method not in ("put", "post", "patch") or "{" not in path or example_body(operation) is None:
            continue
        here = path.removeprefix("/api/v1")
        for parameter in operation["parameters"]:
            missing = "NOT_THERE" if parameter["schema"].get("type") == "string" else "987654321"
            here = here.replace(f"{{{parameter['name']}}}", missing)
        status = (await api.call(method.upper(), here, {"no such field": 1}, expect=None)).status_code
        asked += 1
        if status not in (403, 404):
            wrong.append(f"{method} {path} -> {status}")
    assert asked > 20
    assert wrong == []
