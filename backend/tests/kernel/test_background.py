"""Tasks beside the work end with it, also where a cancellation is lost on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from waypost.kernel import background


@pytest.mark.parametrize("lost", [0, 1, 3])
async def test_a_task_that_loses_cancellations_ends(monkeypatch: pytest.MonkeyPatch, lost: int) -> None:
    monkeypatch.setattr(background, "AGAIN_AFTER", 0.01)
    left = lost

    async def round_and_round() -> None:
        nonlocal left
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if left == 0:
                    raise
                left -= 1

    tasks = [asyncio.create_task(round_and_round()) for _ in range(2)]
    await asyncio.sleep(0)
    await background.end(*tasks)
    assert (left, [task.cancelled() for task in tasks]) == (0, [True, True])


async def test_what_had_failed_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[Any] = []
    monkeypatch.setattr(background.log, "error", lambda words, **more: logged.append(more["exc_info"]))
    broken = ValueError("broken")

    async def fails() -> None:
        raise broken

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await background.end(task)
    assert logged == [broken]
    await background.end()
