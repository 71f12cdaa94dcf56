"""Everything `make check` asks, one line a step: format, lint, types, room rules, generated files up to date."""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
WEB = ROOT / "frontend"
ENV = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "PYTHONPATH": str(ROOT / "backend")}
PYTHON = ("backend", "scripts", "benchmarks")


BANDIT = (str(BIN / "bandit"), "-q", "-ll", "-s", "B608", "-r", "backend/waypost", "-x", "backend/waypost/migrations")


def step(name: str, *command: str, cwd: Path = ROOT) -> bool:
    began = time.monotonic()
    done = subprocess.run(command, cwd=cwd, env=ENV, capture_output=True, text=True, check=False)
    line = f"{'ok  ' if done.returncode == 0 else 'FAIL'} {name}  ({time.monotonic() - began:.1f} s)\n"
    # At once: others are written beside it.
    print(line if done.returncode == 0 else f"{line}{(done.stdout + done.stderr).strip()}\n", end="", flush=True)
    return done.returncode == 0


def generated() -> bool:
    """The committed OpenAPI document and client are what the code makes now."""
    with tempfile.TemporaryDirectory() as folder:
        document, client = Path(folder) / "openapi.json", Path(folder) / "client"
        made = step(
            "the OpenAPI document is written", str(BIN / "python"), "-m", "waypost.cli", "openapi", str(document)
        )
        if not made:
            return False
        same = filecmp.cmp(document, WEB / "openapi.json", shallow=False)
        npx = ("node_modules/.bin/openapi-ts", "--input", str(document), "--output", str(client), "--silent")
        made = step("the client is generated", *npx, cwd=WEB)
        kept = WEB / "src" / "api" / "generated"
        found = sorted(p.relative_to(client) for p in client.rglob("*") if p.is_file())
        same = same and made and found == sorted(p.relative_to(kept) for p in kept.rglob("*") if p.is_file())
        same = same and all((client / p).read_bytes() == (kept / p).read_bytes() for p in found)
    line = (
        f"{'ok  ' if same else 'FAIL'} openapi.json and the client are up to date{'' if same else ': run make openapi'}"
    )
    print(f"{line}\n", end="", flush=True)
    return same


def main() -> None:
    steps: list[Callable[[], bool]] = [  # what takes longest first: two run side by side
        partial(step, "vue-tsc", "npm", "run", "--silent", "typecheck", cwd=WEB),
        partial(step, "mypy", str(BIN / "mypy")),
        generated,
        partial(step, "eslint", "npm", "run", "--silent", "lint", cwd=WEB),
        partial(step, "prettier", "npm", "run", "--silent", "format:check", cwd=WEB),
        # B608 is ruff's S608 too, which wants its reason beside each line.
        partial(step, "bandit", *BANDIT),
        partial(step, "generated pages of docs/", str(BIN / "python"), "scripts/docs.py", "--check"),
        partial(step, "room rules", str(BIN / "lint-imports")),
        partial(step, "ruff", str(BIN / "ruff"), "check", *PYTHON),
        partial(step, "ruff format", str(BIN / "ruff"), "format", "--check", *PYTHON),
        partial(step, "no version with a known hole", str(BIN / "python"), "scripts/floors.py"),
    ]
    with ThreadPoolExecutor(max_workers=2) as side_by_side:
        results = list(side_by_side.map(lambda one: one(), steps))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
