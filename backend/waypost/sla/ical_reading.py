"""Reading a stranger's calendar file in a process of its own, with a bound on its time and its memory."""

from __future__ import annotations

from datetime import date

import msgspec

from waypost.kernel.confined import Bounds, TooLong, TooMuch, confined
from waypost.sla import ical, ical_worker
from waypost.sla.ical import BadFile, Reading
from waypost.sla.ical_worker import Answer, Job

BOUNDS = Bounds(memory=1024 * 1024 * 1024, seconds=10, patience=20.0)


async def read(data: bytes, zone: str, today: date) -> Reading:
    """The days a file closes in the years looked at. Raises `BadFile`."""
    if len(data) > ical.MOST_BYTES:
        raise BadFile(f"The file is larger than {ical.MOST_BYTES // 1_000_000} MB.")
    first, last = ical.window(today)
    job = msgspec.json.encode(Job(data=data, zone=zone, first=first, last=last))
    try:
        answer = msgspec.json.decode(await confined(ical_worker.told, job, BOUNDS), type=Answer)
    except TooLong as late:
        raise BadFile("Reading the file takes too long.") from late
    except TooMuch as ended:
        raise BadFile("Reading the file takes too long, or too much.") from ended
    if answer.reading is None:
        raise BadFile(answer.wrong or "The file cannot be read.")
    return answer.reading
