"""Loading the demo company: everything goes through the use cases people have, at the times it is said to have happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.passwords import hash_password
from waypost.access.queries import actor_of_user
from waypost.access.roles import ensure_system_roles
from waypost.access.service import grant_roles, keep_password_hash
from waypost.approvals import service as approvals
from waypost.approvals.models import ApprovalStep
from waypost.approvals.publishing import create_definition
from waypost.approvals.states import StepStatus, Verb
from waypost.approvals.step_up import REHEARSAL
from waypost.catalog.categories import create_category
from waypost.catalog.models import TicketType
from waypost.catalog.service import create_ticket_type
from waypost.demo.company import (
    HEADS,
    HOLIDAYS,
    HOURS,
    NOT_EMPLOYEES,
    PASSWORD,
    PEOPLE,
    PURCHASES,
    REPLIES,
    SUPPORT,
    TEAMS,
    TYPES,
    ZONE,
)
from waypost.demo.requests import REQUESTS, Request
from waypost.directory.models import Department, Team, TeamMember, User
from waypost.directory.service import create_department, create_team, create_user
from waypost.kernel.clock import clock, now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, EventRow, OutboxRow
from waypost.sla import calendar_setting, policy_setting
from waypost.sla.queries import calendars
from waypost.tickets import assigning
from waypost.tickets import service as tickets
from waypost.tickets.canned import create_reply
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket
from waypost.tickets.reviewing import TICKET
from waypost.tickets.talking import add_comment

TOLD = timedelta(days=2)  # what happened longer ago was told long ago: nobody gets a mail about it now


async def load(database: Database) -> bool:
    """Load the demo company unless people exist already. Returns whether it was loaded."""
    async with database.transaction() as session:
        await ensure_system_roles(session)
        if await session.scalar(select(User.id).limit(1)):
            return False
        people = await _people(session)
        await _teams_and_types(session, people)
        await _service_levels(session)
        await _replies(session, people["admin"])
        await create_definition(session, SYSTEM, PURCHASES)
        began = now()
        for request in REQUESTS:
            await _Story(session, people, request, began).tell()
        # what happened before today is nobody's news
        said = {"warned_for": Ticket.due_date, "late_told_for": Ticket.due_date}
        await session.execute(update(Ticket).where(Ticket.due_date.is_not(None)).values(**said))
        old = select(EventRow.id).where(EventRow.at < began - TOLD)
        await session.execute(delete(OutboxRow).where(OutboxRow.event_id.in_(old)))
    return True


async def _people(session: AsyncSession) -> dict[str, int]:
    departments: dict[str, Department] = {}
    root = await create_department(session, SYSTEM, name="Executive Office", parent_id=None, head_id=None)
    departments["Executive Office"] = root
    for name in HEADS:
        if name not in departments:
            departments[name] = await create_department(session, SYSTEM, name=name, parent_id=root.id, head_id=None)
    ids: dict[str, int] = {}
    for username, (first, last, department, manager, job, roles) in PEOPLE.items():
        user = await create_user(
            session,
            SYSTEM,
            username=username,
            email=f"{username}@example.com",
            first_name=first,
            last_name=last,
            department_id=departments[department].id,
            manager_id=ids[manager] if manager else None,
            job_title=job,
            timezone=ZONE,
        )
        ids[username] = user.id
        own = roles if username in NOT_EMPLOYEES else ["employee", *roles]
        await grant_roles(session, SYSTEM, user.id, own, pointer="/roles")
        await keep_password_hash(session, user.id, await hash_password(PASSWORD))
    for name, head in HEADS.items():
        departments[name].head_id = ids[head]
    await session.flush()
    return ids


async def _teams_and_types(session: AsyncSession, people: dict[str, int]) -> None:
    teams: dict[str, Team] = {}
    for name, (description, members) in TEAMS.items():
        teams[name] = await create_team(
            session, SYSTEM, name=name, description=description, member_ids=[people[m] for m in members]
        )
    for place, category in enumerate(dict.fromkeys(given["category"] for given in TYPES), 1):
        await create_category(session, SYSTEM, name=category, position=place)
    for given in TYPES:
        values = {k: v for k, v in given.items() if k != "team"}
        await create_ticket_type(session, SYSTEM, **values, team_id=teams[given["team"]].id)


async def _service_levels(session: AsyncSession) -> None:
    """The company's hours and holidays, and a policy of its own for IT support before the one for all requests."""
    default = (await calendars(session)).default
    days = tuple(calendar_setting.Day(name, month_day=month_day) for month_day, name in HOLIDAYS.items())
    hours = calendar_setting.Setup(name=HOURS, zone=ZONE, week=default.calendar.week, days=days, is_default=True)
    await calendar_setting.change_calendar(session, SYSTEM, default.id, default.version, hours)
    team_id = await session.scalar(select(Team.id).where(Team.name == "IT Support"))
    document = {**SUPPORT, "own_time": [{"team_id": team_id, "targets": SUPPORT["targets"]["RESOLUTION"]}]}
    await policy_setting.add_policy(session, SYSTEM, policy_setting.Setup("IT support", document))


async def _replies(session: AsyncSession, admin_id: int) -> None:
    admin = await actor_of_user(session, admin_id)
    assert admin is not None
    for name, replies in REPLIES.items():
        team_id = await session.scalar(select(Team.id).where(Team.name == name))
        for title, body in replies:
            await create_reply(session, admin, title=title, body=body, team_id=team_id)


class _Story:
    """One request from its writing to where it stands now, on a clock that moves on with every step."""

    def __init__(self, session: AsyncSession, people: dict[str, int], request: Request, began: datetime) -> None:
        self.session = session
        self.people = people
        self.request = request
        self.until = began
        self.at = began - timedelta(days=request.ago)

    def later(self, hours: float) -> None:
        """Time passes; never past the loading itself."""
        self.at = min(self.at + timedelta(hours=hours), self.until)

    async def tell(self) -> None:
        """Write the request and carry it as far as it goes."""
        with clock(lambda: self.at):
            asker = await self._actor(self.people[self.request.who])
            ticket_id = await self._write(asker)
            match self.request.end:
                case "draft" | "review":
                    pass
                case "withdrawn":
                    self.later(3)
                    await tickets.change_status(self.session, asker, ticket_id, to=Status.DRAFT, comment="Not needed.")
                case "asked":
                    await self._answer(ticket_id, Verb.REQUEST_INFO, "Which languages, and who checks them?")
                case "rejected":
                    await self._answer(ticket_id, Verb.REJECT, "Not this quarter, sorry.")
                case _:
                    await self._answer(ticket_id, Verb.APPROVE, "Fine with me.")
                    await self._work(ticket_id, asker)
            if self.request.end != "working":
                await self._talk(ticket_id)

    async def _write(self, asker: Actor) -> int:
        r = self.request
        made = await tickets.create_ticket(
            self.session,
            asker,
            title=r.title,
            description=r.words,
            ticket_type=r.type,
            priority=r.priority,
            due_date=self.at + timedelta(days=r.due) if r.due else None,
            custom_fields=r.fields,
            amount=Decimal(r.amount) if r.amount else None,
            currency="USD" if r.amount else None,
            submit=r.end != "draft",
        )
        return made.id

    async def _actor(self, user_id: int) -> Actor:
        actor = await actor_of_user(self.session, user_id, REHEARSAL)
        if actor is None:
            raise RuntimeError("somebody of the demo company is missing")
        return actor

    async def _answer(self, ticket_id: int, verb: Verb, words: str) -> None:
        """Those who are asked give the same answer, in their own names, until nobody is asked any more."""
        waiting = select(ApprovalStep).where(
            ApprovalStep.subject_type == TICKET,
            ApprovalStep.subject_id == ticket_id,
            ApprovalStep.status == StepStatus.PENDING.value,
        )
        while (step := await self.session.scalar(waiting.order_by(ApprovalStep.id).limit(1))) is not None:
            self.later(2.5)
            approver = await self._actor(step.approver_id)
            await approvals.decide(self.session, approver, step.id, verb, comments=words)

    async def _work(self, ticket_id: int, asker: Actor) -> None:
        if self.request.end == "approved":
            return
        session = self.session
        team_id = await session.scalar(select(TicketType.team_id).where(TicketType.key == self.request.type))
        members = (
            await session.scalars(
                select(TeamMember.user_id).where(TeamMember.team_id == team_id).order_by(TeamMember.user_id)
            )
        ).all()
        able = [m for m in members if m != asker.user_id]
        agent = await self._actor(
            able[ticket_id % len(able)] if self.request.end in ("completed", "closed") else able[0]
        )
        self.later(1)
        await assigning.assign_ticket(
            session, agent, ticket_id, assignee_id=agent.user_id, team_id=None, move_team=False
        )
        await tickets.change_status(session, agent, ticket_id, to=Status.IN_PROGRESS, comment="")
        await self._talk(ticket_id)
        if self.request.end == "working":
            return
        self.later(self.request.hours)
        await tickets.change_status(session, agent, ticket_id, to=Status.COMPLETED, comment="Done, please check.")
        if self.request.end == "closed":
            self.later(20)
            await tickets.change_status(session, asker, ticket_id, to=Status.CLOSED, comment="")

    async def _talk(self, ticket_id: int) -> None:
        for who, words in self.request.talk:
            self.later(0.7)
            author = await self._actor(self.people[who.rstrip("*")])
            visibility = "INTERNAL" if who.endswith("*") else "PUBLIC"
            await add_comment(self.session, author, ticket_id, body=words, visibility=visibility)
