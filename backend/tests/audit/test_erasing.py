"""What is personal leaves the log, the chain stays whole, and what was erased cannot be found again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.audit.test_tampering import change, check, sealed  # noqa: F401 - a fixture
from waypost.audit.erasing import PERSONAL, erase_from_log
from waypost.audit.sealing import seal_all
from waypost.audit.words import may_be_about, names_of
from waypost.kernel.events import SYSTEM


async def _erase(database: Any, user_id: int) -> int:
    async with database.transaction() as session:
        return await erase_from_log(session, user_id, SYSTEM)


async def _told(database: Any, user_id: int) -> str:
    async with database.read() as session:
        rows = await session.execute(
            text(
                "SELECT data::text FROM events WHERE (object_type = 'user' AND object_id = :u) OR actor_id = :u ORDER BY id"
            ),
            {"u": user_id},
        )
        return "\n".join(row[0] for row in rows)


async def test_a_person_leaves_the_log(sealed: Any, fresh_who: Any) -> None:  # noqa: F811
    jane, auditor = await fresh_who("outsider"), await fresh_who("auditor")
    email, username = jane.me["email"], jane.me["username"]
    before = await _told(sealed, jane.id)
    assert email in before
    assert '"ip_address": "' in before
    await seal_all(sealed)
    await jane.sign_in()  # not sealed yet
    gone = await _erase(sealed, jane.id)
    assert gone >= 4
    after = await _told(sealed, jane.id)
    assert email not in after
    assert f'"username": "{username}"' not in after
    assert '"ip_address": "[erased]"' in after
    assert "127.0.0.1" not in after
    found = await check(sealed)
    assert found.told()["valid"], found.problems
    assert found.erased >= 3
    await seal_all(sealed)
    assert (await check(sealed)).told()["valid"]
    trail = await auditor.get("/audit", params={"object_type": "user", "object_id": jane.id, "limit": 100})
    assert "[erased]" in str(trail["items"])  # and every event can still be read
    assert await _erase(sealed, jane.id) == 0
    async with sealed.read() as session:
        salts = "SELECT count(*) FROM audit_seals WHERE leaves IS NOT NULL AND salt IS NOT NULL"
        assert await session.scalar(text(salts)) == 0
    # tampering with such a row is found as with any other
    await change(
        sealed,
        "UPDATE events SET data = jsonb_set(data, '{email}', '\"other@example.com\"') WHERE id = (SELECT e.id FROM events e "
        "JOIN audit_seals s ON s.event_id = e.id WHERE e.type = 'user.created' AND s.leaves IS NOT NULL)",
    )
    assert [p.kind.value for p in (await check(sealed)).problems] == ["ALTERED"]


async def test_nothing_else_can_be_erased(sealed: Any) -> None:  # noqa: F811
    call = "SELECT waypost_erase_values({}, '[{}]', {})"
    async with sealed.read() as session:
        event_id = await session.scalar(text("SELECT min(event_id) FROM audit_seals"))
    for event, path, leaves, words in (
        (event_id, '["amount"]', "'{}'", "not personal"),
        (event_id, '["email"]', "NULL", "is sealed"),
        (-5, '["email"]', "'{}'", "is not sealed"),
    ):
        with pytest.raises(DBAPIError, match=words):
            await _call(sealed, call.format(event, path, leaves))
    assert (await check(sealed)).told()["valid"]
    assert "title" not in PERSONAL


async def _call(database: Any, statement: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement))


async def test_what_was_searched_for_goes_with_whom_it_meant(sealed: Any, fresh_who: Any) -> None:  # noqa: F811
    jane, auditor, admin = await fresh_who("outsider"), await fresh_who("auditor"), await fresh_who("admin")
    last_name = jane.me["name"].split()[-1]
    for words in (last_name, f"{last_name[:4].lower()}", jane.me["email"], "Xylophone repair"):
        await auditor.get("/audit", params={"q": words})
    await auditor.get("/audit/download", params={"q": last_name, "format": "csv"}, expect=None)
    await admin.get("/users/export", params={"q": last_name}, expect=None)
    await jane.get("/tickets/export", params={"q": "My own words"}, expect=None)
    await seal_all(sealed)
    await auditor.get("/audit", params={"q": f"{last_name} again"})  # not sealed yet
    searched = text("SELECT type, data #>> '{filters,q}' FROM events WHERE data #> '{filters}' ? 'q' ORDER BY id")
    async with sealed.read() as session:
        before = [tuple(row) for row in await session.execute(searched)]
    assert ("audit.read", last_name) in before
    assert ("audit.exported", last_name) in before
    async with sealed.transaction() as session:
        await erase_from_log(session, jane.id, SYSTEM, called=(jane.me["name"],))
    async with sealed.read() as session:
        after = [tuple(row) for row in await session.execute(searched)]
    assert len(after) == len(before)
    assert [words for _, words in after if words != "[erased]"] == ["Xylophone repair"]
    assert last_name.lower() not in str(after).lower()
    found = await check(sealed)
    assert found.told()["valid"], found.problems
    await seal_all(sealed)
    assert (await check(sealed)).told()["valid"]


async def test_only_what_was_searched_for_is_let_go_of_searches(sealed: Any, fresh_who: Any) -> None:  # noqa: F811
    admin = await fresh_who("admin")
    await admin.get("/tickets/export", params={"q": "Anything"}, expect=None)
    async with sealed.read() as session:
        of_type = text("SELECT max(id) FROM events WHERE type = :type")
        exported = await session.scalar(of_type, {"type": "tickets.exported"})
        other = await session.scalar(of_type, {"type": "user.created"})
    for event, path, leaves in (
        (exported, '["filters", "status"]', "NULL"),
        (exported, '["columns"]', "NULL"),
        (other, '["filters", "q"]', "'{}'"),
    ):
        with pytest.raises(DBAPIError, match="not personal"):
            await _call(sealed, f"SELECT waypost_erase_values({event}, '[{path}]', {leaves})")


@pytest.mark.parametrize(
    ("words", "is_about"),
    [
        ("Müller", True),
        ("muller", True),
        ("MÜLL", True),
        ("anna", True),
        ("Annabel", True),
        ("laptop", False),
        ("an", False),
        ("", False),
        ("for Anna-Lena", True),
        ("a.muller@example.com", True),
    ],
)
def test_words_that_may_mean_somebody(words: str, is_about: bool) -> None:
    names = names_of(["Anna", "Müller", "a.mueller@example.com"])
    assert may_be_about(words, names) is is_about
    assert not may_be_about(words, names_of([]))
