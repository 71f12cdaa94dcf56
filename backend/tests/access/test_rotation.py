"""What a refresh token is that somebody shows: who copied one gets nothing, and two tabs at once lose nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from waypost.access.rotation import GRACE, Shown, shown

AT = datetime(2026, 11, 26, 9, tzinfo=UTC)
ages = st.integers(min_value=0, max_value=60_000).map(lambda ms: timedelta(milliseconds=ms))


@given(age=ages, is_parent=st.booleans())
def test_an_unused_one_is_the_newest(age: timedelta, is_parent: bool) -> None:
    assert shown(None, AT - age, AT, is_parent=is_parent) is Shown.NEWEST


@given(used=ages, proof=st.none() | ages, is_parent=st.booleans())
def test_a_used_one(used: timedelta, proof: timedelta | None, is_parent: bool) -> None:
    found = shown(AT - used, None if proof is None else AT - proof, AT, is_parent=is_parent)
    if used > GRACE:
        assert found is Shown.COPIED, "however it came to be used"
    elif proof is not None and proof <= used:
        assert found is Shown.OVERTAKEN, "what a proof has voided is never answered again"
    else:
        assert found is (Shown.PARENT if is_parent else Shown.COPIED)


def test_the_edge_of_the_grace() -> None:
    assert shown(AT - GRACE, None, AT, is_parent=True) is Shown.PARENT
    assert shown(AT - GRACE, AT - GRACE, AT, is_parent=True) is Shown.OVERTAKEN
    assert shown(AT - GRACE - timedelta(microseconds=1), None, AT, is_parent=True) is Shown.COPIED
    assert shown(AT + timedelta(seconds=1), AT, AT, is_parent=True) is Shown.PARENT, "clocks that differ a little"
