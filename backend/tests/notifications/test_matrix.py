"""Events by channels: what is shown and kept of what people and administrators switch."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waypost.notifications import matrix
from waypost.notifications.choices import CHANNELS, USUAL, Digest, Wishes
from waypost.notifications.kinds import Event

events = st.sampled_from(matrix.EVENTS)
channels = st.sampled_from(CHANNELS)
choices = st.dictionaries(events, st.dictionaries(channels, st.booleans(), min_size=1))
mandatory = st.dictionaries(events, st.lists(channels, max_size=3))
wishes = st.builds(
    Wishes, own=choices, roles=st.lists(choices, max_size=2).map(tuple), company=choices, mandatory=mandatory
)


@given(wishes)
def test_every_pair_is_either_switched_or_mandatory(held: Wishes) -> None:
    switched = matrix.switches(held, matrix.EVENTS, CHANNELS)
    fixed = matrix.always(held, matrix.EVENTS, CHANNELS)
    for event in matrix.EVENTS:
        assert sorted([*switched.get(event, {}), *fixed.get(event, [])]) == sorted(CHANNELS)
        assert all(held.wants(event, c) for c in fixed.get(event, []))


@given(wishes, choices)
def test_what_is_kept_means_what_was_asked(held: Wishes, asked: dict[str, dict[str, bool]]) -> None:
    kept = matrix.own_choices(asked, held)
    after = Wishes(kept, held.roles, held.company, held.mandatory)
    for event, row in asked.items():
        for channel, value in row.items():
            assert after.wants(event, channel) is (value or held.is_mandatory(event, channel))
            if channel in kept.get(event, {}):
                assert value != held.usual(event, channel)
    for event, row in held.own.items():
        for channel, value in row.items():
            if channel not in asked.get(event, {}):
                assert kept[event][channel] is value


@given(choices, choices)
def test_the_company_keeps_what_differs(asked: dict[str, dict[str, bool]], before: dict[str, dict[str, bool]]) -> None:
    kept = matrix.company_choices(asked, before)
    for event, row in asked.items():
        for channel, value in row.items():
            assert kept.get(event, {}).get(channel, USUAL[event][channel]) is value
    assert all(row for row in kept.values())


def test_a_role_keeps_what_it_says_itself() -> None:
    before = {"ticket.commented": {"email": False, "sms": True}}
    assert matrix.role_choices({"ticket.commented": {"email": None}}, before) == {"ticket.commented": {"sms": True}}
    assert matrix.role_choices({"ticket.commented": {"email": None, "sms": None}}, before) == {}
    assert matrix.role_choices({"ticket.status": {"email": True}}, {}) == {"ticket.status": {"email": True}}


def test_what_always_is_mandatory_is_not_kept_again() -> None:
    asked = {"approval.requested": ["in_app", "push", "email"], "emergency": ["sms"], "ticket.status": []}
    assert matrix.company_mandatory(asked) == {"approval.requested": ["email", "push"]}


def test_faults_name_their_place() -> None:
    asked: dict[str, Any] = {
        "no/such": {},
        "ticket.status": {"pigeon": True},
        "emergency": {"sms": False, "email": True},
    }
    found = {(f.pointer, f.message) for f in matrix.faults(asked, Wishes())}
    assert found == {
        ("/events/no~1such", "is no event one can be told of"),
        ("/events/ticket.status/pigeon", "is no channel"),
        ("/events/emergency/sms", "cannot be switched off"),
    }
    assert [f.pointer for f in matrix.faults(asked)] == ["/events/no~1such", "/events/ticket.status/pigeon"]
    assert [f.pointer for f in matrix.mandatory_faults({"x": [], "ticket.status": ["sms", "pigeon"]})] == [
        "/mandatory/x",
        "/mandatory/ticket.status/1",
    ]
    late = matrix.digest_faults(
        {"x": Digest.DAILY, Event.EMERGENCY.value: Digest.HOURLY, "ticket.status": Digest.DAILY}
    )
    assert [f.pointer for f in late] == ["/digests/x", "/digests/emergency"]
