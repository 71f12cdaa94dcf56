"""Turning approver rules into people, through the files of `approvers/`.

A resolver answers with ids, active or not, barred or not; `planning` decides who is asked in their stead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.permissions import Permission
from waypost.access.queries import people_who_may
from waypost.approvals.approvers import department_head, form_field, manager, role, team, user
from waypost.approvals.definition import Approver, ApproverKind
from waypost.approvals.planning import Candidate
from waypost.approvals.subject import Subject
from waypost.directory.queries import people_facts

Found = tuple[Sequence[int], str]
Resolver = Callable[[AsyncSession, Approver, Subject], Awaitable[Found]]
_RESOLVERS: dict[ApproverKind, Resolver] = {
    ApproverKind.USER: user.find,
    ApproverKind.USERS: user.find,
    ApproverKind.REQUESTER_MANAGER: manager.find,
    ApproverKind.MANAGERS_MANAGER: manager.find,
    ApproverKind.MANAGER_LEVEL: manager.find,
    ApproverKind.DEPARTMENT_HEAD: department_head.find,
    ApproverKind.ROLE: role.find,
    ApproverKind.TEAM: team.find,
    ApproverKind.FORM_FIELD: form_field.find,
}


async def candidates(
    session: AsyncSession, rules: Sequence[Sequence[Approver]], subject: Subject
) -> list[list[Candidate]]:
    """The people each list of rules stands for, with who is above them: a few statements for all of them together."""
    found = {rule: await _RESOLVERS[rule.kind](session, rule, subject) for stage in rules for rule in stage}
    people = await people_facts(session, sorted({i for ids, _ in found.values() for i in ids}))
    everybody = {*people, *(boss for p in people.values() for boss in p.manager_line)}
    able = await people_who_may(session, Permission.APPROVALS_DECIDE, everybody)
    answer = []
    for stage in rules:
        row: list[Candidate] = []
        for rule in stage:
            ids, why = found[rule]
            known = [people[i] for i in ids if i in people]
            row.extend(
                Candidate(
                    p.id,
                    p.is_active and p.id in able,
                    tuple(boss for boss in p.manager_line if boss in able),
                    why,
                    rule.is_group,
                )
                for p in known
            )
        answer.append(row)
    return answer
