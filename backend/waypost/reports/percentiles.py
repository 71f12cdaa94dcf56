"""Percentiles of durations from histograms. Pure.

A histogram counts durations by bucket: bucket `b` holds what is longer than `GROWTH ** (b - 1)` seconds and at most
`GROWTH ** b`. What is read from it lies in the middle of a bucket, so it is off by at most half its width (2.5 %).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from waypost.reports.cells import GROWTH


def middle(bucket: int) -> float:
    """What a duration in this bucket is taken for, in seconds."""
    return float(0.5 * (GROWTH ** (bucket - 1) + GROWTH**bucket)) if bucket > 0 else 1.0


def percentile(histogram: Mapping[int, int], share: float) -> float | None:
    """The duration that this share (0 to 1) of all does not exceed; None when there is none."""
    count = sum(histogram.values())
    if count <= 0:
        return None
    rank, ordered = max(1, -int(-share * count // 1)), sorted(histogram)
    reached = zip(ordered, accumulate(histogram[b] for b in ordered), strict=True)
    return middle(next(b for b, seen in reached if seen >= rank))
