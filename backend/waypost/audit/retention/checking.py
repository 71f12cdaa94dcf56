"""Whether what is gone from the log went by policy: each removal is signed, and is of exactly the rows that are gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.audit.chain import Kind, Problem
from waypost.audit.retention.models import AuditRemoval
from waypost.audit.retention.rules import Digest, FalseRemoval, Removal, read


@dataclass
class Removed:
    """What was seen to be gone, removal by removal, and what was signed of it."""

    signed: dict[int, Removal] = field(default_factory=dict)
    seen: dict[int, Digest] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, number: int, position: int, row_hash: bytes) -> None:
        """An event that is gone, by this removal as its seal says."""
        self.seen.setdefault(number, Digest()).add(position, row_hash)

    @property
    def count(self) -> int:
        return sum(one.count for one in self.seen.values())

    @property
    def last(self) -> Removal | None:
        """The newest removal of which something was seen."""
        known = [number for number in self.seen if number in self.signed]
        return self.signed[max(known)] if known else None

    def judge(self, first: int) -> list[Problem]:
        """What is wrong, once the chain was walked from behind position `first` to its end."""
        found = list(self.problems)
        for number, seen in sorted(self.seen.items()):
            signed = self.signed.get(number)
            if signed is None:
                why = f"no genuine record {number} of a removal says that they may be gone"
                found.append(_gone(seen, why))
            elif first == 0 and (seen.told, seen.count, seen.last) != (signed.digest, signed.count, signed.upto):
                found.append(_gone(seen, f"they are not the {signed.count} that removal {number} was signed for"))
        if first == 0:
            for number, signed in sorted(self.signed.items()):
                if number not in self.seen:
                    sentence = f"Removal {number} was signed for {signed.count} rows, none of which is marked as gone."
                    found.append(Problem(Kind.ALTERED, signed.upto, None, sentence))
        return found


def _gone(seen: Digest, why: str) -> Problem:
    rows = "1 row" if seen.count == 1 else f"{seen.count} rows"
    return Problem(Kind.REMOVED, seen.last, None, f"{rows} up to position {seen.last} are gone, and {why}.")


async def signed_removals(session: AsyncSession, keys: Mapping[str, bytes]) -> Removed:
    """The removals that were signed; one that is not genuine is a problem."""
    found, expected = Removed(), 1
    for row in await session.scalars(select(AuditRemoval).order_by(AuditRemoval.number)):
        try:
            one = read(row.body, row.signature, keys)
            if one.number != row.number:
                raise FalseRemoval("its number is not the one that was signed")
            found.signed[row.number] = one
        except FalseRemoval as wrong:
            sentence = f"The record of removal {row.number} is not genuine: {wrong}."
            found.problems.append(Problem(Kind.CHECKPOINT_FALSE, None, None, sentence))
        if row.number != expected:
            sentence = f"The record of removal {expected} is gone."
            found.problems.append(Problem(Kind.CHECKPOINT_MISSING, None, None, sentence))
        expected = row.number + 1
    return found
