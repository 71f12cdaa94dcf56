"""What a workflow's document is checked against: the people, groups, forms and other workflows of now.

A handful of statements, however much a document says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role
from waypost.approvals import called, checking, soundness
from waypost.approvals.checking import Level, Problem
from waypost.approvals.definition import FIELDS, ApproverKind, Definition
from waypost.approvals.definitions import in_force, kept_field, specificity
from waypost.approvals.errors import BadDefinition
from waypost.approvals.finding import ADMINISTRATORS, candidates
from waypost.approvals.soundness import OWN_DOMAINS, Company, Other
from waypost.approvals.subject import Subject
from waypost.approvals.wording import namer
from waypost.catalog.models import TicketType
from waypost.directory.models import Department, Team, User
from waypost.kernel.conditions.fields import CUSTOM, Field, form_fields
from waypost.kernel.conditions.possible import Domain
from waypost.kernel.conditions.tree import InvalidCondition, leaves
from waypost.kernel.errors import FieldError, Invalid

NOTHING = Subject("", 0, 0, 0, None, 1, {}, {}, {})
_DEPENDS = {
    ApproverKind.REQUESTER_MANAGER,
    ApproverKind.MANAGERS_MANAGER,
    ApproverKind.MANAGER_LEVEL,
    ApproverKind.FORM_FIELD,
    ApproverKind.NEXT_MANAGER,
}
NEWEST = 2**63


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of all types: the fields a condition may speak of, and which types have which."""

    fields: Mapping[str, Field]
    types: tuple[str, ...]
    types_with: Mapping[str, frozenset[str]]
    domains: Mapping[str, Domain]


@dataclass(frozen=True, slots=True)
class Checked:
    """A document with all that is wrong with it; `definition` is None while it cannot be read."""

    definition: Definition | None
    field_kinds: dict[str, Any]
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """What keeps it from being published."""
        return [p for p in self.problems if p.level is Level.ERROR]


async def forms(session: AsyncSession) -> Forms:
    """The forms there are. One statement."""
    fields: dict[str, Field] = {}
    types_with: dict[str, set[str]] = {}
    domains: dict[str, Domain] = {}
    types = (await session.execute(select(TicketType.key, TicketType.form).order_by(TicketType.id))).all()
    for kind, form in types:
        fields |= form_fields(form)
        for key, schema in (form.get("properties") or {}).items():
            types_with.setdefault(key, set()).add(kind)
            step = _step(schema)
            if step is not None:
                domains[f"{CUSTOM}{key}"] = Domain(step=step)
    keys = tuple(kind for kind, _ in types)
    domains.update(OWN_DOMAINS, ticket_type=Domain(choices=keys, is_never_empty=True))
    return Forms(fields | FIELDS, keys, {k: frozenset(v) for k, v in types_with.items()}, domains)


def _step(schema: Any) -> Decimal | None:
    if not isinstance(schema, dict):
        return None
    if schema.get("x-kind") == "money":
        return Decimal("0.01")
    return Decimal(1) if schema.get("type") == "integer" else None


async def check(session: AsyncSession, document: object, *, own_id: int | None = None, is_off: bool = False) -> Checked:
    """Everything that is wrong with a document, errors and warnings. `own_id` is the workflow it would change, `is_off`
    that it is switched off, and stays so."""
    known = await forms(session)
    definition, problems = checking.read(document, known.fields)
    if definition is None:
        return Checked(None, {}, problems)
    company = await survey(session, definition, known)
    problems += soundness.named(definition, company)
    in_use = [w for w in await in_force(session) if w.definition_id != own_id]
    problems += soundness.name_taken(definition, {called.key_of(w.definition.name) for w in in_use}, is_off=is_off)
    others = [
        Other(w.definition.name, w.definition.condition, (*specificity(w.definition), w.definition_id or 0))
        for w in in_use
    ]
    rank = (*specificity(definition), own_id or NEWEST)
    problems += soundness.doubts(definition, company, others, rank)
    return Checked(definition, _kinds(definition), problems[: checking.MOST])


async def must_be_sound(session: AsyncSession, document: dict[str, Any]) -> tuple[Definition, dict[str, Any]]:
    """The definition of a document and the kinds of form fields it speaks of.

    Raises `BadDefinition` or `InvalidCondition` with all errors.
    """
    known = await forms(session)
    definition, problems = checking.read(document, known.fields)
    if definition is not None:
        problems += soundness.named(definition, await survey(session, definition, known))
        if not problems:
            return definition, _kinds(definition)
    raise refusal(problems)


def refusal(problems: Sequence[Problem]) -> Invalid:
    """What is told when a workflow with these errors is to be published."""
    first = problems[0]
    errors = tuple(FieldError(p.pointer, p.message) for p in problems[: checking.MOST])
    if "/condition" in first.pointer:
        return InvalidCondition(f"The condition {first.message}.", errors=errors)
    return BadDefinition(f"The workflow's {first.pointer.strip('/') or 'document'} {first.message}.", errors=errors)


def _kinds(definition: Definition) -> dict[str, Any]:
    custom = {
        leaf.field
        for _, condition in soundness.looked_at(definition)
        for leaf in leaves(condition)
        if leaf.field.name not in FIELDS
    }
    return {f.name: kept_field(f) for f in custom}


async def survey(session: AsyncSession, definition: Definition, known: Forms) -> Company:
    """What there is today of all that a workflow names."""
    rules = {rule for _, rule in soundness.rules_of(definition)}
    fixed = [
        r for r in rules if r.kind not in _DEPENDS and (r.kind is not ApproverKind.DEPARTMENT_HEAD or r.department_id)
    ]
    *members, administrators = await candidates(session, [*((r,) for r in fixed), (ADMINISTRATORS,)], NOTHING)

    async def names_of(table: Any, key: Any, name: Any, wanted: set[Any], *where: Any) -> dict[Any, str]:
        if not wanted:
            return {}
        rows = await session.execute(select(key, name).where(key.in_(wanted), *where))
        return {row[0]: row[1] for row in rows}

    def targets(kind: ApproverKind) -> set[Any]:
        return {r.target for r in rules if r.kind is kind}

    whole_name = User.first_name + " " + User.last_name
    return Company(
        people=await names_of(User, User.id, whole_name, {i for r in rules for i in r.named}, User.is_active),
        roles=await names_of(Role, Role.key, Role.name, targets(ApproverKind.ROLE)),
        teams=await names_of(Team, Team.id, Team.name, targets(ApproverKind.TEAM)),
        departments=await names_of(
            Department, Department.id, Department.name, {r.department_id for r in rules if r.department_id is not None}
        ),
        members=dict(zip(fixed, members, strict=True)),
        administrators=administrators,
        types_with=known.types_with,
        types=known.types,
        domains=known.domains,
        call=await namer(session, (condition for _, condition in soundness.looked_at(definition))),
    )
