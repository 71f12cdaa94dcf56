"""Who will be asked, before anybody is: the plan `service.start` begins with, for one subject or for many.

Beginning an approval, previewing it on a form, trying a definition out and replaying it on what was asked for of late
all plan here, so that what was shown is what happens. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import engine, states
from waypost.approvals.definition import EMERGENCY_MINUTES, Approver, Counts, Stage
from waypost.approvals.definitions import Chosen, InForce, choose_among, in_force
from waypost.approvals.finding import ADMINISTRATORS, candidates_of_all
from waypost.approvals.planning import Call, Candidate, plan
from waypost.approvals.scopes import facts_kept
from waypost.approvals.states import StageStatus
from waypost.approvals.subject import Subject
from waypost.approvals.substitutes import StandIns, deputies_of, standing_in
from waypost.approvals.wording import namer
from waypost.approvals.working import all_with_hours
from waypost.directory.absences import away_until
from waypost.directory.names import Refs, names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.tree import Condition, describe, leaves

NOBODY = "nobody_to_ask"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The workflow a subject is judged by, and the state it begins with; a stage may lack people."""

    chosen: Chosen
    state: states.State

    @property
    def lacking(self) -> list[states.Stage]:
        """The stages that apply and have nobody: with one of these it cannot begin."""
        return [s for s in self.state.stages if s.status is not StageStatus.SKIPPED and not s.steps]


async def plan_all(
    session: AsyncSession,
    subjects: Sequence[Subject],
    *,
    chosen: Chosen | None = None,
    among: Sequence[InForce] | None = None,
) -> list[Foreseen]:
    """What each subject's approval begins with: a handful of statements, however many subjects.

    `chosen` is the workflow all are judged by, `among` those one is chosen from; without either, those in force.
    """
    if chosen is None and among is None:
        among = await in_force(session)
    picked = [chosen or choose_among(among or (), s) for s in subjects]
    call = await namer(session, _conditions(picked))
    picked = [_in_words(c, call) for c in picked]
    wanted = [(_rules(c, s), s) for c, s in zip(picked, subjects, strict=True)]
    found = await candidates_of_all(session, wanted)
    return [Foreseen(c, _plan(c, s, own, call)) for c, s, own in zip(picked, subjects, found, strict=True)]


def _conditions(picked: Sequence[Chosen]) -> list[Condition]:
    different = {id(c.definition): c.definition for c in picked}
    return [c for d in different.values() for c in (d.condition, *(s.condition for s in d.stages))]


def _in_words(chosen: Chosen, call: Call) -> Chosen:
    """Why this workflow, with the names of what its condition speaks of; other reasons stand as they are."""
    if chosen.why != describe(chosen.definition.condition):
        return chosen
    return replace(chosen, why=describe(chosen.definition.condition, call))


def _rules(chosen: Chosen, subject: Subject) -> list[tuple[Approver, ...]]:
    """Each stage's approvers, each stage's fallback, the administrators. Nobody is looked for where it is skipped."""
    applying = [(s, holds(s.condition, subject.facts)) for s in chosen.definition.stages]
    return [
        *(s.approvers if applies else () for s, applies in applying),
        *(s.fallback if applies else () for s, applies in applying),
        (ADMINISTRATORS,),
    ]


def _plan(chosen: Chosen, subject: Subject, found: Sequence[Sequence[Candidate]], call: Call) -> states.State:
    count = len(chosen.definition.stages)
    return plan(
        chosen.definition,
        subject.facts,
        found[:count],
        instead=found[count : 2 * count],
        fallback=found[-1],
        barred=subject.barred,
        is_emergency=subject.is_emergency,
        may_lack=True,
        call=call,
    )


async def foresee(session: AsyncSession, subject: Subject, chosen: Chosen | None = None) -> dict[str, Any]:
    """Who will be asked about this subject and why, in the shape of `foresee_many`."""
    return (await foresee_many(session, [subject], chosen=chosen))[0]


async def foresee_many(
    session: AsyncSession,
    subjects: Sequence[Subject],
    *,
    chosen: Chosen | None = None,
    among: Sequence[InForce] | None = None,
) -> list[dict[str, Any]]:
    """The path of each subject, ready for JSON.

    `{workflow: {id, version, name, why}, is_emergency, problem, depends_on: [{field, label}], stages: [{name, applies,
    why, mode, quorum, needed, first_answer_counts, due_in_minutes, counts, problem, people: [{person, why, order, due_at,
    away_until, deputy}]}]}`. A `problem` is `nobody_to_ask`, or null: with one of a stage, the whole cannot begin. `depends_on`
    are the facts that decide which of the stages apply.
    """
    return await told_all(session, subjects, await plan_all(session, subjects, chosen=chosen, among=among))


async def told_all(
    session: AsyncSession, subjects: Sequence[Subject], planned: Sequence[Foreseen]
) -> list[dict[str, Any]]:
    """What was planned for these subjects, in the shape of `foresee_many`."""
    ids = {step.approver for f in planned for stage in f.state.stages for step in stage.steps}
    at = now()
    stand_ins = await standing_in(session, ids, at)
    people = await names.people(session, ids | {one.deputy for found in stand_ins.values() for one in found})
    away = {i: rfc3339(until) for i, until in (await away_until(session, ids, at)).items()}
    timed = await all_with_hours(session, [f.state for f in planned])
    return [
        _told(f, s, _Known(people, away, stand_ins, at, _due(f, state, at)))
        for f, s, state in zip(planned, subjects, timed, strict=True)
    ]


def _due(foreseen: Foreseen, state: states.State, at: datetime) -> dict[int, str]:
    """By when those who are asked at once have to answer if it begins now, by step: the engine's own word."""
    if foreseen.lacking:
        return {}
    begun, _ = engine.begin(state, at)
    return {step.id: rfc3339(step.due_at) for step in begun.asked() if step.due_at is not None}


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the people who will be asked: their names, by when, who is away, who stands in for them."""

    people: Refs
    away: dict[int, str]
    stand_ins: StandIns
    at: datetime
    due: dict[int, str]  # by step


def _told(foreseen: Foreseen, subject: Subject, know: _Known) -> dict[str, Any]:
    chosen = foreseen.chosen
    written: Sequence[Stage | None] = [None] if subject.is_emergency else chosen.definition.stages
    return {
        "workflow": {
            "id": chosen.definition_id,
            "version": chosen.version,
            "name": chosen.definition.name,
            "why": chosen.why,
        },
        "is_emergency": subject.is_emergency,
        "problem": NOBODY if foreseen.lacking else None,
        "depends_on": _depends_on(chosen),
        "stages": [_stage(p, w, subject, know) for p, w in zip(foreseen.state.stages, written, strict=True)],
    }


def _depends_on(chosen: Chosen) -> list[dict[str, str]]:
    """The facts the stages' conditions look at, each once, in their order."""
    looked_at = {leaf.field.name: leaf.field.label for s in chosen.definition.stages for leaf in leaves(s.condition)}
    return [{"field": name, "label": label} for name, label in looked_at.items()]


def _stage(planned: states.Stage, written: Stage | None, subject: Subject, know: _Known) -> dict[str, Any]:
    applies = planned.status is not StageStatus.SKIPPED
    quorum: Any = "FIRST" if written is None else written.quorum
    taken = {step.approver for step in planned.steps}
    facts = facts_kept(subject.lasting_facts) if know.stand_ins else {}

    def person(step: states.Step) -> dict[str, Any]:
        deputies = deputies_of(
            know.stand_ins, step.approver, facts, barred=subject.barred, taken=taken, asked_at=know.at
        )
        return {
            "person": know.people.get(step.approver),
            # why the stage applies is said of the stage, once
            "why": step.reason.removesuffix(f", because {planned.reason}"),
            "order": step.order,
            "due_at": know.due.get(step.id),
            "away_until": know.away.get(step.approver),
            "deputy": know.people.get(deputies[0]) if deputies else None,
        }

    return {
        "name": planned.name,
        "applies": applies,
        "why": planned.reason,
        "mode": planned.mode.value,
        "quorum": {"percent": quorum} if isinstance(quorum, float) else quorum,
        "needed": planned.needed,
        "first_answer_counts": planned.first_answer_counts,
        "due_in_minutes": EMERGENCY_MINUTES if written is None else written.due_in_minutes,
        "counts": Counts.WORKING_TIME if planned.in_working_time else Counts.CLOCK,
        "problem": NOBODY if applies and not planned.steps else None,
        "people": [person(step) for step in planned.steps],
    }
