"""What the process does that reads one calendar file (`waypost.kernel.confined`): a job in, its answer out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import msgspec

from waypost.sla import ical


class Job(msgspec.Struct):
    """A file, and what is asked of it."""

    data: bytes
    zone: str
    first: date
    last: date


class Answer(msgspec.Struct):
    """The reading, or why there is none."""

    reading: ical.Reading | None = None
    wrong: str | None = None


def told(said: bytes) -> bytes:
    """What is answered to a job."""
    job = msgspec.json.decode(said, type=Job)
    answer: dict[str, object]
    try:
        answer = {"reading": asdict(ical.read(job.data, job.zone, job.first, job.last))}
    except ical.BadFile as wrong:
        answer = {"wrong": str(wrong)}
    return msgspec.json.encode(answer)
