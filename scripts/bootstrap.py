"""Set up what the other commands need: the virtual environment, and with --web the built web app.

Standard library only; runs on a machine that has nothing but Python. Every step is skipped when what it depends on has
not changed since it was last done.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = ROOT / ".build"
WEB = ROOT / "frontend"
UV = "uv==0.13.9"
OLDEST = (3, 11)


def fail(sentence: str, output: str = "") -> None:
    tail = "\n".join(output.strip().splitlines()[-20:])
    sys.exit(f"{tail}\n\n{sentence}" if tail else sentence)


def sh(step: str, *command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    print(f"{step} …", flush=True)
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        fail(f"{step} failed.", done.stdout)


def digest(paths: Iterable[Path], *facts: str) -> str:
    found = hashlib.sha256("\n".join(facts).encode())
    for path in sorted(paths):
        found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def fresh(name: str, value: str) -> bool:
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text() == value


def done(name: str, value: str) -> None:
    (STAMPS / name).write_text(value)


def python(*, dev: bool) -> None:
    """The virtual environment with the locked, hashed dependencies."""
    lock = ROOT / ("requirements-dev.lock" if dev else "requirements.lock")
    version = platform.python_version()
    value, dev_value = digest([lock], version), digest([ROOT / "requirements-dev.lock"], version)
    # The larger set contains the smaller one, with the same versions.
    if (BIN / "python").exists() and (fresh("python", value) or fresh("python", dev_value)):
        return
    if not (BIN / "python").exists() or not fresh("venv", version):  # one that was interrupted is made anew
        shutil.rmtree(VENV, ignore_errors=True)
        sh("Making the virtual environment", sys.executable, "-m", "venv", VENV)
        done("venv", version)
    if not (BIN / "uv").exists():
        sh("Getting uv", BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV)
    sh(
        "Installing the Python packages",
        BIN / "uv",
        *("pip", "install", "--python", BIN / "python", "--require-hashes", "-r", lock),
        env={"UV_LINK_MODE": "copy"} if os.geteuid() == 0 else None,
    )
    done("python", value)


def web() -> None:
    """The web app's packages and its production build."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    value = digest([WEB / "package-lock.json", WEB / ".npmrc"])
    if not (WEB / "node_modules").is_dir() or not fresh("packages", value):
        sh("Installing the web app's packages", BIN / "npm", "ci", cwd=WEB, env={"PATH": path})
        done("packages", value)
    kept = [WEB / f for f in ("package.json", "package-lock.json", "index.html", "vite.config.ts", "tsconfig.json")]
    files = [p for folder in ("src", "public", "scripts") for p in (WEB / folder).rglob("*") if p.is_file()]
    value = digest([*kept, *files])
    if not (WEB / "dist" / "index.html").exists() or not fresh("web", value):
        sh("Building the web app", BIN / "npm", "run", "build", cwd=WEB, env={"PATH": path})
        done("web", value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="with the tools for tests and checks")
    parser.add_argument("--web", action="store_true", help="with the built web app")
    wanted = parser.parse_args()
    if sys.version_info < OLDEST:
        fail(f"Waypost needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {platform.python_version()}.")
    try:
        STAMPS.mkdir(exist_ok=True)
        lock = (STAMPS / "lock").open("w")
    except OSError as error:
        fail(f"Cannot write to {ROOT}: {error.strerror}.")
    with lock:  # two commands started at once: the second waits for what the first sets up
        fcntl.flock(lock, fcntl.LOCK_EX)
        python(dev=wanted.dev)
        if wanted.web:
            web()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
