"""Who may act for whom: windows, chains, scopes; the rule, its properties, and its twin in SQL."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from waypost.approvals import standing
from waypost.approvals.definition import FIELDS
from waypost.approvals.deputies import MOST_LINKS, Asked, Window, makes_loop, may_act, rights
from waypost.approvals.scopes import Scope, covers, facts_kept, path_of, paths_together
from waypost.kernel.conditions.fields import Field, Kind
from waypost.kernel.conditions.tree import All, AnyOf, Leaf, Not, parse

DAY = datetime(2030, 5, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def window(approver: int, deputy: int, start: float = 0, end: float = 10, **more: Any) -> Window:
    return Window(more.pop("id", approver * 100 + deputy), approver, deputy, at(start), at(end), **more)


def asked(approver: int, since: float = 0, **more: Any) -> Asked:
    return Asked(approver, at(since), **({"facts": facts_kept({})} | more))


# --- windows and chains -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hour", "may"), [(-0.01, False), (0, True), (9.99, True), (10, False), (11, False)])
def test_a_window_is_half_open(hour: float, may: bool) -> None:
    assert may_act([window(1, 2)], 2, asked(1), at(hour)) is may


def test_only_the_deputy_and_only_for_that_approver() -> None:
    windows = [window(1, 2)]
    assert not may_act(windows, 3, asked(1), at(1))
    assert not may_act(windows, 2, asked(4), at(1))
    assert not may_act(windows, 1, asked(2), at(1))


def test_what_waited_before_is_covered_only_when_asked_for() -> None:
    later = window(1, 2, asked_from=at(0))
    assert not may_act([later], 2, asked(1, since=-1), at(1))
    assert may_act([later], 2, asked(1, since=0), at(1))
    assert may_act([window(1, 2)], 2, asked(1, since=-1), at(1))


def test_who_is_barred_or_has_a_part_is_no_deputy() -> None:
    assert not may_act([window(1, 2)], 2, asked(1, barred=frozenset({2})), at(1))
    assert not may_act([window(1, 2)], 2, asked(1, taken=frozenset({2})), at(1))


def test_both_the_deputy_and_theirs_act() -> None:
    windows = [window(1, 2, 0, 10), window(2, 3, 5, 20)]
    assert may_act(windows, 2, asked(1), at(6))
    assert may_act(windows, 3, asked(1), at(6))
    assert not may_act(windows, 3, asked(1), at(4)), "the second window is not open yet"
    assert not may_act(windows, 3, asked(1), at(12)), "the first window is over"
    assert may_act(windows, 3, asked(2), at(12))


def test_a_chain_covers_what_all_its_links_cover() -> None:
    small = Scope(up_to=Decimal(1000))
    printers = Scope(parse({"all": [{"field": "title", "op": "contains", "value": "printer"}]}, FIELDS))
    windows = [window(1, 2, scope=small), window(2, 3, scope=printers)]
    for title, amount, may in (("A Printer", 500, True), ("A Printer", 2000, False), ("A desk", 500, False)):
        facts = facts_kept({"title": title, "amount": Decimal(amount)})
        assert may_act(windows, 3, asked(1, facts=facts), at(1)) is may


def test_a_chain_has_at_most_five_links() -> None:
    windows = [window(n, n + 1) for n in range(1, 10)]
    assert [n for n in range(2, 11) if may_act(windows, n, asked(1), at(1))] == [2, 3, 4, 5, 6]
    assert max(len(r.links) for r in rights(windows)) == MOST_LINKS


def test_nobody_is_passed_twice() -> None:
    windows = [window(1, 2), window(2, 3), window(3, 2), window(2, 1)]
    found = list(rights(windows))
    assert all(len({r.approver, *(w.deputy for w in r.links)}) == len(r.links) + 1 for r in found)


people = st.integers(1, 6)
windows_of_few = st.lists(
    st.builds(
        lambda n, a, d, start, length: window(a, d, start, start + length, id=n),
        st.integers(1, 999),
        people,
        people,
        st.integers(0, 20),
        st.integers(1, 10),
    ).filter(lambda w: w.approver != w.deputy),
    max_size=9,
)


def reaches(windows: list[Window], person: int, goal: int, hour: datetime, links: int) -> bool:
    """Independently: whether one may act for the other at an instant, by walking from deputy to deputy."""
    seen, front = {person}, {person}
    for _ in range(links):
        front = {w.deputy for w in windows if w.approver in front and w.starts_at <= hour < w.ends_at} - seen
        if goal in front:
            return True
        seen |= front
    return False


@given(windows_of_few, people, people, st.integers(0, 30))
def test_a_right_is_a_walk_of_at_most_five(windows: list[Window], approver: int, deputy: int, hour: int) -> None:
    assume(approver != deputy)
    assert may_act(windows, deputy, asked(approver), at(hour)) is reaches(windows, approver, deputy, at(hour), 5)


@given(windows_of_few)
def test_nobody_stands_in_for_themself(windows: list[Window]) -> None:
    assert all(r.deputy != r.approver and r.starts_at < r.ends_at for r in rights(windows))


@given(windows_of_few, windows_of_few.filter(bool))
def test_a_loop_is_seen_before_it_is_made(windows: list[Window], new: list[Window]) -> None:
    added = new[0]
    loops = any(
        reaches([*windows, added], added.deputy, added.approver, at(h), 99)
        for h in range(31)
        if added.starts_at <= at(h) < added.ends_at
    )
    assert makes_loop(windows, added) is loops


# --- what a delegation covers -----------------------------------------------------------------------------------------

CATALOGUE = dict(FIELDS) | {
    "custom.tags": Field("custom.tags", Kind.LIST, "tags"),
    "custom.rush": Field("custom.rush", Kind.BOOLEAN, "rush"),
    "custom.day": Field("custom.day", Kind.DATE, "day"),
    "custom.pieces": Field("custom.pieces", Kind.NUMBER, "pieces"),
}
words = st.text(alphabet="aBÄß \"\\.*['%_é😀", max_size=5)
VALUES: dict[Kind, Any] = {
    Kind.TEXT: words,
    Kind.CHOICE: st.sampled_from(["LOW", "HIGH"]),
    Kind.NUMBER: st.decimals(-100, 100, places=2),
    Kind.BOOLEAN: st.booleans(),
    Kind.INSTANT: st.integers(0, 50).map(at),
    Kind.DATE: st.sampled_from(["2030-05-01", "2030-05-02"]),
    Kind.ID: st.integers(1, 5),
    Kind.LIST: st.sampled_from(["x", "y"]),
}
OTHERS = st.one_of(st.none(), st.just(""), words, st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.just([]))


@st.composite
def comparisons(draw: Any) -> Leaf:
    from waypost.kernel.conditions.fields import OPERATORS

    field = draw(st.sampled_from(list(CATALOGUE.values())))
    op = draw(st.sampled_from(OPERATORS[field.kind]))
    if op in ("is_empty", "is_not_empty"):
        return Leaf(field, op, None)
    value = VALUES[field.kind]
    many = st.lists(value, min_size=1, max_size=3).map(tuple)
    return Leaf(field, op, draw(many if op in ("in", "not_in") else value))


conditions = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple).map(All),
        st.lists(inner, max_size=3).map(tuple).map(AnyOf),
        inner.map(Not),
    ),
    max_leaves=5,
)


@st.composite
def facts(draw: Any) -> dict[str, Any]:
    """Values as they should be, mostly, and sometimes of another kind."""
    found = {}
    for name, field in CATALOGUE.items():
        proper = st.lists(VALUES[field.kind], max_size=3) if field.kind is Kind.LIST else VALUES[field.kind]
        if draw(st.booleans()):
            found[name] = draw(st.one_of(proper, proper, proper, OTHERS))
    return found


scopes = st.builds(Scope, conditions, st.none() | st.decimals(0, 100, places=2))


def words_in(field: str, op: str, value: Any) -> Scope:
    return Scope(Leaf(CATALOGUE[field], op, value))


HELD = {"title": 'A "Größe".*', "custom.tags": ["x", "red"], "custom.day": "2030-05-02"}
PLAIN = [
    (words_in("title", "contains", '"größe'), True),
    (words_in("title", "contains", "grosse"), False),
    (words_in("title", "contains", ".*"), True),
    (words_in("title", "contains", "x.*"), False),
    (words_in("title", "contains", ""), True),
    (words_in("currency", "contains", ""), False),
    (words_in("title", "starts_with", 'a "'), True),
    (words_in("custom.tags", "contains", "red"), True),
    (words_in("custom.tags", "contains", "re"), False),
    (words_in("custom.day", "gt", "2030-05-01"), True),
]


async def test_the_rule_and_its_path_agree(database: Any) -> None:
    cases: list[tuple[Scope, dict[str, Any]]] = [(scope, facts_kept(HELD)) for scope, _ in PLAIN]
    assert [covers(scope, kept) for scope, kept in cases] == [held for _, held in PLAIN]

    @settings(max_examples=400)
    @given(scopes, facts())
    def collect(scope: Scope, values: dict[str, Any]) -> None:
        cases.append((scope, facts_kept(values)))

    collect()
    by_rule = by_path = 0
    async with database.read() as session:
        for scope, kept in cases:
            path = paths_together([path_of(scope)])
            said = True
            if path is not None:
                asked_of = func.jsonb_path_match(
                    cast(literal(kept, JSONB), JSONB),
                    cast(literal(path), JSONPATH),
                    standing.NO_VARIABLES,
                    standing.SILENT,
                )
                said = await session.scalar(select(asked_of))
            expected = covers(scope, kept)
            assert said is expected, (scope, kept, path)
            by_rule += expected
            by_path += 1
    assert 10 < by_rule < by_path


@pytest.mark.parametrize(
    ("amount", "may"), [(None, True), ("5000.00", True), ("5000.01", False), ("0.00", True), ("999999999999.99", False)]
)
def test_a_ceiling(amount: str | None, may: bool) -> None:
    kept = facts_kept({"amount": amount and Decimal(amount)})
    assert covers(Scope(up_to=Decimal(5000)), kept) is may


def test_what_kept_no_facts_is_covered_by_no_part() -> None:
    assert covers(Scope(), None)
    assert not covers(Scope(up_to=Decimal(5)), None)


def test_facts_are_kept_alike() -> None:
    kept = facts_kept(
        {
            "title": "New LAPTOP",
            "due_date": DAY,
            "amount": Decimal("12.50"),
            "custom.price": {"amount": "7.00", "currency": "XXX"},
            "custom.file": {"id": 1},
            "custom.tags": ["a", 1],
            "custom.none": [],
            "currency": None,
            "custom.text": "",
        }
    )
    assert kept["v"] == {
        "title": "New LAPTOP",
        "due_date": "2030-05-01T00:00:00.000000Z",
        "amount": 12.5,
        "custom.price": 7,
        "custom.tags": ["a"],
    }
    assert kept["f"]["title"] == "new laptop"


# --- the twin over rows -----------------------------------------------------------------------------------------------


async def test_rows_and_the_rule_agree(fresh_database: Any) -> None:
    """Random delegations over the demo's open steps: who may decide what, said by the rule and by SQL."""
    from waypost.approvals import delegating
    from waypost.approvals.deputy_models import ApprovalDelegation
    from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
    from waypost.directory.models import User

    chance = random.Random(11)
    moment = datetime.now(UTC)
    conditions = [None, {"all": [{"field": "amount", "op": "lt", "value": "900"}]}]
    async with fresh_database.transaction() as session:
        ids = list(await session.scalars(select(User.id).order_by(User.id)))
        steps = list(await session.scalars(select(ApprovalStep)))
        for step in steps:
            step.status, step.approver_id = "PENDING", chance.choice(ids[:8])
            step.decided_by_id = None
            step.requested_at = moment - timedelta(hours=chance.randint(0, 30))
        for _ in range(16):
            one, other = chance.sample(ids[:8], 2)
            start = moment + timedelta(hours=chance.randint(-20, 5))
            session.add(
                ApprovalDelegation(
                    delegator_id=one,
                    delegate_id=other,
                    starts_at=start,
                    ends_at=start + timedelta(hours=chance.randint(8, 30)),
                    condition=chance.choice(conditions),
                    amount_up_to=chance.choice([None, Decimal(1500)]),
                    include_waiting=chance.random() < 0.6,
                    created_by_id=one,
                    created_at=start,
                )
            )
        await session.flush()
        windows = [delegating.window_of(r) for r in await session.scalars(select(ApprovalDelegation))]
        assert await delegating._work_out(session, list(await session.scalars(select(ApprovalDelegation))), moment)
    agreed = 0
    async with fresh_database.read() as session:
        rows = (
            await session.execute(
                select(ApprovalStep, ApprovalWorkflow).join(
                    ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id
                )
            )
        ).all()
        stages: dict[int, set[int]] = {}
        for step, _ in rows:
            stages.setdefault(step.stage_id, set()).update({step.approver_id, step.decided_by_id or 0})
        for person in ids:
            by_sql = set(await session.scalars(standing.steps_as_deputy(person, moment)))
            by_rule = {
                step.id
                for step, workflow in rows
                if step.status in ("PENDING", "INFO_REQUESTED")
                and step.approver_id != person
                and may_act(
                    windows,
                    person,
                    Asked(
                        step.approver_id,
                        step.requested_at,
                        workflow.facts,
                        frozenset(workflow.barred_ids),
                        frozenset(stages[step.stage_id]),
                    ),
                    moment,
                )
            }
            assert by_sql == by_rule, person
            agreed += len(by_sql)
    assert agreed > 10


def test_no_chain_passes_through_who_is_barred() -> None:
    """Who asked for something does not choose who decides it in somebody else's stead."""
    windows = [window(1, 2), window(2, 3), window(3, 4)]
    barred = asked(1, barred=frozenset({2}))
    assert not may_act(windows, 3, barred, at(1))
    assert not may_act(windows, 4, barred, at(1))
    assert may_act(windows, 3, asked(1, barred=frozenset({9})), at(1))
    assert may_act([*windows, window(1, 3)], 3, barred, at(1)), "whom the approver chose themself may"
    assert not may_act(windows, 4, asked(1, barred=frozenset({3})), at(1))
