"""Child processes: started in a group of their own, dying with their parent, stopped in order."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SUPERVISOR = "WAYPOST_SUPERVISOR"  # set for children: the process that looks after them
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Spec:
    """How a process is started and stopped. `uid` (with `gid`) makes it run as another user, for PostgreSQL as root.

    `without`: the variables, and `…_FILE` beside them, of secrets that it has no use for.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    uid: int | None = None
    gid: int | None = None
    cwd: Path | None = None
    without: Collection[str] = ()

    def environment(self) -> dict[str, str]:
        """What it is given: ours, its own, and no secret that it has no use for."""
        hidden = {*self.without, *(f"{name}_FILE" for name in self.without)}
        return {name: value for name, value in {**os.environ, **self.env}.items() if name not in hidden}


class Child:
    """A running process; its output goes to a log file."""

    def __init__(self, spec: Spec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.started = time.monotonic()
        stop = int(spec.stop_signal)

        def die_with_parent() -> None:
            if _libc is not None:
                _libc.prctl(_PR_SET_PDEATHSIG, stop, 0, 0, 0)

        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                list(spec.argv),
                env={**spec.environment(), SUPERVISOR: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                cwd=spec.cwd,
                user=spec.uid,
                group=spec.gid,
                extra_groups=[] if spec.uid is not None else None,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - started from one thread
            )
        finally:
            os.close(descriptor)

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        """Send its stop signal."""
        if self.is_alive:
            self.process.send_signal(self.spec.stop_signal)

    def stop(self) -> None:
        """Stop it, by force when it takes too long, with everything it started."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.spec.stop_seconds)
        self.clear()
        self.process.wait()

    def clear(self) -> None:
        """Kill whatever is left of it: what was killed outright leaves its own children behind, with its port."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def end_with_supervisor(seconds: float = 5.0) -> None:
    """In a supervised process: once its supervisor is gone, end by force after `seconds`, with everything it started.

    It is asked to stop first (`die_with_parent`), but stopping may wait for servers that are gone as well.
    """
    supervisor = int(os.environ.get(SUPERVISOR, "0"))
    if not supervisor or os.getpid() != os.getpgrp():
        return

    def watch() -> None:
        while os.getppid() == supervisor:
            time.sleep(0.5)
        time.sleep(seconds)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="end-with-supervisor", daemon=True).start()


def wait_until(is_ready: Callable[[], bool], seconds: float, *, give_up: Callable[[], bool] = lambda: False) -> bool:
    """Ask again and again until it is ready (True), `give_up` says so, or the time is over (False)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_ready():
            return True
        if give_up():
            return False
        time.sleep(0.05)
    return False
