"""What a directory's list would change, by properties: nobody leaves who is there, and too much is never done unseen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waypost.access.providers.plan import (
    Action,
    Change,
    Known,
    Plan,
    Reason,
    Rules,
    Seen,
    Step,
    Stop,
    StopKind,
    guard,
    is_too_many,
    make,
)

SUBJECTS = [f"s{n}" for n in range(12)]
ROLES = ["admin", "agent", "auditor"]


def values(n: int) -> st.SearchStrategy[dict[str, str | None]]:
    return st.fixed_dictionaries(
        {"username": st.just(f"user{n}"), "email": st.just(f"user{n}@example.com")},
        optional={"job_title": st.sampled_from(["Clerk", "Buyer", "", None])},
    )


@st.composite
def seen_people(draw: Any) -> list[Seen]:
    return [
        Seen(
            SUBJECTS[n],
            f"User {n}",
            is_active=draw(st.booleans()),
            values=draw(values(n)),
            roles=draw(st.none() | st.frozensets(st.sampled_from(ROLES))),
            problem=draw(st.sampled_from(["", "", "", "has no e-mail address"])),
        )
        for n in draw(st.lists(st.integers(0, 11), unique=True))
    ]


@st.composite
def known_people(draw: Any) -> list[Known]:
    return [
        Known(
            SUBJECTS[n],
            user_id=100 + n,
            name=f"User {n}",
            is_active=draw(st.booleans()),
            values=draw(values(n)),
            roles=draw(st.frozensets(st.sampled_from(ROLES))),
            other_roles=draw(st.frozensets(st.sampled_from(ROLES))),
            left_by_sync=draw(st.booleans()),
        )
        for n in draw(st.lists(st.integers(0, 11), unique=True))
    ]


rules = st.builds(Rules, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 100))


def admins(known: list[Known], *others: int) -> set[int]:
    return {k.user_id for k in known if k.administers} | set(others)


def planned(seen: list[Seen], known: list[Known], rules: Rules, is_whole: bool = True, *others: int) -> Plan:
    return make(seen, known, rules, is_whole=is_whole, administrators=admins(known, *others))


def done(plan: Plan, seen: list[Seen], known: list[Known]) -> list[Known]:
    """What is here once the plan is done."""
    there = {s.subject: s for s in seen}
    after = {k.subject: k for k in known}
    for number, step in enumerate(plan.steps):
        person = there.get(step.subject)
        if step.action in (Action.CREATE, Action.LINK) and person:
            after[step.subject] = Known(
                step.subject, 500 + number, person.name, values=person.values, roles=person.roles or frozenset()
            )
        elif step.action is Action.DEACTIVATE:
            after[step.subject] = replace(after[step.subject], is_active=False, left_by_sync=True)
        elif step.action in (Action.UPDATE, Action.REACTIVATE):
            here = after[step.subject]
            new = {**here.values, **{c.field: c.after for c in step.changes if c.field != "roles"}}
            given = [c.after for c in step.changes if c.field == "roles"]
            roles = frozenset(filter(None, (given[0] or "").split(", "))) if given else here.roles
            after[step.subject] = replace(here, is_active=True, left_by_sync=False, values=new, roles=roles)
    return list(after.values())


@given(seen_people(), known_people(), rules, st.booleans())
def test_only_who_is_gone_or_disabled_leaves(seen: list[Seen], known: list[Known], rules: Rules, whole: bool) -> None:
    plan = planned(seen, known, rules, whole)
    there = {s.subject: s for s in seen}
    for step in plan.steps:
        if step.action is Action.DEACTIVATE:
            person = there.get(step.subject)
            assert rules.deactivates
            assert (person is None and whole and step.reason is Reason.GONE) or (
                person is not None and not person.is_active and step.reason is Reason.DISABLED
            )


@given(seen_people(), known_people(), rules, st.booleans())
def test_everybody_is_counted_once(seen: list[Seen], known: list[Known], rules: Rules, whole: bool) -> None:
    plan = planned(seen, known, rules, whole)
    subjects = [s.subject for s in plan.steps]
    assert len(subjects) == len(set(subjects))
    assert len(subjects) + plan.same == len({s.subject for s in seen} | {k.subject for k in known})
    assert sum(plan.counts.values()) == len(subjects) + plan.same


@given(seen_people(), known_people(), rules)
def test_a_plan_that_was_done_leaves_nothing_to_do(seen: list[Seen], known: list[Known], rules: Rules) -> None:
    plan = planned(seen, known, rules)
    after = done(plan, seen, known)
    again = make(seen, after, rules, is_whole=True, administrators=admins(after))
    assert [s for s in again.steps if s.action is not Action.SKIP] == []
    assert again.stop is None


@given(seen_people(), known_people(), rules, st.booleans())
def test_it_stops_exactly_above_the_share(seen: list[Seen], known: list[Known], rules: Rules, whole: bool) -> None:
    plan = planned(seen, known, rules, whole, 1)  # somebody else administers
    leaving = plan.counts["DEACTIVATE"]
    active = sum(k.is_active for k in known)
    assert (plan.stop is not None) is is_too_many(leaving, active, rules.stop_above_percent)
    if plan.stop:
        assert plan.stop == Stop(StopKind.TOO_MANY, leaving, active, rules.stop_above_percent)


@given(seen_people(), known_people(), rules, st.booleans())
def test_somebody_administers_afterwards_unless_it_stops(
    seen: list[Seen], known: list[Known], rules: Rules, whole: bool
) -> None:
    plan = planned(seen, known, rules, whole)
    if plan.stop is None and any(k.administers for k in known):
        assert any(k.administers for k in done(plan, seen, known))


@given(seen_people(), known_people(), rules, st.randoms())
def test_the_order_in_which_people_are_found_does_not_matter(
    seen: list[Seen], known: list[Known], rules: Rules, random: Any
) -> None:
    first = planned(seen, known, rules)
    random.shuffle(seen)
    random.shuffle(known)
    again = planned(seen, known, rules)
    assert first.digest == again.digest
    assert first.counts == again.counts
    assert first.stop == again.stop


@given(seen_people(), known_people(), rules)
def test_a_list_in_part_lets_nobody_go_who_is_not_in_it(seen: list[Seen], known: list[Known], rules: Rules) -> None:
    plan = planned(seen, known, rules, False)
    assert {s.subject for s in plan.steps} <= {s.subject for s in seen}


def test_who_was_deactivated_here_stays_so() -> None:
    known = Known("s1", 1, "Ann", is_active=False)
    plan = make([Seen("s1", "Ann")], [known], Rules(), is_whole=True, administrators={9})
    assert [(s.action, s.reason) for s in plan.steps] == [(Action.SKIP, Reason.DEACTIVATED_HERE)]
    plan = make([Seen("s1", "Ann")], [replace(known, left_by_sync=True)], Rules(), is_whole=True, administrators={9})
    assert [(s.action, s.reason) for s in plan.steps] == [(Action.REACTIVATE, Reason.BACK)]


def test_two_people_with_one_address_are_not_both_made() -> None:
    twins = [Seen(s, s, values={"username": s, "email": "Same@example.com"}) for s in ("s1", "s2")]
    plan = make(twins, [], Rules(), is_whole=True, administrators={9})
    assert [(s.action, s.note) for s in plan.steps] == [(Action.CREATE, ""), (Action.SKIP, "same@example.com")]


def test_a_name_that_is_somebody_elses_is_left() -> None:
    seen = Seen("s1", "Ann", values={"username": "Ann", "email": "ann@example.com"})
    taken = {"ann": 7}
    plan = make([seen], [], Rules(), is_whole=True, administrators={9}, taken=taken)
    assert [(s.reason, s.note) for s in plan.steps] == [(Reason.NAME_TAKEN, "ann")]
    plan = make([seen], [Known("s1", 8, "Ann")], Rules(), is_whole=True, administrators={9}, taken=taken)
    assert [(s.reason, s.user_id) for s in plan.steps] == [(Reason.NAME_TAKEN, 8)]
    plan = make([seen], [Known("s1", 7, "Ann")], Rules(), is_whole=True, administrators={9}, taken=taken)
    assert [s.action for s in plan.steps] == [Action.UPDATE]


def test_the_last_administrator_stops_it_also_when_only_the_role_goes() -> None:
    boss = Known("s1", 1, "Boss", roles=frozenset({"admin"}))
    others = [Known(f"s{n}", n, f"P{n}") for n in range(2, 40)]
    seen = [Seen("s1", "Boss", roles=frozenset({"agent"})), *(Seen(k.subject, k.name) for k in others)]
    plan = make(seen, [boss, *others], Rules(), is_whole=True, administrators={1})
    assert plan.stop == Stop(StopKind.LAST_ADMINISTRATOR, 0, 39, 5, ("Boss",))
    # with the role also given by hand, or with another administrator, it goes on
    by_hand = replace(boss, other_roles=frozenset({"admin"}))
    assert make(seen, [by_hand, *others], Rules(), is_whole=True, administrators={1}).stop is None
    assert make(seen, [boss, *others], Rules(), is_whole=True, administrators={1, 77}).stop is None
    gone = make(seen[1:], [boss, *others], Rules(), is_whole=True, administrators={1})
    assert gone.stop is not None
    assert (gone.stop.kind, gone.stop.leaving) == (StopKind.LAST_ADMINISTRATOR, 1)


def test_five_of_a_hundred_may_go_six_may_not() -> None:
    known = [Known(f"s{n}", n, f"P{n}") for n in range(1, 101)]
    for leaving, stops in ((5, False), (6, True)):
        seen = [Seen(k.subject, k.name) for k in known[leaving:]]
        plan = make(seen, known, Rules(), is_whole=True, administrators={500})
        assert (plan.stop is not None) is stops


def test_the_fingerprint_tells_who_may_come_in_and_do_what() -> None:
    plan = Plan((Step(Action.DEACTIVATE, Reason.GONE, "s1", "Ann", 1),), 5, None)
    other = Plan((Step(Action.DEACTIVATE, Reason.GONE, "s2", "Bob", 2),), 5, None)
    retitled = Step(Action.UPDATE, Reason.CHANGED, "s3", "Eve", 3, (Change("job_title", "a", "b"),))
    empowered = Step(Action.UPDATE, Reason.CHANGED, "s3", "Eve", 3, (Change("roles", "", "admin"),))
    assert plan.digest != other.digest
    assert plan.digest == Plan((*plan.steps, retitled), 4, None).digest
    assert plan.digest != Plan((*plan.steps, empowered), 4, None).digest


def test_the_guard_alone() -> None:
    people = [Known(f"s{n}", n, f"P{n}") for n in range(1, 11)]
    step = Step(Action.DEACTIVATE, Reason.GONE, "s1", "P1", 1)
    assert guard([step], people, 10, {99}) is None
    assert guard([step], people, 9, {99}) is None, "one of ten is more than the share, and yet no burst"
    assert guard([step], people, 0, {99}) == Stop(StopKind.TOO_MANY, 1, 10, 0)
    many = [Step(Action.DEACTIVATE, Reason.GONE, k.subject, k.name, k.user_id) for k in people[:4]]
    assert guard(many, people, 9, {99}) == Stop(StopKind.TOO_MANY, 4, 10, 9)
    assert guard([], people, 0, set()) is None


def test_who_left_within_the_hour_counts_with_who_would_leave_now() -> None:
    people = [Known(f"s{n}", n, f"P{n}") for n in range(1, 18)]  # three of twenty have left
    step = Step(Action.DEACTIVATE, Reason.GONE, "s1", "P1", 1)
    assert guard([step], people, 5, {99}) is None
    assert guard([step], people, 5, {99}, 2) is None
    assert guard([step], people, 5, {99}, 3) == Stop(StopKind.TOO_MANY, 1, 17, 5, left_lately=3)
    assert guard([step], people, 20, {99}, 3) is None, "four of twenty are the share"
    assert guard([], people, 0, {99}, 3) is None, "where nobody leaves now, nothing stops"
    plan = make([], people[:1], Rules(stop_above_percent=0), is_whole=True, administrators={99}, left_lately=9)
    assert plan.stop == Stop(StopKind.TOO_MANY, 1, 1, 0, left_lately=9)


@given(st.integers(0, 200), st.integers(1, 200), st.integers(0, 100))
def test_a_small_company_may_lose_a_few_and_never_most(count: int, active: int, percent: int) -> None:
    count = min(count, active)
    is_share = count * 100 > active * percent
    found = is_too_many(count, active, percent)
    assert not found or is_share, "what is within the share never stops"
    assert found or not is_share or (0 < count <= 3 and count * 2 <= active and percent > 0)
    if active >= 100:
        assert found is is_share or count <= 3, "the floor makes no difference in a large one but for three"


def test_an_entry_that_is_found_twice_counts_once() -> None:
    plan = make([Seen("s1", "Ann")] * 2, [], Rules(), is_whole=True, administrators={9})
    assert plan.counts["CREATE"] == 1


def test_an_account_with_the_same_address_becomes_theirs_where_that_is_allowed() -> None:
    seen = Seen("s1", "Ann", values={"email": "Ann@example.com"}, roles=frozenset({"agent"}))
    twin = Seen("s2", "Ann", values={"email": "ann@example.com"})
    for creates in (True, False):
        plan = make(
            [seen, twin],
            [],
            Rules(creates=creates),
            is_whole=True,
            administrators={9},
            taken={"ann@example.com": 7},
            linkable={"ann@example.com"},
        )
        assert (plan.steps[0].action, plan.steps[0].reason) == (Action.LINK, Reason.SAME_ADDRESS)
        assert plan.steps[0].changes == (Change("roles", "", "agent"),)
        assert plan.steps[1].action is Action.SKIP


def test_whoever_is_as_they_were_stays() -> None:
    known = [Known("s1", 1, "Ann"), Known("s2", 2, "Bob")]
    plan = make([], known, Rules(stop_above_percent=100), is_whole=True, administrators={9}, unchanged={"s1"})
    assert [(s.action, s.subject) for s in plan.steps] == [(Action.DEACTIVATE, "s2")]
    assert plan.same == 1


def test_whoever_comes_by_two_entries_stays_while_one_is_there() -> None:
    known = [Known("s1", 1, "Ann"), Known("s2", 1, "Ann")]
    for seen, unchanged in (
        ([Seen("s1", "Ann")], ()),
        ([Seen("s1", "Ann"), Seen("s2", "Ann", is_active=False)], ()),
        ([Seen("s2", "Ann", is_active=False)], ("s1",)),
    ):
        plan = make(seen, known, Rules(), is_whole=True, administrators={9}, unchanged=unchanged)
        assert plan.steps == ()
        assert plan.same == 2


def test_a_value_that_too_many_would_lose_stops_it() -> None:
    known = [Known(f"s{n}", n, f"P{n}", values={"manager": "s1", "job_title": "Clerk"}) for n in range(1, 101)]
    for losing, stops in ((5, False), (6, True)):
        seen = [Seen(k.subject, k.name, values={"manager": None} if k.user_id <= losing else {}) for k in known]
        plan = make(seen, known, Rules(), is_whole=True, administrators={500})
        assert plan.stop == (Stop(StopKind.TOO_MANY_EMPTIED, 6, 100, 5, ("manager",)) if stops else None)
    other = [Seen(k.subject, k.name, values={"job_title": None} if k.user_id <= 6 else {}) for k in known]
    assert make(other, known, Rules(), is_whole=True, administrators={500}).digest != plan.digest, "another plan"
    moved = [Seen(k.subject, k.name, values={"job_title": "Buyer"}) for k in known]
    assert make(moved, known, Rules(), is_whole=True, administrators={500}).stop is None, "changed, not emptied"
