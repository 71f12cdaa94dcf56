"""Who may see a ticket, as one list of rules: the decision for a row, its SQL twin and the explanation come from it.

A rule is a relation of a person to a ticket and what has to be so for it to count: how far `tickets:read` reaches, another
permission, that the ticket was sent, that it is not confidential (or `tickets:read_confidential` reaches as far). A ticket
is seen when one rule counts. A test holds the three to each other over random people and tickets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.queries import is_seen_by, subjects_seen_by
from waypost.approvals.standing import subjects_as_deputy
from waypost.kernel.clock import now
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket
from waypost.tickets.working_models import TicketWatcher


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What permission depends on. `approver_ids` are all who are or were asked about it; `deputy_ids` who may decide it
    for one of them now, or did; `invited_ids` the watchers whom the team let in; `was_sent` says whether it was ever
    submitted. `left_ids` see it no more as deputies, but it left their queue a moment ago."""

    status: Status
    requester_id: int
    assignee_id: int | None
    team_id: int | None
    department_id: int | None
    approver_ids: frozenset[int]
    created_by_id: int | None = None
    was_sent: bool = True
    is_confidential: bool = False
    invited_ids: frozenset[int] = frozenset()
    deputy_ids: frozenset[int] = frozenset()
    left_ids: frozenset[int] = frozenset()


class Lack(StrEnum):
    """What keeps a rule from counting."""

    PERMISSION = "PERMISSION"  # they do not have a permission at all
    SCOPE = "SCOPE"  # they have it, and it does not reach so far
    SENT = "SENT"  # it is a draft
    CONFIDENTIAL = "CONFIDENTIAL"  # it is confidential, and `tickets:read_confidential` does not reach so far


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that keeps a rule from counting: which permission would have to reach how far, and how far it does."""

    lack: Lack
    permission: Permission | None = None
    needed: Scope | None = None
    has: Scope | None = None


@dataclass(frozen=True)
class Rule:
    """One way of seeing a ticket.

    `holds` is the relation, for one row; `sql` the same of the rows a statement found otherwise. `ways` are the words by
    which a list walks it, each answered by one index and given as SQL by `walk`; whom they are about is bound when it runs.
    """

    key: str
    reach: Scope
    holds: Callable[[Actor, TicketFacts], bool]
    sql: ColumnElement[bool]
    ways: Callable[[Actor], tuple[str, ...]]
    walk: Callable[[str], ColumnElement[bool]]
    sees_drafts: bool = False
    is_guarded: bool = False  # confidential ones only as far as `tickets:read_confidential` reaches
    needs: Permission | None = None


# --- the relations as SQL ---------------------------------------------------------------------------------------------

_ME = bindparam("me", type_=BigInteger)
_NOW = bindparam("right_now", type_=DateTime(timezone=True))
_SENT: ColumnElement[bool] = Ticket.status != literal_column(f"'{Status.DRAFT.value}'")
_OPEN: ColumnElement[bool] = not_(Ticket.is_confidential)
_OWN: ColumnElement[bool] = Ticket.requester_id == _ME
# as the partial index says it; what one made for oneself is one's own
_CREATED: ColumnElement[bool] = and_(Ticket.created_by_id == _ME, Ticket.created_by_id != Ticket.requester_id)
_made = aliased(Ticket)
# The same by way of an array: PostgreSQL takes these for many, and would walk past every ticket to find the few.
_CREATED_FEW: ColumnElement[bool] = Ticket.id == any_(
    func.array(
        select(_made.id).where(_made.created_by_id == _ME, _made.created_by_id != _made.requester_id).scalar_subquery(),
        type_=ARRAY(BigInteger),
    )
)
_ASSIGNED: ColumnElement[bool] = Ticket.assignee_id == _ME
_ASKED: ColumnElement[bool] = is_seen_by("ticket", Ticket.id, _ME)
_ASKED_EACH: ColumnElement[bool] = is_seen_by("ticket", Ticket.id, _ME, one_by_one=True)
_ASKED_ABOUT: ColumnElement[bool] = Ticket.id.in_(subjects_seen_by("ticket", _ME))
# By way of an array as well: they are few, and there are many tickets to walk past.
_STANDS_IN = func.array(subjects_as_deputy("ticket", _ME, _NOW).scalar_subquery(), type_=ARRAY(BigInteger))
_DEPUTY: ColumnElement[bool] = and_(bindparam("decides", type_=Boolean), Ticket.id == any_(_STANDS_IN))
_INVITED: ColumnElement[bool] = Ticket.id.in_(
    select(TicketWatcher.ticket_id).where(TicketWatcher.user_id == _ME, TicketWatcher.gives_sight)
)
_TEAMS: ColumnElement[bool] = Ticket.team_id == any_(bindparam("teams", type_=ARRAY(BigInteger)))
_REPORTS: ColumnElement[bool] = Ticket.requester_id == any_(bindparam("reports", type_=ARRAY(BigInteger)))
_DEPARTMENTS: ColumnElement[bool] = Ticket.department_id == any_(bindparam("departments", type_=ARRAY(BigInteger)))


def _rule(
    key: str,
    reach: Scope,
    holds: Callable[[Actor, TicketFacts], bool],
    sql: ColumnElement[bool],
    way: str,
    *,
    walk: ColumnElement[bool] | None = None,
    has_any: Callable[[Actor], bool] = lambda _: True,
    sees_drafts: bool = False,
    is_guarded: bool = False,
    needs: Permission | None = None,
) -> Rule:
    """A rule that one word and one index answer; nobody walks it of whom it can hold nothing (`has_any`)."""
    return Rule(
        key,
        reach,
        holds,
        sql,
        lambda actor: (way,) if has_any(actor) else (),
        lambda _: sql if walk is None else walk,
        sees_drafts,
        is_guarded,
        needs,
    )


# In the order in which they are told: what one is to a ticket oneself stands before what one is to its people.
RULES: tuple[Rule, ...] = (
    _rule("requester", Scope.OWN, lambda a, t: t.requester_id == a.user_id, _OWN, "own", sees_drafts=True),
    _rule(
        "creator",
        Scope.OWN,
        lambda a, t: t.created_by_id == a.user_id,
        _CREATED,
        "created",
        walk=_CREATED_FEW,
        sees_drafts=True,
    ),
    _rule("assignee", Scope.OWN, lambda a, t: t.assignee_id == a.user_id, _ASSIGNED, "assigned"),
    _rule("approver", Scope.OWN, lambda a, t: a.user_id in t.approver_ids, _ASKED, "asked", walk=_ASKED_ABOUT),
    _rule(
        "deputy",
        Scope.OWN,
        lambda a, t: a.user_id in t.deputy_ids,
        _DEPUTY,
        "deputy",
        needs=Permission.APPROVALS_DECIDE,
    ),
    _rule("invited", Scope.OWN, lambda a, t: a.user_id in t.invited_ids, _INVITED, "invited"),
    Rule(
        "team",
        Scope.TEAM,
        lambda a, t: t.team_id in a.team_ids,
        _TEAMS,
        lambda actor: tuple(f"team_{n}" for n in range(len(actor.team_ids))),
        lambda way: Ticket.team_id == bindparam(way, type_=BigInteger),
    ),
    _rule(
        "reports",
        Scope.LINE,
        lambda a, t: t.requester_id in a.report_ids,
        _REPORTS,
        "reports",
        has_any=lambda actor: bool(actor.report_ids),
        is_guarded=True,
    ),
    _rule(
        "department",
        Scope.DEPARTMENT,
        lambda a, t: t.department_id in a.department_ids,
        _DEPARTMENTS,
        "departments",
        has_any=lambda actor: bool(actor.department_ids),
        is_guarded=True,
    ),
    _rule("everything", Scope.ALL, lambda a, t: True, true(), "all", sees_drafts=True, is_guarded=True),
)
# The team's work (internal words, assigning, working) is its own, and theirs whose permission reaches everything.
WORK_RULES: tuple[Rule, ...] = (
    *(r for r in RULES if r.key == "team"),
    _rule("everything", Scope.ALL, lambda a, t: True, true(), "all"),
)


# --- for one row, with and without the reasons ------------------------------------------------------------------------


def reads_confidential(actor: Actor, scope: Scope) -> bool:
    """Whether what they see because of this scope may be confidential."""
    reach = actor.scope(Permission.TICKETS_READ_CONFIDENTIAL)
    return reach is not None and reach >= scope


def missing(
    rule: Rule, actor: Actor, ticket: TicketFacts, permission: Permission = Permission.TICKETS_READ
) -> Iterator[Missing]:
    """What keeps a rule whose relation holds from counting, one by one; nothing, when it counts."""
    scope = actor.scope(permission)
    if scope is None:
        yield Missing(Lack.PERMISSION, permission, rule.reach)
    elif scope < rule.reach:
        yield Missing(Lack.SCOPE, permission, rule.reach, scope)
    if rule.needs is not None and not actor.may(rule.needs):
        yield Missing(Lack.PERMISSION, rule.needs)
    if ticket.status is Status.DRAFT and not rule.sees_drafts:
        yield Missing(Lack.SENT)
    if rule.is_guarded and ticket.is_confidential and not reads_confidential(actor, rule.reach):
        has = actor.scope(Permission.TICKETS_READ_CONFIDENTIAL)
        yield Missing(Lack.CONFIDENTIAL, Permission.TICKETS_READ_CONFIDENTIAL, rule.reach, has)


def counts(rule: Rule, actor: Actor, ticket: TicketFacts, permission: Permission = Permission.TICKETS_READ) -> bool:
    """Whether a rule lets this person see this ticket (or do what `permission` says)."""
    scope = actor.scope(permission)
    # asked for every open screen and every event: what does not reach so far needs no closer look
    if scope is None or scope < rule.reach or not rule.holds(actor, ticket):
        return False
    return next(missing(rule, actor, ticket, permission), None) is None


def may_read(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether this person may see this ticket at all."""
    return actor.may(Permission.TICKETS_READ) and any(counts(rule, actor, ticket) for rule in RULES)


def reaches(actor: Actor, permission: Permission, ticket: TicketFacts) -> bool:
    """Whether a permission of the team's work reaches this ticket."""
    return actor.may(permission) and any(counts(rule, actor, ticket, permission) for rule in WORK_RULES)


@dataclass(frozen=True, slots=True)
class Ground:
    """A rule whose relation holds between a person and a ticket, and what keeps it from counting (empty: it counts)."""

    rule: str
    missing: tuple[Missing, ...]


def grounds(
    actor: Actor,
    ticket: TicketFacts,
    permission: Permission = Permission.TICKETS_READ,
    rules: tuple[Rule, ...] = RULES,
) -> list[Ground]:
    """Every relation this person has to this ticket: those that count first, then the nearest ones."""
    held = [Ground(r.key, tuple(missing(r, actor, ticket, permission))) for r in rules if r.holds(actor, ticket)]
    return sorted(held, key=lambda g: len(g.missing))


# --- the same as SQL --------------------------------------------------------------------------------------------------
# A way is a word for one alternative of `may_read`, which one index answers; who asks is bound when it runs, so a
# statement can be built once for everybody who sees tickets in the same ways. "…_open" leaves confidential ones out.


def ways(actor: Actor) -> tuple[str, ...]:
    """The ways in which this person may see tickets; `condition` gives each as SQL, `values` what it is bound to."""
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None:
        return ("none",)
    if scope is Scope.ALL:
        if reads_confidential(actor, Scope.ALL):
            return ("all",)
        # nearly every ticket is open: one walk, in which only a confidential one is looked at closely
        closely = [r for r in RULES if r.is_guarded and reads_confidential(actor, r.reach)]
        return ("all_open", *(way for r in closely for way in r.ways(actor)))
    found = []
    for rule in RULES:
        if scope >= rule.reach and (rule.needs is None or actor.may(rule.needs)):
            is_open = rule.is_guarded and not reads_confidential(actor, rule.reach)
            found += [f"{way}_open" if is_open else way for way in rule.ways(actor)]
    return tuple(found)


def way_through(
    actor: Actor,
    *,
    requester_ids: Collection[int] = (),
    assignee_ids: Collection[int | None] = (),
    team_ids: Collection[int] = (),
    department_ids: Collection[int] = (),
) -> str | None:
    """The one way that is enough for such a list (empty: any), when nearly every ticket of it is theirs to see.

    A list of one's own team needs no look at the other ways; PostgreSQL can't know that. "sent": every ticket once it was
    sent. "sent_open": those that are open; a confidential one is looked at closely.
    """
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None or scope is Scope.ALL:
        return None
    lines = actor.report_ids | {actor.user_id} if scope >= Scope.LINE else frozenset({actor.user_id})
    teams = actor.team_ids if scope >= Scope.TEAM else frozenset()
    departments = actor.department_ids if scope >= Scope.DEPARTMENT else frozenset()

    def within(wanted: Collection[int | None], reached: Collection[int]) -> bool:
        return bool(wanted) and all(i in reached for i in wanted)

    own = frozenset({actor.user_id})
    if within(requester_ids, own) or within(assignee_ids, own) or within(team_ids, teams):
        return "sent"
    for wanted, reached, reach in (
        (requester_ids, lines, Scope.LINE),
        (department_ids, departments, Scope.DEPARTMENT),
    ):
        if within(wanted, reached):
            return "sent" if reads_confidential(actor, reach) else "sent_open"
    return None


def parts(way: str) -> tuple[str, ...]:
    """Ways that lead to the same together, each of which one index answers from beginning to end."""
    return ("sent_only", "own", "created") if way == "sent" else (way,)


_DRAFTS_TOO = [r.sql for r in RULES if r.sees_drafts and not r.is_guarded]
_PART: ColumnElement[bool] = or_(*(r.sql for r in RULES if not r.sees_drafts and not r.is_guarded))


@lru_cache(maxsize=500)
def condition(way: str, *, leads: bool = True) -> ColumnElement[bool]:
    """One way of seeing tickets, over the parameters of `values`: to walk to them by it, or (`leads` is False) to judge some.

    One who approves may have been asked about very many: of some tickets that is looked up one by one.
    """
    known: dict[str, ColumnElement[bool]] = {
        "none": false(),
        "all": true(),
        "all_open": or_(_OPEN, *_DRAFTS_TOO, and_(_SENT, _PART)),
        "sent": or_(_SENT, *_DRAFTS_TOO),
        "sent_only": _SENT,
        "sent_open": or_(*_DRAFTS_TOO, and_(_SENT, or_(_OPEN, _PART))),
    }
    if way in known:
        return known[way]
    word, _, more = way.partition("_")
    rule = _BY_WORD[word]
    narrow = [_SENT] if not rule.sees_drafts else []
    return and_(*narrow, *([_OPEN] if more == "open" else []), rule.walk(way) if leads or word == "team" else rule.sql)


# The word a way begins with, and the rule it walks.
_BY_WORD: dict[str, Rule] = dict(
    zip(
        ("own", "created", "assigned", "asked", "deputy", "invited", "team", "reports", "departments"),
        RULES,
        strict=False,
    )
)


def values(actor: Actor) -> dict[str, Any]:
    """What the parameters of every `condition` are for this person."""
    scope = actor.scope(Permission.TICKETS_READ)
    return {
        "me": actor.user_id,
        "right_now": now(),
        "decides": actor.may(Permission.APPROVALS_DECIDE),
        "reports": sorted(actor.report_ids),
        "departments": sorted(actor.department_ids),
        "teams": sorted(actor.team_ids) if scope is not None and scope >= Scope.TEAM else [],
        **{f"team_{n}": team_id for n, team_id in enumerate(sorted(actor.team_ids))},
    }


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The tickets this person may see, as SQL over the parameters of `values(actor)`: `may_read`'s twin."""
    return _seen_by_any(ways(actor))


@lru_cache(maxsize=500)
def _seen_by_any(found: tuple[str, ...]) -> ColumnElement[bool]:
    return or_(*(condition(way, leads=False) for way in found))


@lru_cache(maxsize=500)
def seen_one_by_one(found: tuple[str, ...]) -> ColumnElement[bool]:
    """The same by some ways, for a walk past many tickets that ends soon: nothing is read before it, and little for each."""
    cheap = [condition(way, leads=False) for way in found if way != "asked"]
    return or_(*cheap, *([and_(_SENT, _ASKED_EACH)] if "asked" in found else []))
