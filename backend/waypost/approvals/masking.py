"""A subject whose field became sensitive: its answer gives way to a mark, wherever approvals kept it.

What approvers signed is the subject as it was. The whole of it lies sealed beside the masked one, so that a signature can
still be held against it, and that only answers were masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.models import ApprovalStage, ApprovalStep, ApprovalSubjectVersion, ApprovalWorkflow
from waypost.catalog.sensitive import HIDDEN_TEXT, mark_of
from waypost.kernel.crypto import WrappedKey, keyring

Marks = Mapping[str, Mapping[str, str]]
# (subject's id, field's key, its answer) -> what stands in its place
Marker = Callable[[int, str, Any], Mapping[str, str]]


def masked(subject: Mapping[str, Any], marks: Marks) -> dict[str, Any]:
    """A subject with these marks in the place of answers. Pure."""
    kept = dict(subject)
    if isinstance(fields := subject.get("custom_fields"), Mapping):
        kept["custom_fields"] = {key: marks.get(key, value) for key, value in fields.items()}
    if isinstance(answers := subject.get("answers"), list):
        kept["answers"] = [
            {**a, "value": marks[a["key"]], "text": HIDDEN_TEXT} if a.get("key") in marks else a for a in answers
        ]
    return kept


def open_answers(subject: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """The answers to these fields that a subject holds in the clear. Pure."""
    fields = subject.get("custom_fields")
    return {k: v for k, v in fields.items() if k in keys and mark_of(v) is None} if isinstance(fields, Mapping) else {}


def original(row: ApprovalSubjectVersion) -> dict[str, Any] | None:
    """The subject as approvers read it, whatever was masked since; None when the masked one is not the same else.

    Raises `Damaged`.
    """
    if row.sealed is None or row.key_id is None:
        return row.subject
    read: dict[str, Any] = msgspec.json.decode(keyring().unwrap(WrappedKey(row.key_id, row.sealed), row.about))
    marks = {k: v for k, v in (row.subject.get("custom_fields") or {}).items() if mark_of(v) is not None}
    return read if masked(read, marks) == row.subject else None


async def mask(
    session: AsyncSession,
    subject_type: str,
    subject_ids: Collection[int],
    keys: Collection[str],
    titles: Collection[str],
    mark: Marker,
) -> set[int]:
    """Put marks where approvals hold answers to these fields of these subjects; the ids of those that had any.

    Of sentences that tell what an answer was changed from, only that it changed is kept (`titles` are the fields').
    """
    w, v = ApprovalWorkflow, ApprovalSubjectVersion
    found: set[int] = set()
    workflows = await session.scalars(
        select(w).where(w.subject_type == subject_type, w.subject_id.in_(sorted(subject_ids))).with_for_update()
    )
    subject_of: dict[int, int] = {}
    for row in workflows:
        subject_of[row.id] = row.subject_id
        if answers := open_answers(row.subject, keys):
            found.add(row.subject_id)
            row.subject = masked(row.subject, {k: mark(row.subject_id, k, a) for k, a in answers.items()})
        names = {f"custom.{key}" for key in keys}
        if row.facts is not None and names & {*row.facts.get("v", {}), *row.facts.get("f", {})}:
            row.facts = {part: {n: x for n, x in held.items() if n not in names} for part, held in row.facts.items()}
    if not subject_of:
        return found
    versions = await session.scalars(select(v).where(v.workflow_id.in_(subject_of)).with_for_update())
    for version in versions:
        subject_id = subject_of[version.workflow_id]
        if not (answers := open_answers(version.subject, keys)):
            continue
        found.add(subject_id)
        if version.sealed is None:
            wrapped = keyring().wrap(msgspec.json.encode(version.subject), version.about)
            version.sealed, version.key_id = wrapped.value, wrapped.key_id
        version.subject = masked(version.subject, {k: mark(subject_id, k, a) for k, a in answers.items()})
    for table in (ApprovalStage, ApprovalStep):
        found |= await _unsay(session, table, subject_of, titles)
    await session.flush()
    return found


async def _unsay(
    session: AsyncSession,
    table: Any,  # of stages or of steps
    subject_of: Mapping[int, int],
    titles: Collection[str],
) -> set[int]:
    said = or_(*(table.reason.contains(f"{title} changed from ", autoescape=True) for title in titles))
    rows = list(await session.scalars(select(table).where(table.workflow_id.in_(subject_of), said)))
    for row in rows:
        row.reason = unsaid(row.reason, titles)
    return {subject_of[row.workflow_id] for row in rows}


def unsaid(words: str, titles: Collection[str]) -> str:
    """A sentence without what answers to these fields were changed from and to: what follows may hold them. Pure."""
    pattern = "|".join(re.escape(title) for title in sorted(titles, key=len, reverse=True))
    return re.sub(rf"({pattern}) changed from .*", r"\1 changed", words, flags=re.DOTALL) if pattern else words
