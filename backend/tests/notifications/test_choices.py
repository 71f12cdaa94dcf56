"""Which channels tell somebody, and when: what is chosen over what is usual, quiet hours, digests, gathering."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.notifications.choices import (
    CHANNELS,
    MANDATORY,
    USUAL,
    Choice,
    Digest,
    Plan,
    QuietHours,
    Wishes,
    plan,
)
from waypost.notifications.kinds import KINDS, Event, event_of

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
NIGHT = QuietHours(time(22), time(7))
events = st.sampled_from([e.value for e in Event])
channels = st.sampled_from(CHANNELS)
choices = st.dictionaries(events, st.dictionaries(channels, st.booleans()))
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
).map(ZoneInfo)
clocks = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def test_every_event_says_what_is_usual_of_every_channel() -> None:
    assert {e: set(c) for e, c in USUAL.items()} == {e.value: set(CHANNELS) for e in Event}
    assert {k.event for k in KINDS.values()} | {Event.EMERGENCY} == set(Event)


@given(choices, st.lists(choices, max_size=3), choices, events, channels)
def test_the_narrower_choice_counts(
    own: Choice, roles: list[Choice], company: Choice, event: str, channel: str
) -> None:
    wishes = Wishes(own, tuple(roles), company)
    said = [r[event][channel] for r in roles if channel in r.get(event, {})]
    if channel in MANDATORY.get(event, ()):
        expected = True
    elif channel in own.get(event, {}):
        expected = own[event][channel]
    elif said:
        expected = any(said)
    elif channel in company.get(event, {}):
        expected = company[event][channel]
    else:
        expected = USUAL[event][channel]
    assert wishes.wants(event, channel) is expected


def test_what_the_company_makes_mandatory_stays_on() -> None:
    off = {Event.TICKET_COMMENTED.value: {"email": False, "in_app": False}}
    wishes = Wishes(own=off, mandatory={Event.TICKET_COMMENTED.value: ["email"]})
    assert wishes.wants(Event.TICKET_COMMENTED, "email")
    assert not wishes.wants(Event.TICKET_COMMENTED, "in_app")


def test_what_asks_for_a_decision_in_an_emergency_is_one() -> None:
    assert event_of("approval.requested", is_emergency=True) is Event.EMERGENCY
    assert event_of("comment.created", is_emergency=True) is Event.TICKET_COMMENTED
    assert event_of("approval.requested", is_emergency=False) is Event.APPROVAL_REQUESTED


@pytest.mark.parametrize(
    ("local", "ends"),
    [
        ("2026-03-04 21:59", None),
        ("2026-03-04 22:00", "2026-03-05 07:00"),
        ("2026-03-05 06:59", "2026-03-05 07:00"),
        ("2026-03-05 07:00", None),
        ("2026-03-28 23:00", "2026-03-29 07:00"),  # the night that has an hour less
        ("2026-10-25 02:30", "2026-10-25 07:00"),
    ],
)
def test_a_night(local: str, ends: str | None) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)
    found = NIGHT.until(at, BERLIN)
    assert found == (datetime.fromisoformat(ends).replace(tzinfo=BERLIN).astimezone(UTC) if ends else None)


def test_a_night_belongs_to_the_day_it_starts_on() -> None:
    weekdays = QuietHours(time(22), time(7), frozenset(range(5)))
    saturday_early = datetime(2026, 3, 7, 3, tzinfo=BERLIN).astimezone(UTC)
    sunday_early = datetime(2026, 3, 8, 3, tzinfo=BERLIN).astimezone(UTC)
    assert weekdays.until(saturday_early, BERLIN) is not None
    assert weekdays.until(sunday_early, BERLIN) is None


@given(instants, clocks, clocks, st.frozensets(st.integers(0, 6)), zones)
def test_quiet_hours_end(at: datetime, starts: time, ends: time, days: frozenset[int], zone: ZoneInfo) -> None:
    """Minute by minute by the clock on the wall, where no hour is skipped or repeated."""
    local = at.astimezone(zone)
    day = local.date()
    near = [datetime.combine(day + timedelta(days=n), time(0), zone).utcoffset() for n in (-2, -1, 0, 1, 2)]
    until = QuietHours(starts, ends, days).until(at, zone)
    if until is not None:
        assert until > at
        assert until - at <= timedelta(hours=25)
    if len(set(near)) > 1:
        return

    def quiet(on: date, clock: time) -> bool:
        if starts < ends:
            return on.weekday() in days and starts <= clock < ends
        before = (on - timedelta(days=1)).weekday() in days and clock < ends
        return before or (on.weekday() in days and clock >= starts)

    assert (until is not None) == quiet(day, local.time())


def planned(wishes: Wishes, event: Event, at: datetime = AT, channel: str = "email", seconds: int = 60) -> Plan:
    return plan(
        wishes, event.value, channel, at, ticket_id=7, gathering=timedelta(seconds=seconds) if seconds else None
    )


def test_updates_of_a_request_wait_for_more() -> None:
    assert planned(Wishes(), Event.TICKET_COMMENTED) == Plan(AT + timedelta(seconds=60), "ticket:7")
    assert planned(Wishes(), Event.TICKET_COMMENTED, seconds=0) == Plan(AT)
    alone = plan(Wishes(), "ticket.commented", "email", AT, ticket_id=None, gathering=timedelta(seconds=60))
    assert alone == Plan(AT + timedelta(seconds=60), "event:ticket.commented"), "about none: with others of its event"


def test_a_digest_comes_at_the_hour_or_in_the_morning() -> None:
    hourly = Wishes(digests={"ticket.commented": Digest.HOURLY}, zone=BERLIN)
    assert planned(hourly, Event.TICKET_COMMENTED).at == datetime(2026, 3, 4, 13, tzinfo=UTC)
    assert planned(hourly, Event.TICKET_COMMENTED, channel="slack").bundle == "ticket:7", "mails only"
    daily = Wishes(digests={"ticket.commented": Digest.DAILY}, zone=BERLIN)
    assert planned(daily, Event.TICKET_COMMENTED).at == datetime(2026, 3, 5, 7, tzinfo=UTC)
    early = datetime(2026, 3, 4, 6, 59, tzinfo=UTC)
    assert planned(daily, Event.TICKET_COMMENTED, early).at == datetime(2026, 3, 4, 7, tzinfo=UTC)
    exactly = datetime(2026, 3, 4, 7, tzinfo=UTC)
    assert planned(daily, Event.TICKET_COMMENTED, exactly).at == datetime(2026, 3, 5, 7, tzinfo=UTC)


@given(instants, st.sampled_from(Digest), zones)
def test_what_is_for_the_same_digest_is_one_message(at: datetime, how: Digest, zone: ZoneInfo) -> None:
    wishes = Wishes(digests={"ticket.status": how}, zone=zone)
    first = planned(wishes, Event.TICKET_STATUS, at)
    assert first.at > at
    last = planned(wishes, Event.TICKET_STATUS, first.at - timedelta(microseconds=1))
    assert (last.at, last.bundle) == (first.at, first.bundle) or how is Digest.DAILY
    assert planned(wishes, Event.TICKET_STATUS, first.at).bundle != first.bundle


def test_quiet_hours_keep_back_all_but_emergencies() -> None:
    wishes = Wishes(quiet=NIGHT, zone=BERLIN, digests={"ticket.commented": Digest.HOURLY, "emergency": Digest.DAILY})
    late = datetime(2026, 3, 4, 23, 30, tzinfo=BERLIN).astimezone(UTC)
    morning = datetime(2026, 3, 5, 7, tzinfo=BERLIN).astimezone(UTC)
    kept = planned(wishes, Event.APPROVAL_REQUESTED, late, "sms")
    assert (kept.at, kept.bundle) == (morning, "quiet:20260305T0600")
    assert planned(wishes, Event.TICKET_COMMENTED, late).at == morning, "a digest does not come at night either"
    assert planned(wishes, Event.EMERGENCY, late) == Plan(late)


nights = st.builds(QuietHours, clocks, clocks, st.frozensets(st.integers(0, 6))).filter(lambda q: q.starts != q.ends)
wishes_ = st.builds(
    Wishes,
    own=choices,
    roles=st.lists(choices, max_size=3).map(tuple),
    company=choices,
    mandatory=st.dictionaries(events, st.lists(channels, max_size=3)),
    digests=st.dictionaries(events, st.sampled_from(Digest)),
    quiet=st.none() | nights,
    zone=zones,
)


@given(wishes_)
def test_nothing_anybody_chooses_switches_off_what_is_mandatory(wishes: Wishes) -> None:
    for event, always in MANDATORY.items():
        assert all(wishes.wants(event, channel) for channel in always)
    for event, always in wishes.mandatory.items():
        assert all(wishes.wants(event, channel) for channel in always)


@given(wishes_, instants, channels, st.none() | st.integers(1, 9), st.none() | st.integers(1, 900))
def test_an_emergency_waits_for_nothing(
    wishes: Wishes, at: datetime, channel: str, ticket_id: int | None, seconds: int | None
) -> None:
    gathering = None if seconds is None else timedelta(seconds=seconds)
    assert plan(wishes, Event.EMERGENCY, channel, at, ticket_id=ticket_id, gathering=gathering) == Plan(at)
    assert wishes.wants(Event.EMERGENCY, channel)


@given(wishes_, events, instants, channels, st.none() | st.integers(1, 900))
def test_everything_else_comes_outside_quiet_hours_and_within_three_days(
    wishes: Wishes, event: str, at: datetime, channel: str, seconds: int | None
) -> None:
    """In each zone, also in the nights that have an hour less or more."""
    if event == Event.EMERGENCY:
        return
    gathering = None if seconds is None else timedelta(seconds=seconds)
    found = plan(wishes, event, channel, at, ticket_id=7, gathering=gathering)
    assert at <= found.at <= at + timedelta(days=3)
    assert wishes.quiet is None or wishes.quiet.until(found.at, wishes.zone) is None


@given(st.lists(st.integers(0, 299), min_size=2, max_size=30), wishes_, channels)
def test_a_flood_about_one_request_shares_one_bundle(seconds: list[int], wishes: Wishes, channel: str) -> None:
    """Within five minutes at noon, whenever they come: told as one by each channel."""
    awake = Wishes(own=wishes.own, zone=wishes.zone)
    bundles = {
        planned(awake, Event.TICKET_COMMENTED, AT + timedelta(seconds=s), channel=channel).bundle for s in seconds
    }
    assert bundles == {"ticket:7"}
