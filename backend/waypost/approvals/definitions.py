"""The workflows in force, and choosing the one a subject is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import reading
from waypost.approvals.definition import FIELDS, ApproverKind, Definition
from waypost.approvals.models import ApprovalDefinition, ApprovalDefinitionVersion
from waypost.approvals.subject import Subject
from waypost.catalog.models import TicketType
from waypost.catalog.uses import Use
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import CUSTOM, Field, Kind
from waypost.kernel.conditions.tree import describe, leaves

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


_parsed: dict[tuple[int, int], Definition] = {}


@dataclass(frozen=True, slots=True)
class InForce:
    """A workflow that subjects may be judged by, as it reads now."""

    definition_id: int | None
    version: int | None
    definition: Definition


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
    best = max(fitting, key=lambda w: (specificity(w.definition), w.definition_id or 0))
    found = best.definition
    if not any(holds(s.condition, subject.facts) for s in found.stages):
        # Nobody is approved because an author forgot a case: the manager decides.
        return Chosen(DEFAULT, None, None, f"no stage of “{found.name}” fits, so the manager decides")
    return Chosen(found, best.definition_id, best.version, describe(found.condition))


async def chosen_version(session: AsyncSession, definition_id: int | None, version: int | None) -> Chosen:
    """The version of a definition that a running workflow keeps; without ids the default."""
    if definition_id is None or version is None:
        return Chosen(DEFAULT, None, None, "")
    await _parse_missing(session, [key for key in [(definition_id, version)] if key not in _parsed])
    found = _parsed[definition_id, version]
    return Chosen(found, definition_id, version, describe(found.condition))


def specificity(definition: Definition) -> tuple[int, int]:
    """How much a workflow's condition compares, and how much of that with one value; the higher is used."""
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
        name: Field(
            name,
            Kind(f["kind"]),
            f["label"],
            tuple(f["choices"]),
            tuple(f.get("labels") or ()),
            f.get("refers_to"),
        )
        for name, f in row.field_kinds.items()
    }
    return reading.read(row.document, custom | FIELDS)


def kept_field(field: Field) -> dict[str, Any]:
    """A form's field as a version keeps it, so that it is read as it was when forms change."""
    return {
        "kind": field.kind.value,
        "label": field.label,
        "choices": list(field.choices),
        "labels": list(field.labels),
        "refers_to": field.refers_to,
    }
