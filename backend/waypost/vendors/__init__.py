"""Thin clients of the outside: they know payloads and limits, never a ticket."""
