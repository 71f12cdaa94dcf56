"""What nobody's web app sends: numbers nothing has, documents to choke on, writers who come at once. Each is answered."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import Any

import pytest

from tests.approvals.test_leaving import hire

NUMBER = count(1)
STAGE = {"name": "Manager", "approvers": [{"kind": "REQUESTER_MANAGER"}]}
NEVER = {"all": [{"field": "ticket_type", "op": "eq", "value": "NO_SUCH_TYPE"}]}


def document(**more: Any) -> dict[str, Any]:
    return {"name": f"Hostile {next(NUMBER)}", "condition": NEVER, "stages": [STAGE], **more}


def pointers(refused: dict[str, Any]) -> list[str]:
    return [e["pointer"] for e in refused["errors"]]


@pytest.fixture
async def flow(who: Any) -> dict[str, Any]:
    return dict(await (await who("admin")).post("/approval-workflows", document(), expect=201))


def file_of(workflow: dict[str, Any]) -> dict[str, Any]:
    return {"format": "waypost.workflow", "format_version": 1, "workflow": workflow}


# --- numbers nobody has -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, -1, 2**62, 2**63, 10**30, -(10**30)])
async def test_a_number_that_is_nobodys_finds_nobody(who: Any, number: int) -> None:
    admin, employee = await who("admin"), await who("employee")
    key = f"HOSTILE_{next(NUMBER)}"
    await admin.post("/ticket-types", {"key": key, "name": key, "form": {"properties": {"boss": {}}}}, expect=201)
    condition = {"all": [{"field": "ticket_type", "op": "eq", "value": key}]}
    asks = {"name": "Boss", "approvers": [{"kind": "FORM_FIELD", "field": "boss"}]}
    made = await admin.post("/approval-workflows", document(condition=condition, stages=[asks]), expect=201)
    body = {"ticket_type": key, "title": "x", "custom_fields": {"boss": number}}
    path = await employee.post("/tickets/path", body)
    assert [p["person"]["username"] for s in path["stages"] for p in s["people"]] == ["admin"]
    await admin.post(f"/approval-workflows/{made['id']}/simulate", {"ticket": body})
