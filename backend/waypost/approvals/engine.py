"""The approval engine: `(state, action, at) → (state, effects)`, and nothing else. Pure.

A *seat* is a place in a stage that one answer fills: it begins with one approver, may pass to another (delegated,
escalated, rerouted), and when nobody answers in time further people are asked beside the late one. Each is a step of
the seat; the first answer fills it. Seats are counted, so nobody counts twice.

Held by property tests: a decided step never changes; a person holds one seat of a stage and answers once in it; nobody
approves what they are barred from (their own request, directly, as a delegate or through one); one more approver never
makes it easier; a running workflow always has somebody to wait for; time alone never approves; the same actions
replayed give the same state; no order of concurrent actions gives two outcomes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from waypost.approvals.definition import Mode
from waypost.approvals.errors import (
    BadDelegate,
    CommentNeeded,
    NobodyAbove,
    NotAsked,
    SelfApproval,
    StepDecided,
    StepNotOpen,
)
from waypost.approvals.hours import due_with, left
from waypost.approvals.states import (
    ASKED,
    UNDECIDED,
    Action,
    Dropped,
    Effect,
    Ended,
    Happened,
    QuestionsClosed,
    Receiver,
    Reopened,
    Stage,
    StageStatus,
    State,
    Step,
    StepStatus,
    Verb,
    What,
    WorkflowStatus,
)

MAX_HANDOVERS = 10
MAX_SEATS = 100
TOO_LATE = "Nobody answered in time."
NOBODY_LEFT = "After the change, everybody who has to agree has agreed."


@dataclass
class _Work:
    """The state in the making, with the effects in the order they happened."""

    state: State
    at: datetime
    effects: list[Effect] = field(default_factory=list)

    def put(self, stage: Stage) -> Stage:
        stages = tuple(stage if s.id == stage.id else s for s in self.state.stages)
        self.state = replace(self.state, stages=stages)
        return stage


def begin(state: State, at: datetime) -> tuple[State, list[Effect]]:
    """Open the first stage that applies. With none left to ask, the workflow is approved."""
    work = _Work(state, at)
    _open_next(work, "")
    return work.state, work.effects


def act(state: State, action: Action, at: datetime) -> tuple[State, list[Effect]]:
    """Take an answer. Refused in this order: not the one asked or one's own request (`NotAsked`, `SelfApproval`: 403), no
    reason or nobody named (`CommentNeeded`, `BadDelegate`: 422), decided or not open (`StepDecided`, `StepNotOpen`:
    409), somebody who cannot be asked (`NobodyAbove`, `BadDelegate`).
    """
    stage, step = state.find(action.step_id)
    check(state, action)
    work = _Work(state, at)
    if action.verb in (Verb.APPROVE, Verb.REJECT):
        _vote(work, stage, step, action)
    elif action.verb is Verb.REQUEST_INFO:
        timer = step.timer_at if stage.first_answer_counts else None  # an emergency does not wait for an answer
        asking = replace(
            step, status=StepStatus.INFO_REQUESTED, info_requested_at=at, comments=action.comments, timer_at=timer
        )
        stage = work.put(stage.holding(asking))
        work.effects.append(Happened(What.INFO_REQUESTED, asking, stage))
    elif action.verb is Verb.ADD_APPROVER:
        _add(work, stage, step, action)
    else:
        _hand_on(work, stage, step, action)
    return _done(state, work)


def _done(before: State, work: _Work, words: str = "") -> tuple[State, list[Effect]]:
    """The result; questions nobody waits for any more are closed, with `words` or none."""
    if _askers(before) and not _askers(work.state):
        # Before the end, so that who listens sees the question closed first and the result afterwards.
        where = next((n for n, e in enumerate(work.effects) if isinstance(e, Ended)), len(work.effects))
        work.effects.insert(where, QuestionsClosed(_askers(before), words, lapsed=True))
    return work.state, work.effects


def check(state: State, action: Action) -> None:
    """Raises what `act` would refuse with, and changes nothing."""
    stage, step = state.find(action.step_id)
    if action.by != step.approver and not (action.as_deputy and may_stand_in(state, stage, action)):
        raise NotAsked
    if action.verb is Verb.APPROVE and {action.by, step.approver, step.on_behalf_of} & state.barred:
        raise SelfApproval
    if action.verb in (Verb.REJECT, Verb.REQUEST_INFO) and not action.comments.strip():
        raise CommentNeeded
    if action.verb in (Verb.DELEGATE, Verb.ADD_APPROVER) and action.to is None:
        raise BadDelegate("a person is needed")
    if state.status is not WorkflowStatus.RUNNING or step.status not in ASKED:
        if step.status is StepStatus.WAITING and state.status is WorkflowStatus.RUNNING:
            raise StepNotOpen("This step waits for others to decide first.")
        raise StepDecided(f"This step is {step.status.value} already.", status_now=step.status.value)
    if action.verb not in open_verbs(step.status, is_barred=False):
        raise StepNotOpen("The question is asked; the answer has not come yet.")
    if action.verb in (Verb.DELEGATE, Verb.ESCALATE, Verb.ADD_APPROVER):
        _check_receiver(state, stage, step, action)


def may_stand_in(state: State, stage: Stage, action: Action) -> bool:
    """Whether a deputy may do this: who is barred may not, nor who has a part in the stage; and nobody hands it on."""
    has_part = any(action.by in (s.approver, s.decided_by) for s in stage.steps if s.id != action.step_id)
    return action.verb is not Verb.DELEGATE and action.by not in state.barred and not has_part


def open_verbs(status: StepStatus, *, is_barred: bool) -> tuple[Verb, ...]:
    """What the person asked may do with a step in this status, in the order buttons show it."""
    if status not in ASKED:
        return ()
    closed = {Verb.REQUEST_INFO} if status is StepStatus.INFO_REQUESTED else set()
    return tuple(v for v in Verb if v not in closed and not (is_barred and v is Verb.APPROVE))


def _check_receiver(state: State, stage: Stage, step: Step, action: Action) -> None:
    if action.to is None:
        raise NobodyAbove
    if action.to == step.approver:
        raise BadDelegate("they are the one who is asked already")
    if not action.to_is_able:
        raise BadDelegate("they do not work here any more, or may not decide")
    if action.to in state.barred:
        raise BadDelegate("nobody decides what they asked for, wrote or changed themselves")
    if action.to in stage.involved():
        raise BadDelegate("they have a part in this stage already")
    if action.verb is Verb.ADD_APPROVER:
        if len(stage.seats()) >= MAX_SEATS:
            raise BadDelegate(f"no more than {MAX_SEATS} people decide in one stage")
    elif sum(s.seat == step.seat for s in stage.steps) > MAX_HANDOVERS:
        raise BadDelegate("this has been handed on too often")


def answer(state: State, comments: str, at: datetime) -> tuple[State, list[Effect]]:
    """The requester answered: open questions are closed, and the time they took is added to what is left."""
    if not comments.strip():
        raise CommentNeeded
    work = _Work(state, at)
    for stage in state.stages:
        steps = tuple(
            _resumed(state, stage, s, at) if s.status is StepStatus.INFO_REQUESTED else s for s in stage.steps
        )
        work.put(replace(stage, steps=steps))
    work.effects.append(QuestionsClosed(_askers(state), comments, lapsed=False))
    return work.state, work.effects


def cancel(state: State) -> tuple[State, list[Effect]]:
    """End it without a result; open steps are cancelled. Raises `StepDecided` when it has ended."""
    if state.status is not WorkflowStatus.RUNNING:
        raise StepDecided("This approval has ended already.")
    return _stopped(state, WorkflowStatus.CANCELLED, StepStatus.CANCELLED), []


def result_of(stage: Stage) -> StageStatus:
    """A stage's result by its seats: open until enough said yes, or so many no that enough can not be reached."""
    seats = list(stage.seats().values())
    yes = sum(s is StepStatus.APPROVED for s in seats)
    no = sum(s is StepStatus.REJECTED for s in seats)
    if yes >= stage.needed:
        return StageStatus.APPROVED
    if len(seats) - no < stage.needed or (stage.first_answer_counts and no):
        return StageStatus.REJECTED
    return StageStatus.OPEN


def _vote(work: _Work, stage: Stage, step: Step, action: Action) -> None:
    said = StepStatus.APPROVED if action.verb is Verb.APPROVE else StepStatus.REJECTED
    for_whom = step.on_behalf_of or (step.approver if action.by != step.approver else None)
    _fill(work, stage, replace(step, status=said, on_behalf_of=for_whom, decided_by=action.by), action.comments)


def _fill(work: _Work, stage: Stage, step: Step, comments: str) -> None:
    """A seat has its answer: nobody else is asked for it, and the stage goes on or has its result."""
    done = replace(step, decided_at=work.at, comments=comments, info_requested_at=None, timer_at=None)
    others = [s for s in stage.steps if s.seat == done.seat and s.id != done.id]
    for other in others:
        stage = stage.holding(_closed(other, StepStatus.NOT_NEEDED))
    stage = work.put(stage.holding(done))
    work.effects.append(Happened(What(done.status.value), done, stage))
    result = result_of(stage)
    if result is StageStatus.OPEN:
        if stage.mode is Mode.SEQUENTIAL:
            _ask(work, stage, _next_waiting(stage))
        return
    work.put(_over(stage, result, StepStatus.NOT_NEEDED))
    if result is StageStatus.REJECTED:
        _end(work, WorkflowStatus.REJECTED, comments)
    else:
        _open_next(work, comments)


def _hand_on(work: _Work, stage: Stage, step: Step, action: Action) -> None:
    assert action.to is not None
    verb = action.verb
    status = StepStatus.DELEGATED if verb is Verb.DELEGATE else StepStatus.ESCALATED
    gone = replace(_closed(step, status), decided_at=work.at, decided_by=action.by, comments=action.comments)
    # A delegate decides for the one who asked them; who is higher up decides in their own name.
    behalf = (step.on_behalf_of or step.approver) if verb is Verb.DELEGATE else None
    least = min(stage.due_in, timedelta(hours=8))
    time = max(_left(work, stage, step), least)
    new = _asking(work, stage, step, Receiver(action.to, action.to_reason), time, on_behalf_of=behalf)
    stage = work.put(stage.holding(gone, new))
    work.effects += [Happened(What(status.value), gone, stage, new), Happened(What.ASKED, new, stage)]


def _left(work: _Work, stage: Stage, step: Step) -> timedelta:
    """How much of their own time somebody still had to answer."""
    return left(work.state.hours_of(stage, step.approver), work.at, step.due_at or work.at)


def _asking(
    work: _Work, stage: Stage, step: Step, who: Receiver, time: timedelta, *, on_behalf_of: int | None = None
) -> Step:
    """A new step of the same seat, asked now, with so much time of the person's own. It runs through the reminders and
    the ladder from its beginning."""
    hours = work.state.hours_of(stage, who.person)
    due_at = hours.after(work.at, time)
    new = Step(
        id=work.state.new_id(),
        seat=step.seat,
        order=step.order,
        approver=who.person,
        status=StepStatus.PENDING,
        on_behalf_of=on_behalf_of,
        reason=who.why,
        requested_at=work.at,
        due_at=due_at,
        reminders=stage.ladder.passed(due_at, work.at, hours),
    )
    is_timed = step.timer_at is not None or not stage.first_answer_counts
    return replace(new, timer_at=stage.ladder.fires_at(new, work.at, hours)) if is_timed else new


def _add(work: _Work, stage: Stage, step: Step, action: Action) -> None:
    """One more person decides; after the others when one by one.

    One more has to say yes, so that nobody gets around a committee with friends. Where one is enough, one still is.
    """
    assert action.to is not None
    seats = stage.seats()
    new = Step(
        id=work.state.new_id(),
        seat=max(s.seat for t in work.state.stages for s in t.steps) + 1,
        order=step.order if stage.mode is Mode.PARALLEL else max(s.order for s in stage.steps) + 1,
        approver=action.to,
        status=StepStatus.WAITING,
        reason=action.to_reason,
    )
    one_is_enough = stage.first_answer_counts or (stage.needed == 1 < len(seats))
    needed = stage.needed if one_is_enough else stage.needed + 1
    stage = work.put(replace(stage, needed=needed, steps=(*stage.steps, new)))
    work.effects.append(Happened(What.ADDED, replace(step, comments=action.comments), stage, new))
    if stage.mode is Mode.PARALLEL:
        _ask(work, stage, [new])


def _open_next(work: _Work, comments: str) -> None:
    for stage in work.state.stages:
        if stage.status is StageStatus.WAITING:
            opened = work.put(replace(stage, status=StageStatus.OPEN))
            _ask(work, opened, _next_waiting(opened))
            return
    _end(work, WorkflowStatus.APPROVED, comments)


def _next_waiting(stage: Stage) -> list[Step]:
    """Who is asked when a stage opens or goes on: all who wait, or the next seat's when one by one."""
    waiting = [s for s in stage.steps if s.status is StepStatus.WAITING]
    return [s for s in waiting if s.seat == waiting[0].seat] if stage.mode is Mode.SEQUENTIAL else waiting


def _ask(work: _Work, stage: Stage, steps: Iterable[Step]) -> None:
    is_timed = any(s.timer_at for s in stage.steps)
    for step in steps:
        hours = work.state.hours_of(stage, step.approver)
        due = hours.after(work.at, stage.due_in)
        asked = replace(
            step,
            status=StepStatus.PENDING,
            requested_at=work.at,
            due_at=due,
            reminders=stage.ladder.passed(due, work.at, hours),
        )
        if not (stage.first_answer_counts and is_timed):  # where one answer ends it, one ladder is enough
            asked, is_timed = replace(asked, timer_at=stage.ladder.fires_at(asked, work.at, hours)), True
        stage = work.put(stage.holding(asked))
        work.effects.append(Happened(What.ASKED, asked, stage))


# --- time, leavers, edits, overriding ---------------------------------------------------------------------------------


def on_time(
    state: State, step_id: int, above: Sequence[Receiver], administrators: Sequence[Receiver], at: datetime
) -> tuple[State, list[Effect]]:
    """What is due for a step that nobody answered: a reminder, somebody further up, or the end. Never a yes.

    Asked too early, or of a step that is not asked any more, nothing happens.
    """
    stage, step = state.find(step_id)
    if (
        state.status is not WorkflowStatus.RUNNING
        or step.status not in ASKED
        or not step.timer_at
        or at < step.timer_at
    ):
        return state, []
    work, ladder, hours = _Work(state, at), stage.ladder, state.hours_of(stage, step.approver)
    if ladder.reminds(step):
        passed = max(step.reminders + 1, ladder.passed(step.due_at or at, at, hours))
        again = replace(step, reminders=passed)
        # where one ladder is enough for all, it is its reminders that reach everybody
        beside = [s for s in stage.steps if s.status is StepStatus.PENDING and s.id != step.id and not s.climbs]
        for one in (
            replace(again, timer_at=ladder.fires_at(again, at, hours)),
            *(replace(s, reminders=passed) for s in beside if stage.first_answer_counts),
        ):
            stage = work.put(stage.holding(one))
            work.effects.append(Happened(What.REMINDED, one, stage))
        return _done(state, work)
    climbs = step.climbs + 1
    fresh = _fresh(state, stage, above) if climbs <= ladder.repeat else []
    if not fresh and ladder.rejects:
        _fill(work, stage, replace(step, status=StepStatus.REJECTED), TOO_LATE)
        return _done(state, work)
    if not fresh:
        climbs, fresh = ladder.repeat + 1, _fresh(state, stage, administrators)
    late = replace(step, timer_at=None)
    stage = work.put(stage.holding(late))
    if not fresh:
        work.effects.append(Happened(What.REMINDED, late, stage))
    behind = late
    for n, receiver in enumerate(fresh):
        new = replace(_asking(work, stage, step, receiver, ladder.every), climbs=climbs)
        own = state.hours_of(stage, receiver.person)
        new = replace(new, timer_at=None if n else ladder.fires_at(new, at, own))
        stage, behind = work.put(stage.holding(behind, new)), new
        work.effects += [Happened(What.CLIMBED, late, stage, new, again=bool(n)), Happened(What.ASKED, new, stage)]
    return _done(state, work)


def _fresh(state: State, stage: Stage, receivers: Sequence[Receiver]) -> list[Receiver]:
    """Those who may be asked further: not barred, no part in the stage yet, each once."""
    gone = state.barred | stage.involved()
    return list({r.person: r for r in receivers if r.person not in gone}.values())


def reroute(state: State, step_id: int, to: Receiver, at: datetime) -> tuple[State, list[Effect]]:
    """Give a step to somebody else because its approver can not decide any more (they left). Raises `StepDecided`."""
    stage, step = state.find(step_id)
    if step.status not in UNDECIDED or state.status is not WorkflowStatus.RUNNING:
        raise StepDecided
    work = _Work(state, at)
    gone = replace(_closed(step, StepStatus.REROUTED), comments=to.why)
    # who decided for somebody gives it back to them
    behalf = step.on_behalf_of if step.on_behalf_of != to.person else None
    if step.status is StepStatus.WAITING:
        new = replace(
            step, id=state.new_id(), approver=to.person, on_behalf_of=behalf, reason=to.why, requested_at=None
        )
        stage = work.put(stage.holding(gone, new))
        work.effects.append(Happened(What.REROUTED, gone, stage, new))
        return _done(state, work)
    time = max(_left(work, stage, step), stage.due_in)
    new = _asking(work, stage, step, to, time, on_behalf_of=behalf)
    stage = work.put(stage.holding(gone, new))
    work.effects += [Happened(What.REROUTED, gone, stage, new), Happened(What.ASKED, new, stage)]
    return _done(state, work)


def revise(
    state: State, planned: Sequence[Stage], keep: Collection[int], barred: frozenset[int], at: datetime
) -> tuple[State, list[Effect]]:
    """Ask again in the places whose facts changed, and only there: every other decision stands.

    `planned` are the stages as they would be now, by position; those at the positions of `keep` stay as they are. A
    later stage that is open waits for an earlier one that is asked anew.
    """
    work = _Work(replace(state, barred=barred), at)
    live = {s.position: s for s in state.stages if s.status is not StageStatus.SUPERSEDED}
    anew = [s.position for s in planned if s.position not in keep and s.status is StageStatus.WAITING]
    stages = [s for s in state.stages if s.status is StageStatus.SUPERSEDED]
    step_id, lowest = state.new_id(), min(s.id for s in (*state.stages, *planned)) - 1
    seat = max(s.seat for t in state.stages for s in t.steps)
    for place in planned:
        old = live[place.position]
        if place.position in keep:
            waits = old.status is StageStatus.OPEN and any(p < old.position for p in anew)
            stages.append(_suspended(old) if waits else old)
            continue
        was = _over(old, StageStatus.SUPERSEDED, StepStatus.CANCELLED)
        steps = tuple(replace(s, id=step_id - n, seat=seat + s.seat) for n, s in enumerate(place.steps))
        stages += [was, replace(place, id=lowest - len(stages), steps=steps)]
        step_id -= len(steps)
        if place.status is StageStatus.SKIPPED and old.status is not StageStatus.SKIPPED:
            work.effects.append(Dropped(was))
        elif any(s.requested_at is not None for s in old.steps):
            work.effects.append(Reopened(was))
    work.state = replace(work.state, stages=tuple(sorted(stages, key=lambda s: s.position)))
    if not any(s.status is StageStatus.OPEN for s in work.state.stages):
        _open_next(work, NOBODY_LEFT)
    return _done(state, work, "The request was changed.")


def _suspended(stage: Stage) -> Stage:
    """An open stage that waits for an earlier one again: its answers stand, its questions are put later."""
    steps = tuple(_put_back(s) if s.status in ASKED else s for s in stage.steps)
    return replace(stage, status=StageStatus.WAITING, steps=steps)


def _put_back(step: Step) -> Step:
    return replace(
        step,
        status=StepStatus.WAITING,
        due_at=None,
        timer_at=None,
        info_requested_at=None,
        reminders=0,
        climbs=0,
    )


def override(state: State, by: int, *, approves: bool, comments: str, at: datetime) -> tuple[State, list[Effect]]:
    """End it with somebody's word who was not asked; nobody's answer is changed or made up.

    Raises `SelfApproval`, `CommentNeeded` or `StepDecided`.
    """
    if approves and by in state.barred:
        raise SelfApproval
    if not comments.strip():
        raise CommentNeeded
    if state.status is not WorkflowStatus.RUNNING:
        raise StepDecided("This approval has ended already.")
    work = _Work(state, at)
    _end(work, WorkflowStatus.APPROVED if approves else WorkflowStatus.REJECTED, comments, overridden_by=by)
    return _done(state, work)


def _end(work: _Work, status: WorkflowStatus, comments: str, overridden_by: int | None = None) -> None:
    work.state = _stopped(work.state, status, StepStatus.NOT_NEEDED)
    work.effects.append(Ended(status, comments, overridden_by))


def _stopped(state: State, status: WorkflowStatus, left: StepStatus) -> State:
    """Ended: nobody is asked any more, and what was not decided is `left` behind."""
    going = (StageStatus.WAITING, StageStatus.OPEN)
    stages = (_over(s, StageStatus.CANCELLED if s.status in going else s.status, left) for s in state.stages)
    return replace(state, status=status, stages=tuple(stages))


def _askers(state: State) -> tuple[int, ...]:
    return tuple(s.approver for stage in state.stages for s in stage.steps if s.status is StepStatus.INFO_REQUESTED)


def _resumed(state: State, stage: Stage, step: Step, at: datetime) -> Step:
    hours = state.hours_of(stage, step.approver)
    due = step.due_at and due_with(hours, at, left(hours, step.info_requested_at or at, step.due_at))
    resumed = replace(step, status=StepStatus.PENDING, due_at=due, info_requested_at=None)
    goes_on = stage.first_answer_counts or not _leads(stage, step, at)  # there it never stopped
    return resumed if goes_on else replace(resumed, timer_at=stage.ladder.fires_at(resumed, at, hours))


def _leads(stage: Stage, step: Step, at: datetime) -> bool:
    """Whether the ladder of a step's seat is with it: with the first of those who were asked last, not who was late."""
    asked = [s for s in stage.steps if s.seat == step.seat and s.status in ASKED]
    return max(asked, key=lambda s: s.requested_at or at) == step


def _over(stage: Stage, status: StageStatus, left: StepStatus) -> Stage:
    return replace(stage, status=status, steps=tuple(_closed(s, left) for s in stage.steps))


def _closed(step: Step, status: StepStatus) -> Step:
    is_open = step.status in UNDECIDED
    return replace(step, status=status, info_requested_at=None, timer_at=None) if is_open else step
