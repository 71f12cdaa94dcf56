"""Refusals of directories, as people read them."""

from __future__ import annotations

from waypost.access.providers.errors import ProviderFails
from waypost.kernel.errors import Conflict, NotFound, Unauthenticated


class DirectoryAway(ProviderFails):
    """Your password cannot be checked just now: the company's directory does not answer. Please try again in a moment."""

    code, title = "directory_away", "The directory does not answer"


class DirectoryPasswordOver(Unauthenticated):
    """Your password has expired or has to be changed. Change it where you sign in to your computer, then come back."""

    code, title = "directory_password_over", "Your password has to be changed"


class NotADirectory(NotFound):
    """This identity provider is no directory that is followed."""

    code = "not_a_directory"


class RunNotFound(NotFound):
    """There is no such run of this directory."""

    code = "run_not_found"


class RunWaits(Conflict):
    """The directory is being read already, or is about to be."""

    code = "run_waits"


class NothingToSettle(Conflict):
    """This plan does not wait for anybody: it was done, dismissed, or a newer one took its place."""

    code = "nothing_to_settle"
