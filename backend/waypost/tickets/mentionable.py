"""Whom one can mention on a ticket: the people who would see it.

Those near to it are found by one statement (it follows the ways of `policy.may_read` from the ticket's side); who of them
really may is asked of the policy itself, so this list shows nobody too many.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.models import HELD
from waypost.access.permissions import Permission, Scope
from waypost.access.queries import actors_of_users
from waypost.tickets import policy
from waypost.tickets.errors import NotYours
from waypost.tickets.queries import find_ticket

ASKED = 100  # people near the ticket whose rights are looked at, at most

_near = text(f"""
    WITH RECURSIVE line(id, level) AS (
        SELECT manager_id, 1 FROM users WHERE id = :requester AND manager_id IS NOT NULL
        UNION
        SELECT u.manager_id, line.level + 1 FROM users u JOIN line ON u.id = line.id
        WHERE u.manager_id IS NOT NULL AND line.level < 20),
    up(id, parent_id, head_id) AS (
        SELECT id, parent_id, head_id FROM departments WHERE id = :department
        UNION
        SELECT d.id, d.parent_id, d.head_id FROM departments d JOIN up ON d.id = up.parent_id),
    near(id) AS (
        SELECT unnest(CAST(:people AS bigint[]))
        UNION SELECT id FROM line
        UNION SELECT head_id FROM up
        UNION SELECT user_id FROM team_members WHERE team_id = :team
        UNION SELECT ur.user_id FROM user_roles ur JOIN role_permissions p ON p.role_id = ur.role_id
            WHERE p.permission = :permission AND p.scope = :all AND {HELD})
    SELECT u.id, u.username, u.first_name, u.last_name FROM users u JOIN near ON near.id = u.id
    WHERE u.is_active AND u.id <> :me
      AND lower(u.first_name || ' ' || u.last_name || ' ' || u.username) LIKE :pattern ESCAPE '!'
    ORDER BY u.id = ANY(CAST(:people AS bigint[])) DESC,
      EXISTS (SELECT 1 FROM team_members m WHERE m.team_id = :team AND m.user_id = u.id) DESC, u.last_name, u.first_name, u.id
    LIMIT :most
""")  # noqa: S608 - our own words


async def mentionable_people(
    session: AsyncSession, actor: Actor, ticket_id: int, *, q: str, visibility: str, limit: int
) -> list[dict[str, Any]]:
    """The people a comment of this audience can mention, first those with a part in the ticket, then its
    team; not oneself.

    Raises `NotYours` for an audience one may not write to.
    """
    found = await find_ticket(session, actor, ticket_id)
    is_internal = visibility == "INTERNAL"
    may_write = policy.may_comment_internally if is_internal else policy.may_comment
    if not may_write(actor, found.facts):
        raise NotYours
    facts = found.facts
    pattern = "%" + q.strip().lower().replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
    parts = (
        facts.requester_id,
        facts.created_by_id,
        facts.assignee_id,
        *sorted(facts.approver_ids | facts.invited_ids),
    )
    rows = await session.execute(
        _near,
        {
            "requester": facts.requester_id,
            "department": facts.department_id,
            "team": facts.team_id,
            "people": [i for i in parts if i],
            "permission": Permission.TICKETS_READ.value,
            "all": int(Scope.ALL),
            "me": actor.user_id,
            "pattern": pattern,
            "most": ASKED,
        },
    )
    near = rows.all()
    readers = await actors_of_users(session, [r.id for r in near])
    sees = policy.may_see_internal if is_internal else policy.may_read
    shown = [r for r in near if r.id in readers and sees(readers[r.id], facts)]
    return [
        {"id": r.id, "username": r.username, "name": f"{r.first_name} {r.last_name}".strip()} for r in shown[:limit]
    ]
