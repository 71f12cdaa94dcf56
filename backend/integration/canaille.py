"""Canaille, an identity server that pushes people and groups by SCIM: in an environment of its own, for it wants older models."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integration.systems import CACHE, LONGEST_INSTALL

VERSION = "0.3.6"
PINS = (f"canaille[front,oidc,scim,sqlite,server]=={VERSION}", "scim2-client==0.7.5", "scim2-models==0.6.12")
CONFIG = """
SECRET_KEY = "of this test only"
SERVER_NAME = "canaille.localhost:5000"
PREFERRED_URL_SCHEME = "http"
[CANAILLE]
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{folder}/canaille.sqlite"
[CANAILLE_SCIM]
ENABLE_CLIENT = true
[CANAILLE_OIDC]
"""


def installed() -> Path:
    """Its command, installed once. Raises when it cannot be."""
    folder = CACHE / "pip" / f"canaille-{VERSION}"
    done = folder / "installed"
    if not done.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=LONGEST_INSTALL)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PINS]
        got = subprocess.run(pip, capture_output=True, text=True, timeout=LONGEST_INSTALL)
        if got.returncode:
            raise RuntimeError(f"Canaille cannot be installed:\n{got.stderr[-3000:]}")
        done.touch()
    return folder / "bin" / "canaille"


@dataclass
class Canaille:
    """One with a database in a folder of its own."""

    command: Path
    folder: Path
    said: str = ""  # what its last command warned of

    async def run(self, *words: str) -> Any:
        """What a command of its says, as JSON when it is that. Raises with what it said when it fails."""
        process = await asyncio.create_subprocess_exec(
            str(self.command),
            *words,
            cwd=self.folder,
            env={
                "PATH": "/usr/bin:/bin",
                "CANAILLE_CONFIG": str(self.folder / "config.toml"),
                "HOME": str(self.folder),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 90)
        if process.returncode:
            raise RuntimeError(f"canaille {' '.join(words)}:\n{out.decode()[-1500:]}{err.decode()[:9000]}")
        self.said = err.decode()
        last = out.decode().strip().rpartition("\n")[2]
        return json.loads(last) if last.startswith(("{", "[")) else last

    async def connect(self, base_url: str, token: str) -> None:
        """Tell it where to push, and with which token."""
        (self.folder / "config.toml").write_text(CONFIG.format(folder=self.folder))
        await self.run("install")
        client = await self.run(
            "create", "client", "--client-id", "waypost", "--client-name", "Waypost", "--client-uri", base_url
        )
        await self.run(
            "create", "token",
            "--client", client["id"], "--token-id", "t1", "--type", "access_token", "--scope", "openid",
            "--access-token", token, "--lifetime", "36000", "--issue-date", datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip
