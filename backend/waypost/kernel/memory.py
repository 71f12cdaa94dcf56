"""What a process holds for as long as it runs, kept out of the search for garbage."""

from __future__ import annotations

import gc

OLD = 100  # lookings through what is not young before all is looked through: ten times as many as Python has it


def keep_what_is_there() -> None:
    """Take all that is there by now for lasting: it is not looked through for garbage any more.

    Called once, when a process has put itself together and before it answers. Half a million objects of the application would
    be looked through again and again, and whoever asks at that moment waits a third of a second. What a request leaves behind is
    found while it is young; what has grown old meanwhile are statements and names, kept for the next one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], OLD)
