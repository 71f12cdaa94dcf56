"""Where files lie: a folder, or a bucket that speaks S3. Knows names and bytes, never what they are.

Names are random and made by us; what is stored is sealed before it comes here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from waypost.kernel.settings import Settings

PIECE = 256 * 1024  # bytes read at once


class StoreFailed(RuntimeError):
    """The store does not do what it is asked to: full, away, or not allowed."""


class Missing(StoreFailed):
    """There is no such object."""


class ObjectStore(Protocol):
    """What a place for files can do. Every method raises `StoreFailed` when the place fails."""

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        """Keep an object whole or not at all; when this returns it is durable."""

    def get(self, name: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """A part of an object. Raises `Missing`."""

    async def delete(self, name: str) -> None:
        """Remove an object; that it is gone already is no error."""

    def names(self, *, older_than: timedelta) -> AsyncIterator[str]:
        """The objects that were written longer ago than that."""


async def _thread(work: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return await asyncio.to_thread(work, *arguments)
    except FileNotFoundError as gone:
        raise Missing(str(gone)) from gone
    except OSError as failed:
        raise StoreFailed(f"{type(failed).__name__}: {failed.strerror}") from failed


class Folder:
    """Objects as files of a folder of ours, spread over 256 folders."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, name: str) -> Path:
        if not name.isalnum() or not name.isascii():
            raise ValueError("a name is letters and digits")
        return self.root / name[:2] / name

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        """Written beside, made durable, then moved into place."""
        path = self._path(name)
        part = path.with_name(f".{name}.part")

        def begin() -> Any:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", PIECE)

        def end(file: Any) -> None:
            file.flush()
            os.fsync(file.fileno())
            file.close()
            part.rename(path)
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

        file = await _thread(begin)
        try:
            async for piece in data:
                await _thread(file.write, piece)
            await _thread(end, file)
        except BaseException:
            with contextlib.suppress(OSError):
                file.close()
                part.unlink(missing_ok=True)
            raise

    async def get(self, name: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """Read piece by piece."""
        file = await _thread(self._path(name).open, "rb")
        try:
            await _thread(file.seek, offset)
            while length > 0 and (piece := await _thread(file.read, min(PIECE, length))):
                length -= len(piece)
                yield piece
        finally:
            file.close()

    async def delete(self, name: str) -> None:
        """Remove the file."""
        with contextlib.suppress(Missing):
            await _thread(self._path(name).unlink)

    async def names(self, *, older_than: timedelta) -> AsyncIterator[str]:
        """Also what an interrupted write left behind, which is removed at once."""
        before = (datetime.now(UTC) - older_than).timestamp()
        for folder in await _thread(lambda: sorted(self.root.glob("[0-9a-z][0-9a-z]"))):
            for path in await _thread(lambda f=folder: sorted(f.iterdir())):
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < before:
                        if path.name.startswith("."):
                            path.unlink(missing_ok=True)
                        else:
                            yield path.name


class Bucket:
    """Objects in a bucket of any service that speaks S3."""

    def __init__(self, settings: Settings) -> None:
        from obstore.store import S3Store  # noqa: PLC0415 - a large library, for those who use it

        secret = settings.s3_secret_key
        self._store = S3Store(
            settings.s3_bucket,
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key_id=settings.s3_access_key,
            secret_access_key=secret.get_secret_value() if secret else None,
            virtual_hosted_style_request=False,
            client_options={"timeout": timedelta(seconds=60), "allow_http": True},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        )

    @contextlib.contextmanager
    def _translated(self) -> Any:
        from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415

        try:
            yield
        except (NotFoundError, FileNotFoundError) as gone:
            raise Missing(str(gone)[:200]) from gone
        except BaseError as failed:
            raise StoreFailed(str(failed)[:200]) from failed

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        """Sent in parts of 5 MiB; the object appears when all are there."""
        with self._translated():
            await self._store.put_async(name, data, max_concurrency=2)

    async def get(self, name: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """Streamed as it comes."""
        with self._translated():
            found = await self._store.get_async(name, options={"range": (offset, offset + length)})
            async for piece in found.stream(min_chunk_size=PIECE):
                yield bytes(piece)

    async def delete(self, name: str) -> None:
        """Remove the object."""
        with contextlib.suppress(Missing), self._translated():
            await self._store.delete_async(name)

    async def names(self, *, older_than: timedelta) -> AsyncIterator[str]:
        """Page by page."""
        before = datetime.now(UTC) - older_than
        with self._translated():
            async for page in self._store.list(chunk_size=500):
                for found in page:
                    if found["last_modified"] < before:
                        yield found["path"]


def object_store(settings: Settings) -> ObjectStore:
    """The place this installation keeps files in."""
    return Bucket(settings) if settings.s3_bucket else Folder(settings.data_dir.absolute() / "attachments")
