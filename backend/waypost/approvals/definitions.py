"""Keeping workflow definitions: adding, changing, and choosing the one a subject is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role
from waypost.approvals import definition as reading
from waypost.approvals.approvers import role, team
from waypost.approvals.definition import Approver, ApproverKind, Definition
from waypost.approvals.errors import BadDefinition, DefinitionNotFound
from waypost.approvals.events import DefinitionChanged, DefinitionCreated
from waypost.approvals.models import ApprovalDefinition, ApprovalDefinitionVersion
from waypost.approvals.subject import Subject
from waypost.catalog.models import TicketType
from waypost.catalog.uses import Use
from waypost.directory.models import Department, Team, User
from waypost.kernel.clock import now
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import CUSTOM, Field, Kind, form_fields
from waypost.kernel.conditions.tree import describe, leaves
from waypost.kernel.errors import FieldError, StaleVersion
from waypost.kernel.events import Doer, record

# What a type without a definition of its own takes.
DEFAULT_DOCUMENT: dict[str, Any] = {
    "name": "Manager's approval",
    "condition": None,
    "stages": [{"name": "Manager", "condition": None, "approvers": [{"kind": "REQUESTER_MANAGER"}]}],
}
DEFAULT = reading.read(DEFAULT_DOCUMENT)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The definition a subject is judged by, and why this one. The ids are None for the default."""

    definition: Definition
    definition_id: int | None
    version: int | None
    why: str


async def create_definition(session: AsyncSession, actor: Doer, document: dict[str, Any]) -> ApprovalDefinition:
    """Add a workflow. Raises `BadDefinition` or `InvalidCondition` naming the place."""
    checked, kinds = await _checked(session, document)
    made = ApprovalDefinition(name=checked.name, version=1, created_at=now(), updated_at=now())
    session.add(made)
    await session.flush()
    await _keep_version(session, actor, made, document, kinds)
    await record(session, DefinitionCreated(definition_id=made.id, definition_version=1, name=made.name), actor=actor)
    return made


async def change_definition(
    session: AsyncSession, actor: Doer, definition_id: int, *, version: int, document: dict[str, Any]
) -> ApprovalDefinition:
    """Give a workflow its next version; running ones keep theirs.

    Raises `DefinitionNotFound`, `StaleVersion`, or names what is wrong with the document.
    """
    found = await session.get(ApprovalDefinition, definition_id, with_for_update={"key_share": True})
    if found is None:
        raise DefinitionNotFound
    checked, kinds = await _checked(session, document)
    if found.version != version:
        raise StaleVersion(current_version=found.version)
    found.name, found.version, found.updated_at = checked.name, version + 1, now()
    await session.flush()
    await _keep_version(session, actor, found, document, kinds)
    await record(
        session,
        DefinitionChanged(definition_id=found.id, definition_version=found.version, name=found.name),
        actor=actor,
    )
    return found


async def _keep_version(
    session: AsyncSession, actor: Doer, made: ApprovalDefinition, document: dict[str, Any], kinds: dict[str, Any]
) -> None:
    session.add(
        ApprovalDefinitionVersion(
            definition_id=made.id,
            version=made.version,
            document=document,
            field_kinds=kinds,
            created_by_id=actor.person_id,
            created_at=now(),
        )
    )
    await session.flush()


async def _checked(session: AsyncSession, document: dict[str, Any]) -> tuple[Definition, dict[str, Any]]:
    known: dict[str, Field] = {}
    for form in await session.scalars(select(TicketType.form)):
        known |= form_fields(form)
    checked = reading.read(document, known | reading.FIELDS)
    for n, stage in enumerate(checked.stages):
        for m, approver in enumerate(stage.approvers):
            await _check_exists(session, approver, f"/stages/{n}/approvers/{m}")
        for m, approver in enumerate(stage.fallback):
            await _check_exists(session, approver, f"/stages/{n}/fallback/{m}")
        await _check_exists(session, stage.escalation.to, f"/stages/{n}/escalation/to")
        await _check_quorum(session, stage, f"/stages/{n}/quorum")
    spoken_of = [checked.condition, *(s.condition for s in checked.stages)]
    custom = {leaf.field for c in spoken_of for leaf in leaves(c) if leaf.field.name not in reading.FIELDS}
    return checked, {f.name: {"kind": f.kind.value, "label": f.label, "choices": list(f.choices)} for f in custom}


async def _check_exists(session: AsyncSession, approver: Approver, pointer: str) -> None:
    if approver.kind is ApproverKind.USERS:
        there = set(await session.scalars(select(User.id).where(User.id.in_(approver.named), User.is_active)))
        gone = [n for n, person in enumerate(approver.named) if person not in there]
        if gone:
            raise BadDefinition(
                "There is no such user.",
                errors=tuple(FieldError(f"{pointer}/user_ids/{n}", "does not exist, or is not active") for n in gone),
            )
    looked_up = {
        ApproverKind.USER: ("user_id", select(User.id).where(User.id == approver.target, User.is_active)),
        ApproverKind.ROLE: ("role", select(Role.id).where(Role.key == approver.target)),
        ApproverKind.TEAM: ("team_id", select(Team.id).where(Team.id == approver.target)),
    }.get(approver.kind)
    if looked_up is not None and await session.scalar(looked_up[1]) is None:
        raise BadDefinition(
            f"There is no such {looked_up[0].removesuffix('_id')}.",
            errors=(FieldError(f"{pointer}/{looked_up[0]}", "does not exist, or is not active"),),
        )
    if approver.department_id is not None and not await session.scalar(
        select(Department.id).where(Department.id == approver.department_id)
    ):
        raise BadDefinition(
            "There is no such department.", errors=(FieldError(f"{pointer}/department_id", "does not exist"),)
        )


async def _check_quorum(session: AsyncSession, stage: reading.Stage, pointer: str) -> None:
    """A number of votes that the groups of today could never give is a mistake, told when it is written."""
    if not isinstance(stage.quorum, int) or not any(a.is_group for a in stage.approvers):
        return
    people: set[int] = set()
    others = 0
    for approver in stage.approvers:
        finder = {ApproverKind.ROLE: role.members, ApproverKind.TEAM: team.members}.get(approver.kind)
        if finder is None:
            others += approver.most or 0
        else:
            people.update(await finder(session, approver))
    if stage.quorum > len(people) + others:
        message = f"must not exceed the {len(people) + others} approvers there are"
        raise BadDefinition(f"The workflow's quorum {message}.", errors=(FieldError(pointer, message),))


_parsed: dict[tuple[int, int], Definition] = {}


@dataclass(frozen=True, slots=True)
class InForce:
    """A workflow that subjects may be judged by, as it reads now."""

    definition_id: int | None
    version: int | None
    definition: Definition


async def choose(session: AsyncSession, subject: Subject) -> Chosen:
    """The workflow this subject is judged by, of those in force."""
    return choose_among(await in_force(session), subject)


async def in_force(session: AsyncSession) -> list[InForce]:
    """The active workflows in their current versions. One statement when they are known."""
    active = (
        await session.execute(
            select(ApprovalDefinition.id, ApprovalDefinition.version).where(ApprovalDefinition.is_active)
        )
    ).all()
    await _parse_missing(session, [(i, v) for i, v in active if (i, v) not in _parsed])
    return [InForce(i, v, _parsed[i, v]) for i, v in active]


def choose_among(workflows: Sequence[InForce], subject: Subject) -> Chosen:
    """The most specific workflow whose condition holds, else the default. Pure.

    More comparisons are more specific, and "is" more than "is one of"; of equals the newest wins.
    """
    fitting = [w for w in workflows if holds(w.definition.condition, subject.facts)]
    if not fitting:
        return Chosen(DEFAULT, None, None, "no workflow is made for this, so the manager decides")
    best = max(fitting, key=lambda w: (_specificity(w.definition), w.definition_id or 0))
    found = best.definition
    if not any(holds(s.condition, subject.facts) for s in found.stages):
        # Nobody is approved because an author forgot a case: the manager decides.
        return Chosen(DEFAULT, None, None, f"no stage of “{found.name}” fits, so the manager decides")
    return Chosen(found, best.definition_id, best.version, describe(found.condition))


def _specificity(definition: Definition) -> tuple[int, int]:
    compared = list(leaves(definition.condition))
    return len(compared), sum(leaf.op == "eq" for leaf in compared)


async def _parse_missing(session: AsyncSession, missing: list[tuple[int, int]]) -> None:
    if not missing:
        return
    rows = await session.scalars(
        select(ApprovalDefinitionVersion).where(ApprovalDefinitionVersion.definition_id.in_([i for i, _ in missing]))
    )
    wanted = set(missing)
    for row in rows:
        if (row.definition_id, row.version) in wanted:
            _parsed[row.definition_id, row.version] = parsed(row)


async def definitions_naming(session: AsyncSession, kind: TicketType, key: str) -> list[Use]:
    """The active workflows that look at a form's field, in a condition or to find an approver."""
    current = (
        select(ApprovalDefinitionVersion)
        .join(ApprovalDefinition, ApprovalDefinition.id == ApprovalDefinitionVersion.definition_id)
        .where(ApprovalDefinition.is_active, ApprovalDefinitionVersion.version == ApprovalDefinition.version)
    )
    found = []
    for row in await session.scalars(current):
        definition = parsed(row)
        looked_at = {
            x.field.name for c in (definition.condition, *(s.condition for s in definition.stages)) for x in leaves(c)
        }
        approvers = [a for s in definition.stages for a in (*s.approvers, *s.fallback, s.escalation.to)]
        asks = any(a.kind is ApproverKind.FORM_FIELD and a.target == key for a in approvers)
        looked_at |= {name for s in definition.stages for name in s.judges or ()}
        if asks or f"{CUSTOM}{key}" in looked_at:
            found.append(Use("approval_workflow", row.definition_id, definition.name))
    return found


def parsed(row: ApprovalDefinitionVersion) -> Definition:
    """The definition a kept version stands for."""
    custom = {
        name: Field(name, Kind(f["kind"]), f["label"], tuple(f["choices"])) for name, f in row.field_kinds.items()
    }
    return reading.read(row.document, custom | reading.FIELDS)
