"""What a process holds for as long as it runs, kept out of the search for garbage."""

from __future__ import annotations

import gc


def keep_what_is_there() -> None:
    """Take all that is there by now for lasting: it is not looked through for garbage any more.

    Called once, when a process has put itself together and before it answers. Half a million objects of the application would
    be looked through again and again, and whoever asks at that moment waits a third of a second.
    """
    gc.collect()
    gc.freeze()
