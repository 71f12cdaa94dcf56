"""The chain: whatever is done to it is found, at the row where it was done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.audit.chain import (
    COLUMNS,
    ERASED,
    GENESIS,
    Kind,
    Leaf,
    Number,
    Row,
    Seal,
    Walk,
    chain_hash,
    erase,
    leaf_hashes,
    read_data,
    row_hash,
    seal,
    values_in,
)

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | texts | st.integers(-99, 99).map(lambda n: Number(n)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(texts, values, max_size=4)


def row_of(number: int, data: Any) -> Row:
    return Row((number, number + 700, "ticket.created", 1, "ticket", 5, 9, None, "web", None, 1_700_000_000), data)


rows = st.lists(documents, min_size=1, max_size=8).map(lambda all_: [row_of(i + 1, d) for i, d in enumerate(all_)])
Chain = list[tuple[Seal, Row | None]]


def sealed(of: list[Row]) -> Chain:
    before, made = GENESIS, []
    for position, row in enumerate(of, 1):
        one = seal(before, position, row, bytes([position]) * 16)
        before = one.chain_hash
        made.append((one, row))
    return made


def problems(chain: Chain) -> list[tuple[Kind, int | None]]:
    walk = Walk()
    found = [walk.step(*pair) for pair in chain]
    assert walk.is_whole == (not any(found))
    return [(p.kind, p.position) for p in found if p]


@given(rows)
def test_what_was_sealed_holds(of: list[Row]) -> None:
    assert problems(sealed(of)) == []


@given(rows, st.data())
def test_every_column_counts(of: list[Row], data: st.DataObject) -> None:
    chain = sealed(of)
    at = data.draw(st.integers(0, len(of) - 1))
    column = data.draw(st.integers(0, len(COLUMNS) - 1))
    old = of[at].columns[column]
    new = data.draw(st.sampled_from([None, 12345, "12345", "ticket", ""]).filter(lambda v: v != old))
    columns = (*of[at].columns[:column], new, *of[at].columns[column + 1 :])
    chain[at] = (chain[at][0], Row(columns, of[at].data))
    assert problems(chain) == [(Kind.ALTERED, at + 1)]


@given(rows, documents, st.data())
def test_every_value_counts(of: list[Row], other: Any, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(of) - 1))
    if repr(of[at].data) == repr(other):
        return
    chain = sealed(of)
    chain[at] = (chain[at][0], row_of(at + 1, other))
    expected = [] if dict(_kinds(of[at].data)) == dict(_kinds(other)) else [(Kind.ALTERED, at + 1)]
    assert problems(chain) == expected  # the order of an object's members means nothing, all else does


def _kinds(data: Any) -> list[tuple[str, tuple[type, Any]]]:
    return [(path, (type(value), repr(value))) for path, _, value in values_in(data)]


@given(rows, st.data())
def test_what_is_removed_is_missed(of: list[Row], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(of) - 1))
    chain = sealed(of)
    without_event: Chain = [(s, None if i == at else r) for i, (s, r) in enumerate(chain)]
    assert problems(without_event) == [(Kind.REMOVED, at + 1)]
    without_both = chain[:at] + chain[at + 1 :]
    assert problems(without_both) == ([(Kind.SEAL_REMOVED, at + 1)] if at < len(of) - 1 else [])  # the end is signed
    closed_up: Chain = chain[:at] + [(replace(s, position=s.position - 1), r) for s, r in chain[at + 1 :]]
    assert problems(closed_up)[:1] == ([(Kind.REORDERED, at + 1)] if at < len(of) - 1 else [])


@given(rows.filter(lambda r: len(r) > 1), st.data())
def test_what_is_exchanged_is_found(of: list[Row], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(of) - 2))
    chain = sealed(of)
    one, other = chain[at], chain[at + 1]
    events: Chain = [*chain[:at], (one[0], other[1]), (other[0], one[1]), *chain[at + 2 :]]
    assert problems(events) == [(Kind.ALTERED, at + 1), (Kind.ALTERED, at + 2)]
    both: Chain = [
        *chain[:at],
        (replace(other[0], position=at + 1), other[1]),
        (replace(one[0], position=at + 2), one[1]),
        *chain[at + 2 :],
    ]
    assert problems(both)[0] == (Kind.REORDERED, at + 1)


@given(rows, documents, st.data())
def test_what_is_put_in_is_found(of: list[Row], new: Any, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(of) - 1))
    chain = sealed(of)
    row = row_of(99, new)
    forged = seal(GENESIS if at == 0 else chain[at - 1][0].chain_hash, at + 1, row, b"x" * 16)
    later: Chain = [(replace(s, position=s.position + 1), r) for s, r in chain[at:]]
    assert problems([*chain[:at], (forged, row), *later])[0] == (Kind.REORDERED, at + 2)


def test_a_gap_is_told_from_end_to_end() -> None:
    chain = sealed([row_of(n, {}) for n in range(1, 8)])
    walk = Walk()
    walk.step(*chain[0])
    one = walk.step(*chain[2])
    many = walk.step(*chain[6])
    assert one is not None
    assert one.sentence.startswith("The seals of position 2 are gone")
    assert many is not None
    assert many.sentence.startswith("The seals of position 4 to 6 are gone")


def test_numbers_are_what_the_database_prints() -> None:
    one, other = (row_of(1, read_data(f'{{"amount": {n}}}')) for n in ("1.0", "1.00"))
    assert row_hash(one, b"s") != row_hash(other, b"s")
    assert row_hash(one, b"s") != row_hash(row_of(1, {"amount": "1.0"}), b"s")
    assert row_hash(row_of(1, {"a": []}), b"s") != row_hash(row_of(1, {"a": {}}), b"s")
    assert row_hash(row_of(1, {"a": ["x"]}), b"s") != row_hash(row_of(1, {"a": {"0": "x"}}), b"s")


@given(rows, st.data())
def test_an_erased_value_leaves_the_chain_whole(of: list[Row], data: st.DataObject) -> None:
    chain = sealed(of)
    at = data.draw(st.integers(0, len(of) - 1))
    kept, row = chain[at]
    assert row is not None
    places = [(p, k) for p, k, _ in values_in(row.data)]
    path, keys = data.draw(st.sampled_from(places))
    done = erase(row, kept, [path])
    assert done is not None
    gone, leaves = done
    assert gone == [(path, keys)]
    after = replace(kept, salt=None, leaves=leaves)
    erased = Row(row.columns, _with(row.data, keys))
    chain[at] = (after, erased)
    walk = Walk()
    assert not any(walk.step(*pair) for pair in chain)
    assert walk.erased == 1
    assert leaf_hashes(erased, None, leaves) == leaf_hashes(row, kept.salt, None)
    assert erase(erased, after, [path]) is None  # it is gone, once
    others = [p for p, _ in places if p != path]
    if others:
        more = erase(erased, after, others[:1])
        assert more is not None
        assert more[1][path] == leaves[path]
    # nothing else may stand where a value was erased, and a value is not erased by saying so
    chain[at] = (after, Row(row.columns, _with(row.data, keys, "something else")))
    assert problems(chain) == [(Kind.ALTERED, at + 1)]
    chain[at] = (replace(after, leaves={**leaves, path: Leaf()}), erased)
    assert problems(chain) == [(Kind.ALTERED, at + 1)]
    chain[at] = (replace(after, leaves=None), erased)
    assert problems(chain) == [(Kind.ALTERED, at + 1)]


def _with(data: Any, keys: tuple[str, ...], value: str = ERASED) -> Any:
    if not keys:
        return value
    if isinstance(data, list):
        return [_with(v, keys[1:], value) if str(i) == keys[0] else v for i, v in enumerate(data)]
    return {k: _with(v, keys[1:], value) if k == keys[0] else v for k, v in data.items()}


def test_what_is_left_does_not_find_an_erased_value_again() -> None:
    row = row_of(1, {"ip_address": "10.0.0.1", "reason": "paused"})
    kept = seal(GENESIS, 1, row, b"r" * 16)
    done = erase(row, kept, ['."ip_address"'])
    assert done is not None
    assert done[1]['."ip_address"'].salt is None
    assert b"r" * 16 not in repr(done).encode()
    assert erase(row, kept, ['."nothing"']) is None


def test_the_place_counts() -> None:
    assert chain_hash(GENESIS, 1, b"x" * 32) != chain_hash(GENESIS, 2, b"x" * 32)
    with pytest.raises(KeyError):
        row_hash(row_of(1, {"a": "b"}), None)
