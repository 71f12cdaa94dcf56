"""Reading a stranger's calendar file in a process of its own, with a bound on its time and its memory."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import date
from pathlib import Path

import msgspec

from waypost.sla import ical
from waypost.sla.ical import BadFile, Reading
from waypost.sla.ical_worker import Answer, Job

LONGEST = 20.0  # seconds, with starting the process on a machine that is busy
_BEGIN = "import sys; sys.path.insert(0, {!r}); from waypost.sla.ical_worker import main; main()"
_alone = asyncio.Semaphore(2)


async def read(data: bytes, zone: str, today: date) -> Reading:
    """The days a file closes in the years looked at. Raises `BadFile`."""
    if len(data) > ical.MOST_BYTES:
        raise BadFile(f"The file is larger than {ical.MOST_BYTES // 1_000_000} MB.")
    first, last = ical.window(today)
    job = msgspec.json.encode(Job(data=data, zone=zone, first=first, last=last))
    async with _alone:
        answer = await _through(job)
    if answer.reading is None:
        raise BadFile(answer.wrong or "The file cannot be read.")
    return answer.reading


async def _through(job: bytes) -> Answer:
    root = str(Path(__file__).parents[2])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-c",
        _BEGIN.format(root),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(LONGEST):
            said, _ = await process.communicate(job)
    except TimeoutError as late:
        raise BadFile("Reading the file takes too long.") from late
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise BadFile("Reading the file takes too long, or too much.")
    return msgspec.json.decode(said, type=Answer)
