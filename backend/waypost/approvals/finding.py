"""Turning approver rules into people, through the files of `approvers/`.

A resolver answers with ids, active or not, barred or not; `planning` decides who is asked in their stead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.permissions import Permission
from waypost.access.queries import people_who_may
from waypost.approvals import states
from waypost.approvals.approvers import department_head, form_field, manager, role, team, user
from waypost.approvals.definition import Approver, ApproverKind
from waypost.approvals.planning import Candidate
from waypost.approvals.subject import Subject
from waypost.directory.queries import people_facts

Found = tuple[Sequence[int], str]
Ask = tuple[Approver, Subject]
Resolver = Callable[[AsyncSession, Sequence[Ask]], Awaitable[Sequence[Found]]]
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
ADMINISTRATORS = Approver(ApproverKind.ROLE, "admin")
Rules = Sequence[Sequence[Approver]]


async def candidates(session: AsyncSession, rules: Rules, subject: Subject) -> list[list[Candidate]]:
    """The people each list of rules stands for, with who is above them."""
    return (await candidates_of_all(session, [(rules, subject)]))[0]


async def candidates_of_all(
    session: AsyncSession, wanted: Sequence[tuple[Rules, Subject]]
) -> list[list[list[Candidate]]]:
    """The same for many subjects, each with rules of its own: a few statements for all of them together."""
    found = await _resolved(session, wanted)
    people = await people_facts(session, sorted({i for ids, _ in found.values() for i in ids}))
    everybody = {*people, *(boss for p in people.values() for boss in p.manager_line)}
    able = await people_who_may(session, Permission.APPROVALS_DECIDE, everybody)
    lines = {p.id: tuple(boss for boss in p.manager_line if boss in able) for p in people.values()}

    def known(n: int, rule: Approver) -> list[Candidate]:
        ids, why = found[n, rule]
        there = [people[i] for i in ids if i in people]
        return [Candidate(p.id, p.is_active and p.id in able, lines[p.id], why, rule.is_group) for p in there]

    return [[[c for rule in stage for c in known(n, rule)] for stage in rules] for n, (rules, _) in enumerate(wanted)]


async def _resolved(
    session: AsyncSession, wanted: Sequence[tuple[Rules, Subject]]
) -> dict[tuple[int, Approver], Found]:
    asks: dict[Resolver, dict[tuple[int, Approver], Ask]] = {}
    for n, (rules, subject) in enumerate(wanted):
        for stage in rules:
            for rule in stage:
                asks.setdefault(_RESOLVERS[rule.kind], {})[n, rule] = (rule, subject)
    found: dict[tuple[int, Approver], Found] = {}
    for resolve, own in asks.items():
        found |= dict(zip(own, await resolve(session, list(own.values())), strict=True))
    return found


async def nearest_above(
    session: AsyncSession, state: states.State, step: states.Step, *, beyond: Sequence[int] = ()
) -> int | None:
    """The nearest manager above the one asked who may decide it and has no part in its stage yet, else one of `beyond`."""
    stage, _ = state.find(step.id)
    taken = state.barred | stage.involved()
    people = await people_facts(session, [step.approver])
    above = [*(people[step.approver].manager_line if step.approver in people else ()), *beyond]
    able = await people_who_may(session, Permission.APPROVALS_DECIDE, above)
    return next((i for i in above if i in able and i not in taken), None)
