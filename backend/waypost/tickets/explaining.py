"""Why somebody can, or cannot, see a ticket and do something with it: told from the rules that decide it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.access.queries import actor_of_user
from waypost.access.role_queries import grants_of_permissions
from waypost.approvals import policy as approvals_policy
from waypost.approvals.standing_of import Part, emergencies, parts_of_person
from waypost.directory.errors import PersonNotFound
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.tickets import policy, sight
from waypost.tickets.queries import Found, find_ticket
from waypost.tickets.sight import Ground, Lack, Missing, TicketFacts
from waypost.tickets.working_models import TicketWatcher

Json = dict[str, Any]


class Act(StrEnum):
    """What is asked about."""

    READ = "READ"
    READ_INTERNAL = "READ_INTERNAL"
    COMMENT = "COMMENT"
    COMMENT_INTERNAL = "COMMENT_INTERNAL"
    WORK = "WORK"
    DECIDE = "DECIDE"


PERMISSION_OF = {
    Act.READ: Permission.TICKETS_READ,
    Act.READ_INTERNAL: Permission.TICKETS_READ_INTERNAL,
    Act.COMMENT: Permission.TICKETS_COMMENT,
    Act.COMMENT_INTERNAL: Permission.TICKETS_COMMENT_INTERNAL,
    Act.WORK: Permission.TICKETS_WORK,
    Act.DECIDE: Permission.APPROVALS_DECIDE,
}
_TEAMS_WORK = (Act.READ_INTERNAL, Act.COMMENT_INTERNAL, Act.WORK)


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something is allowed: by which grounds, or which are nearest and what keeps them from counting.

    `needs_sight`: it would be, but they cannot see the ticket.
    """

    act: Act
    is_allowed: bool
    because: tuple[Ground, ...] = ()
    nearest: tuple[Ground, ...] = ()
    needs_sight: bool = False
    steps: tuple[Part, ...] = field(default=())


MOST_NEAR = 3


def explain(actor: Actor, facts: TicketFacts) -> list[Answer]:
    """Everything but deciding, which depends on the approval's steps. Pure; a test holds it to `policy`."""
    seeing = sight.grounds(actor, facts)
    read = _answer(Act.READ, seeing, may_see=True)
    answers = [read]
    for act in (Act.READ_INTERNAL, Act.COMMENT, Act.COMMENT_INTERNAL, Act.WORK):
        if act is Act.COMMENT:
            found = [_also(g, actor, Permission.TICKETS_COMMENT) for g in seeing]
            answers.append(_answer(act, found, may_see=True))
        else:
            found = sight.grounds(actor, facts, PERMISSION_OF[act], sight.WORK_RULES)
            answers.append(_answer(act, found, may_see=read.is_allowed))
    return answers


def _also(ground: Ground, actor: Actor, permission: Permission) -> Ground:
    if actor.may(permission):
        return ground
    return Ground(ground.rule, (*ground.missing, Missing(Lack.PERMISSION, permission)))


def _answer(act: Act, found: list[Ground], *, may_see: bool) -> Answer:
    because = tuple(g for g in found if not g.missing)
    if because and may_see:
        return Answer(act, True, because)
    nearest = tuple(g for g in found if g.missing)[:MOST_NEAR]
    return Answer(act, False, because if not may_see else (), nearest, needs_sight=bool(because) and not may_see)


def deciding(actor: Actor, steps: Iterable[Part], *, may_see: bool, may_break_glass: bool) -> Answer:
    """Whether something of its approval is theirs to decide now, from the steps that concern them."""
    steps = tuple(steps)
    may = actor.may(Permission.APPROVALS_DECIDE)
    lacks = () if may else (Missing(Lack.PERMISSION, Permission.APPROVALS_DECIDE),)
    waiting = [Ground("deputy" if s.for_id else "approver", lacks) for s in steps if s.is_open]
    if may_break_glass:
        waiting.append(Ground("break_glass", ()))
    held = tuple(dict.fromkeys(waiting))
    because = tuple(g for g in held if not g.missing)
    if because and may_see:
        return Answer(Act.DECIDE, True, because, steps=steps)
    nearest = [g for g in held if g.missing]
    if not held:
        nearest = [Ground("answered" if any(s.was_asked for s in steps) else "later", lacks)] if steps else []
    return Answer(Act.DECIDE, False, (), tuple(nearest), needs_sight=bool(because) and not may_see, steps=steps)


async def access_of(session: AsyncSession, reader: Actor, ticket_id: int, user_id: int) -> Json:
    """What somebody can do with a ticket the reader sees, and why. Raises `TicketNotFound` or `PersonNotFound`."""
    found = await find_ticket(session, reader, ticket_id)
    user = await session.get(User, user_id)
    if user is None:
        raise PersonNotFound
    # who has left can do nothing; what they could do is told all the same
    actor = await actor_of_user(session, user_id)
    asked = actor or Actor(user_id, user.username, None, {})
    answers = explain(asked, found.facts)
    steps = await parts_of_person(session, "ticket", ticket_id, user_id, now())
    urgent = await emergencies(session, "ticket", ticket_id)
    is_asked = any(s.is_open for s in steps)
    glass = not is_asked and any(approvals_policy.may_break_glass(asked, w) for w in urgent)
    answers.append(deciding(asked, steps, may_see=answers[0].is_allowed, may_break_glass=glass))
    words = sorted({PERMISSION_OF[a.act].value for a in answers} | {Permission.TICKETS_READ_CONFIDENTIAL.value})
    telling = await _Telling.of(session, found, user_id, steps)
    return {
        "user": telling.people[user_id],
        "is_active": actor is not None,
        "ticket": {
            "id": found.ticket.id,
            "ticket_number": found.ticket.ticket_number,
            "status": found.ticket.status,
            "is_confidential": found.ticket.is_confidential,
        },
        "answers": [telling.answer(a, asked) for a in answers],
        "roles": await grants_of_permissions(session, user_id, words),
    }


@dataclass(frozen=True, slots=True)
class _Telling:
    """The names an answer is told with."""

    facts: TicketFacts
    people: dict[int | None, Json]
    team: Json | None
    department: Json | None
    invited_by_id: int | None

    @classmethod
    async def of(cls, session: AsyncSession, found: Found, user_id: int, steps: list[Part]) -> _Telling:
        invited_by = await session.scalar(
            select(TicketWatcher.added_by_id).where(
                TicketWatcher.ticket_id == found.ticket.id,
                TicketWatcher.user_id == user_id,
                TicketWatcher.gives_sight,
            )
        )
        ids = [user_id, invited_by, found.facts.requester_id, *(s.for_id for s in steps)]
        people, teams, departments = await names.all(
            session, people=ids, teams=[found.facts.team_id], departments=[found.facts.department_id]
        )
        return cls(
            found.facts,
            people,
            teams.get(found.facts.team_id),
            departments.get(found.facts.department_id),
            invited_by,
        )

    def answer(self, answer: Answer, actor: Actor) -> Json:
        return {
            "act": answer.act.value,
            "is_allowed": answer.is_allowed,
            "needs_sight": answer.needs_sight,
            "because": [self.ground(g, answer) for g in answer.because],
            "nearest": [self.ground(g, answer) for g in answer.nearest],
            "steps": [
                {
                    "stage": s.stage,
                    "order": s.order,
                    "status": s.status,
                    "is_open": s.is_open,
                    "on_behalf_of": self.people.get(s.for_id),
                }
                for s in answer.steps
            ],
        }

    def ground(self, ground: Ground, answer: Answer) -> Json:
        rule = ground.rule
        about = {"reports": self.facts.requester_id, "invited": self.invited_by_id}.get(rule)
        return {
            "rule": rule,
            "person": self.people.get(about),
            "team": self.team if rule == "team" else None,
            "department": self.department if rule == "department" else None,
            "missing": [
                {
                    "lack": m.lack.value,
                    "permission": m.permission and m.permission.value,
                    "needed": _name(m.needed),
                    "has": _name(m.has),
                }
                for m in ground.missing
            ],
        }


def _name(scope: Scope | None) -> str | None:
    return scope.name if scope is not None else None


def allowed(actor: Actor, facts: TicketFacts) -> dict[Act, bool]:
    """The same from the policy's own functions: what a test compares an explanation with."""
    sees = policy.may_read(actor, facts)
    return {
        Act.READ: sees,
        Act.READ_INTERNAL: sees and policy.may_see_internal(actor, facts),
        Act.COMMENT: policy.may_comment(actor, facts),
        Act.COMMENT_INTERNAL: sees and policy.may_comment_internally(actor, facts),
        Act.WORK: sees and policy.works_on(actor, facts),
    }
