"""Work on what a stranger sent, in a process of its own that may use little and can do nothing else.

A file that is small as it comes can ask for any amount of time and memory. Here that costs one child its life, and whoever
sent the file gets an answer; the process that serves everybody else goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

AT_ONCE = 2  # children of one process: what waits is kept back here
_few = asyncio.Semaphore(AT_ONCE)
_BEGIN = (
    "import sys; sys.path.insert(0, {root!r}); from waypost.kernel.confined import begin; "
    "begin({module!r}, {name!r}, {memory}, {seconds})"
)


class TooMuch(Exception):
    """The work took more time or memory than it may have, or broke."""


class TooLong(TooMuch):
    """The work did not end in time."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the work may use."""

    memory: int  # bytes of address space
    seconds: int  # of a processor
    patience: float  # seconds in all, with starting the process on a machine that is busy


async def confined(work: Callable[[bytes], bytes], data: bytes, bounds: Bounds) -> bytes:
    """What `work`, a function of a module, answers to `data`. Raises `TooLong` and `TooMuch`."""
    root = str(Path(__file__).parents[2])
    begin = _BEGIN.format(
        root=root, module=work.__module__, name=work.__qualname__, memory=bounds.memory, seconds=bounds.seconds
    )
    async with _few:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", "-c", begin),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8"},  # and none of our secrets
        )
        try:
            async with asyncio.timeout(bounds.patience):
                said, _ = await child.communicate(data)
        except TimeoutError as late:
            raise TooLong from late
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
    if child.returncode != 0:
        raise TooMuch
    return said


def begin(module: str, name: str, memory: int, seconds: int) -> None:
    """In the child: little time, little memory, no file written; then the work, from its input to its output."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    work: Callable[[bytes], bytes] = getattr(importlib.import_module(module), name)
    sys.stdout.buffer.write(work(sys.stdin.buffer.read()))
