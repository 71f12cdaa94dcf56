"""The life of a ticket: every pair of statuses, every part, judged against the specification's diagram."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from waypost.kernel.errors import Refusal
from waypost.tickets.errors import (
    ApprovedFacts,
    CommentNeeded,
    ImpossibleTransition,
    NotYours,
    ReopenTooLate,
    TicketIsClosed,
)
from waypost.tickets.lifecycle import (
    TRANSITIONS,
    Facts,
    Part,
    Status,
    Step,
    check_edit,
    decide,
    may_edit,
    possible,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
ALL = frozenset(Part)
# Specification, Status Flow; with withdraw, discard and re-open as the design adds them.
DRAWN = {
    ("DRAFT", "SUBMITTED"),
    ("SUBMITTED", "IN_REVIEW"),
    ("IN_REVIEW", "PENDING_INFO"),
    ("PENDING_INFO", "IN_REVIEW"),
    ("IN_REVIEW", "APPROVED"),
    ("IN_REVIEW", "REJECTED"),
    ("APPROVED", "IN_PROGRESS"),
    ("IN_PROGRESS", "COMPLETED"),
    ("COMPLETED", "CLOSED"),
    ("REJECTED", "CLOSED"),
    ("DRAFT", "CLOSED"),
    ("SUBMITTED", "APPROVED"),
    ("SUBMITTED", "DRAFT"),
    ("IN_REVIEW", "DRAFT"),
    ("PENDING_INFO", "DRAFT"),
    ("COMPLETED", "IN_PROGRESS"),
}


def test_the_table_is_the_diagram() -> None:
    assert {(t.source.value, t.target.value) for t in TRANSITIONS} == DRAWN


@pytest.mark.parametrize(("source", "target"), list(itertools.product(Status, Status)))
def test_every_pair_of_statuses(source: Status, target: Status) -> None:
    def go(parts: frozenset[Part]) -> object:
        return decide(Facts(source, AT), target, parts, AT, comment="words", reopen_within=WEEK)

    if (source.value, target.value) not in DRAWN:
        with pytest.raises(ImpossibleTransition):
            go(ALL)
        return
    edge = next(t for t in TRANSITIONS if (t.source, t.target) == (source, target))
    for part in Part:
        if part in edge.by:
            assert go(frozenset({part})) is edge
        else:
            with pytest.raises(NotYours):
                go(frozenset({part}))
    with pytest.raises(NotYours):
        go(frozenset())


def test_nobody_approves_by_moving_the_ticket() -> None:
    for edge in TRANSITIONS:
        if edge.step in (Step.APPROVE, Step.REJECT, Step.ASK, Step.START_REVIEW):
            assert edge.by == {Part.APPROVALS}


def test_an_answer_has_words() -> None:
    asked = Facts(Status.PENDING_INFO)
    with pytest.raises(CommentNeeded):
        decide(asked, Status.IN_REVIEW, frozenset({Part.REQUESTER}), AT, comment=" \n", reopen_within=WEEK)


def test_the_window_to_reopen_is_half_open_at_its_end() -> None:
    def go(days: float) -> object:
        done = Facts(Status.COMPLETED, AT - timedelta(days=days))
        return decide(done, Status.IN_PROGRESS, frozenset({Part.REQUESTER}), AT, reopen_within=WEEK)

    assert go(0)
    assert go(7)
    with pytest.raises(ReopenTooLate):
        go(7.0001)


@pytest.mark.parametrize("status", list(Status))
def test_possible_is_what_decide_allows(status: Status) -> None:
    for n in range(len(Part) + 1):
        for parts in map(frozenset, itertools.combinations(Part, n)):
            offered = {t.target for t in possible(Facts(status, AT), parts, AT, reopen_within=WEEK)}
            for target in Status:
                try:
                    decide(Facts(status, AT), target, parts, AT, comment="x", reopen_within=WEEK)
                except Refusal:
                    assert target not in offered
                else:
                    assert target in offered


@pytest.mark.parametrize("status", list(Status))
def test_editing(status: Status) -> None:
    by_requester = status in {Status.DRAFT, Status.SUBMITTED, Status.IN_REVIEW, Status.PENDING_INFO}
    by_team = status in {Status.APPROVED, Status.IN_PROGRESS}
    assert may_edit(status, frozenset({Part.REQUESTER})) is by_requester
    assert may_edit(status, frozenset({Part.FULFILLER})) is False, "what was approved stays as it was"
    assert may_edit(status, frozenset({Part.FULFILLER, Part.KEEPER})) is by_team
    with pytest.raises(NotYours):
        check_edit(status, frozenset())
    if by_requester:
        check_edit(status, frozenset({Part.REQUESTER}))
        with pytest.raises(NotYours):
            check_edit(status, frozenset({Part.FULFILLER}))
    elif by_team:
        check_edit(status, frozenset({Part.FULFILLER}), ("priority",))
        for field in ("title", "description", "amount"):
            with pytest.raises(ApprovedFacts):
                check_edit(status, frozenset({Part.FULFILLER}), (field,))
    else:
        with pytest.raises(TicketIsClosed):
            check_edit(status, ALL)
