"""Keeping processes running: started in steps, restarted when they die, stopped in reverse order on a signal.

Knows no business: what runs is handed in. One thread, one loop, ten looks a second.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from waypost.kernel.processes import Child, Spec, wait_until

SHORTEST_WAIT, LONGEST_WAIT = 0.2, 5.0
STEADY = 30.0  # seconds after which a process counts as running well, and its waits start anew
PATIENCE = 240.0  # seconds a process may take to be ready: a machine that is busy with others takes its time


SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


class Stopped(Exception):
    """A signal asked us to stop."""


class DidNotStart(RuntimeError):
    """A process ended, or was not ready in time, while everything was being started."""


class Supervisor:
    """Runs children until told to stop. Use `start` for each step, then `watch`, and `stop` in any case."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.children: list[Child] = []
        self._waits: dict[str, float] = {}
        self._restart_at: dict[str, float] = {}
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    @staticmethod
    def _on_signal(number: int, frame: FrameType | None) -> None:
        _ignore_signals()  # `make` passes on the Ctrl-C we got ourselves: the second one must not interrupt the stopping
        raise Stopped

    def start(self, specs: Sequence[Spec], *, seconds: float = PATIENCE) -> None:
        """Start these at the same time and wait until all are ready. Raises `DidNotStart`, at once when one ends."""
        started = [Child(spec, self.logs / f"{spec.name}.log") for spec in specs]
        self.children += started
        for child in started:
            if not wait_until(child.spec.is_ready, seconds, give_up=lambda c=child: not c.is_alive):  # type: ignore[misc]
                raise DidNotStart(f"{child.spec.name} does not start:\n{tail(child.log)}")

    def watch(self) -> None:
        """Restart what dies, until a signal raises `Stopped`."""
        while True:
            self.look(time.monotonic())
            time.sleep(0.1)

    def look(self, tick: float) -> None:
        """One look at every child; `tick` is the monotonic time."""
        for n, child in enumerate(self.children):
            if child.is_alive:
                continue
            name = child.spec.name
            if name not in self._restart_at:
                child.clear()
                wait = self._waits.get(name, SHORTEST_WAIT)
                if tick - child.started > STEADY:
                    wait = SHORTEST_WAIT
                self._waits[name] = min(wait * 2, LONGEST_WAIT)
                self._restart_at[name] = tick + wait
                say(f"{name} ended ({child.process.returncode}); starting it again (see {child.log})")
            elif tick >= self._restart_at[name]:
                del self._restart_at[name]
                self.children[n] = Child(child.spec, self.logs / f"{name}.log")

    def stop(self) -> None:
        """Stop everything, the last started first; a second signal does not shorten it."""
        _ignore_signals()
        for child in reversed(self.children):
            child.stop()
        self.children.clear()


def say(sentence: str, out: Callable[[str], object] | None = None) -> None:
    """Tell the person at the terminal."""
    (out or sys.stdout.write)(f"{sentence}\n")
    sys.stdout.flush()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
