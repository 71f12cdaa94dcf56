"""What a link in a mail still is good for: one word, from plain facts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from waypost.approvals.states import ASKED, StageStatus, StepStatus


class LinkState(StrEnum):
    """How a link stands; with `OPEN` and `STALE` something can be decided."""

    OPEN = "OPEN"
    STALE = "STALE"  # the request was changed since: what differs is read first
    SIGN_IN = "SIGN_IN"
    USED = "USED"
    DECIDED = "DECIDED"
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"
    WRONG_PERSON = "WRONG_PERSON"


class Closed(StrEnum):
    """Why there is nothing to decide any more."""

    SWITCHED_OFF = "SWITCHED_OFF"
    ASKED_AGAIN = "ASKED_AGAIN"
    HANDED_ON = "HANDED_ON"
    NOT_NEEDED = "NOT_NEEDED"
    ENDED = "ENDED"
    NOT_ABLE = "NOT_ABLE"
    NOT_THEIRS = "NOT_THEIRS"


class SignIn(StrEnum):
    """Why one must be signed in to decide it."""

    POLICY = "POLICY"
    CONFIDENTIAL = "CONFIDENTIAL"
    EMERGENCY = "EMERGENCY"
    AMOUNT = "AMOUNT"
    STEP_UP = "STEP_UP"


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """A link, its step, and who holds it. `is_theirs` is None when nobody is signed in.

    `is_able`: the person works here and may decide at all; `may_act`: the step is theirs, or they stand in now.
    `is_decided`: somebody's answer or word has settled it. `sign_in` is why nobody decides it without signing in.
    """

    mode: str
    is_theirs: bool | None
    is_used: bool
    has_expired: bool
    is_current: bool
    is_running: bool
    step: StepStatus
    stage: StageStatus
    is_decided: bool
    is_able: bool
    may_act: bool
    sign_in: SignIn | None


_HANDED_ON = frozenset({StepStatus.DELEGATED, StepStatus.ESCALATED, StepStatus.REROUTED})


def state_of(facts: LinkFacts) -> tuple[LinkState, Closed | None]:
    """How the link stands, and why it is closed when it is. Who is signed in as somebody else learns nothing more."""
    if facts.is_theirs is False:
        return LinkState.WRONG_PERSON, None
    if facts.is_used:
        return LinkState.USED, None
    closed = _closed(facts)
    if closed is not None:
        return LinkState.CLOSED, closed
    if facts.is_decided:
        return LinkState.DECIDED, None
    if facts.has_expired:
        return LinkState.EXPIRED, None
    if facts.sign_in is not None and facts.is_theirs is None:
        return LinkState.SIGN_IN, None
    return (LinkState.OPEN if facts.is_current else LinkState.STALE), None


def _closed(facts: LinkFacts) -> Closed | None:
    if facts.mode == "off":
        return Closed.SWITCHED_OFF
    if facts.stage is StageStatus.SUPERSEDED:
        return Closed.ASKED_AGAIN
    if facts.step in _HANDED_ON:
        return Closed.HANDED_ON
    if facts.is_decided:
        return None
    if facts.step is StepStatus.NOT_NEEDED:
        return Closed.NOT_NEEDED
    if not facts.is_running or facts.step not in ASKED:
        return Closed.ENDED
    if not facts.is_able:
        return Closed.NOT_ABLE
    return None if facts.may_act else Closed.NOT_THEIRS
