"""Judging foreign XML in a process of its own, with a bound on its time and its memory.

The shape of a message is checked before anything expensive runs on it; this holds for what nobody has thought of. The
process knows no database and no secret but what a message needs; when it takes too long it is killed, and the next
message gets a new one. It stays for the next message, since starting takes longer than judging.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from waypost.access.providers.saml import worker
from waypost.access.providers.saml.logout import Said
from waypost.access.providers.saml.metadata import IdpMetadata
from waypost.access.providers.saml.reading import Facts
from waypost.access.providers.saml.refusing import Refused

LONGEST = 5.0  # seconds for one message; the usual one takes some milliseconds
STARTING = 30.0  # seconds until a new process answers, on a machine that is busy
MOST_WAITING = 50  # messages
Answer = TypeVar("Answer")
_BEGIN = "import sys; sys.path.insert(0, {!r}); from waypost.access.providers.saml.worker import main; main()"


class Bench:
    """One process that judges, one message at a time, and who waits for it."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._waiting = 0

    async def ask(self, job: worker.Job) -> worker.Answer:
        """The answer to a job. Raises `Refused` when there is none in time."""
        if self._waiting >= MOST_WAITING:
            raise Refused("too_busy")
        self._waiting += 1
        try:
            async with self._lock:
                return msgspec.json.decode(await self._through(msgspec.json.encode(job)), type=worker.Answer)
        finally:
            self._waiting -= 1

    async def _through(self, job: bytes) -> bytes:
        process = self._process
        if process is None or process.returncode is not None:
            process = await _start()
        # Whoever is cut off, by time or by their own end, leaves a process nobody may use: its answer is not theirs.
        self._process = None
        is_whole = False
        try:
            async with asyncio.timeout(LONGEST):
                answer = await _exchange(process, job)
            is_whole = True
        except TimeoutError as late:
            raise Refused("took_too_long") from late
        except (OSError, EOFError) as gone:
            raise Refused("broke_off", "this message ended the process that read it") from gone
        finally:
            if not is_whole:
                await _end(process)
        self._process = process
        return answer

    async def close(self) -> None:
        """End the process, if there is one."""
        async with self._lock:
            process, self._process = self._process, None
        if process is not None:
            await _end(process)


_benches: dict[asyncio.AbstractEventLoop, Bench] = {}
os.register_at_fork(after_in_child=_benches.clear)  # a process is nobody's but its parent's


async def judge_response(job: worker.ResponseJob) -> Facts:
    """The facts of a response. Raises `Refused`."""
    return await _ask(job, Facts)


async def read_logout(job: worker.LogoutJob) -> Said:
    """What an identity provider says about signing out. Raises `Refused`."""
    found = await _ask(job, worker.LogoutFound)
    said = found.asked or found.done
    assert said is not None
    return said


async def read_metadata(document: bytes) -> IdpMetadata:
    """An identity provider's description of itself. Raises `Refused`."""
    return await _ask(worker.MetadataJob(document=document), IdpMetadata)


async def close() -> None:
    """End the process that judges for this loop."""
    bench = _benches.pop(asyncio.get_running_loop(), None)
    if bench is not None:
        await bench.close()


async def _ask(job: worker.Job, kind: type[Answer]) -> Answer:
    answer = await _benches.setdefault(asyncio.get_running_loop(), Bench()).ask(job)
    if answer.reason is not None:
        raise Refused(answer.reason, answer.detail)
    return msgspec.convert(answer.found, kind)


async def _exchange(process: asyncio.subprocess.Process, job: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(len(job).to_bytes(4, "big") + job)
    await process.stdin.drain()
    return await process.stdout.readexactly(int.from_bytes(await process.stdout.readexactly(4), "big"))


async def _start() -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-c",
        _BEGIN.format(str(Path(worker.__file__).parents[4])),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},  # nothing of our own environment
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(STARTING):
            await process.stdout.readexactly(1)
    except (TimeoutError, EOFError) as wrong:
        await _end(process)
        raise RuntimeError("the process that judges SAML messages does not start") from wrong
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
