"""What an edit does to a running approval: nothing, places of it asked again, or a new round.

A place is asked again when a fact it owns has changed after somebody answered there, when its people or their number
change, or when one of them may not decide any more. `owners` says whose a fact is. Others' answers stand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import engine, states
from waypost.approvals.definition import ApproverKind, Stage
from waypost.approvals.definitions import Chosen, choose_among, chosen_version, in_force
from waypost.approvals.errors import NobodyToAsk
from waypost.approvals.foreseeing import plan_all
from waypost.approvals.planning import signature
from waypost.approvals.rows import keep, running_of
from waypost.approvals.scopes import facts_kept
from waypost.approvals.seen import is_one_by_one, keep_version
from waypost.approvals.states import StageStatus, StepStatus
from waypost.approvals.subject import Subject
from waypost.approvals.working import with_hours
from waypost.kernel.clock import now
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.conditions.tree import leaves
from waypost.kernel.events import Doer

# Changes of these ask nobody again who does not say that they judge them: a typo re-opens nothing.
MINOR = frozenset({"title", "description", "due_date", "priority", "requester_id"})
_ALIASES = {"currency": "amount"}  # an amount is compared in the company's own currency
_ANSWERED = frozenset({StepStatus.APPROVED, StepStatus.REJECTED})
# who handed a decision on chose who makes it
_HELD = _ANSWERED | states.UNDECIDED | {StepStatus.DELEGATED}


class Extent(StrEnum):
    """How far an edit reaches."""

    NOTHING = "NOTHING"
    STAGES = "STAGES"
    ROUND = "ROUND"


@dataclass(frozen=True, slots=True)
class Revision:
    """What an edit asks for. `stages` are the names of the places that are asked again, none when all it does is that
    some apply no more; `changed` the facts, `keeps` the workflow that goes on judging it."""

    extent: Extent
    stages: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    planned: states.State | None = None
    kept: frozenset[int] = frozenset()
    keeps: Chosen | None = None


def named_facts(stage: Stage) -> frozenset[str]:
    """The facts a stage says it looks at: in `judges`, in its condition, or to find its people."""
    named = set(stage.judges or ()) | {leaf.field.name for leaf in leaves(stage.condition)}
    named |= {f"{CUSTOM}{a.target}" for a in stage.approvers if a.kind is ApproverKind.FORM_FIELD}
    if any(a.kind is ApproverKind.DEPARTMENT_HEAD and a.department_id is None for a in stage.approvers):
        named.add("department_id")
    return frozenset(named)


def owners(fact: str, stages: Sequence[Stage], applying: Collection[int]) -> frozenset[int]:
    """The positions (from 1) whose answers depend on a fact.

    Those that apply and name it; when none does, and it is no minor one, all that apply and say nothing of what they
    judge: a change of something that matters is never nobody's.
    """
    fact = _ALIASES.get(fact, fact)
    naming = frozenset(n for n in applying if fact in named_facts(stages[n - 1]))
    if naming or fact in MINOR:
        return naming
    return frozenset(n for n in applying if stages[n - 1].judges is None)


def changed_facts(before: Subject, after: Subject) -> tuple[str, ...]:
    """The names of the facts that read differently, the description among them."""
    old, new = _facts(before), _facts(after)
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def _facts(subject: Subject) -> Mapping[str, Any]:
    return {**subject.facts, "description": subject.shown.get("description")}


def kept_positions(
    live: Mapping[int, states.Stage],
    was: states.State,
    will_be: states.State,
    stages: Sequence[Stage],
    changed: Collection[str],
    barred_now: frozenset[int],
) -> frozenset[int]:
    """The positions that stay as they are. `was` and `will_be` are planned on the company as it is now, so that
    somebody who moved in the meantime is no reason to ask again."""
    applying = {s.position for s in will_be.stages if s.status is not StageStatus.SKIPPED}
    owned = frozenset().union(*(owners(fact, stages, applying) for fact in changed))
    old, new = signature(was), signature(will_be)
    kept = set()
    for n, stage in live.items():
        answered = any(s.status in _ANSWERED for s in stage.steps)
        if old[n - 1] == new[n - 1] and not (answered and n in owned) and not _has_part(stage, barred_now):
            kept.add(n)
    return frozenset(kept)


def _has_part(stage: states.Stage, people: frozenset[int]) -> bool:
    """Whether one of these people decides in a stage, did, or chose who does."""
    return any(s.status in _HELD and not people.isdisjoint((s.approver, s.decided_by)) for s in stage.steps)


async def revision(session: AsyncSession, before: Subject, after: Subject, *, lock: bool = True) -> Revision:
    """What an edit of a subject in review asks for; nothing is written. Raises `NobodyToAsk`.

    Without `lock` it is only foretold: another edit may come first.
    """
    running = await running_of(session, after.type, after.id, lock=lock)
    if running is None:
        return Revision(Extent.NOTHING)
    changed = changed_facts(before, after)
    row = running.row
    there = await in_force(session)
    fitted, fits = choose_among(there, before), choose_among(there, after)
    # what was published meanwhile judges what is asked for from then on; of this only another fact can make it the judge
    is_elsewhere = not row.is_named and fits.definition_id not in (row.definition_id, fitted.definition_id)
    if is_elsewhere or before.is_emergency != after.is_emergency:
        return Revision(Extent.ROUND, changed=changed)
    keeps = await chosen_version(session, row.definition_id, row.definition_version)
    old, new = await plan_all(session, [before, after], chosen=keeps)
    if new.lacking:
        raise NobodyToAsk
    was, will_be = old.state, new.state
    live = {s.position: s for s in running.state.stages if s.status is not StageStatus.SUPERSEDED}
    newly_barred = after.barred - before.barred
    if {s.position for s in will_be.stages} != set(live) or after.is_emergency:
        same = signature(was) == signature(will_be) and not any(_has_part(s, newly_barred) for s in live.values())
        return Revision(Extent.NOTHING if same else Extent.ROUND, changed=changed)
    if not any(s.status is StageStatus.WAITING for s in will_be.stages):
        return Revision(Extent.ROUND, changed=changed)  # nobody is approved because an author forgot a case
    kept = kept_positions(live, was, will_be, keeps.definition.stages, changed, newly_barred)
    if kept == live.keys():
        return Revision(Extent.NOTHING, changed=changed, keeps=keeps)
    applying = {s.position for s in will_be.stages if s.status is not StageStatus.SKIPPED}
    names = tuple(s.name for n, s in sorted(live.items()) if n in applying - kept)
    return Revision(Extent.STAGES, names, changed, will_be, kept, keeps)


async def revise(session: AsyncSession, actor: Doer, subject: Subject, found: Revision, why: str) -> None:
    """Show approvers the subject as it reads now, and ask again where `found` says so. `why` is in words.

    It is the subject's next version: who looked at an earlier one is told before they decide, and what was decided on
    an earlier one says so.
    """
    running = await running_of(session, subject.type, subject.id)
    if running is None:
        return
    row = running.row
    row.facts = facts_kept(subject.lasting_facts)
    if row.subject != subject.shown:
        row.subject, row.subject_version = subject.shown, row.subject_version + 1
        keep_version(session, row, now())
    row.one_by_one = is_one_by_one(subject, row.one_by_one_above)
    for step in running.steps.values():
        step.urgency = subject.urgency
    if found.planned is None:
        row.barred_ids = sorted(subject.barred)
        running.state = replace(running.state, barred=subject.barred)
        await session.flush()
        return
    at = now()
    asked = (step.approver for stage in found.planned.stages for step in stage.steps)
    state = await with_hours(session, running.state, asked)
    after, effects = engine.revise(state, found.planned.stages, found.kept, subject.barred, at)
    applying = {s.position for s in found.planned.stages if s.status is not StageStatus.SKIPPED}
    for stage in running.stages.values():
        if stage.position not in found.kept and stage.status != StageStatus.SUPERSEDED.value:
            what = "asked again" if stage.position in applying else "not asked any more"
            stage.reason = f"{stage.reason}; {what}, because {why}".removeprefix("; ")
    await keep(session, actor, running, after, effects, at, urgency=subject.urgency, why=why)
