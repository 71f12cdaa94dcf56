"""Starting, restarting and stopping: the commands as people use them, on folders and ports of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from waypost.kernel import embedded
from waypost.kernel.embedded import CannotStart, free_port, locked
from waypost.kernel.processes import Spec, wait_until
from waypost.kernel.supervisor import DidNotStart, Supervisor

BACKEND = Path(__file__).parents[2]
PASSWORD = "a sentence nobody guesses 4711"
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    made = Supervisor(tmp_path / "logs")
    yield made
    made.stop()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_dies_is_started_again_with_growing_waits(supervisor: Supervisor) -> None:
    supervisor.start([Spec("sleeper", SLEEP)])
    waits = []
    for _ in range(3):
        old = supervisor.children[0]
        old.process.kill()
        old.process.wait()
        tick = time.monotonic()
        supervisor.look(tick)
        assert not supervisor.children[0].is_alive
        waits.append(supervisor._restart_at["sleeper"] - tick)
        supervisor.look(supervisor._restart_at["sleeper"])
        assert supervisor.children[0].is_alive
        assert supervisor.children[0].process.pid != old.process.pid
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


def test_what_does_not_start_says_why(supervisor: Supervisor) -> None:
    broken = Spec("broken", [sys.executable, "-c", "raise SystemExit('no such luck')"], is_ready=lambda: False)
    with pytest.raises(DidNotStart, match="broken does not start:\nno such luck"):
        supervisor.start([broken])


def test_the_last_started_is_stopped_first_and_the_stubborn_by_force(supervisor: Supervisor, tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = (
        "import signal, sys, time\n"
        "def end(*_):\n open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    specs = []
    for name in ("one", "two"):
        log = supervisor.logs / f"{name}.log"
        specs.append(
            Spec(
                name,
                [sys.executable, "-c", program, str(said), f"{name} "],
                is_ready=lambda log=log: log.stat().st_size > 0,
            )
        )
    deaf = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(60)"
    log = supervisor.logs / "deaf.log"
    specs.append(Spec("deaf", [sys.executable, "-c", deaf], is_ready=lambda: log.stat().st_size > 0, stop_seconds=0.3))
    supervisor.start(specs)
    children = list(supervisor.children)
    supervisor.stop()
    assert said.read_text() == "two one "
    assert not any(c.is_alive for c in children)


def test_one_installation_a_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(CannotStart, match="already; stop it or choose another DATA_DIR"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="Cannot write to the data folder"), locked(tmp_path / "file" / "data"):
        pass


def test_who_can_reach_a_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    inner = closed / "inner"
    inner.mkdir(parents=True)
    closed.chmod(0o700)
    assert embedded._can_reach(inner, os.getuid())
    assert not embedded._can_reach(inner, 64001)


MAIL_PASSWORD = "of the mail server only"


def _env(folder: Path, port: int, **more: str) -> dict[str, str]:
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SMTP_HOST", "SMTP_PORT")
    }
    return {
        **env,
        "PYTHONPATH": str(BACKEND),
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "DEMO": "0",
        "WORKERS": "1",
        "LOG_LEVEL": "WARNING",
        "SMTP_PASSWORD": MAIL_PASSWORD,
        **more,
    }


def _cli(*words: str, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "waypost.cli", *words],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


class Product:
    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.env = _env(folder, port)
        self.out = folder.parent / f"{folder.name}.out"
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "waypost.cli", "run"], env=self.env, cwd=folder.parent, stdout=out, stderr=out
            )
        ended = lambda: self.process.poll() is not None  # noqa: E731
        assert wait_until(self.is_ready, 90, give_up=ended), self.out.read_text()

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def post(self, path: str, body: dict[str, str]) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()

    def refused(self, path: str, body: bytes) -> int:
        """The status with which this body is refused."""
        url, kind = f"http://127.0.0.1:{self.port}/api/v1{path}", "multipart/form-data; boundary=a"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": kind}), timeout=10)
        refused.value.close()
        return refused.value.code

    def says(self, words: str) -> bool:
        return words in self.out.read_text()

    def children(self) -> dict[str, list[int]]:
        """Process ids below the supervisor, by a word of their command line."""
        found: dict[str, list[int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == self.process.pid:
                word = next(
                    (
                        w
                        for w in ("serve-api", "beat", "worker", "mail-catcher", "mail-in", "valkey", "postgres")
                        if w in line
                    ),
                    line,
                )
                found.setdefault(word, []).append(int(folder.name))
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux shows them")
def test_a_whole_installation(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / ("deep" * 40) / "data"  # no socket path would fit in here
    folder.parent.mkdir()
    port = free_port()
    product = Product(folder, port)
    try:
        assert wait_until(lambda: product.says(f"Waypost is ready at http://127.0.0.1:{port}"), 30)
        children = product.children()
        assert set(children) == {"serve-api", "beat", "worker", "mail-catcher", "mail-in", "valkey", "postgres"}
        given = {word: Path(f"/proc/{pids[0]}/environ").read_text() for word, pids in children.items()}
        assert not [word for word, told in given.items() if "DATABASE_OWNER_URL" in told], (
            "the owner's is for nobody who stays"
        )
        assert {word for word, told in given.items() if "DATABASE_URL=" in told} == {"serve-api", "worker", "mail-in"}
        assert {word for word, told in given.items() if MAIL_PASSWORD in told} == {"worker"}
        assert (folder / "runtime.json").stat().st_mode & 0o077 == 0
        assert (folder / "secrets").stat().st_mode & 0o077 == 0
        assert "password" not in product.out.read_text().lower()

        again = _cli("run", env=product.env, cwd=tmp_path)
        assert again.returncode != 0
        assert again.stderr.strip().endswith("already; stop it or choose another DATA_DIR.")
        assert "Traceback" not in again.stderr
        elsewhere = _cli("run", env=_env(tmp_path / "other", port), cwd=tmp_path)
        assert elsewhere.returncode != 0
        assert str(port) in elsewhere.stderr
        assert "Traceback" not in elsewhere.stderr

        invited = _cli("admin", "ada@example.com", env=product.env, cwd=tmp_path)
        assert invited.returncode == 0, invited.stderr
        assert re.search(rf"http://127\.0\.0\.1:{port}/\S+", invited.stdout)
        product.post("/auth/first-password", {"token": invited.stdout.strip().rpartition("#")[2], "password": PASSWORD})
        late = _cli("admin", "no address", env=product.env, cwd=tmp_path)
        assert late.returncode != 0
        assert "Traceback" not in late.stderr

        for _ in range(40):  # what is refused before it was read is still told why, also over a real connection
            assert product.refused("/ticket-imports", b"x" * 200_000) == 401

        for word in ("serve-api", "worker", "valkey", "postgres"):
            (pid,) = product.children()[word]
            os.kill(pid, signal.SIGKILL)
            assert wait_until(lambda word=word, pid=pid: product.children().get(word, [pid]) != [pid], 20), word  # type: ignore[misc]
            assert wait_until(product.is_ready, 40), f"not back after {word}"
        runtime = json.loads((folder / "runtime.json").read_text())
        assert runtime["DATABASE_URL"].startswith("postgresql://")
        pids = [pid for pids in product.children().values() for pid in pids]
    finally:
        code = product.stop()
    assert code == 0
    assert product.says("Stopping …")
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not (folder / "runtime.json").exists()

    product = Product(folder, port)  # a second start finds the data
    try:
        product.post("/auth/login", {"username": "ada@example.com", "password": PASSWORD})
        pids = [pid for pids in product.children().values() for pid in pids]
    finally:
        product.process.kill()  # without a chance to stop anything
        product.process.wait()
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 30)

    product = Product(folder, port)
    try:
        product.post("/auth/login", {"username": "ada@example.com", "password": PASSWORD})
    finally:
        assert product.stop() == 0
