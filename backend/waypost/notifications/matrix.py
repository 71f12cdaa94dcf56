"""Events by channels, as people and administrators switch them: what is shown, what is wrong, what is kept. Pure.

Only what differs from what is usual is kept: who never touched a switch goes on following what is usual, also when that
changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from waypost.kernel.errors import FieldError
from waypost.notifications.choices import CHANNELS, MANDATORY, USUAL, Choice, Digest, Wishes
from waypost.notifications.kinds import Event

Switches = dict[str, dict[str, bool]]
EVENTS = tuple(event.value for event in Event)


def switches(wishes: Wishes, events: Iterable[str], channels: Collection[str]) -> Switches:
    """What can be switched, and how it stands; what is mandatory is left out, and an event that is so on every channel."""
    shown = {e: {c: wishes.wants(e, c) for c in channels if not wishes.is_mandatory(e, c)} for e in events}
    return {event: row for event, row in shown.items() if row}


def always(wishes: Wishes, events: Iterable[str], channels: Collection[str]) -> dict[str, list[str]]:
    """What cannot be switched off, of the channels there are."""
    found = {e: [c for c in channels if wishes.is_mandatory(e, c)] for e in events}
    return {event: keys for event, keys in found.items() if keys}


def faults(asked: Mapping[str, Mapping[str, bool | None]], wishes: Wishes | None = None) -> list[FieldError]:
    """What is wrong with switches: names nobody knows and, with somebody's `wishes`, switching off what is mandatory."""
    wrong = []
    for event, row in asked.items():
        if event not in EVENTS:
            wrong.append(FieldError(f"/events/{_escaped(event)}", "is no event one can be told of"))
            continue
        for channel, value in row.items():
            pointer = f"/events/{event}/{_escaped(channel)}"
            if channel not in CHANNELS:
                wrong.append(FieldError(pointer, "is no channel"))
            elif wishes is not None and not value and wishes.is_mandatory(event, channel):
                wrong.append(FieldError(pointer, "cannot be switched off"))
    return wrong


def mandatory_faults(asked: Mapping[str, Collection[str]]) -> list[FieldError]:
    """What is wrong with what an administrator makes mandatory."""
    wrong = [
        FieldError(f"/mandatory/{_escaped(e)}", "is no event one can be told of") for e in asked if e not in EVENTS
    ]
    for event, channels in asked.items():
        wrong += [
            FieldError(f"/mandatory/{_escaped(event)}/{n}", "is no channel")
            for n, channel in enumerate(channels)
            if channel not in CHANNELS
        ]
    return wrong


def digest_faults(asked: Mapping[str, Digest]) -> list[FieldError]:
    """What is wrong with digests: an emergency waits for nothing."""
    wrong = []
    for event in asked:
        if event not in EVENTS:
            wrong.append(FieldError(f"/digests/{_escaped(event)}", "is no event one can be told of"))
        elif event == Event.EMERGENCY:
            wrong.append(FieldError(f"/digests/{event}", "is always told at once"))
    return wrong


def own_choices(asked: Choice, wishes: Wishes) -> Switches:
    """What to keep of a person's switches: what differs from what is usual for them. What was not named stays."""
    kept: Switches = {event: dict(row) for event, row in wishes.own.items()}
    for event, row in asked.items():
        for channel, value in row.items():
            differs = not wishes.is_mandatory(event, channel) and value != wishes.usual(event, channel)
            _keep(kept, event, channel, value if differs else None)
    return kept


def company_choices(asked: Choice, before: Choice) -> Switches:
    """What to keep of the company's switches: what differs from the product's own. What was not named stays."""
    kept: Switches = {event: dict(row) for event, row in before.items()}
    for event, row in asked.items():
        for channel, value in row.items():
            _keep(kept, event, channel, value if value != USUAL[event][channel] else None)
    return kept


def role_choices(asked: Mapping[str, Mapping[str, bool | None]], before: Choice) -> Switches:
    """What to keep of a role's switches: what it says itself; null is as the company has it. What was not named stays."""
    kept: Switches = {event: dict(row) for event, row in before.items()}
    for event, row in asked.items():
        for channel, value in row.items():
            _keep(kept, event, channel, value)
    return kept


def company_mandatory(asked: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """What the company makes mandatory, besides what always is; channels in their usual order."""
    kept = {
        event: [c for c in CHANNELS if c in channels and c not in MANDATORY.get(event, ())]
        for event, channels in asked.items()
    }
    return {event: channels for event, channels in kept.items() if channels}


def _keep(kept: Switches, event: str, channel: str, value: bool | None) -> None:
    row = kept.setdefault(event, {})
    if value is None:
        row.pop(channel, None)
    else:
        row[channel] = value
    if not row:
        del kept[event]


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")[:100]
