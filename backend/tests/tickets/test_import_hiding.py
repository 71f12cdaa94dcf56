# ruff: noqa: F811 - fixtures of other files
"""A field becomes sensitive: files that were brought before say nothing of it any more, whatever became of their rows."""

from __future__ import annotations

from typing import Any

from tests.tickets.test_imports import bring, looked_at, rows_of
from tests.tickets.test_resealing import OPEN, finish
from tests.tickets.test_sealed import FORM, kind, places, publish, revealed  # noqa: F401
from waypost.tickets import importing

LINES = ["Subject;Account;Why", "Rent;CH9300762011623852957;Old", "Again;CH9300762011623852958;New"]
DEFAULT = "SE4550000000058398257466"


async def test_what_was_brought_before_goes_and_the_tickets_keep_it(who: Any, kind: Any, database: Any) -> None:
    admin, made, other = await who("admin"), await kind(OPEN), await kind(OPEN)
    columns = {"title": 0, "custom.iban": 1, "custom.why": 2}
    plan = {"ticket_type": made["key"], "columns": columns, "defaults": {"status": "Draft"}}
    done = await looked_at(database, admin, LINES, plan)
    await admin.post(f"/ticket-imports/{done['id']}/run")
    await importing.run_due(database, seconds=600)
    waiting = await bring(admin, LINES)
    defaults = {"custom.iban": DEFAULT, "status": "Draft"}
    await admin.put(
        f"/ticket-imports/{waiting['id']}/plan",
        {"ticket_type": made["key"], "columns": {"title": 0, "description": 1}, "defaults": defaults},
    )
    elsewhere = await looked_at(database, admin, LINES, {**plan, "ticket_type": other["key"]})
    await publish(who, made, FORM)
    await finish(database)
    assert [r["cells"] for r in await rows_of(admin, done)] == [["Rent", "", "Old"], ["Again", "", "New"]]
    assert [r["cells"][1] for r in await rows_of(admin, elsewhere)] == [line.split(";")[1] for line in LINES[1:]]
    assert "ticket_imports.plan" not in await places(database, DEFAULT)
    first, second = await rows_of(admin, done)
    for row, line in ((first, LINES[1]), (second, LINES[2])):
        assert await revealed(admin, row["ticket"]["id"]) == {"iban": line.split(";")[1]}
