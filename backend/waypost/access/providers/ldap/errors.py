"""Refusals of directories, as people read them."""

from __future__ import annotations

from waypost.access.providers.errors import ProviderFails
from waypost.kernel.errors import Unauthenticated


class DirectoryAway(ProviderFails):
    """Your password cannot be checked just now: the company's directory does not answer. Please try again in a moment."""

    code, title = "directory_away", "The directory does not answer"


class DirectoryPasswordOver(Unauthenticated):
    """Your password has expired or has to be changed. Change it where you sign in to your computer, then come back."""

    code, title = "directory_password_over", "Your password has to be changed"
