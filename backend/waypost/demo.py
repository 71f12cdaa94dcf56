"""The demo company: the contract's people, teams, types and workflow, and a few requests to look at."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.passwords import hash_password
from waypost.access.queries import actor_of_user
from waypost.access.service import ensure_system_roles, grant_roles, keep_password_hash
from waypost.approvals import service as approvals
from waypost.approvals.definitions import create_definition
from waypost.approvals.engine import StepStatus, Verb
from waypost.approvals.models import ApprovalStep
from waypost.catalog.models import TicketType
from waypost.catalog.service import create_ticket_type
from waypost.directory.models import Department, Team, TeamMember, User
from waypost.directory.service import create_department, create_team, create_user
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM
from waypost.tickets import service as tickets
from waypost.tickets.lifecycle import Status
from waypost.tickets.reviewing import TICKET

PASSWORD = "demo-Passw0rd-2026"  # noqa: S105 - the contract's, for demo accounts only
ZONE = "Europe/Berlin"
# username: first name, last name, department, manager, job title, roles besides `employee`
PEOPLE: dict[str, tuple[str, str, str, str | None, str, list[str]]] = {
    "executive": (
        "Elena",
        "Fischer",
        "Executive Office",
        None,
        "Chief operating officer",
        ["executive", "manager", "department_head"],
    ),
    "head": ("Henrik", "Lindqvist", "Marketing", "executive", "Head of Marketing", ["manager", "department_head"]),
    "manager": ("Mike", "Okafor", "Marketing", "head", "Marketing manager", ["manager"]),
    "employee": ("Jane", "Doe", "Marketing", "manager", "Marketing specialist", []),
    "colleague": ("Carlos", "Reyes", "Marketing", "manager", "Marketing specialist", []),
    "finance1": (
        "Farah",
        "Haddad",
        "Finance",
        "executive",
        "Head of Finance",
        ["manager", "department_head", "finance_committee"],
    ),
    "finance2": ("Felix", "Moreau", "Finance", "finance1", "Controller", ["finance_committee"]),
    "finance3": ("Fiona", "Walsh", "Finance", "finance1", "Treasurer", ["finance_committee"]),
    "ithead": ("Ingrid", "Solberg", "IT", "executive", "Head of IT", ["manager", "department_head"]),
    "agent": ("Amir", "Novak", "IT", "ithead", "IT support agent", ["agent"]),
    "agent2": ("Aiko", "Tanaka", "IT", "ithead", "IT support agent", ["agent"]),
    "hragent": ("Hannah", "Berg", "HR", "executive", "HR partner", ["agent"]),
    "facilityagent": (
        "Fatou",
        "Diallo",
        "Facilities",
        "executive",
        "Facilities coordinator",
        ["agent", "department_head"],
    ),
    "outsider": ("Oscar", "Silva", "Facilities", "facilityagent", "Building technician", []),
    "auditor": ("Astrid", "Keller", "Executive Office", "executive", "Internal auditor", ["auditor"]),
    "admin": ("Ada", "Brandt", "IT", "ithead", "System administrator", ["admin"]),
}
HEADS = {
    "Executive Office": "executive",
    "Marketing": "head",
    "Finance": "finance1",
    "IT": "ithead",
    "HR": "hragent",
    "Facilities": "facilityagent",
}
TEAMS = {
    "IT Support": ("Laptops, accounts, software, outages", ["agent", "agent2"]),
    "HR Services": ("Contracts, letters, leave, benefits", ["hragent"]),
    "Finance Operations": ("Payments, reimbursements, purchase orders", ["finance2", "finance3"]),
    "Facilities": ("Rooms, keys, furniture, repairs", ["facilityagent"]),
}
NOT_EMPLOYEES = {"auditor"}  # reads everything, changes nothing: not even a request of their own


def _text(title: str, order: int, **more: Any) -> dict[str, Any]:
    return {"type": "string", "title": title, "maxLength": 200, "x-widget": "text", "x-order": order, **more}


def _area(title: str, order: int, **more: Any) -> dict[str, Any]:
    return _text(title, order, **{"x-widget": "textarea", "maxLength": 4000, **more})


def _choice(title: str, order: int, *words: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "title": title, "enum": list(words), "x-widget": "select", "x-order": order, **more}


def _form(*required: str, **fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


TYPES: list[dict[str, Any]] = [
    {
        "key": "IT_SUPPORT",
        "name": "IT support",
        "prefix": "ITS",
        "category": "IT",
        "icon": "life-buoy",
        "description": "Something does not work: laptop, network, printer, password, software",
        "team": "IT Support",
        "requires_approval": False,
        "form": _form(
            device=_text("Device or program", 1, description="What is affected, for example its inventory number."),
            impact=_choice("Who is affected", 2, "Only me", "My team", "Everybody"),
            since=_text("Since when", 3, maxLength=100),
        ),
    },
    {
        "key": "IT_HARDWARE",
        "name": "IT hardware",
        "prefix": "ITH",
        "category": "IT",
        "icon": "laptop",
        "description": "A new laptop, monitor, phone, headset or other equipment",
        "team": "IT Support",
        "has_amount": True,
        "form": _form(
            "budget_code",
            "justification",
            budget_code=_text("Budget code", 1, maxLength=40, description="The cost centre or project that pays."),
            justification=_area("Justification", 2, description="Why it is needed."),
            needed_by={"type": "string", "format": "date", "title": "Needed by", "x-widget": "date", "x-order": 3},
        ),
    },
    {
        "key": "HR",
        "name": "HR request",
        "prefix": "HR",
        "category": "HR",
        "icon": "users",
        "description": "Contracts, certificates, leave, benefits, personal data",
        "team": "HR Services",
        "form": _form(
            topic=_choice("Topic", 1, "Certificate", "Contract", "Leave", "Benefits", "Other"),
            details=_area("Details", 2),
        ),
    },
    {
        "key": "FINANCE",
        "name": "Finance request",
        "prefix": "FIN",
        "category": "Finance",
        "icon": "banknote",
        "description": "Reimbursements, invoices, purchase orders, budget changes",
        "team": "Finance Operations",
        "has_amount": True,
        "form": _form(
            cost_center=_text("Cost centre", 1, maxLength=40),
            purpose=_area("Purpose", 2),
            vendor=_text("Vendor", 3),
        ),
    },
    {
        "key": "FACILITY",
        "name": "Facility request",
        "prefix": "FAC",
        "category": "Facilities",
        "icon": "building",
        "description": "Rooms, keys, furniture, heating, repairs, moves",
        "team": "Facilities",
        "form": _form(location=_text("Location", 1, description="Building, floor, room."), details=_area("Details", 2)),
    },
]


async def load(database: Database) -> bool:
    """Load the demo company unless people exist already. Returns whether it was loaded."""
    async with database.transaction() as session:
        await ensure_system_roles(session)
        if await session.scalar(select(User.id).limit(1)):
            return False
        people = await _people(session)
        await _teams_and_types(session, people)
        await _workflows(session)
    await _requests(database, people)
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
    for given in TYPES:
        values = {k: v for k, v in given.items() if k != "team"}
        await create_ticket_type(session, SYSTEM, **values, team_id=teams[given["team"]].id)


def _stage(
    name: str, condition: dict[str, Any] | None, *approvers: dict[str, Any], quorum: Any = "ANY"
) -> dict[str, Any]:
    return {
        "name": name,
        "condition": condition,
        "approvers": list(approvers),
        "mode": "PARALLEL",
        "quorum": quorum,
        "due_in_minutes": 2880,
        "escalation": None,
    }


def _amount(op: str, value: str) -> dict[str, Any]:
    return {"field": "amount", "op": op, "value": value}


# The specification's flowchart: below 1,000 the manager, to 5,000 the department head, above the Finance Committee.
PURCHASES: dict[str, Any] = {
    "name": "Purchases by amount",
    "condition": {"any": [{"field": "ticket_type", "op": "in", "value": ["IT_HARDWARE", "FINANCE"]}]},
    "stages": [
        _stage(
            "Manager",
            {"any": [_amount("lt", "1000"), {"field": "amount", "op": "is_empty"}]},
            {"kind": "REQUESTER_MANAGER"},
        ),
        _stage(
            "Department head", {"all": [_amount("gte", "1000"), _amount("lte", "5000")]}, {"kind": "DEPARTMENT_HEAD"}
        ),
        _stage(
            "Finance Committee",
            {"all": [_amount("gt", "5000")]},
            {"kind": "ROLE", "role": "finance_committee"},
            quorum=2,
        ),
    ],
}


async def _workflows(session: AsyncSession) -> None:
    await create_definition(session, SYSTEM, PURCHASES)


# who, type, title, description, priority, amount, fields, how far it goes, days until due
REQUESTS: list[tuple[str, str, str, str, str, str | None, dict[str, Any], str, int | None]] = [
    (
        "employee",
        "IT_HARDWARE",
        "Laptop for the autumn campaign",
        "The current one is five years old; video export takes hours.",
        "HIGH",
        "1450.00",
        {"budget_code": "MKT-2026-04", "justification": "Video editing for the campaign"},
        "review",
        7,
    ),
    (
        "employee",
        "IT_HARDWARE",
        "Second monitor",
        "27 inch, for layout work.",
        "MEDIUM",
        "320.00",
        {"budget_code": "MKT-2026-01", "justification": "Layout work side by side"},
        "review",
        14,
    ),
    (
        "colleague",
        "IT_HARDWARE",
        "Headset with noise cancelling",
        "Open-plan office, many calls.",
        "LOW",
        "180.00",
        {"budget_code": "MKT-2026-01", "justification": "Calls with agencies"},
        "review",
        None,
    ),
    (
        "colleague",
        "FINANCE",
        "Trade fair stand deposit",
        "Deposit for the spring fair, due this week.",
        "HIGH",
        "7800.00",
        {"cost_center": "MKT-FAIR", "purpose": "Stand deposit, spring fair", "vendor": "Messe Nord"},
        "review",
        4,
    ),
    (
        "employee",
        "FINANCE",
        "Photo shoot reimbursement",
        "Travel and props.",
        "MEDIUM",
        "240.50",
        {"cost_center": "MKT-CONTENT", "purpose": "Product photos"},
        "review",
        10,
    ),
    (
        "employee",
        "IT_SUPPORT",
        "Cannot print on floor 3",
        "The queue shows an error since this morning.",
        "MEDIUM",
        None,
        {"device": "PRN-3-02", "impact": "My team"},
        "approved",
        2,
    ),
    (
        "colleague",
        "IT_SUPPORT",
        "VPN drops every hour",
        "Since the last update.",
        "HIGH",
        None,
        {"device": "LT-2207", "impact": "Only me"},
        "working",
        1,
    ),
    (
        "outsider",
        "IT_SUPPORT",
        "New badge reader shows offline",
        "Gate B.",
        "HIGH",
        None,
        {"device": "GATE-B", "impact": "Everybody"},
        "working",
        1,
    ),
    (
        "manager",
        "IT_SUPPORT",
        "Shared mailbox for press enquiries",
        "Access for the whole team.",
        "LOW",
        None,
        {"impact": "My team"},
        "completed",
        5,
    ),
    (
        "employee",
        "HR",
        "Certificate of employment",
        "For the bank.",
        "LOW",
        None,
        {"topic": "Certificate", "details": "In English"},
        "review",
        None,
    ),
    (
        "outsider",
        "FACILITY",
        "Replace ceiling lamps in the workshop",
        "Two of six are broken.",
        "MEDIUM",
        None,
        {"location": "Building B, workshop"},
        "approved",
        9,
    ),
    (
        "colleague",
        "FACILITY",
        "Meeting room booking panel",
        "Room Oslo.",
        "LOW",
        None,
        {"location": "Building A, room Oslo"},
        "rejected",
        None,
    ),
    (
        "employee",
        "IT_HARDWARE",
        "Docking station",
        "USB-C with two displays.",
        "MEDIUM",
        "210.00",
        {"budget_code": "MKT-2026-01", "justification": "Desk sharing"},
        "completed",
        3,
    ),
    ("employee", "IT_SUPPORT", "Licence for the design program", "", "MEDIUM", None, {}, "draft", None),
]


async def _requests(database: Database, people: dict[str, int]) -> None:
    for who, kind, title, words, priority, amount, fields, how_far, days in REQUESTS:
        async with database.transaction() as session:
            asker = await _actor(session, people[who])
            made = await tickets.create_ticket(
                session,
                asker,
                title=title,
                description=words,
                ticket_type=kind,
                priority=priority,
                due_date=now() + timedelta(days=days) if days else None,
                custom_fields=fields,
                amount=Decimal(amount) if amount else None,
                currency="USD" if amount else None,
                submit=how_far != "draft",
            )
            if how_far not in ("draft", "review"):
                await _carry_on(session, made.id, kind, how_far)


async def _actor(session: AsyncSession, user_id: int) -> Actor:
    actor = await actor_of_user(session, user_id, "demo")
    if actor is None:
        raise RuntimeError("somebody of the demo company is missing")
    return actor


async def _decide(session: AsyncSession, ticket_id: int, verb: Verb) -> None:
    """Everybody who is asked gives the same answer, in their own name, until nobody is asked any more."""
    waiting = select(ApprovalStep).where(
        ApprovalStep.subject_type == TICKET,
        ApprovalStep.subject_id == ticket_id,
        ApprovalStep.status == StepStatus.PENDING.value,
    )
    while (step := await session.scalar(waiting.order_by(ApprovalStep.id).limit(1))) is not None:
        approver = await _actor(session, step.approver_id)
        words = "Not this quarter, sorry." if verb is Verb.REJECT else "Fine with me."
        await approvals.decide(session, approver, step.id, verb, comments=words)


async def _carry_on(session: AsyncSession, ticket_id: int, kind: str, how_far: str) -> None:
    await _decide(session, ticket_id, Verb.REJECT if how_far == "rejected" else Verb.APPROVE)
    if how_far in ("working", "completed"):
        team_id = await session.scalar(select(TicketType.team_id).where(TicketType.key == kind))
        member = await session.scalar(
            select(TeamMember.user_id).where(TeamMember.team_id == team_id).order_by(TeamMember.user_id).limit(1)
        )
        agent = await _actor(session, member or 0)
        await tickets.assign_ticket(session, agent, ticket_id, assignee_id=agent.user_id, team_id=None, move_team=False)
        await tickets.change_status(session, agent, ticket_id, to=Status.IN_PROGRESS, comment="")
        if how_far == "completed":
            await tickets.change_status(session, agent, ticket_id, to=Status.COMPLETED, comment="Done, please check.")
