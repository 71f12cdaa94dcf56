"""Waypost: employees ask, the right people approve, a team fulfils, and everyone can see where it stands."""

__version__ = "0.1.0"
