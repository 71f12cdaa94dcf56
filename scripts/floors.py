"""No package in the lock files is older than the first version without a hole we know of (`floors.toml`).

How often that has to be looked at says `docs/operators/updates.md`; when it was longer ago it is told, and with `--strict` (as
`make audit` asks) it is a failure.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "operators" / "updates.md"


def locked() -> dict[str, set[tuple[str, Version]]]:
    """What is locked, by kind: names and versions."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE)
    pins += re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    web = {(path.rpartition("node_modules/")[2], p["version"]) for path, p in packages.items() if path}
    return {
        "python": {(name.lower(), Version(version)) for name, version in pins},
        "npm": {(name, Version(version)) for name, version in web if re.fullmatch(r"[0-9.]+", version)},
    }


def days_between_looks(page: str) -> dict[str, int]:
    """How often what is looked at, as the page says it."""
    rows = re.findall(r"^\| `(advisories|libraries)` \| .* \| every (\d+) days \|$", page, re.MULTILINE)
    return {name: int(days) for name, days in rows}


def overdue(floors: dict[str, Any], page: str, today: date) -> list[str]:
    """What should have been looked at by now."""
    return [
        f"{name} were last looked at on {floors['looked'][name]}: every {days} days, says {PAGE.relative_to(ROOT)}"
        for name, days in days_between_looks(page).items()
        if (today - floors["looked"][name]).days > days
    ]


def too_old(floors: dict[str, Any]) -> list[str]:
    """What is locked and has a hole we know of."""
    return [
        f"{kind}: {name} {version} is older than {floors[kind][name][0]}: {floors[kind][name][1]}"
        for kind, pins in locked().items()
        for name, version in sorted(pins)
        if name in floors[kind] and version < Version(floors[kind][name][0])
    ]


def main() -> None:
    floors = tomllib.loads((ROOT / "scripts" / "floors.toml").read_text())
    old, late = too_old(floors), overdue(floors, PAGE.read_text(), datetime.now(UTC).date())
    print("\n".join([*old, *late]))
    sys.exit(1 if old or (late and "--strict" in sys.argv) else 0)


if __name__ == "__main__":
    main()
