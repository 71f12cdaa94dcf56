"""What another version of a service level makes of a request's clocks, counted and said by example. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from waypost.kernel.clock import rfc3339
from waypost.sla.clock import Run
from waypost.sla.marking import Metric
from waypost.sla.measuring import Clock, promised

MOST_EXAMPLES = 20
_ORDER = {metric: n for n, metric in enumerate(Metric)}
_NEVER = datetime.max.replace(tzinfo=UTC)
# What is counted: requests that get the newest version; requests for which another level or none holds now; clocks that
# change; of these those that are late at once, are not late any more, are due later or earlier, begin, and end; requests
# that could not be measured.
COUNTED = ("requests", "moved", "clocks", "late", "eased", "later", "earlier", "begun", "ended", "failed")


class Kept(Protocol):
    """A clock as it stands in the database (`sla.clock_models.SlaClock`)."""

    metric: str
    team_id: int
    run: str
    target_seconds: float
    used_seconds: float
    due_at: datetime | None
    breached_at: datetime | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one clock: words of `COUNTED`, and its due moments; None while it waits, or is none."""

    metric: str
    words: frozenset[str]
    before: datetime | None
    after: datetime | None


def effects(before: Iterable[Kept], after: Iterable[Clock], at: datetime) -> list[Effect]:
    """What becomes of the clocks of one request that are not over. One whose numbers stay is not named."""
    old = {(c.metric, c.team_id): c for c in before if c.run != Run.STOPPED}
    new = {(c.metric.value, c.team_id): c for c in after if c.run is not Run.STOPPED}
    found = []
    for key in sorted(old.keys() | new.keys()):
        was, is_now = old.get(key), new.get(key)
        words = _words(was, is_now, at)
        if words:
            due = [None if clock is None else clock.due_at for clock in (was, is_now)]
            found.append(Effect(key[0], words, due[0], due[1]))
    return found


def _words(was: Kept | None, is_now: Clock | None, at: datetime) -> frozenset[str]:
    was_late = was is not None and (was.breached_at is not None or (was.due_at is not None and was.due_at <= at))
    by = _moved_by(was, is_now) if was is not None and is_now is not None else None
    return _said(was is None, by, was_late=was_late, is_late=is_now is not None and is_now.breached_at is not None)


def _said(is_new: bool, by: timedelta | None, *, was_late: bool, is_late: bool) -> frozenset[str]:
    """What became of a clock that was moved by so much; None of one that begins or ends."""
    words = set()
    if by is None:
        words.add("begun" if is_new else "ended")
    elif by:
        words.add("later" if by > timedelta() else "earlier")
    if is_late and not was_late:
        words.add("late")
    if was_late and not is_late:
        words.add("eased")
    return frozenset(words)


def _moved_by(was: Kept, is_now: Clock) -> timedelta:
    """By how much the due moment moves; of a clock that waits, by how much more of its time is left."""
    if was.due_at is not None and is_now.due_at is not None:
        return is_now.due_at - was.due_at
    left = timedelta(seconds=was.target_seconds - was.used_seconds)
    return (is_now.target - is_now.used) - left


def counted(so_far: Mapping[str, int], more: Iterable[Effect], **besides: int) -> dict[str, int]:
    """The counts with these effects added, and what is counted besides them."""
    counts = {word: so_far.get(word, 0) + besides.get(word, 0) for word in COUNTED}
    for effect in more:
        counts["clocks"] += 1
        for word in effect.words:
            counts[word] += 1
    return counts


def example(ticket_id: int, of: Sequence[Effect]) -> dict[str, Any] | None:
    """A request as an example: its clock that is late at once, else the one that is due first."""
    if not of:
        return None
    one = min(of, key=lambda e: ("late" not in e.words, e.after is None, e.after or e.before or _NEVER, e.metric))
    return {
        "ticket_id": ticket_id,
        "metric": one.metric,
        "before": one.before and rfc3339(one.before),
        "after": one.after and rfc3339(one.after),
        "is_late": "late" in one.words,
        "is_later": "later" in one.words if one.words & {"later", "earlier"} else None,
    }


def best(examples: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The examples that are kept: what is late at once before the others, each in the order it was found."""
    return sorted(examples, key=lambda one: not one["is_late"])[:MOST_EXAMPLES]


# --- one story by two agreements --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A clock that another agreement makes another one: words of `COUNTED` (`later`, `late` …), and both; None is none."""

    metric: Metric
    team_id: int
    words: frozenset[str]
    before: Clock | None
    after: Clock | None


def differences(before: Iterable[Clock], after: Iterable[Clock]) -> list[Difference]:
    """Where two measurings of one story differ: in what is late, in due moments, in whether there is a clock at all.

    What is over counts as well as what runs. In the order of `Metric`.
    """
    old, new = ({(c.metric, c.team_id): c for c in clocks} for clocks in (before, after))
    found = []
    for metric, team_id in sorted(old.keys() | new.keys(), key=lambda key: (_ORDER[key[0]], key[1])):
        was, is_now = old.get((metric, team_id)), new.get((metric, team_id))
        by = _apart(was, is_now) if was is not None and is_now is not None else None
        late = [clock is not None and clock.breached_at is not None for clock in (was, is_now)]
        if words := _said(was is None, by, was_late=late[0], is_late=late[1]):
            found.append(Difference(metric, team_id, words, was, is_now))
    return found


def _apart(was: Clock, is_now: Clock) -> timedelta:
    """By how much a clock has longer: until it is due, or what is left of its time. One that waits has the longest."""
    due = promised(was), promised(is_now)
    if due[0] is not None and due[1] is not None:
        return due[1] - due[0]
    if due[0] is None and due[1] is None:
        return (is_now.target - is_now.used) - (was.target - was.used)
    return timedelta.max if due[1] is None else timedelta.min
