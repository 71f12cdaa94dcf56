"""Why a message of an identity provider is not believed."""

from __future__ import annotations


class Refused(Exception):
    """A message is not what it must be. `reason` is a word for the log and for tests; `detail` a sentence beside it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)
