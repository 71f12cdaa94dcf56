"""The text of a file as it is kept: sealed by the key of the file itself, as the file is, and opened only to be indexed or shown.

What an earlier release kept in the open is read as it is until it is sealed (`seal_plain`, in the worker). The index keeps
the single words: without them nothing could be found.
"""

from __future__ import annotations

import zlib
from typing import Any

from sqlalchemy import select, update

from waypost.kernel import crypto
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.search.index_models import AttachmentText
from waypost.tickets.models import Attachment

log = get_logger(__name__)
TASK = "search.seal_file_texts"
BATCH = 20  # texts sealed in one transaction, each up to some hundred kilobytes


def sealed(file: Any, text: str) -> bytes:
    """A file's text as it is kept; `file` has the attachment's `id`, `object_name`, `key_id` and `wrapped_key`."""
    return crypto.seal_beside(_key(file), zlib.compress(text.encode()), _about(file.id))


def opened(file: Any, kept: bytes) -> str:
    """The text again. Raises `Damaged`."""
    return zlib.decompress(crypto.open_beside(_key(file), kept, _about(file.id))).decode()


def read(file: Any, kept: bytes | None, plain: str | None) -> str:
    """A file's text, sealed or not yet; nothing of one that cannot be opened, which the log tells."""
    if kept is None:
        return plain or ""
    try:
        return opened(file, kept)
    except crypto.Damaged as damaged:
        log.error("text of a file not opened", attachment_id=file.id, why=str(damaged))
        return ""


async def seal_plain(database: Database) -> None:
    """Seal what an earlier release kept in the open, batch by batch; what others hold comes with the next turn."""
    while await _seal_some(database):
        pass


async def _seal_some(database: Database) -> int:
    async with database.transaction() as session:
        rows = await session.execute(
            select(AttachmentText.attachment_id, AttachmentText.text, Attachment)
            .join(Attachment, Attachment.id == AttachmentText.attachment_id)
            .where(AttachmentText.text != "")
            .limit(BATCH)
            .with_for_update(of=AttachmentText, skip_locked=True)
        )
        count = 0
        for attachment_id, text, file in rows.all():
            this = update(AttachmentText).where(AttachmentText.attachment_id == attachment_id)
            await session.execute(this.values(sealed=sealed(file, text), text=""))
            count += 1
        return count


def _key(file: Any) -> bytes:
    return crypto.keyring().unwrap(crypto.WrappedKey(file.key_id, file.wrapped_key), file.object_name.encode())


def _about(attachment_id: int) -> bytes:
    return f"attachment_texts.sealed:{attachment_id}".encode()
