"""The demo company at work, through the use cases people have: for tests that want histories, made up by dice.

What a person may not do just then is refused as it would be on the screen; that is part of such a history.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text

from tests.tickets.test_clocks import Time
from waypost.access.queries import actor_of_user
from waypost.approvals import service as approvals
from waypost.approvals.states import Verb
from waypost.audit.erasing import erase_from_log
from waypost.directory import organising
from waypost.directory.models import Department, Team, TeamMember, User
from waypost.directory.service import create_department, create_team
from waypost.kernel.db import Database
from waypost.kernel.errors import Refusal
from waypost.tickets import assigning, linking, merging, service, splitting, talking
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket, TicketComment

DAY = timedelta(days=1)
PRIORITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
ASKERS = ("employee", "colleague", "manager", "outsider", "agent", "hragent")
KINDS: dict[str, tuple[dict[str, Any], bool]] = {
    "IT_SUPPORT": ({}, False),
    "IT_HARDWARE": ({"budget_code": "MKT-1", "justification": "Dice"}, True),
    "FINANCE": ({"cost_center": "MKT-CONTENT", "purpose": "Dice"}, True),
    "FACILITY": ({"location": "Second floor"}, False),
}


class Company:
    """Everybody at work. `ids` are the requests these histories are about; `done` counts what was done, and refused."""

    def __init__(self, database: Database, wall: Time, dice: random.Random) -> None:
        self.database, self.wall, self.dice = database, wall, dice
        self.ids: list[int] = []
        self.done: Counter[str] = Counter()
        self.people: dict[str, int] = {}
        self._actors: dict[int, Any] = {}

    async def actor(self, who: str | int) -> Any:
        async with self.database.read() as session:
            if not self.people:
                rows = await session.execute(select(User.username, User.id))
                self.people = {str(name): int(i) for name, i in rows}
            return await actor_of_user(session, who if isinstance(who, int) else self.people[who])

    async def do(self, what: str) -> bool:
        """One thing of this kind, if there is something to do it with and it may be done; whether it was."""
        deed: Callable[[], Awaitable[bool]] = getattr(self, what)
        try:
            was_done = await deed()
        except Refusal:
            self.done[f"{what} refused"] += 1
            return False
        self.done[what if was_done else f"nothing to {what}"] += 1
        return was_done

    async def one(self, *statuses: str) -> Any:
        """One of the requests in these states, as it is kept; None when there is none."""
        async with self.database.read() as session:
            found = select(Ticket).where(Ticket.id.in_(self.ids)).order_by(Ticket.id)
            tickets = list(await session.scalars(found.where(Ticket.status.in_(statuses)) if statuses else found))
        return self.dice.choice(tickets) if tickets else None

    async def worker(self, ticket: Any) -> Any:
        """Who works on it: whom it is with, somebody of its team, or else an administrator."""
        if ticket.assignee_id is not None:
            return await self.actor(ticket.assignee_id)
        async with self.database.read() as session:
            members = list(
                await session.scalars(
                    select(TeamMember.user_id).where(TeamMember.team_id == ticket.team_id).order_by(TeamMember.user_id)
                )
            )
        return await self.actor(self.dice.choice(members) if members else "admin")

    # --- what people do -----------------------------------------------------------------------------------------------

    async def create(self, *, kind: str = "", submit: bool | None = None) -> bool:
        kind = kind or self.dice.choice(list(KINDS))
        fields, has_amount = KINDS[kind]
        asker = await self.actor(self.dice.choice(ASKERS))
        async with self.database.transaction() as session:
            ticket = await service.create_ticket(
                session,
                asker,
                title=f"Dice {len(self.ids)}",
                description="",
                ticket_type=kind,
                priority=self.dice.choice(PRIORITIES),
                due_date=self.wall.at + self.dice.choice((1, 3, 30)) * DAY if self.dice.random() < 0.5 else None,
                custom_fields=dict(fields),
                amount=Decimal(self.dice.choice((120, 2000, 9000, 60000))) if has_amount else None,
                currency=self.dice.choice(("USD", "EUR")) if has_amount else None,
                submit=self.dice.random() < 0.8 if submit is None else submit,
                is_confidential=self.dice.random() < 0.15,
            )
            self.ids.append(ticket.id)
        return True

    async def submit(self) -> bool:
        if (ticket := await self.one("DRAFT")) is None:
            return False
        asker = await self.actor(ticket.requester_id)
        async with self.database.transaction() as session:
            await service.submit_ticket(session, asker, ticket.id)
        return True

    async def _decide(self, verb: Verb, comments: str = "", delegate_to: int | None = None) -> bool:
        waiting = text(
            "SELECT id, approver_id FROM approval_steps WHERE subject_type = 'ticket' AND subject_id = ANY(:ids)"
            " AND status IN ('PENDING', 'INFO_REQUESTED') AND requested_at IS NOT NULL ORDER BY id"
        )
        async with self.database.read() as session:
            steps = (await session.execute(waiting, {"ids": self.ids})).all()
        if not steps:
            return False
        step = self.dice.choice(steps)
        approver = await self.actor(step.approver_id)
        async with self.database.transaction() as session:
            await approvals.decide(session, approver, step.id, verb, comments=comments, delegate_to=delegate_to)
        return True

    async def approve(self) -> bool:
        return await self._decide(Verb.APPROVE)

    async def reject(self) -> bool:
        return await self._decide(Verb.REJECT, "The dice say no.")

    async def ask_back(self) -> bool:
        return await self._decide(Verb.REQUEST_INFO, "What for?")

    async def hand_on(self) -> bool:
        return await self._decide(Verb.DELEGATE, "You know better.", (await self.actor("finance2")).user_id)

    async def _move(self, ticket: Any, to: Status, by: Any, comment: str = "Dice") -> bool:
        async with self.database.transaction() as session:
            await service.change_status(session, by, ticket.id, to=to, comment=comment)
        return True

    async def answer(self) -> bool:
        if (ticket := await self.one("PENDING_INFO")) is None:
            return False
        return await self._move(ticket, Status.IN_REVIEW, await self.actor(ticket.requester_id))

    async def take_back(self) -> bool:
        if (ticket := await self.one("IN_REVIEW", "PENDING_INFO")) is None:
            return False
        return await self._move(ticket, Status.DRAFT, await self.actor(ticket.requester_id))

    async def start(self) -> bool:
        if (ticket := await self.one("APPROVED")) is None:
            return False
        return await self._move(ticket, Status.IN_PROGRESS, await self.worker(ticket))

    async def complete(self) -> bool:
        if (ticket := await self.one("IN_PROGRESS")) is None:
            return False
        return await self._move(ticket, Status.COMPLETED, await self.worker(ticket))

    async def reopen(self) -> bool:
        if (ticket := await self.one("COMPLETED")) is None:
            return False
        return await self._move(ticket, Status.IN_PROGRESS, await self.actor(ticket.requester_id), "It broke again.")

    async def close(self) -> bool:
        if (ticket := await self.one("COMPLETED", "REJECTED")) is None:
            return False
        return await self._move(ticket, Status.CLOSED, await self.actor(ticket.requester_id))

    async def assign(self) -> bool:
        if (ticket := await self.one("SUBMITTED", "IN_REVIEW", "APPROVED", "IN_PROGRESS")) is None:
            return False
        async with self.database.read() as session:
            teams = list(await session.scalars(select(Team.id).order_by(Team.id)))
            team_id = self.dice.choice([ticket.team_id, *teams])
            of_it = select(TeamMember.user_id).where(TeamMember.team_id == team_id).order_by(TeamMember.user_id)
            assignee = self.dice.choice([None, *await session.scalars(of_it)])
        by = await self.actor("admin")
        async with self.database.transaction() as session:
            await assigning.assign_ticket(
                session, by, ticket.id, assignee_id=assignee, team_id=team_id, move_team=team_id is not None
            )
        return True

    async def edit(self) -> bool:
        if (ticket := await self.one()) is None:
            return False
        values = self.dice.choice(
            (
                {"priority": self.dice.choice(PRIORITIES)},
                {"due_date": self.wall.at + self.dice.choice((-1, 2, 9)) * DAY},
                {"amount": Decimal(self.dice.choice((300, 70000)))},
                {"is_confidential": self.dice.random() < 0.5},
            )
        )
        by = await self.actor("admin" if self.dice.random() < 0.5 else ticket.requester_id)
        async with self.database.transaction() as session:
            await service.update_ticket(session, by, ticket.id, version=lambda: ticket.version, values=values)
        return True

    async def say(self) -> bool:
        if (ticket := await self.one()) is None:
            return False
        by = await self.worker(ticket) if self.dice.random() < 0.6 else await self.actor(ticket.requester_id)
        visibility = "PUBLIC" if self.dice.random() < 0.8 else "INTERNAL"
        async with self.database.transaction() as session:
            await talking.add_comment(session, by, ticket.id, body="Words", visibility=visibility)
        return True

    async def unsay(self) -> bool:
        """Say something, and take it back while one may."""
        if (ticket := await self.one("IN_REVIEW", "APPROVED", "IN_PROGRESS")) is None:
            return False
        by = await self.worker(ticket)
        async with self.database.transaction() as session:
            said = await talking.add_comment(session, by, ticket.id, body="Oh", visibility="PUBLIC")
            comment_id = said.id
        self.wall.go(timedelta(minutes=2))
        async with self.database.transaction() as session:
            await talking.remove_comment(session, by, ticket.id, comment_id)
        return True

    async def merge(self) -> bool:
        one = await self.one("APPROVED", "IN_PROGRESS", "IN_REVIEW", "PENDING_INFO")
        other = await self.one("APPROVED", "IN_PROGRESS", "IN_REVIEW")
        if one is None or other is None or one.id == other.id:
            return False
        by = await self.worker(other)
        async with self.database.transaction() as session:
            pair = await linking.both(session, by, one.id, other.id, "?into", lock=False)
            planned = await merging.plan(session, *pair)
            await merging.merge(
                session, by, one.id, into_id=other.id, accepted=list(planned.warnings), seen=planned.seen
            )
        return True

    async def split(self) -> bool:
        async with self.database.read() as session:
            said = select(TicketComment).where(
                TicketComment.ticket_id.in_(self.ids), TicketComment.visibility == "PUBLIC"
            )
            found = list(await session.scalars(said.order_by(TicketComment.id.desc()).limit(5)))
        if not found:
            return False
        comment = self.dice.choice(found)
        async with self.database.read() as session:
            ticket = await session.get_one(Ticket, comment.ticket_id)
        by = await self.worker(ticket)
        async with self.database.transaction() as session:
            made = await splitting.split(
                session,
                by,
                ticket.id,
                title=f"Dice {len(self.ids)}",
                description="",
                ticket_type="IT_SUPPORT",
                comment_ids=[comment.id],
                attachment_ids=[],
                custom_fields={},
            )
            self.ids.append(made.id)
        return True

    # --- what becomes of places and people ----------------------------------------------------------------------------

    async def close_team(self) -> bool:
        """A team is made, given a request, and closed: what it had goes to another."""
        ticket = await self.one("APPROVED", "IN_PROGRESS")
        admin = await self.actor("admin")
        async with self.database.transaction() as session:
            first = (await session.scalars(select(Team.id).order_by(Team.id).limit(1))).one()
            made = (
                await create_team(session, admin, name=f"Dice {self.dice.random()}", description="", member_ids=[])
            ).id
        if ticket is not None:
            async with self.database.transaction() as session:
                await assigning.assign_ticket(session, admin, ticket.id, assignee_id=None, team_id=made, move_team=True)
        async with self.database.transaction() as session:
            await organising.delete_team(session, admin, made, to_id=first)
        return True

    async def close_department(self) -> bool:
        """A department is made, its requests are what somebody asked for from there, and it is closed."""
        admin = await self.actor("admin")
        outsider = (await self.actor("outsider")).user_id
        async with self.database.transaction() as session:
            user = await session.get_one(User, outsider)
            before = user.department_id
            made = (
                await create_department(session, admin, name=f"Dice {self.dice.random()}", parent_id=None, head_id=None)
            ).id
            user.department_id = made
        asker = await self.actor("outsider")
        async with self.database.transaction() as session:
            ticket = await service.create_ticket(
                session,
                asker,
                title=f"Dice {len(self.ids)}",
                description="",
                ticket_type="IT_SUPPORT",
                priority="LOW",
                due_date=None,
                custom_fields={},
                amount=None,
                currency=None,
                submit=True,
            )
            self.ids.append(ticket.id)
        async with self.database.transaction() as session:
            await organising.delete_department(session, admin, made, to_id=before)
            assert await session.get(Department, made) is None
        return True

    async def erase_words(self) -> bool:
        """What is personal about somebody goes from the log; what happened stays in it."""
        admin, person = await self.actor("admin"), await self.actor("colleague")
        async with self.database.transaction() as session:
            await erase_from_log(session, person.user_id, admin)
        return True
