"""Installing, starting and stopping the systems that tests run against."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("INTEGRATION_CACHE", Path.home() / ".cache" / "waypost-integration"))
PATH = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
LONGEST_INSTALL = 300


def npm(package: str, version: str, *others: str) -> Path:
    """The programs of a package from npm (and of `others` beside it), installed once. Raises when it cannot be."""
    folder = CACHE / "npm" / f"{package.replace('/', '_').lstrip('@')}-{version}"
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"{package}@{version}", *others],
            check=True,
            timeout=LONGEST_INSTALL,
            env={**os.environ, "PATH": PATH},
            stdout=subprocess.DEVNULL,
        )
        done.touch()
    return folder / "node_modules" / ".bin"


def apt(*packages: str) -> None:
    """Packages of the system, installed once. Raises when they cannot be."""
    have = subprocess.run(["dpkg-query", "-W", "-f", "${Status}\n", *packages], capture_output=True, text=True)
    if have.returncode == 0 and have.stdout.count("install ok installed") == len(packages):
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, env=env, timeout=LONGEST_INSTALL)

    if run(*install).returncode:  # the lists of what there is may be missing, or old
        run("apt-get", "update", "-q")
        again = run(*install)
        if again.returncode:
            raise RuntimeError(
                f"{', '.join(packages)} cannot be installed:\n{again.stdout[-2000:]}{again.stderr[-2000:]}"
            )


@contextlib.contextmanager
def running(*command: str, ready: str, within: float = 60, **env: str) -> Iterator[None]:
    """A program while the block runs; begins once it has said `ready`. Raises with what it said when it does not."""
    # in a folder that goes with it: some leave files where they are started
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": PATH, **env},
            start_new_session=True,
        )

        def heard() -> str:
            said.seek(0)
            return said.read()

        try:
            until = time.monotonic() + within
            while ready not in heard():
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{command[0]} does not start:\n{heard()[-3000:]}")
                time.sleep(0.1)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
