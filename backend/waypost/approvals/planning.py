"""Who will be asked: from a definition, the facts judged and the people found, to a workflow ready to begin. Pure.

Rules (design, Approvals): nobody found, inactive, or somebody barred: up the manager line, then the stage's own
fallback, then an administrator; the reason is kept. A barred member of a group is left out and the others decide. A
person counts once per stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from waypost.approvals import states
from waypost.approvals.definition import EMERGENCY_MINUTES, Counts, Definition, Escalation, Final, Mode, Stage
from waypost.approvals.errors import NobodyToAsk
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import Field
from waypost.kernel.conditions.tree import ALWAYS, describe

Call = Callable[[Field, object], str | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody an approver rule found, and whether they can decide: they work here, and have that permission.

    `line` are the managers above them who can, nearest first; `why` in words.
    """

    person: int
    is_able: bool
    line: tuple[int, ...]
    why: str
    in_group: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """Who is asked, and why them."""

    person: int
    why: str


def plan(
    definition: Definition,
    facts: Mapping[str, Any],
    found: Sequence[Sequence[Candidate]],
    *,
    barred: frozenset[int],
    fallback: Sequence[Candidate],
    is_emergency: bool,
    instead: Sequence[Sequence[Candidate]] = (),
    may_lack: bool = False,
    call: Call | None = None,
) -> states.State:
    """The workflow before it begins. `found` holds the candidates of each stage, in the definition's order, `instead`
    those of its own fallback; `fallback` are the administrators.

    Raises `NobodyToAsk` when a stage that applies ends up without anybody; with `may_lack` it stays without steps.
    `call` says what the values in conditions are called.
    """
    applies = [holds(s.condition, facts) for s in definition.stages]
    if is_emergency:
        own = [c for n, candidates in enumerate(instead) if applies[n] for c in candidates]
        return _emergency(definition, found, applies, barred, (own, fallback), may_lack=may_lack)
    stages = []
    order = seat_id = 0
    for n, stage in enumerate(definition.stages):
        if not applies[n]:
            stages.append(
                _stage(-1 - n, stage, states.StageStatus.SKIPPED, (), 0, f"only when {describe(stage.condition, call)}")
            )
            continue
        least = 1 if isinstance(stage.quorum, (str, float)) else stage.quorum
        seats = seats_of(found[n], barred, instead[n] if instead else (), fallback, least=least, may_lack=may_lack)
        because = describe(stage.condition, call) if stage.condition != ALWAYS else ""
        steps: list[states.Step] = []
        for seat in seats:
            if stage.mode is Mode.SEQUENTIAL or not steps:
                order += 1
            seat_id += 1
            why = f"{seat.why}, because {because}" if because else seat.why
            steps.append(states.Step(-seat_id, seat_id, order, seat.person, states.StepStatus.WAITING, reason=why))
        stages.append(
            _stage(-1 - n, stage, states.StageStatus.WAITING, tuple(steps), stage.needed(len(seats)), because)
        )
    return states.State(states.WorkflowStatus.RUNNING, tuple(stages), barred)


def _stage(
    stage_id: int, stage: Stage, status: states.StageStatus, steps: tuple[states.Step, ...], needed: int, reason: str
) -> states.Stage:
    return states.Stage(
        id=stage_id,
        name=stage.name,
        mode=stage.mode,
        needed=needed,
        first_answer_counts=stage.first_answer_counts,
        due_in=timedelta(minutes=stage.due_in_minutes),
        status=status,
        steps=steps,
        reason=reason,
        position=-stage_id,
        ladder=_ladder(stage.escalation),
        in_working_time=stage.counts is Counts.WORKING_TIME,
    )


def _ladder(escalation: Escalation) -> states.Ladder:
    after = timedelta(minutes=escalation.after_minutes)
    return states.Ladder(
        remind_before=tuple(timedelta(minutes=m) for m in escalation.remind_before_minutes),
        after=after,
        every=after,
        repeat=escalation.repeat,
        rejects=escalation.finally_ is Final.REJECT,
    )


# Whoever does not answer is not reminded: somebody further up is asked (specification, Scenario 3). By the clock, always:
# no emergency waits for office hours.
_EMERGENCY_LADDER = states.Ladder((), timedelta(0), timedelta(minutes=EMERGENCY_MINUTES))


def _emergency(
    definition: Definition,
    found: Sequence[Sequence[Candidate]],
    applies: Sequence[bool],
    barred: frozenset[int],
    fallbacks: tuple[Sequence[Candidate], Sequence[Candidate]],
    *,
    may_lack: bool,
) -> states.State:
    """One stage with everybody who may decide, asked at once; the first answer counts (specification, Scenario 3)."""
    everybody = [c for n, stage in enumerate(found) if applies[n] for c in stage]
    seats = seats_of(everybody, barred, *fallbacks, least=1, may_lack=may_lack)
    steps = tuple(
        states.Step(-n, n, 1, s.person, states.StepStatus.WAITING, reason=f"emergency: {s.why}")
        for n, s in enumerate(seats, 1)
    )
    names = [s.name for n, s in enumerate(definition.stages) if applies[n]]
    stage = states.Stage(
        id=-1,
        name="Emergency: " + ", ".join(names) if names else "Emergency",
        mode=Mode.PARALLEL,
        needed=1,
        first_answer_counts=True,
        due_in=timedelta(minutes=EMERGENCY_MINUTES),
        status=states.StageStatus.WAITING,
        steps=steps,
        reason="critical: everybody who may decide is asked at once, the first answer counts",
        position=1,
        ladder=_EMERGENCY_LADDER,
    )
    return states.State(states.WorkflowStatus.RUNNING, (stage,), barred)


def seats_of(
    candidates: Sequence[Candidate],
    barred: frozenset[int],
    *fallbacks: Sequence[Candidate],
    least: int,
    may_lack: bool = False,
) -> list[Seat]:
    """The people of one stage, each once, in order; at least `least` when so many can be found.

    The `fallbacks` are asked in turn, each only while too few are found. Raises `NobodyToAsk` when not even they have
    anybody, unless the stage `may_lack` people.
    """
    seats: dict[int, Seat] = {}
    _sit(candidates, barred, seats, least)
    for fallback in fallbacks:
        if not seats or len(seats) < least:
            _sit([replace(c, why=f"{c.why}: nobody else was found") for c in fallback], barred, seats, least)
    if not seats and not may_lack:
        raise NobodyToAsk
    return list(seats.values())


def _sit(candidates: Sequence[Candidate], barred: frozenset[int], seats: dict[int, Seat], least: int) -> None:
    dropped: list[Candidate] = []
    for c in candidates:
        if c.is_able and c.person not in barred:
            seats.setdefault(c.person, Seat(c.person, c.why))
        elif c.in_group:
            dropped.append(c)  # the other members decide; their managers only when too few are left
        else:
            _climb(c, barred, seats)
    for c in dropped:
        if len(seats) < least:
            _climb(c, barred, seats)


def _climb(candidate: Candidate, barred: frozenset[int], seats: dict[int, Seat]) -> None:
    why = "asked for it, wrote it or changed it" if candidate.is_able else "cannot decide it any more"
    for boss in candidate.line:
        if boss not in barred and boss not in seats:
            seats[boss] = Seat(boss, f"{candidate.why}; next in line, because that person {why}")
            return


def signature(state: states.State) -> tuple[Any, ...]:
    """Who is asked and how many must say yes, stage by stage: what must not change unseen."""
    return tuple((s.status, s.mode, s.needed, _first_holders(s)) for s in state.stages)


def _first_holders(stage: states.Stage) -> tuple[int, ...]:
    first: dict[int, int] = {}
    for step in stage.steps:
        first.setdefault(step.seat, step.approver)
    return tuple(first.values())
