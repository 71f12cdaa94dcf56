"""Whom a step goes to further up when nobody answers: read at once for everything a workflow may still come to.

The timers and what a waiting person is told both ask here, so what is foretold is what happens.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.permissions import Permission
from waypost.access.queries import people_who_may
from waypost.approvals import states
from waypost.approvals.definition import Approver, ApproverKind
from waypost.approvals.definitions import chosen_version
from waypost.approvals.finding import ADMINISTRATORS, candidates
from waypost.approvals.models import ApprovalWorkflow
from waypost.approvals.states import Receiver
from waypost.approvals.subject import Subject
from waypost.directory.queries import manager_lines
from waypost.kernel.errors import Refusal
from waypost.kernel.logs import get_logger

_NEXT_MANAGER = Approver(ApproverKind.NEXT_MANAGER)
_LATE = "nobody answered in time"
_UNREADABLE = f"{_LATE}, and whom the workflow would ask cannot be read"
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WaysUp:
    """Who can be asked further up, by the rule of each stage. `lines` are the managers above people who may decide."""

    by_rule: Mapping[int, tuple[Receiver, ...] | None]  # by stage; None: the next manager in line
    lines: Mapping[int, tuple[int, ...]]
    administrators: tuple[Receiver, ...]

    @property
    def people(self) -> frozenset[int]:
        """Everybody who may be asked further up."""
        asked = [*self.administrators, *(r for found in self.by_rule.values() for r in found or ())]
        return frozenset([*(r.person for r in asked), *(boss for line in self.lines.values() for boss in line)])

    def of(self, state: states.State, step_id: int) -> tuple[list[Receiver], list[Receiver]]:
        """Who is asked further up when this step is not answered, and the administrators."""
        stage, step = state.find(step_id)
        found = self.by_rule[stage.id]
        if found is None:
            taken = state.barred | stage.involved()
            boss = next((i for i in self.lines.get(step.approver, ()) if i not in taken), None)
            found = () if boss is None else (Receiver(boss, f"next in line, because {_LATE}"),)
        return list(found), list(self.administrators)


async def ways_up(
    session: AsyncSession, row: ApprovalWorkflow, state: states.State, step_ids: Collection[int]
) -> WaysUp:
    """The ways up from these steps, and from whomever they come to."""
    written = await _written(session, row)
    found = [state.find(i) for i in step_ids]
    stages = list({stage.id: stage for stage, _ in found}.values())
    rules = [_rule_of(stage, written) for stage in stages]
    asked = [[rule] for rule in rules if rule.kind is not ApproverKind.NEXT_MANAGER]
    *others, admins = await candidates(session, [*asked, (ADMINISTRATORS,)], subject_of(row))
    by_rule: dict[int, tuple[Receiver, ...] | None] = {}
    waiting = iter(others)
    for stage, rule in zip(stages, rules, strict=True):
        by_rule[stage.id] = None
        if rule.kind is not ApproverKind.NEXT_MANAGER:
            why = _UNREADABLE if written is None else _LATE
            by_rule[stage.id] = tuple(Receiver(c.person, f"{c.why}: {why}") for c in next(waiting) if c.is_able)
    lines = {}
    if None in by_rule.values():
        lines = await _lines(session, {step.approver for _, step in found})
    return WaysUp(by_rule, lines, tuple(Receiver(c.person, f"{c.why}: {_LATE}") for c in admins if c.is_able))


async def _written(session: AsyncSession, row: ApprovalWorkflow) -> list[Approver] | None:
    """The rule of each stage; None when what an earlier release wrote cannot be read any more."""
    try:
        keeps = await chosen_version(session, row.definition_id, row.definition_version)
    except (Refusal, LookupError, ValueError):
        _log.exception("a workflow that is running cannot be read", workflow_id=row.id)
        return None
    return [s.escalation.to for s in keeps.definition.stages]


def _rule_of(stage: states.Stage, rules: list[Approver] | None) -> Approver:
    if not stage.ladder.after:  # an emergency: what a definition says is a minute at least
        return _NEXT_MANAGER
    if rules is None:  # no reason to wait for ever, nor to reject
        return ADMINISTRATORS
    return rules[stage.position - 1] if len(rules) >= stage.position > 0 else _NEXT_MANAGER


async def _lines(session: AsyncSession, people: set[int]) -> dict[int, tuple[int, ...]]:
    """The managers above these people, and above each of those, who may decide."""
    above = await manager_lines(session, sorted(people))
    able = await people_who_may(session, Permission.APPROVALS_DECIDE, {i for line in above.values() for i in line})
    lines: dict[int, tuple[int, ...]] = {}
    for line in above.values():
        for n, boss in enumerate(line):  # whoever stands above a manager is who follows them in the line
            lines[boss] = tuple(i for i in line[n + 1 :] if i in able)
    return lines | {person: tuple(i for i in line if i in able) for person, line in above.items()}


def subject_of(row: ApprovalWorkflow) -> Subject:
    """The subject as finding people needs it: as it stood when it was asked for or last edited."""
    return Subject(
        type=row.subject_type,
        id=row.subject_id,
        round=row.round,
        requester_id=row.subject["requester_id"],
        department_id=row.subject["department_id"],
        urgency=1,
        facts={},
        custom_fields=row.subject.get("custom_fields", {}),
        shown=row.subject,
        barred=frozenset(row.barred_ids),
    )
