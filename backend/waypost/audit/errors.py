"""Refusals about the trail."""

from __future__ import annotations

from waypost.kernel.errors import NotFound


class EvidenceNotFound(NotFound):
    """There is no such evidence, or not any more: it is kept for a day."""

    code, title = "evidence_not_found", "Not found"
