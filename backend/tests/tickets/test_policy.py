"""Who may see a ticket: the rule for one row and its SQL twin say the same, over random people and tickets."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import select

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.tickets import policy
from waypost.tickets.lifecycle import Part, Status
from waypost.tickets.models import Ticket
from waypost.tickets.queries import facts_by_id

PEOPLE, TEAMS, DEPARTMENTS = range(1, 9), range(1, 4), range(1, 5)


def somebody(chance: random.Random, permissions: dict[Permission, Scope]) -> Actor:
    some = lambda ids: frozenset(i for i in ids if chance.random() < 0.4)  # noqa: E731
    return Actor(
        user_id=chance.choice(list(PEOPLE)),
        username="somebody",
        session_id=None,
        permissions=permissions,
        team_ids=some(TEAMS),
        department_ids=some(DEPARTMENTS),
        report_ids=some(PEOPLE),
    )


async def test_one_row_and_sql_agree(fresh_database: Any) -> None:
    chance = random.Random(4711)
    async with fresh_database.transaction() as session:
        for ticket in (await session.scalars(select(Ticket))).all():
            for status in chance.sample(list(Status), 3):
                ticket.status = status
            ticket.requester_id = chance.choice(list(PEOPLE))
            ticket.assignee_id = chance.choice([None, *PEOPLE])
            ticket.team_id = chance.choice([None, *TEAMS])
            ticket.department_id = chance.choice([None, *DEPARTMENTS])
    async with fresh_database.read() as session:
        ids = list(await session.scalars(select(Ticket.id)))
        facts = await facts_by_id(session, ids)
        assert len(ids) >= 10
        seen_some = hidden_some = False
        for _ in range(150):
            scope = chance.choice([None, *Scope])
            actor = somebody(chance, {} if scope is None else {Permission.TICKETS_READ: scope})
            by_sql = set(await session.scalars(select(Ticket.id).where(policy.visible_to(actor))))
            by_rule = {i for i in ids if policy.may_read(actor, facts[i])}
            assert by_sql == by_rule, (scope, actor)
            seen_some |= bool(by_rule) and scope is not Scope.ALL
            hidden_some |= len(by_rule) < len(ids)
        assert seen_some
        assert hidden_some


def test_what_a_person_is_to_a_ticket() -> None:
    facts = policy.TicketFacts(Status.APPROVED, 1, None, 2, None, frozenset())
    work = {Permission.TICKETS_WORK: Scope.TEAM, Permission.TICKETS_UPDATE: Scope.OWN}

    def actor(user: int, teams: set[int], permissions: dict[Permission, Scope]) -> Actor:
        return Actor(user, "x", None, permissions, team_ids=frozenset(teams))

    assert policy.parts_of(actor(1, set(), work), facts) == {Part.REQUESTER}
    assert policy.parts_of(actor(1, {2}, work), facts) == {Part.REQUESTER, Part.FULFILLER}
    assert policy.parts_of(actor(9, {3}, work), facts) == frozenset()
    assert policy.parts_of(actor(9, set(), {Permission.TICKETS_WORK: Scope.ALL}), facts) == {Part.FULFILLER}
    assert policy.parts_of(actor(9, {2}, {Permission.TICKETS_WORK: Scope.OWN}), facts) == frozenset()
    draft = policy.TicketFacts(Status.DRAFT, 1, None, 2, None, frozenset())
    assert policy.parts_of(actor(9, {2}, work), draft) == frozenset()


def test_internal_words_are_the_teams() -> None:
    facts = policy.TicketFacts(Status.APPROVED, 1, None, 2, None, frozenset({1}))
    rights = dict.fromkeys(
        (
            Permission.TICKETS_READ,
            Permission.TICKETS_COMMENT,
            Permission.TICKETS_READ_INTERNAL,
            Permission.TICKETS_COMMENT_INTERNAL,
            Permission.TICKETS_ASSIGN,
        ),
        Scope.TEAM,
    )
    requester = Actor(1, "x", None, rights)
    member = Actor(9, "x", None, rights, team_ids=frozenset({2}))
    assert policy.may_comment(requester, facts)
    for rule in (policy.may_see_internal, policy.may_comment_internally, policy.may_assign):
        assert not rule(requester, facts)
        assert rule(member, facts)
