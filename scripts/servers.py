"""Waiting for servers, for the scripts beside this file. Standard library only."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is never behind a proxy


def free_port() -> int:
    """A TCP port of this machine nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


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
