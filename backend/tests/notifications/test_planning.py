"""Who is told of what: every event, every reader, without a database."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from waypost.approvals import events as approvals
from waypost.kernel.events import Event
from waypost.notifications.planning import People, notices
from waypost.tickets import events as tickets

REQUESTER, ASSIGNEE, OTHER = 1, 2, 3
PEOPLE = People(REQUESTER, ASSIGNEE)


def made(kind: type[Event], **given: Any) -> Event:
    """An event with the fields that matter; the others filled by their type."""
    fill = {"int": 7, "str": "", "bool": False}
    values = {
        f.name: fill.get(str(f.type))
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    return kind(**(values | given))


def told(event: Event, people: People = PEOPLE, actor: int | None = OTHER) -> dict[int, tuple[str, bool]]:
    return {n.user_id: (n.kind, n.by_mail) for n in notices(event, people, actor)}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (made(approvals.ApprovalRequested, approver_id=9), {9: ("approval.requested", True)}),
        (made(approvals.InfoRequested), {REQUESTER: ("approval.info_requested", True)}),
        (
            made(approvals.InfoAnswered, asker_ids=(8, 9), lapsed=False),
            {8: ("approval.info_answered", True), 9: ("approval.info_answered", True)},
        ),
        (made(approvals.InfoAnswered, asker_ids=(8,), lapsed=True), {}),
        (
            made(tickets.TicketApproved, by_rule=False),
            {REQUESTER: ("ticket.approved", True), ASSIGNEE: ("ticket.approved", False)},
        ),
        (
            made(tickets.TicketApproved, by_rule=True),
            {REQUESTER: ("ticket.approved", False), ASSIGNEE: ("ticket.approved", False)},
        ),
        (made(tickets.TicketRejected), {REQUESTER: ("ticket.rejected", True)}),
        (
            made(tickets.TicketAssigned, new_assignee_id=9, old_assignee_id=None),
            {9: ("ticket.assigned", True)},
        ),
        (made(tickets.TicketAssigned, new_assignee_id=None, old_assignee_id=9), {}),
        (made(tickets.TicketAssigned, new_assignee_id=9, old_assignee_id=9), {}),
        (made(tickets.AttachmentRemoved), {}),
        (made(tickets.TicketMerged), {REQUESTER: ("ticket.merged", True)}),
        (made(tickets.TicketCompleted), {REQUESTER: ("ticket.completed", True)}),
        (
            made(tickets.TicketReopened),
            {REQUESTER: ("ticket.reopened", True), ASSIGNEE: ("ticket.reopened", True)},
        ),
        (
            made(tickets.CommentAdded, visibility="PUBLIC"),
            {REQUESTER: ("comment.created", True), ASSIGNEE: ("comment.created", True)},
        ),
        (made(tickets.CommentAdded, visibility="INTERNAL"), {ASSIGNEE: ("comment.created", False)}),
        (made(tickets.TicketSubmitted), {REQUESTER: ("ticket.asked_for_you", True)}),
        (
            made(tickets.CommentAdded, visibility="PUBLIC", mentioned_ids=(ASSIGNEE, 9)),
            {
                ASSIGNEE: ("comment.mentioned", True),
                9: ("comment.mentioned", True),
                REQUESTER: ("comment.created", True),
            },
        ),
        (
            made(tickets.CommentAdded, visibility="INTERNAL", mentioned_ids=(9,)),
            {9: ("comment.mentioned", True), ASSIGNEE: ("comment.created", False)},
        ),
        (made(tickets.CommentEdited, visibility="PUBLIC", mentioned_ids=(9,)), {9: ("comment.mentioned", True)}),
        (made(tickets.CommentEdited, visibility="PUBLIC"), {}),
    ],
)
def test_who_is_told(event: Event, expected: dict[int, tuple[str, bool]]) -> None:
    assert told(event) == expected


def test_who_sends_off_their_own_request_hears_nothing_of_it() -> None:
    assert told(made(tickets.TicketSubmitted), actor=REQUESTER) == {}


def test_who_asked_for_somebody_hears_of_it_with_them() -> None:
    people = People(REQUESTER, ASSIGNEE, OTHER)
    for event in (
        made(tickets.TicketApproved, by_rule=False),
        made(tickets.TicketRejected),
        made(tickets.TicketCompleted),
        made(approvals.InfoRequested),
        made(tickets.CommentAdded, visibility="PUBLIC"),
    ):
        found = told(event, people, actor=9)
        assert found[OTHER] == found[REQUESTER]
        assert OTHER not in told(event, people, actor=OTHER)
        assert OTHER in told(event, people, actor=REQUESTER), "also of what the requester does themself"
    assert OTHER not in told(made(tickets.TicketSubmitted), people, actor=9)
    # what the requester hears as something else than the requester is theirs alone
    worker = People(REQUESTER, REQUESTER, OTHER)
    assert OTHER not in told(made(tickets.CommentAdded, visibility="INTERNAL"), worker, actor=9)
    taken = made(tickets.TicketAssigned, new_assignee_id=REQUESTER, old_assignee_id=None)
    assert OTHER not in told(taken, worker, actor=9)


def test_what_names_somebody_in_an_internal_note_needs_the_right_to_read_it() -> None:
    event = made(tickets.CommentAdded, visibility="INTERNAL", mentioned_ids=(9,))
    assert all(n.is_internal for n in notices(event, PEOPLE, OTHER))


def test_who_answers_is_told_what_they_are_asked_next() -> None:
    """The same person in two stages, and a deputy whose approver is asked again."""
    asked = made(approvals.ApprovalRequested, approver_id=OTHER)
    assert told(asked, actor=OTHER) == {OTHER: ("approval.requested", True)}
    again = made(approvals.ApprovalRequested, approver_id=9)
    deputies = dataclasses.replace(PEOPLE, deputy_ids=(OTHER,))
    assert told(again, deputies, actor=OTHER)[OTHER] == ("approval.requested_for", True)


def test_who_was_late_is_told_once_and_who_was_acted_for_always() -> None:
    late = made(approvals.ApprovalEscalated, approver_id=9, by_time=True)
    assert told(late, actor=None) == {9: ("approval.escalated", True)}
    assert told(dataclasses.replace(late, again=True), actor=None) == {}  # type: ignore[type-var]
    for kind in (approvals.ApprovalEscalated, approvals.ApproverAdded):
        assert told(made(kind, approver_id=9, for_id=9)) == {9: ("approval.decided_for_you", True)}
        assert told(made(kind, approver_id=9, for_id=None)) == {}


def test_nobody_is_told_of_their_own_action() -> None:
    for event in (made(tickets.TicketRejected), made(tickets.CommentAdded, visibility="PUBLIC")):
        assert REQUESTER not in told(event, actor=REQUESTER)


def test_without_an_assignee() -> None:
    alone = People(REQUESTER, None)
    assert told(made(tickets.CommentAdded, visibility="INTERNAL"), alone) == {}
    assert set(told(made(tickets.CommentAdded, visibility="PUBLIC"), alone)) == {REQUESTER}
    assert set(told(made(tickets.TicketApproved, by_rule=False), alone)) == {REQUESTER}
    assert set(told(made(tickets.TicketReopened), alone)) == {REQUESTER}


def test_watchers_are_told_what_the_requester_is_told() -> None:
    people = People(REQUESTER, ASSIGNEE, watcher_ids=(8, 9))
    both = {8: ("comment.created", True), 9: ("comment.created", True)}
    assert both.items() <= told(made(tickets.CommentAdded, visibility="PUBLIC"), people).items()
    assert 8 not in told(made(tickets.CommentAdded, visibility="PUBLIC"), people, actor=8)
    assert told(made(tickets.CommentAdded, visibility="INTERNAL"), people) == {ASSIGNEE: ("comment.created", False)}
    for kind in (tickets.TicketRejected, tickets.TicketCompleted, tickets.TicketReopened, tickets.TicketApproved):
        assert {8, 9} <= set(told(made(kind), people))
    assert 8 not in told(made(approvals.InfoRequested), people), "the question is the requester's to answer"
    assert 8 not in told(made(tickets.TicketAssigned, new_assignee_id=ASSIGNEE, old_assignee_id=None), people)


def test_who_is_let_in_is_told() -> None:
    assert told(made(tickets.WatcherAdded, user_id=9, gives_sight=True)) == {9: ("ticket.watching", True)}
    assert told(made(tickets.WatcherAdded, user_id=9, gives_sight=False)) == {}


def test_one_person_is_told_once() -> None:
    same = People(REQUESTER, REQUESTER)
    assert len(notices(made(tickets.CommentAdded, visibility="PUBLIC"), same, OTHER)) == 1
