"""Everything `make check` asks, one line a step: format, lint, types, room rules, generated files up to date."""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
import tempfile
import time
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
    print(f"{'ok  ' if done.returncode == 0 else 'FAIL'} {name}  ({time.monotonic() - began:.1f} s)", flush=True)
    if done.returncode != 0:
        print((done.stdout + done.stderr).strip())
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
    print(
        f"{'ok  ' if same else 'FAIL'} openapi.json and the client are up to date{'' if same else ': run make openapi'}"
    )
    return same


def main() -> None:
    results = [
        step("ruff", str(BIN / "ruff"), "check", *PYTHON),
        step("ruff format", str(BIN / "ruff"), "format", "--check", *PYTHON),
        # B608 is ruff's S608 too, which wants its reason beside each line.
        step("bandit", *BANDIT),
        step("no version with a known hole", str(BIN / "python"), "scripts/floors.py"),
        step("mypy", str(BIN / "mypy")),
        step("room rules", str(BIN / "lint-imports")),
        generated(),
        step("generated pages of docs/", str(BIN / "python"), "scripts/docs.py", "--check"),
        step("prettier", "npm", "run", "--silent", "format:check", cwd=WEB),
        step("eslint", "npm", "run", "--silent", "lint", cwd=WEB),
        step("vue-tsc", "npm", "run", "--silent", "typecheck", cwd=WEB),
    ]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
