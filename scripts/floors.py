"""No package in the lock files is older than the first version without a hole we know of (`floors.toml`)."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


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


def main() -> None:
    floors = tomllib.loads((ROOT / "scripts" / "floors.toml").read_text())
    found = [
        f"{kind}: {name} {version} is older than {floors[kind][name][0]}: {floors[kind][name][1]}"
        for kind, pins in locked().items()
        for name, version in sorted(pins)
        if name in floors[kind] and version < Version(floors[kind][name][0])
    ]
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
