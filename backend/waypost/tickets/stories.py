"""A ticket's events as the story its clocks go by. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from waypost.sla.marking import Happening, What
from waypost.tickets import events

MOVES = (
    events.TicketSubmitted,
    events.ReviewStarted,
    events.TicketApproved,
    events.TicketRejected,
    events.InfoRequested,
    events.InfoProvided,
    events.WorkStarted,
    events.TicketCompleted,
    events.TicketReopened,
    events.TicketClosed,
    events.TicketWithdrawn,
    events.TicketMerged,
)
_MOVES = frozenset(move.type for move in MOVES)
_ATTACHED = "sla.attached"
TYPES = (
    *sorted(_MOVES),
    events.TicketCreated.type,
    events.TicketAssigned.type,
    events.TicketRouted.type,
    events.TicketUpdated.type,
    events.CommentAdded.type,
    _ATTACHED,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log, as far as clocks go by it."""

    type: str
    data: dict[str, Any]
    at: datetime
    actor_id: int | None


@dataclass(slots=True)
class Told:
    """What the log says of a ticket. `pins` are the versions that were attached, None where there were none any more."""

    happenings: list[Happening] = field(default_factory=list)
    priorities: list[tuple[datetime, str]] = field(default_factory=list)
    pins: list[tuple[datetime, tuple[int, int, int, int] | None]] = field(default_factory=list)


def told(lines: Iterable[Line], *, requester_id: int, team_id: int | None, priority: str) -> Told:
    """The story in a ticket's log, oldest line first. `team_id` and `priority` are what holds now.

    Clocks of several machines are never quite one: what was written later did not happen earlier.
    """
    story = Told()
    at = began = None
    assignee_id: int | None = None
    has_team = False
    for line in lines:
        at = line.at if at is None else max(at, line.at)
        began = began or at
        data = line.data
        if line.type in _MOVES:
            since = story.happenings[-1].at if story.happenings and _is_at_once(line) else at
            story.happenings.append(Happening(since, What.MOVED, status=data["new_status"]))
            if line.type == events.WorkStarted.type:
                assignee_id = assignee_id or line.actor_id
        elif line.type == events.TicketCreated.type:
            story.happenings.append(Happening(at, What.MOVED, status="DRAFT"))
            story.priorities.append((at, data["priority"]))
        elif line.type == _ATTACHED:
            pin = tuple(data[f"{what}"] for what in ("policy_id", "policy_version", "calendar_id", "calendar_version"))
            story.pins.append((at, None if None in pin else pin))
        elif line.type == events.CommentAdded.type:
            what = _speech(line, requester_id, assignee_id)
            if what is not None:
                story.happenings.append(Happening(at, what))
        elif line.type == events.TicketUpdated.type:
            if "priority" in data["changes"]:
                story.priorities.append((at, data["changes"]["priority"][1]))
        else:  # routed or assigned
            if not has_team and data["old_team_id"] is not None:
                story.happenings.insert(0, Happening(began, What.HANDED, team_id=data["old_team_id"]))
            has_team = True
            if data["old_team_id"] != data["new_team_id"]:
                story.happenings.append(Happening(at, What.HANDED, team_id=data["new_team_id"]))
            if line.type == events.TicketRouted.type:
                story.priorities.append((at, data["new_priority"]))
            else:
                assignee_id = data["new_assignee_id"]
    if began is not None and not has_team and team_id is not None:
        story.happenings.insert(0, Happening(began, What.HANDED, team_id=team_id))
    if began is not None and not story.priorities:
        story.priorities.append((began, priority))
    return story


def _is_at_once(line: Line) -> bool:
    """Whether this followed a submission in the same breath: nothing waited between the two."""
    return line.type == events.ReviewStarted.type or bool(line.data.get("by_rule"))


def _speech(line: Line, requester_id: int, assignee_id: int | None) -> What | None:
    """Whose words a comment was; None for internal ones, for others', and for what nobody wrote."""
    if line.data["visibility"] != "PUBLIC" or line.actor_id is None:
        return None
    speaks_for = line.data.get("speaks_for")
    if speaks_for is None:  # of a log in which it was not kept yet
        is_requester, is_theirs = line.actor_id == requester_id, line.actor_id == assignee_id
        speaks_for = "requester" if is_requester else "team" if is_theirs else ""
    return {"requester": What.ASKED, "team": What.ANSWERED}.get(speaks_for)
