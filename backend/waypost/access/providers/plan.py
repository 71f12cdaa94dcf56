"""What a directory's list of people would change here, and whether that is too much to be done unseen. Pure.

The plan is made before anything is done. It stops when it would deactivate more than a share of the people who come by
this provider, or empty a value of as many, or leave nobody who administers: then somebody looks at it, and lets exactly
that plan be done or not.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from waypost.access.providers.said import CAN_BE_EMPTY

ADMINISTRATOR = "admin"
ALWAYS = 3  # so many may always leave: of a small company each is more than a share
ROLES = "roles"  # the name under which a change of roles stands among a person's changes


class Action(StrEnum):
    """What becomes of a person."""

    CREATE = "CREATE"
    LINK = "LINK"  # an account that is here becomes theirs
    UPDATE = "UPDATE"
    DEACTIVATE = "DEACTIVATE"
    REACTIVATE = "REACTIVATE"
    SKIP = "SKIP"


class Reason(StrEnum):
    """Why."""

    NEW = "NEW"
    SAME_ADDRESS = "SAME_ADDRESS"
    CHANGED = "CHANGED"
    GONE = "GONE"  # the directory no longer has them
    DISABLED = "DISABLED"
    BACK = "BACK"
    NOT_CREATED = "NOT_CREATED"  # unknown here, and people are not created
    NOT_DEACTIVATED = "NOT_DEACTIVATED"  # gone or disabled, and people are not deactivated
    DEACTIVATED_HERE = "DEACTIVATED_HERE"  # somebody here deactivated them: that is not undone
    NAME_TAKEN = "NAME_TAKEN"  # somebody else has their username or e-mail address
    UNUSABLE = "UNUSABLE"  # something a person needs is missing or wrong


class StopKind(StrEnum):
    """What a plan stops for."""

    TOO_MANY = "TOO_MANY"
    TOO_MANY_EMPTIED = "TOO_MANY_EMPTIED"
    LAST_ADMINISTRATOR = "LAST_ADMINISTRATOR"


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody as the directory has them. `values` are those it decides on; a missing one is not its business.

    `roles` are those its groups lead to; None when groups decide nothing. `problem` says why they cannot be used.
    """

    subject: str
    name: str
    is_active: bool = True
    values: Mapping[str, str | None] = field(default_factory=dict)
    roles: frozenset[str] | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who comes by this provider, as they are here.

    `roles` are those its groups gave them, `other_roles` the rest. `left_by_sync`: it was a plan that deactivated them.
    """

    subject: str
    user_id: int
    name: str
    is_active: bool = True
    values: Mapping[str, str | None] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    other_roles: frozenset[str] = frozenset()
    left_by_sync: bool = False
    said: Mapping[str, str] = field(default_factory=dict)  # what the directory said of them last (`said`)

    @property
    def administers(self) -> bool:
        """Whether they can administer now."""
        return self.is_active and ADMINISTRATOR in self.roles | self.other_roles


@dataclass(frozen=True, slots=True)
class Rules:
    """What the plan may hold, and above which share of leavers it stops."""

    creates: bool = True
    updates: bool = True
    deactivates: bool = True
    stop_above_percent: int = 5


@dataclass(frozen=True, slots=True)
class Change:
    """One value that becomes another."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one person, and why. `user_id` is None for somebody who is not here yet."""

    action: Action
    reason: Reason
    subject: str
    name: str
    user_id: int | None = None
    changes: tuple[Change, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a plan is not done by itself. `names` are the administrators who would be the last to go.

    Of values that would be emptied `leaving` counts the people and `names` holds which value it is. `left_lately` left within
    the hour before, and count with them.
    """

    kind: StopKind
    leaving: int
    active: int
    percent: int
    names: tuple[str, ...] = ()
    left_lately: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Every step that changes something or is left out for a reason; `same` counts the people nothing becomes of."""

    steps: tuple[Step, ...]
    same: int
    stop: Stop | None

    @property
    def counts(self) -> dict[str, int]:
        """How many people each action is for."""
        counted = {a.value: 0 for a in Action}
        for step in self.steps:
            counted[step.action.value] += 1
        return {**counted, "SAME": self.same}

    @property
    def digest(self) -> str:
        """What the plan comes to for who may come in and do what, as a fingerprint.

        Two plans with the same one let in, keep out and empower the same people, and empty the same values. A changed
        title makes no other plan.
        """
        weighty = sorted(
            [
                s.action.value,
                s.reason.value,
                s.subject,
                s.user_id or 0,
                *sorted([c.after or "" for c in _of_roles(s)] + _emptied(s)),
            ]
            for s in self.steps
            if s.action in _WEIGHTY or _of_roles(s) or _emptied(s)
        )
        return hashlib.sha256(json.dumps(weighty, ensure_ascii=True).encode()).hexdigest()


_WEIGHTY = (Action.CREATE, Action.LINK, Action.DEACTIVATE, Action.REACTIVATE)


def _of_roles(step: Step) -> list[Change]:
    return [c for c in step.changes if c.field == ROLES]


def _weight(step: Step) -> list[str]:
    return sorted([c.after or "" for c in _of_roles(step)] + _emptied(step))


def _emptied(step: Step) -> list[str]:
    """Which values it empties."""
    return [c.field for c in step.changes if c.field in CAN_BE_EMPTY and c.before and not c.after]


def make(
    seen: Iterable[Seen],
    known: Iterable[Known],
    rules: Rules,
    *,
    is_whole: bool,
    administrators: Collection[int],
    taken: Mapping[str, int] | None = None,
    linkable: Collection[str] = (),
    unchanged: Collection[str] = (),
    left_lately: int = 0,
) -> Plan:
    """The plan. `is_whole` says that `seen` and `unchanged` are everybody: only then is who is missing gone.

    `administrators` are the ids of all who administer now, of this provider or not. `taken` are usernames and e-mail
    addresses in lower case with whose they are here; the account of one that is `linkable` becomes a stranger's.
    `unchanged` are subjects that are there as they were. `left_lately` are those whom plans that nobody looked at deactivated
    within the last hour: they count with who would leave now, so that nobody is let go of in small parts.
    """
    people = {p.subject: p for p in reversed(list(seen))}  # an entry found twice counts as it was found first
    by_subject = {k.subject: k for k in known}
    names = dict(taken or {})
    # whoever comes by two entries stays while one of them is there
    there = {k.user_id for k in by_subject.values() if _is_there(k.subject, people, unchanged)}
    steps: list[Step] = []
    same = 0
    for person in reversed(people.values()):
        here = by_subject.get(person.subject)
        if here is None:
            step = _of_stranger(person, rules, names, linkable)
        elif not person.is_active and here.user_id in there:
            step = None
        else:
            step = _of_known(person, here, rules, names)
        if step is None:
            same += 1
        else:
            steps.append(step)
    for here in by_subject.values():
        if here.subject in people:
            continue
        if is_whole and here.is_active and here.user_id not in there:
            steps.append(_leaving(here, Reason.GONE, rules))
        else:
            same += 1
    stop = guard(steps, by_subject.values(), rules.stop_above_percent, administrators, left_lately)
    return Plan(tuple(steps), same, stop)


def _is_there(subject: str, people: Mapping[str, Seen], unchanged: Collection[str]) -> bool:
    person = people.get(subject)
    return person.is_active if person else subject in unchanged


def _of_stranger(person: Seen, rules: Rules, names: dict[str, int], linkable: Collection[str]) -> Step | None:
    if not person.is_active:
        return None  # disabled there and unknown here
    if person.problem:
        return Step(Action.SKIP, Reason.UNUSABLE, person.subject, person.name, note=person.problem)
    email = (person.values.get("email") or "").lower()
    if email in linkable and names.get(email):
        names[email] = 0  # from now on it is theirs: of several with this address it is the first
        changes = _roles_change(person, frozenset())
        return Step(Action.LINK, Reason.SAME_ADDRESS, person.subject, person.name, changes=changes, note=email)
    if not rules.creates:
        return Step(Action.SKIP, Reason.NOT_CREATED, person.subject, person.name)
    if note := _taken(person, None, names):
        return Step(Action.SKIP, Reason.NAME_TAKEN, person.subject, person.name, note=note)
    return Step(Action.CREATE, Reason.NEW, person.subject, person.name, changes=_changes(person, {}, frozenset()))


def _of_known(person: Seen, here: Known, rules: Rules, names: dict[str, int]) -> Step | None:
    if not person.is_active:
        return _leaving(here, Reason.DISABLED, rules) if here.is_active else None
    if not here.is_active and not here.left_by_sync:
        return Step(Action.SKIP, Reason.DEACTIVATED_HERE, here.subject, here.name, here.user_id)
    if person.problem:
        return Step(Action.SKIP, Reason.UNUSABLE, here.subject, here.name, here.user_id, note=person.problem)
    changes = _changes(person, here.values, here.roles) if rules.updates else _roles_change(person, here.roles)
    if rules.updates and (note := _taken(person, here, names)):
        return Step(Action.SKIP, Reason.NAME_TAKEN, here.subject, here.name, here.user_id, note=note)
    if not here.is_active:
        return Step(Action.REACTIVATE, Reason.BACK, here.subject, here.name, here.user_id, changes)
    if changes:
        return Step(Action.UPDATE, Reason.CHANGED, here.subject, here.name, here.user_id, changes)
    return None


def _leaving(here: Known, reason: Reason, rules: Rules) -> Step:
    if not rules.deactivates:
        return Step(Action.SKIP, Reason.NOT_DEACTIVATED, here.subject, here.name, here.user_id, note=reason.value)
    return Step(Action.DEACTIVATE, reason, here.subject, here.name, here.user_id)


def _taken(person: Seen, here: Known | None, names: dict[str, int]) -> str:
    """Which name of theirs is somebody else's; otherwise their names are theirs from now on, also within the plan."""
    mine = {v.lower() for f in ("username", "email") if (v := person.values.get(f))}
    owner = here.user_id if here else 0
    for name in sorted(mine):
        if names.get(name, owner) != owner or (here is None and name in names):
            return name
    names.update(dict.fromkeys(mine, owner))
    return ""


def _changes(person: Seen, before: Mapping[str, str | None], roles: frozenset[str]) -> tuple[Change, ...]:
    changed = [Change(f, before.get(f), v) for f, v in person.values.items() if (before.get(f) or None) != (v or None)]
    return (*changed, *_roles_change(person, roles))


def _roles_change(person: Seen, roles: frozenset[str]) -> tuple[Change, ...]:
    if person.roles is None or person.roles == roles:
        return ()
    return (Change(ROLES, _listed(roles), _listed(person.roles)),)


def _listed(roles: frozenset[str]) -> str:
    return ", ".join(sorted(roles))


def guard(
    steps: Iterable[Step],
    known: Iterable[Known],
    percent: int,
    administrators: Collection[int],
    left_lately: int = 0,
) -> Stop | None:
    """Whether steps go too far to be done unseen: more leave, or lose a value, than the share allows, or the last
    administrator ceases to be.

    `known` are the people of the provider, `administrators` the ids of all who administer now. `left_lately` left already.
    """
    by_id = {k.user_id: k for k in known}
    active = sum(k.is_active for k in by_id.values())
    leaving, ceasing, empty = 0, set[int](), Counter[str]()
    for step in steps:
        if step.user_id is None:
            continue
        here = by_id[step.user_id]
        empty.update(_emptied(step))
        if step.action is Action.DEACTIVATE:
            leaving += 1
            ceasing.add(step.user_id)
        elif _of_roles(step) and ADMINISTRATOR not in here.other_roles | _given(step):
            ceasing.add(step.user_id)
    remaining = set(administrators) - ceasing
    if administrators and not remaining:
        names = tuple(sorted(by_id[i].name for i in ceasing & set(administrators)))
        return Stop(StopKind.LAST_ADMINISTRATOR, leaving, active, percent, names)
    if leaving and is_too_many(leaving + left_lately, active + left_lately, percent):
        return Stop(StopKind.TOO_MANY, leaving, active, percent, left_lately=left_lately)
    for name, count in empty.most_common(1):
        if is_too_many(count, active, percent):
            return Stop(StopKind.TOO_MANY_EMPTIED, count, active, percent, (name,))
    return None


def is_too_many(count: int, active: int, percent: int) -> bool:
    """Whether so many are more than the share. Of a small company each is: there up to `ALWAYS` may leave in an hour, as
    long as they are not more than half of all. Where an administrator said 0 %, nobody may unseen."""
    return count * 100 > active * percent and (percent == 0 or count > ALWAYS or count * 2 > active)


def _given(step: Step) -> set[str]:
    return {role for c in _of_roles(step) for role in (c.after or "").split(", ")}
