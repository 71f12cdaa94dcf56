"""Percentiles and the pattern of the week, against numbers worked out on paper."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.by_hand import bucket
from waypost.reports.cells import cells_of
from waypost.reports.percentiles import middle, percentile
from waypost.reports.seasons import season

MONDAY = date(2026, 3, 2)


def in_days(counts: list[int], first: date = MONDAY) -> list[tuple[date, int]]:
    return [(first + timedelta(days=n), count) for n, count in enumerate(counts)]


# --- percentiles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "rank"),
    [(0.0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.51, 6), (0.9, 9), (0.91, 10), (1.0, 10)],
)
def test_the_nearest_rank_is_told(share: float, rank: int) -> None:
    """Ten durations, each in a bucket of its own: the n-th one is what so many of ten do not exceed."""
    histogram = {10 * n: 1 for n in range(1, 11)}
    assert percentile(histogram, share) == middle(10 * rank)


def test_many_in_one_bucket_weigh_as_many() -> None:
    histogram = {20: 8, 40: 1, 60: 1}
    assert percentile(histogram, 0.5) == percentile(histogram, 0.8) == middle(20)
    assert percentile(histogram, 0.9) == middle(40)
    assert percentile(histogram, 0.99) == middle(60)


def test_of_nothing_there_is_none() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({7: 0}, 0.5) is None
    assert percentile({7: 1, 9: -1}, 0.5) is None, "what was taken off again"


def test_the_middle_of_a_bucket() -> None:
    assert middle(0) == 1.0, "a second, or less"
    assert middle(1) == pytest.approx((1 + 1.05) / 2)
    assert middle(168) == pytest.approx(3542, rel=0.001), "an hour, but for 2.5 %: 1.05 ** 167 to 1.05 ** 168"


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
def test_it_is_within_2_5_percent_of_the_true_one(seconds: list[int], share: float) -> None:
    found = percentile(Counter(bucket(s) for s in seconds), share)
    true = sorted(seconds)[max(1, -int(-share * len(seconds) // 1)) - 1]
    assert found is not None
    assert abs(found - true) <= 0.026 * true


# --- the pattern of the week ------------------------------------------------------------------------------------------


def test_weekdays_are_means_of_their_own_days_and_today_counts_for_nothing() -> None:
    two_weeks = [10, 8, 6, 4, 2, 0, 0, 20, 10, 6, 4, 4, 1, 0]
    found = season(in_days([*two_weeks, 999]))  # the last one is today, a Monday
    assert found.weekdays == (15, 9, 6, 4, 3, 0.5, 0)
    assert found.change is None, "eight weeks are needed to compare four with four"


def test_the_mean_of_seven_days_begins_on_the_seventh() -> None:
    found = season(in_days([7, 0, 0, 0, 0, 0, 0, 14, 7]))
    assert found.smooth == (None, None, None, None, None, None, 1, 2, 3)


def test_four_weeks_are_compared_with_the_four_before() -> None:
    old, new = [4] * 28, [5] * 28
    assert season(in_days([*old, *new, 0])).change == pytest.approx(0.25)
    assert season(in_days([*new, *old, 0])).change == pytest.approx(-0.2)
    assert season(in_days([0] * 28 + new + [0])).change is None, "nothing is no measure"
    assert season(in_days([*old, *new])).change is None, "one day short"


def test_a_week_that_begins_in_the_middle_finds_its_days() -> None:
    found = season(in_days([3, 5, 0], first=date(2026, 3, 5)))  # Thursday, Friday; Saturday is today
    assert found.weekdays == (0, 0, 0, 3, 5, 0, 0)


def test_without_days_there_is_nothing() -> None:
    found = season([])
    assert (found.weekdays, found.smooth, found.change) == ((0.0,) * 7, (), None)


# --- cells ------------------------------------------------------------------------------------------------------------


def test_only_what_is_wanted_is_looked_for() -> None:
    every = cells_of("facts AS f")
    assert ("report_decisions" in every, "'state'" in every) == (True, True)
    of_tickets = cells_of("facts AS f", place="T", only=("state",))
    assert ("report_decisions" in of_tickets, "'state'" in of_tickets, "'open'" in of_tickets) == (False, True, False)
    of_decisions = cells_of("facts AS f", place="T", only=("waiting",))
    assert ("'waiting'" in of_decisions, "'state'" in of_decisions, "UNION" in of_decisions) == (True, False, False)
