from __future__ import annotations

import gc

from waypost.kernel import memory


def test_the_application_is_not_looked_through_for_garbage() -> None:
    import waypost.app  # noqa: F401

    assert gc.get_freeze_count() > 100_000


def test_what_is_there_is_kept_and_what_comes_is_not() -> None:
    there = [["lasting"]]
    memory.keep_what_is_there()
    coming = [["passing"]]
    tracked = {id(one) for one in gc.get_objects()}
    assert id(there) not in tracked
    assert id(coming) in tracked


def test_all_is_looked_through_seldom() -> None:
    young = gc.get_threshold()[:2]
    memory.keep_what_is_there()
    assert gc.get_threshold() == (*young, memory.OLD)
    assert gc.isenabled()
