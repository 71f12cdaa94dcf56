"""A provider's person as plain data and back: so they wait, sealed, for their browser to come."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from waypost.access.providers.people import ExternalPerson


def plain_person(person: ExternalPerson) -> dict[str, Any]:
    """What JSON holds."""
    return asdict(person)


def person_again(data: dict[str, Any]) -> ExternalPerson:
    """The person those data are of."""
    return msgspec.convert(data, ExternalPerson)
