"""A service level tried out on the newest requests: what would be due when, and late, were it in force. Nothing is written.

Both sides are measured from the request's own log, by what measures its clocks (`sla.measuring`), as if the service levels
of one side had held for its whole time: the ones in force, and those with the draft among them. So what differs is what the
draft says. Where something else held in fact (an earlier version, another policy), that is told besides.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.directory.names import Refs, names
from waypost.kernel.clock import now, rfc3339
from waypost.sla import clocks
from waypost.sla.marking import Metric
from waypost.sla.measuring import Clock, Deal, Story, measure, promised
from waypost.sla.policy_setting import Setup
from waypost.sla.trying import Trial, trial
from waypost.tickets import clocking, level_effects, policy, queries
from waypost.tickets.fields import record_of
from waypost.tickets.level_effects import Difference
from waypost.tickets.models import Ticket
from waypost.tickets.stories import Told

MOST = 500
BATCH = 50  # requests whose logs are read at a time; other work of the process goes on between two
SECONDS = 10.0  # after which no further batch is begun
Json = dict[str, Any]
OUTCOMES = ("late", "eased", "other")  # in the order in which they are listed


@dataclass(frozen=True, slots=True)
class Replayed:
    """A request that would have had other clocks, or gone by another policy. `had` is what its clocks are in fact."""

    ticket: Ticket
    is_seen: bool
    before: Deal | None
    after: Deal | None
    differences: list[Difference]
    had: dict[tuple[Metric, int], Clock]

    @property
    def outcome(self) -> str:
        words = frozenset().union(*(d.words for d in self.differences))
        return next((word for word in OUTCOMES if word in words), OUTCOMES[-1])

    @property
    def is_moved(self) -> bool:
        return _policy_id(self.before) != _policy_id(self.after)


async def replay(session: AsyncSession, actor: Actor, setup: Setup, policy_id: int | None) -> Json:
    """Which of the newest `MOST` requests that were sent would be late, or not any more, or due at another moment.

    Requests the caller may not see are counted and not shown; own times of teams count for who may read internal words.
    Raises `PolicyNotFound`, and names what is wrong with the policy.
    """
    actor.require(Permission.SLA_CONFIGURE)
    tried = await trial(session, setup, policy_id)
    wanted = (
        select(Ticket, policy.visible_to(actor).label("is_seen"))
        .where(Ticket.submitted_at.is_not(None))
        .order_by(Ticket.created_at.desc(), Ticket.id.desc())
        .limit(MOST)
        .options(defer(Ticket.description))
    )
    rows = (await session.execute(wanted, policy.values(actor))).all()
    at, until = now(), time.monotonic() + SECONDS
    counts: Counter[str] = Counter()
    found: list[Replayed] = []
    for n in range(0, len(rows), BATCH):
        if n and time.monotonic() >= until:
            break
        batch = rows[n : n + BATCH]
        counts["total"] += len(batch)
        found += await _compared(session, actor, tried, [(row.Ticket, row.is_seen) for row in batch], at, counts)
    return await _told(session, found, counts, is_whole=counts["total"] == len(rows))


async def _compared(
    session: AsyncSession,
    actor: Actor,
    tried: Trial,
    rows: Sequence[tuple[Ticket, bool]],
    at: datetime,
    counts: Counter[str],
) -> list[Replayed]:
    """Those of these requests that differ. Whom the policy concerned on neither side goes as it went, and is not measured."""
    concerned = []
    for ticket, is_seen in rows:
        before, after = tried.deals(record_of(ticket))
        counts["fits"] += tried.concerns(after)
        if tried.concerns(before) or tried.concerns(after):
            concerned.append((ticket, is_seen, before, after))
    if not concerned:
        return []
    stories = await clocking.stories_of(session, [ticket for ticket, *_ in concerned])
    agreed = await clocks.agreed(session, {pin for s in stories.values() for _, pin in s.pins if pin is not None})
    found = []
    for ticket, is_seen, before, after in concerned:
        story = stories[ticket.id]
        skipped = _hidden(actor, ticket)
        sides = [[c for c in _by(story, deal, at) if c.metric not in skipped] for deal in (before, after)]
        is_older = not _is_by(story, before)
        had = sides[0] if not is_older else measure(_story(story, _held(story, agreed)), at)
        counts["older"] += is_older
        one = Replayed(
            ticket,
            is_seen,
            before,
            after,
            level_effects.differences(*sides),
            {(c.metric, c.team_id): c for c in had},
        )
        if one.differences or one.is_moved:
            found.append(one)
    return found


def _hidden(actor: Actor, ticket: Ticket) -> frozenset[Metric]:
    """The clocks of a request that are not for this person's eyes."""
    facts = queries.facts_of(ticket, frozenset(), frozenset())
    return frozenset() if policy.may_see_internal(actor, facts) else frozenset({Metric.OWN_TIME})


def _by(story: Told, deal: Deal | None, at: datetime) -> list[Clock]:
    """The clocks a request has, had this been agreed for its whole time."""
    return [] if deal is None else measure(_story(story, ((at, deal),)), at)


def _is_by(story: Told, deal: Deal | None) -> bool:
    """Whether this, and nothing else, was agreed for it ever since."""
    pins = {pin for _, pin in story.pins}
    return not pins - {None} if deal is None else pins == {clocks.pin_of(deal)}


def _story(story: Told, deals: tuple[tuple[datetime, Deal | None], ...]) -> Story:
    return Story(tuple(story.happenings), tuple(story.priorities), deals)


def _held(story: Told, agreed: dict[clocks.Pin, Deal]) -> tuple[tuple[datetime, Deal | None], ...]:
    """What was agreed for it in fact, since when."""
    return tuple((since, agreed.get(pin) if pin is not None else None) for since, pin in story.pins)


def _policy_id(deal: Deal | None) -> int | None:
    return None if deal is None else deal.policy.id


async def _told(session: AsyncSession, found: Sequence[Replayed], counts: Counter[str], *, is_whole: bool) -> Json:
    outcomes = Counter(one.outcome for one in found)
    seen = sorted((one for one in found if one.is_seen), key=lambda one: OUTCOMES.index(one.outcome))
    teams = await names.teams(session, [d.team_id or None for one in seen for d in one.differences])
    return {
        "total": counts["total"],
        "is_whole": is_whole,
        "fits": counts["fits"],
        "older": counts["older"],
        "moved": sum(one.is_moved for one in found),
        **{word: outcomes[word] for word in OUTCOMES},
        "same": counts["total"] - len(found),
        "hidden": len(found) - len(seen),
        "different": [_row(one, teams) for one in seen],
    }


def _row(one: Replayed, teams: Refs) -> Json:
    ticket = one.ticket
    return {
        "ticket": {
            "id": ticket.id,
            "ticket_number": ticket.ticket_number,
            "title": ticket.title,
            "status": ticket.status,
        },
        "outcome": one.outcome.upper(),
        "is_moved": one.is_moved,
        "before": one.before and one.before.policy.name,
        "after": one.after and one.after.policy.name,
        "clocks": [_difference(d, one.had.get((d.metric, d.team_id)), teams) for d in one.differences],
    }


def _difference(one: Difference, had: Clock | None, teams: Refs) -> Json:
    before, after, held = (_side(clock) for clock in (one.before, one.after, had))
    return {
        "metric": one.metric.value,
        "team": teams.get(one.team_id),
        "before": before,
        "after": after,
        "is_otherwise": held != before,
        "had": held if held != before else None,
    }


def _side(clock: Clock | None) -> Json | None:
    if clock is None:
        return None
    due = promised(clock)
    left = None if due is not None else (clock.target - clock.used).total_seconds()
    return {"state": clock.state.value, "due_at": due and rfc3339(due), "left_seconds": left}
