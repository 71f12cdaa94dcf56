"""What a rule is, when it is asked, whether it holds and why, and when it must not go on. Pure.

A rule has a trigger, a condition and actions. Rules are asked in their order, each of the ticket as the ones before left
it; one that `stops` ends the search when it held. What a rule causes carries the chain of rules behind it: no rule fires
on what it caused itself, however far down the chain, and a chain has an end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from waypost.catalog.sensitive import HIDDEN_TEXT, mark_of
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import CUSTOM, Catalogue, Field, Kind
from waypost.kernel.conditions.tree import All, Condition, Leaf, Not, describe, parse
from waypost.kernel.errors import FieldError
from waypost.sla.calendar import Calendar, NeverOpen, after, working_days

LONGEST_CHAIN = 5  # rules, one caused by the other
MOST_PER_HOUR = 60  # times rules fire for one ticket
MOST_ACTIONS = 20


class On(StrEnum):
    """What a rule can wait for."""

    CREATED = "CREATED"
    SUBMITTED = "SUBMITTED"
    UPDATED = "UPDATED"
    STATUS_CHANGED = "STATUS_CHANGED"
    ASSIGNED = "ASSIGNED"
    COMMENTED = "COMMENTED"
    APPROVAL_DECIDED = "APPROVAL_DECIDED"
    DUE_SOON = "DUE_SOON"
    OVERDUE = "OVERDUE"
    SLA_WARNED = "SLA_WARNED"
    SLA_BREACHED = "SLA_BREACHED"
    IN_STATUS = "IN_STATUS"
    QUIET = "QUIET"
    BEFORE_DATE = "BEFORE_DATE"
    AFTER_DATE = "AFTER_DATE"


TIMED = frozenset({On.IN_STATUS, On.QUIET, On.BEFORE_DATE, On.AFTER_DATE})
OF_DATES = frozenset({On.BEFORE_DATE, On.AFTER_DATE})


class Unit(StrEnum):
    """What a span is counted in."""

    MINUTES = "MINUTES"
    HOURS = "HOURS"
    DAYS = "DAYS"
    WORKING_HOURS = "WORKING_HOURS"
    WORKING_DAYS = "WORKING_DAYS"


WORKING = frozenset({Unit.WORKING_HOURS, Unit.WORKING_DAYS})
_PLAIN = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1), Unit.DAYS: timedelta(days=1)}
LONGEST = timedelta(days=366)
_MOST_WORKING = {Unit.WORKING_HOURS: 366 * 24, Unit.WORKING_DAYS: 366}


class By(StrEnum):
    """Who did what a rule follows."""

    REQUESTER = "REQUESTER"
    TEAM = "TEAM"
    OTHER = "OTHER"
    WAYPOST = "WAYPOST"


class Do(StrEnum):
    """What a rule can do."""

    ASSIGN = "ASSIGN"
    SET_PRIORITY = "SET_PRIORITY"
    SET_DUE = "SET_DUE"
    ADD_TAGS = "ADD_TAGS"
    REMOVE_TAGS = "REMOVE_TAGS"
    SET_FIELD = "SET_FIELD"
    TRANSITION = "TRANSITION"
    COMMENT = "COMMENT"
    NOTIFY = "NOTIFY"
    ESCALATE = "ESCALATE"
    WEBHOOK = "WEBHOOK"
    START_APPROVAL = "START_APPROVAL"


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a rule is asked. What is empty narrows nothing."""

    on: On
    fields: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    visibility: str | None = None
    by: By | None = None
    outcome: str | None = None
    amount: int = 0
    unit: Unit = Unit.HOURS
    date_field: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a rule does; `values` are those of its document."""

    do: Do
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it is asked."""

    id: int
    version: int
    name: str
    trigger: Trigger
    condition: Condition
    actions: tuple[Action, ...]
    stops: bool = False
    reaches_confidential: bool = False
    since: datetime | None = None


def read(document: Mapping[str, Any], fields: Catalogue, **known: Any) -> Rule:
    """The rule a document stands for. Raises `InvalidCondition` naming the place."""
    return Rule(
        trigger=trigger_of(document["trigger"]),
        condition=parse(document["condition"], fields, pointer="/condition"),
        actions=tuple(Action(Do(a["do"]), a) for a in document["actions"]),
        stops=document["stops"],
        **known,
    )


def trigger_of(document: Mapping[str, Any]) -> Trigger:
    """The trigger a document stands for."""
    return Trigger(
        on=On(document["on"]),
        fields=frozenset(document.get("fields") or ()),
        statuses=frozenset(document.get("statuses") or ()),
        visibility=document.get("visibility"),
        by=By(document["by"]) if document.get("by") else None,
        outcome=document.get("outcome"),
        amount=document.get("amount") or 0,
        unit=Unit(document.get("unit") or Unit.HOURS),
        date_field=document.get("date_field"),
    )


def faults(document: Mapping[str, Any], fields: Catalogue) -> list[FieldError]:
    """What is wrong with a document whose shape is right, each at its place; the condition is read elsewhere."""
    return [*_trigger_faults(trigger_of(document["trigger"]), fields), *_action_faults(document["actions"], fields)]


def _trigger_faults(trigger: Trigger, fields: Catalogue) -> list[FieldError]:
    wrong = []
    at = "/trigger"
    if trigger.on in TIMED and not trigger.amount and trigger.on is not On.AFTER_DATE:
        wrong.append(FieldError(f"{at}/amount", "is needed"))
    if trigger.on is On.IN_STATUS and not trigger.statuses:
        wrong.append(FieldError(f"{at}/statuses", "is needed"))
    if trigger.on in OF_DATES:
        known = fields.get(trigger.date_field or "")
        if known is None or known.kind not in (Kind.INSTANT, Kind.DATE):
            wrong.append(FieldError(f"{at}/date_field", "must be a field that holds a date"))
        elif known.is_sensitive:
            wrong.append(
                FieldError(f"{at}/date_field", "is sensitive: when the rule runs would tell what was answered")
            )
        if trigger.unit in WORKING:
            wrong.append(FieldError(f"{at}/unit", "must be MINUTES, HOURS or DAYS beside a date"))
    elif trigger.date_field is not None:
        wrong.append(FieldError(f"{at}/date_field", "is for times beside a date"))
    if trigger.on in TIMED and trigger.unit in _PLAIN and trigger.amount * _PLAIN[trigger.unit] > LONGEST:
        wrong.append(FieldError(f"{at}/amount", "must be at most a year"))
    if trigger.on in TIMED and trigger.amount > (most := _MOST_WORKING.get(trigger.unit, trigger.amount)):
        wrong.append(FieldError(f"{at}/amount", f"must be at most {_span(most, trigger.unit)}"))
    wrong += [
        FieldError(f"{at}/fields", f"{name} is not a field one can ask for")
        for name in sorted(trigger.fields)
        if name not in fields
    ]
    return wrong


def _action_faults(actions: Sequence[Mapping[str, Any]], fields: Catalogue) -> list[FieldError]:
    wrong = []
    for n, action in enumerate(actions):
        at, do = f"/actions/{n}", Do(action["do"])
        if do is Do.ASSIGN:
            if action["to"] == "PERSON" and not action.get("user_id"):
                wrong.append(FieldError(f"{at}/user_id", "is needed"))
            if action["to"] == "TEAM" and not action.get("team_id"):
                wrong.append(FieldError(f"{at}/team_id", "is needed"))
        elif do is Do.SET_FIELD and not str(action["field"]).startswith(CUSTOM):
            wrong.append(FieldError(f"{at}/field", "must be a field of a form"))
        elif do is Do.SET_FIELD and action["field"] not in fields:
            wrong.append(FieldError(f"{at}/field", "is not a field there is"))
        elif do is Do.SET_FIELD and fields[action["field"]].is_sensitive:
            wrong.append(FieldError(f"{at}/field", "is sensitive: the value would stand here for all to read"))
        elif do is Do.SET_FIELD and mark_of(action.get("value")) is not None:
            wrong.append(FieldError(f"{at}/value", "stands for a hidden answer, and is none itself"))
        elif do is Do.START_APPROVAL and not action.get("workflow_id"):
            wrong.append(FieldError(f"{at}/workflow_id", "is needed"))
        elif do is Do.NOTIFY:
            for m, told in enumerate(action["to"]):
                if told["kind"] in ("PERSON", "ROLE") and not told.get("id"):
                    wrong.append(FieldError(f"{at}/to/{m}/id", "is needed"))
    return wrong


# --- what happened ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What an event means to rules: by which words it is waited for, and what it changed."""

    on: frozenset[On]
    fields: frozenset[str] = frozenset()
    status: str | None = None
    visibility: str | None = None
    by: By = By.WAYPOST
    outcome: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)


def matches(trigger: Trigger, change: Change) -> bool:
    """Whether this is what the rule waits for."""
    return (
        trigger.on in change.on
        and (trigger.on is not On.UPDATED or not trigger.fields or bool(trigger.fields & change.fields))
        and (trigger.on is not On.STATUS_CHANGED or not trigger.statuses or change.status in trigger.statuses)
        and (trigger.on is not On.COMMENTED or trigger.visibility in (None, change.visibility))
        and (trigger.on is not On.APPROVAL_DECIDED or trigger.outcome in (None, change.outcome))
        and trigger.by in (None, change.by)
    )


# --- whether and why --------------------------------------------------------------------------------------------------

Namer = Callable[[Field, object], str | None]


def why(condition: Condition, record: Mapping[str, Any], name: Namer | None = None) -> dict[str, Any]:
    """The condition part by part: what it says, whether it held, and of a comparison what the ticket had."""
    held = holds(condition, record)
    if isinstance(condition, Leaf):
        value = record.get(condition.field.name)
        is_nothing = value is None or value in ("", [])
        said = None if is_nothing else (name and name(condition.field, value)) or _plain(value)
        asked = condition.field.name
        told = {"text": describe(condition, name), "value": said, "parts": list[Any]()}
        return {"kind": "IS", "field": asked, "held": held, **told}
    if isinstance(condition, Not):
        return {"kind": "NOT", "held": held, "text": "", "value": None, "parts": [why(condition.part, record, name)]}
    kind = "ALL" if isinstance(condition, All) else "ANY"
    return {
        "kind": kind,
        "held": held,
        "text": "",
        "value": None,
        "parts": [why(p, record, name) for p in condition.parts],
    }


def without(told: Mapping[str, Any], fields: Collection[str], titles: Collection[str]) -> dict[str, Any]:
    """What `why` said, and nothing of the answers to these fields, nor of what they were compared with.

    A part from before it named its field is known by what the field was called (`titles`).
    """
    parts = [without(part, fields, titles) for part in told["parts"]]
    if told["kind"] != "IS":
        return {**told, "parts": parts}
    is_about = told["field"] in fields if "field" in told else told["text"].startswith(tuple(titles))
    return {**told, "text": "a hidden answer was looked at", "value": HIDDEN_TEXT} if is_about else dict(told)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))[:200]
    return str(value)[:200]


def reason_of(rule: Rule) -> str:
    """Why an approval was started that a rule starts."""
    return f"the rule “{rule.name}” asks for it"


# --- when it must not go on -------------------------------------------------------------------------------------------


class Stop(StrEnum):
    """Why a rule that held did not fire."""

    OWN = "OWN"  # it is behind what it would fire on
    DEPTH = "DEPTH"
    BUDGET = "BUDGET"


LOUD = frozenset({Stop.DEPTH, Stop.BUDGET})  # administrators hear of these


def stopped(rule_id: int, chain: Sequence[int], fired_lately: int) -> Stop | None:
    """Whether loops end here: `chain` are the rules behind the event, `fired_lately` how often rules fired for it in an hour."""
    if rule_id in chain:
        return Stop.OWN
    if len(chain) >= LONGEST_CHAIN:
        return Stop.DEPTH
    return Stop.BUDGET if fired_lately >= MOST_PER_HOUR else None


# --- time -------------------------------------------------------------------------------------------------------------


def moment(trigger: Trigger, anchor: datetime, calendar: Calendar) -> datetime | None:
    """When a rule over time is due, told from what it is counted from.

    None when that never comes: the calendar has not so much time open, or there are no such years.
    """
    try:
        if trigger.on is On.BEFORE_DATE:
            return anchor - trigger.amount * _PLAIN[trigger.unit]
        if trigger.unit in _PLAIN:
            return anchor + trigger.amount * _PLAIN[trigger.unit]
        if trigger.unit is Unit.WORKING_HOURS:
            return after(calendar, anchor, timedelta(hours=trigger.amount))
        return after(calendar, anchor, working_days(calendar, anchor, trigger.amount))
    except (NeverOpen, OverflowError):
        return None


# --- in words ---------------------------------------------------------------------------------------------------------

Caller = Callable[[str, int | None], str]  # ("team", 3) -> "IT Support"
_MANNER = {"ROUND_ROBIN": "the next in turn", "LEAST_LOADED": "who has the fewest open tickets"}
_TOLD = {
    "REQUESTER": "the requester",
    "ASSIGNEE": "the assignee",
    "TEAM": "its team",
    "TEAM_LEADS": "the leads of its team",
    "WATCHERS": "those who watch it",
}


def said(action: Action, call: Caller) -> str:
    """An action in words, after “Waypost would …”."""
    v = action.values
    match action.do:
        case Do.ASSIGN:
            return _assigned(v, call)
        case Do.SET_PRIORITY:
            return f"set the priority to {str(v['priority']).lower()}"
        case Do.SET_DUE:
            span = v.get("amount")
            return f"set the due date to {_span(span, v['unit'])} from then" if span else "take the due date away"
        case Do.ADD_TAGS:
            return f"add the tags {', '.join(v['tags'])}"
        case Do.REMOVE_TAGS:
            return f"take away the tags {', '.join(v['tags'])}"
        case Do.SET_FIELD:
            return f"fill in {str(v['field']).removeprefix(CUSTOM)}"
        case Do.TRANSITION:
            return f"move it to {str(v['to']).lower().replace('_', ' ')}"
        case Do.COMMENT:
            return "comment internally" if v["visibility"] == "INTERNAL" else "comment for all to read"
        case Do.NOTIFY:
            whom = (_TOLD.get(to["kind"]) or call(str(to["kind"]).lower(), to.get("id")) for to in v["to"])
            return f"tell {', '.join(whom)}"
        case Do.ESCALATE:
            return _ESCALATED[v["how"]]
        case Do.START_APPROVAL:
            return f"start the approval {call('workflow', v['workflow_id'])}"
        case _:  # WEBHOOK
            return f"call {host_of(v['url'])}"


_ESCALATED = {
    "RAISE_PRIORITY": "raise the priority by one",
    "ASSIGNEES_MANAGER": "bring in the assignee's manager",
    "REQUESTERS_MANAGER": "bring in the requester's manager",
}


def _assigned(v: Mapping[str, Any], call: Caller) -> str:
    team = f" of the team {call('team', v['team_id'])}" if v.get("team_id") else ""
    if v["to"] == "PERSON":
        return f"assign it to {call('person', v.get('user_id'))}{team}"
    if v["to"] == "TEAM":
        return f"give it to the team {call('team', v.get('team_id'))}"
    return f"assign it to {_MANNER[v['to']]}{team}" if v["to"] in _MANNER else "take the assignee off it"


def _span(amount: int, unit: str) -> str:
    return f"{amount} {unit.lower().replace('_', ' ')}"


def host_of(url: str) -> str:
    """The address without what stands behind its host: that may be a secret."""
    return "/".join(url.split("/")[:3])


def shorter(words: Iterable[str], most: int = 2000) -> str:
    """Sentences joined, cut where nobody reads on."""
    joined = "; ".join(words)
    return joined if len(joined) <= most else f"{joined[: most - 1]}…"
