"""What coverage looks at: our own code, and nothing while SQLAlchemy works in a greenlet of its own.

There it would have to look up, for every call and every line of SQLAlchemy's, in which greenlet that is: it made the
tests a third slower. Of ours, only the few functions that write a column's value run there.
"""

from __future__ import annotations

import sys
from typing import Any

import greenlet

_kept: Any = None  # who looks, while nobody does


def leave_greenlets_out() -> None:
    """From now on, in this thread, what looks at each line rests while another greenlet than the thread's own runs."""
    greenlet.settrace(_switched)


def _switched(_event: str, between: tuple[greenlet.greenlet, greenlet.greenlet]) -> None:
    global _kept
    looking, (_, target) = sys.gettrace(), between
    if target.parent is not None:
        if looking is not None:
            _kept = looking
            sys.settrace(None)
    elif _kept is not None:
        kept, _kept = _kept, None
        # Coverage's must begin by itself: set from here, it would miss that functions return until one is called.
        kept.start() if hasattr(kept, "start") else sys.settrace(kept)
