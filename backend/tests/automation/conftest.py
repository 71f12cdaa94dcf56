"""Rules in a database of this file's own, and requests that set them off."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from waypost.kernel import relay

_numbers = itertools.count(1)
COMMENT = {"do": "COMMENT", "visibility": "INTERNAL", "body": "Seen, {{ requester.first_name }}: {{ ticket.number }}"}


@pytest.fixture(autouse=True)
async def no_rules(request: Any) -> Any:
    """Each test begins without rules."""
    yield
    if "who" in request.fixturenames:
        admin = await request.getfixturevalue("who")("admin")
        for rule in (await admin.get("/automation/rules"))["items"]:
            await admin.delete(f"/automation/rules/{rule['id']}")


@pytest.fixture
def rule(who: Any) -> Any:
    """`await rule(trigger, actions)`: a rule, saved by the administrator."""

    async def make(trigger: Any, *actions: Any, condition: Any = None, **more: Any) -> dict[str, Any]:
        body = {
            "name": f"Rule {next(_numbers)}",
            "trigger": {"on": trigger} if isinstance(trigger, str) else trigger,
            "condition": condition,
            "actions": list(actions),
            **more,
        }
        made: dict[str, Any] = await (await who("admin")).post("/automation/rules", body, expect=201)
        return made

    return make


@pytest.fixture
def support(who: Any) -> Any:
    """`await support(priority="HIGH")`: a request that needs nobody's yes, sent by the employee."""

    async def make(**more: Any) -> dict[str, Any]:
        body = {"title": f"Help {next(_numbers)}", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
        made: dict[str, Any] = await (await who("employee")).post("/tickets", body | more, expect=201)
        return made

    return make


@pytest.fixture
def drain(database: Any) -> Any:
    """Let everything that follows happen."""

    async def run() -> None:
        await relay.drain(database)

    return run


@pytest.fixture
def runs(who: Any) -> Any:
    """`await runs(ticket_id=1)`: the log, newest first."""

    async def read(**params: Any) -> list[dict[str, Any]]:
        page = await (await who("admin")).get("/automation/runs", params={"limit": 100, **params})
        return list(page["items"])

    return read
