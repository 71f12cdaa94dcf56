"""Trying a workflow out before it is published: the workflows in force as if it stood among them. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from waypost.approvals import checking, surveying
from waypost.approvals.definitions import InForce, in_force
from waypost.approvals.errors import DefinitionNotFound
from waypost.approvals.foreseeing import Foreseen
from waypost.approvals.models import ApprovalDefinition, ApprovalDefinitionVersion
from waypost.approvals.subject import Subject
from waypost.approvals.wording import Call, namer
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.tree import describe
from waypost.kernel.errors import FieldError, Invalid

NEW = 2**62  # stands for the id it has not got yet: of equals, the newest is used


@dataclass(frozen=True, slots=True)
class Trial:
    """The workflows in force now, and those that would be; `own` is the one that is tried out."""

    now: Sequence[InForce]
    then: Sequence[InForce]
    own: InForce | None
    call: Call | None = None

    def concerns(self, subject: Subject) -> bool:
        """Whether it fits a subject, or did: all others go the way they went."""
        ids = {self.own.definition_id} if self.own else set()
        own = [w for w in (*self.now, *self.then) if w.definition_id in ids]
        return any(holds(w.definition.condition, subject.facts) for w in own)

    def why_not(self, foreseen: Foreseen, subject: Subject) -> str | None:
        """Why a subject is not judged by the workflow that is tried out; None when it is."""
        own = self.own
        if own is None or foreseen.chosen.definition_id == own.definition_id:
            return None
        if not holds(own.definition.condition, subject.facts):
            return f"it is for requests of which this holds: {describe(own.definition.condition, self.call)}"
        if not any(holds(s.condition, subject.facts) for s in own.definition.stages):
            return "none of its stages applies"
        return f"“{foreseen.chosen.definition.name}” fits as well and is more specific, or as specific and newer"


async def trial(session: AsyncSession, document: dict[str, Any] | None, definition_id: int | None) -> Trial:
    """The workflows as if this document were published, as a workflow of its own or as the next version of one.

    Without a document it is the workflow's draft, and without a draft what it says now. Raises `DefinitionNotFound`, or
    names what keeps the document from being read.
    """
    now = await in_force(session)
    written, version = (document, None) if definition_id is None else await _written(session, document, definition_id)
    if written is None:
        return Trial(now, now, None)
    definition, problems = checking.read(written, (await surveying.forms(session)).fields)
    if definition is None:
        place = "/document" if document is not None else ""
        raise Invalid(
            "The workflow cannot be tried out before it can be read.",
            errors=tuple(FieldError(f"{place}{p.pointer}", p.message) for p in problems),
        )
    own = InForce(definition_id or NEW, version, definition)
    others = [w for w in now if w.definition_id != definition_id]
    return Trial(now, [*others, own], own, await namer(session, [definition.condition]))


async def _written(
    session: AsyncSession, document: dict[str, Any] | None, definition_id: int
) -> tuple[dict[str, Any], int | None]:
    statement = select(ApprovalDefinition).where(ApprovalDefinition.id == definition_id)
    row = await session.scalar(statement.options(undefer(ApprovalDefinition.draft)))
    if row is None:
        raise DefinitionNotFound
    if document is not None:
        return document, None
    if row.draft is not None:
        return row.draft, None
    kept = await session.get_one(ApprovalDefinitionVersion, (definition_id, row.version))
    return kept.document, row.version
