"""The password of a mailbox (or its app's secret): kept sealed, opened only to sign in."""

from __future__ import annotations

from waypost.kernel.crypto import WrappedKey, keyring
from waypost.notifications.incoming.models import Mailbox


def seal(box: Mailbox, password: str | None) -> None:
    """Keep it, sealed with the installation's key; None forgets it. The mailbox has its id already."""
    if password is None:
        box.sealed = box.sealed_with = None
        return
    wrapped = keyring().wrap(password.encode(), box.about)
    box.sealed, box.sealed_with = wrapped.value, wrapped.key_id


def unseal(box: Mailbox) -> str | None:
    """The password. Raises `Damaged`."""
    if box.sealed is None or box.sealed_with is None:
        return None
    return keyring().unwrap(WrappedKey(box.sealed_with, box.sealed), box.about).decode()
