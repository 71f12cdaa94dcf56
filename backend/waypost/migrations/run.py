"""Bring a database to this release's state."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def config(url: str | None = None) -> Config:
    """Alembic's configuration without a file of its own; `url` overrides the configured one."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    if url:
        made.attributes["url"] = url
    return made


def migrate(url: str | None = None) -> None:
    """Run every migration that has not run yet. Must not be called on a running event loop."""
    command.upgrade(config(url), "head")
