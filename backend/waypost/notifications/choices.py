"""Which channels tell somebody of an event, and when. Pure.

What is chosen is laid over what is usual, from the widest to the narrowest: the product's own, the company's, that of
the person's roles (one role that wants it is enough), the person's. What is mandatory cannot be switched off, and an
emergency is not kept back for anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from waypost.notifications.kinds import Event

IN_APP = "in_app"
EMAIL = "email"
CHANNELS = (IN_APP, EMAIL, "slack", "teams", "sms", "push")
LABELS = {
    IN_APP: "In the app",
    EMAIL: "E-mail",
    "slack": "Slack",
    "teams": "Teams",
    "sms": "SMS",
    "push": "Browser",
}
LONGEST_GATHERING = timedelta(minutes=5)  # domain rule 16: thirty updates in five minutes are one mail
GATHERED = ("ticket:", "event:")  # how the names of bundles begin that wait for some minutes
UTC_ZONE = ZoneInfo("UTC")
DAILY_AT = time(8)  # in the person's own zone

# event → channel → whether; channels not named are as the next wider choice has them
Choice = Mapping[str, Mapping[str, bool]]

_CHAT = {
    Event.APPROVAL_REQUESTED,
    Event.APPROVAL_REMINDED,
    Event.APPROVAL_ESCALATED,
    Event.APPROVAL_QUESTION,
    Event.COMMENT_MENTIONED,
    Event.TICKET_ASSIGNED,
    Event.SLA_BREACH,
    Event.EMERGENCY,
}
_COSTLY = {Event.APPROVAL_ESCALATED, Event.EMERGENCY}  # each message is paid for: what cannot wait
USUAL: dict[str, dict[str, bool]] = {
    event.value: {
        IN_APP: True,
        EMAIL: True,
        "slack": event in _CHAT,
        "teams": event in _CHAT,
        "sms": event in _COSTLY,
        "push": event in _CHAT | {Event.TICKET_COMMENTED, Event.APPROVAL_DECIDED},
    }
    for event in Event
}
# Who is asked finds it in the app, that others decide in one's name or reach into
# one's account is told, and an emergency goes every way there is.
MANDATORY: dict[str, tuple[str, ...]] = {
    Event.APPROVAL_REQUESTED.value: (IN_APP,),
    Event.APPROVAL_REVIEW.value: (IN_APP, EMAIL),
    Event.DELEGATION.value: (IN_APP, EMAIL),
    Event.ROLE.value: (IN_APP,),
    Event.ACCOUNT.value: (IN_APP, EMAIL),
    Event.EMERGENCY.value: CHANNELS,
    Event.SYSTEM.value: (IN_APP,),
}


class Digest(StrEnum):
    """How often an event's mails come as one."""

    HOURLY = "HOURLY"
    DAILY = "DAILY"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `starts` to `ends` by the person's clock, past midnight when `ends` is not later; `days` are those on which
    it starts (0 is Monday)."""

    starts: time
    ends: time
    days: frozenset[int] = frozenset(range(7))

    def until(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """The end of the quiet hours `at` lies in, or None. Half-open: at the end it is not quiet any more."""
        local = at.astimezone(zone)
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            if day.weekday() not in self.days:
                continue
            begins = datetime.combine(day, self.starts, zone)
            over = day + timedelta(days=0 if self.starts < self.ends else 1)
            ends = datetime.combine(over, self.ends, zone)
            if begins.astimezone(UTC) <= at < ends.astimezone(UTC):
                return ends.astimezone(UTC)
        return None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody chose, and what is chosen for them."""

    own: Choice = field(default_factory=dict)
    roles: tuple[Choice, ...] = ()
    company: Choice = field(default_factory=dict)
    mandatory: Mapping[str, Iterable[str]] = field(default_factory=dict)  # by the company, besides the product's
    digests: Mapping[str, Digest] = field(default_factory=dict)
    quiet: QuietHours | None = None
    zone: ZoneInfo = UTC_ZONE

    def usual(self, event: str, channel: str) -> bool:
        """What holds for somebody who chose nothing."""
        by_role = [role[event][channel] for role in self.roles if channel in role.get(event, {})]
        if by_role:
            return any(by_role)
        return self.company.get(event, {}).get(channel, USUAL[event][channel])

    def is_mandatory(self, event: str, channel: str) -> bool:
        """Whether it cannot be switched off."""
        return channel in MANDATORY.get(event, ()) or channel in self.mandatory.get(event, ())

    def wants(self, event: str, channel: str) -> bool:
        """Whether this channel tells them of this event."""
        if self.is_mandatory(event, channel):
            return True
        return self.own.get(event, {}).get(channel, self.usual(event, channel))


@dataclass(frozen=True, slots=True)
class Plan:
    """When a message goes out, and with which others as one: those with the same `bundle`."""

    at: datetime
    bundle: str | None = None


def plan(
    wishes: Wishes, event: str, channel: str, at: datetime, *, ticket_id: int | None, gathering: timedelta | None
) -> Plan:
    """When to tell somebody by a channel. `gathering` is how long to wait for more about the same request, or of the same
    event where it is about none; or None."""
    if event in (Event.EMERGENCY, Event.ACCOUNT):
        return Plan(at)
    digest = wishes.digests.get(event) if channel == EMAIL else None
    if digest is not None:
        comes = _next(digest, at, wishes.zone)
        comes = (wishes.quiet and wishes.quiet.until(comes, wishes.zone)) or comes
        return Plan(comes, f"digest:{comes:%Y%m%dT%H%M}")
    if wishes.quiet is not None and (ends := wishes.quiet.until(at, wishes.zone)) is not None:
        return Plan(ends, f"quiet:{ends:%Y%m%dT%H%M}")
    if gathering:
        goes = at + min(gathering, LONGEST_GATHERING)
        if wishes.quiet is not None and (ends := wishes.quiet.until(goes, wishes.zone)) is not None:
            return Plan(ends, f"quiet:{ends:%Y%m%dT%H%M}")  # it would have gone out when it is quiet already
        return Plan(goes, f"event:{event}" if ticket_id is None else f"ticket:{ticket_id}")
    return Plan(at)


def _next(digest: Digest, at: datetime, zone: ZoneInfo) -> datetime:
    """The next full hour, or the next morning, by the person's clock; always later than `at`."""
    local = at.astimezone(zone)
    if digest is Digest.HOURLY:
        return (at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)) + timedelta(hours=1)
    day = local.date() if local.time() < DAILY_AT else local.date() + timedelta(days=1)
    return datetime.combine(day, DAILY_AT, zone).astimezone(UTC)
