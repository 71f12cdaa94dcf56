"""The file outside the database that every checkpoint is written to: who cuts the database's end off cannot cut this."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from waypost.audit.checkpoints import FalseCheckpoint, Signed, read_line
from waypost.kernel.settings import get_settings


def anchor_path() -> Path:
    """`AUDIT_ANCHOR_FILE`, or `audit/checkpoints.jsonl` in the data folder."""
    settings = get_settings()
    return settings.audit_anchor_file or settings.data_dir / "audit" / "checkpoints.jsonl"


def is_there(path: Path) -> bool:
    """Whether there is such a file (on this machine)."""
    return path.exists()


def lines(path: Path) -> Iterator[str]:
    """The file's lines, one after the other, without holding it."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.strip():
                yield line


def last_number(path: Path) -> int:
    """The number of the last checkpoint in the file; 0 for none. A last line that broke off does not count."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 64 * 1024))
        for line in reversed(file.read().decode(errors="replace").splitlines()):
            try:
                return _number(read_line(line))
            except FalseCheckpoint:
                continue
    return 0


def _number(signed: Signed) -> int:
    try:
        return int(json.loads(signed.body)["number"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise FalseCheckpoint("it has no number") from wrong


async def append(path: Path, new: Sequence[Signed]) -> None:
    """Write checkpoints behind the others, for certain."""
    await asyncio.to_thread(_append, path, new)


def _append(path: Path, new: Sequence[Signed]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        broke_off = False
        if size:
            file.seek(size - 1)
            broke_off = file.read(1) != b"\n"
        told = ("\n" if broke_off else "") + "".join(f"{s.line}\n" for s in new)
        file.write(told.encode())
        file.flush()
        os.fsync(file.fileno())
