"""Servers, for the scripts beside this file: where their data may lie, and waiting for them. Standard library only."""

from __future__ import annotations

import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
ROOM = 6 * 2**30  # bytes that two test processes' servers never fill
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is never behind a proxy


def free_port() -> int:
    """A TCP port of this machine nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def quick_folder() -> str | None:
    """Where data nobody keeps is best put: in memory when there is much of it, else None for the usual place.

    Tests make a database for each file; on a slow disk they would wait for it half of their time.
    """
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
        available = next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemAvailable" in line)
    except (OSError, StopIteration):
        return None
    has_room = min(free, int(available.split()[1]) * 1024) > ROOM and os.access(SHARED_MEMORY, os.W_OK | os.X_OK)
    return str(SHARED_MEMORY) if has_room else None


def wait_for(url: str, seconds: float, give_up: Callable[[], bool] = lambda: False) -> bool:
    """Whether an address answers 200 before the time is over or `give_up` says it never will."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not give_up():
        try:
            with direct.open(url, timeout=2) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    return False
