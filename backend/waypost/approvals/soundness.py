"""Whether a workflow that can be read works as well: with the people of today, for every case, beside the others. Pure.

Who is named and is not there is an error; everything else is a warning, because it may be meant or pass by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from waypost.approvals.checking import Problem, error, warning
from waypost.approvals.definition import FIELDS, Approver, ApproverKind, Definition, Mode, Stage
from waypost.approvals.errors import NobodyToAsk
from waypost.approvals.planning import Candidate, seats_of
from waypost.kernel.conditions.fields import CUSTOM, Field, Kind
from waypost.kernel.conditions.possible import Domain, Domains, Effort, Undecided, example, is_made_up
from waypost.kernel.conditions.tree import Condition, Leaf, Not, describe, leaves
from waypost.kernel.shapes import is_blank

# Of trying, for all questions of one check together: a fraction of a second. None of them may take it all.
EFFORT, EFFORT_EACH = 100_000, 20_000
OWN_DOMAINS: Domains = {
    "ticket_type": Domain(is_never_empty=True),
    "priority": Domain(is_never_empty=True),
    "requester_id": Domain(is_never_empty=True),
    "title": Domain(is_never_empty=True),
    "amount": Domain(step=Decimal("0.01"), least=Decimal(0)),
}


@dataclass(frozen=True, slots=True)
class Other:
    """Another workflow in force. Of two that fit a request, the one with the higher `rank` judges it."""

    name: str
    condition: Condition
    rank: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Company:
    """What there is today, as far as a workflow speaks of it.

    `people`, `roles`, `teams`, `departments` are the names of those that exist (and are active); `members` the people
    behind each rule that does not depend on the request; `types_with` the types whose forms have a field; `types` all
    of them. `call` says what a value in a condition is called.
    """

    people: Mapping[int, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[int, str] = field(default_factory=dict)
    departments: Mapping[int, str] = field(default_factory=dict)
    members: Mapping[Approver, Sequence[Candidate]] = field(default_factory=dict)
    administrators: Sequence[Candidate] = ()
    types_with: Mapping[str, frozenset[str]] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    domains: Domains = field(default_factory=dict)
    call: Callable[[Field, object], str | None] | None = None


Placed = tuple[str, Approver]


def rules_of(definition: Definition) -> Iterator[Placed]:
    """Every approver rule of a workflow, with the place it stands at."""
    for n, stage in enumerate(definition.stages):
        pointer = f"/stages/{n}"
        yield from ((f"{pointer}/approvers/{m}", rule) for m, rule in enumerate(stage.approvers))
        yield from ((f"{pointer}/fallback/{m}", rule) for m, rule in enumerate(stage.fallback))
        yield f"{pointer}/escalation/to", stage.escalation.to


def looked_at(definition: Definition) -> Iterator[tuple[str, Condition]]:
    """Every condition of a workflow, with the place it stands at."""
    yield "/condition", definition.condition
    yield from ((f"/stages/{n}/condition", stage.condition) for n, stage in enumerate(definition.stages))


# --- who and what is named --------------------------------------------------------------------------------------------


def named(definition: Definition, company: Company) -> Iterator[Problem]:
    """What it names and is not there, and names that show nothing: these are errors."""
    said = [("/name", definition.name), *((f"/stages/{n}/name", s.name) for n, s in enumerate(definition.stages))]
    yield from (error(pointer, "invalid", "must show something") for pointer, name in said if is_blank(name))
    for pointer, rule in rules_of(definition):
        yield from _missing(rule, pointer, company)
    for n, stage in enumerate(definition.stages):
        yield from _quorum(stage, f"/stages/{n}/quorum", company)


def name_taken(definition: Definition, keys: Collection[str], *, is_off: bool) -> Iterator[Problem]:
    """Whether another workflow in force has its name; `keys` are those of theirs."""
    if definition.name.casefold() not in keys:
        return
    if is_off:
        told = "Another workflow that is in force has this name; this one needs another before it is switched on."
        yield warning("/name", "name_taken", told)
    else:
        yield error("/name", "name_taken", "is the name of another workflow that is in force")


def _missing(rule: Approver, pointer: str, company: Company) -> Iterator[Problem]:
    gone = "does not exist, or is not active"
    for n, person in enumerate(rule.named):
        if person not in company.people:
            place = "user_id" if rule.kind is ApproverKind.USER else f"user_ids/{n}"
            yield error(f"{pointer}/{place}", "unknown_person", gone)
    if rule.kind is ApproverKind.ROLE and rule.target not in company.roles:
        yield error(f"{pointer}/role", "unknown_role", "does not exist")
    if rule.kind is ApproverKind.TEAM and rule.target not in company.teams:
        yield error(f"{pointer}/team_id", "unknown_team", "does not exist")
    if rule.department_id is not None and rule.department_id not in company.departments:
        yield error(f"{pointer}/department_id", "unknown_department", "does not exist")


def _is_missing(rule: Approver, company: Company) -> bool:
    return next(_missing(rule, "", company), None) is not None


def _quorum(stage: Stage, pointer: str, company: Company) -> Iterator[Problem]:
    """A number of votes that the groups of today could never give."""
    if not isinstance(stage.quorum, int) or stage.mode is Mode.SEQUENTIAL:
        return
    people = {c.person for rule in stage.approvers if rule.is_group for c in company.members.get(rule, ())}
    most = len(people) + sum(rule.most or 0 for rule in stage.approvers)
    if stage.quorum > most:
        yield error(pointer, "quorum_unreachable", f"must not exceed the {most} approvers there are")


# --- whether it works -------------------------------------------------------------------------------------------------


def doubts(definition: Definition, company: Company, others: Sequence[Other], rank: tuple[int, ...]) -> list[Problem]:
    """What an author should know before publishing: what can never happen, what was forgotten, whom nobody stands for.

    `others` are the workflows it will stand beside, `rank` is its own.
    """
    asking = _Asking(company.domains, Effort(EFFORT))
    found = [*_words(definition), *_people(definition, company)]
    if asking.never(definition.condition):
        never = "No request ever fits this condition, so this workflow is never used."
        return [*found, warning("/condition", "never_used", never)]
    found += _types(definition, company, asking)
    found += _reach(definition, asking, company)
    found += _beside(definition, others, rank, asking)
    return found


@dataclass(frozen=True, slots=True)
class _Asking:
    """Questions about conditions; what is not found out counts as all right."""

    domains: Domains
    effort: Effort

    def never(self, *conditions: Condition) -> bool:
        """Whether they certainly never hold together."""
        try:
            return self._example(conditions) is None
        except Undecided:
            return False

    def case(self, *conditions: Condition) -> dict[str, Any] | None:
        """A request for which all of them hold; None when there is none, or none was found."""
        try:
            return self._example(conditions)
        except Undecided:
            return None

    def _example(self, conditions: Sequence[Condition]) -> dict[str, Any] | None:
        own = Effort(min(EFFORT_EACH, self.effort.left))
        self.effort.left -= own.left
        try:
            return example(*conditions, domains=self.domains, effort=own)
        finally:
            self.effort.left += max(own.left, 0)


def _words(definition: Definition) -> Iterator[Problem]:
    seen: set[str] = set()
    for n, stage in enumerate(definition.stages):
        if stage.name.casefold() in seen:
            yield warning(f"/stages/{n}/name", "same_name", "Another stage has this name already.")
        seen.add(stage.name.casefold())
        if stage.mode is Mode.SEQUENTIAL and stage.quorum != "ALL":
            told = "One after the other, everybody must say yes: this is not looked at."
            yield warning(f"/stages/{n}/quorum", "quorum_ignored", told)


def _people(definition: Definition, company: Company) -> Iterator[Problem]:
    for n, stage in enumerate(definition.stages):
        pointer = f"/stages/{n}"
        own = [company.members.get(rule) for rule in stage.approvers]
        found = [c for members in own for c in members or ()]
        depends = any(members is None for members in own)
        if any(_is_missing(rule, company) for rule in stage.approvers):
            continue  # that is told as an error
        if not depends and not any(c.is_able for c in found):
            yield warning(f"{pointer}/approvers", "nobody_today", _instead(stage, found, company))
        else:
            for m, rule in enumerate(stage.approvers):
                yield from _unable(rule, f"{pointer}/approvers/{m}", company)
            able = {c.person for c in found if c.is_able}
            most = len(able) + sum(
                r.most or 0 for r, members in zip(stage.approvers, own, strict=True) if members is None
            )
            if isinstance(stage.quorum, int) and stage.mode is Mode.PARALLEL and most < stage.quorum:
                short = f"Only {most} of them can decide today; who is above them is asked as well."
                yield warning(f"{pointer}/quorum", "quorum_short", short)
        for m, rule in enumerate(stage.fallback):
            yield from _unable(rule, f"{pointer}/fallback/{m}", company)
        yield from _unable(stage.escalation.to, f"{pointer}/escalation/to", company)


def _instead(stage: Stage, found: Sequence[Candidate], company: Company) -> str:
    fallback = [c for rule in stage.fallback for c in company.members.get(rule, ())]
    everywhere: frozenset[int] = frozenset()
    nobody = "None of these approvers can decide today"
    for candidates, instead in (
        (found, "who is above them is asked instead"),
        (fallback, "those who stand in are asked"),
        (company.administrators, "an administrator is asked instead"),
    ):
        try:
            seats_of(candidates, everywhere, least=1)
        except NobodyToAsk:
            continue
        return f"{nobody}; {instead}."
    return f"{nobody}, and nobody else is found: requests could not be submitted."


def _unable(rule: Approver, pointer: str, company: Company) -> Iterator[Problem]:
    members = company.members.get(rule)
    if _is_missing(rule, company) or members is None or (rule.is_group and any(c.is_able for c in members)):
        return
    if rule.is_group or not members:
        what = {
            ApproverKind.TEAM: "Nobody in this team can decide today.",
            ApproverKind.ROLE: "Nobody with this role can decide today.",
        }.get(rule.kind, "Neither this department nor one above it has a head today.")
        yield warning(pointer, "nobody_today", what)
        return
    unable = [company.people.get(c.person, "This person") for c in members if not c.is_able]
    if unable:
        told = f"{', '.join(unable)} may not decide; who is above them is asked instead."
        yield warning(pointer, "may_not_decide", told)


def _types(definition: Definition, company: Company, asking: _Asking) -> Iterator[Problem]:
    """Fields that no form has of the types this workflow is for: they are always empty there."""
    kind = FIELDS["ticket_type"]
    spoken = [(f"{p}/field", str(r.target)) for p, r in rules_of(definition) if r.kind is ApproverKind.FORM_FIELD]
    for n, stage in enumerate(definition.stages):
        judged = enumerate(stage.judges or ())
        spoken += [(f"/stages/{n}/judges/{m}", x.removeprefix(CUSTOM)) for m, x in judged if x.startswith(CUSTOM)]
    for pointer, condition in looked_at(definition):
        keys = dict.fromkeys(x.field.name.removeprefix(CUSTOM) for x in leaves(condition) if _is_custom(x.field))
        spoken += [(pointer, key) for key in keys]
    if not spoken:
        return
    fitting = {t for t in company.types if not asking.never(definition.condition, Leaf(kind, "eq", t))}
    for pointer, key in spoken:
        if key not in company.types_with:
            yield warning(pointer, "unknown_field", f"No form has a field “{key}”: it is always empty.")
        elif not fitting & company.types_with[key]:
            told = f"No form of the requests this workflow is for has a field “{key}”: it is always empty."
            yield warning(pointer, "field_elsewhere", told)


def _is_custom(field_: Field) -> bool:
    return field_.name.startswith(CUSTOM)


def _reach(definition: Definition, asking: _Asking, company: Company) -> Iterator[Problem]:
    """Stages that are never reached, and requests that reach none."""
    for n, stage in enumerate(definition.stages):
        if asking.never(stage.condition):
            told = "This condition can never hold, so nobody is ever asked here."
        elif asking.never(definition.condition, stage.condition):
            told = "This contradicts what the workflow is for, so nobody is ever asked here."
        else:
            continue
        yield warning(f"/stages/{n}/condition", "unreachable_stage", told)
    gap = asking.case(definition.condition, *(Not(stage.condition) for stage in definition.stages))
    if gap is not None:
        case = in_words(gap, [stage.condition for stage in definition.stages], company)
        told = f"A request reaches no stage {case}: the requester's manager decides it then."
        yield warning("/stages", "dead_end", told)


def _beside(
    definition: Definition, others: Sequence[Other], rank: tuple[int, ...], asking: _Asking
) -> Iterator[Problem]:
    mine = definition.condition
    for other in others:
        if other.rank > rank and asking.never(mine, Not(other.condition)):
            told = f"“{other.name}” is more specific and fits whatever this fits, so this workflow is never used."
            yield warning("/condition", "shadowed", told)
        elif other.rank < rank and asking.never(other.condition, Not(mine)):
            yield warning("/condition", "shadows", f"“{other.name}” is not used any more: this fits all of it.")
        elif other.rank[:-1] == rank[:-1] and asking.case(mine, other.condition) is not None:
            newer = "this one" if rank > other.rank else "that one"
            told = f"“{other.name}” fits some of the same requests and is as specific; the newer, {newer}, is used."
            yield warning("/condition", "overlaps", told)


def in_words(record: Mapping[str, Any], conditions: Sequence[Condition], company: Company) -> str:
    """An example in words: "when amount is empty and priority is LOW". Fields nothing is said about are left out."""
    fields = {leaf.field.name: leaf.field for c in conditions for leaf in leaves(c)}
    said = []
    for name, field_ in fields.items():
        if name not in record:
            continue
        value = record[name]
        if value is None:
            said.append(f"{field_.label} is empty")
        elif is_made_up(value) or (field_.kind is Kind.ID and value not in _named(field_, conditions)):
            said.append(f"{field_.label} is something else")
        else:
            leaf = Leaf(field_, "eq", tuple(value) if isinstance(value, list) else value)
            said.append(describe(leaf, company.call))
    return f"when {' and '.join(said)}" if said else "whatever it says"


def _named(field_: Field, conditions: Sequence[Condition]) -> set[Any]:
    values = [leaf.value for c in conditions for leaf in leaves(c) if leaf.field == field_]
    return {v for value in values for v in (value if isinstance(value, tuple) else (value,))}
