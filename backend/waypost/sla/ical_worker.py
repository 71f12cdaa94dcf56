"""The process that reads one calendar file: in by its input, out by its output, then it ends."""

from __future__ import annotations

import resource
import sys
from dataclasses import asdict
from datetime import date

import msgspec

from waypost.sla import ical

MEMORY = 1024 * 1024 * 1024  # bytes of address space
SECONDS = 10  # of a processor


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


def main() -> None:
    """Read the job, answer it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    answer: dict[str, object]
    try:
        answer = {"reading": asdict(ical.read(job.data, job.zone, job.first, job.last))}
    except ical.BadFile as wrong:
        answer = {"wrong": str(wrong)}
    sys.stdout.buffer.write(msgspec.json.encode(answer))
