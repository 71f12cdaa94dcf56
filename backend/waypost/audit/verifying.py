"""Going over the whole chain: every row against its seal, every seal against the one before, and what was signed.

Read in batches on one connection; memory does not grow with the log. `verify` finds where the chain is broken for the
first time, and goes on as if it were not, so that a second break is found too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.audit import anchors, signatures
from waypost.audit.chain import GENESIS, Kind, Problem, Walk
from waypost.audit.checkpoints import (
    NOTHING_BEFORE,
    PRUNED,
    Checkpoint,
    FalseCheckpoint,
    Signed,
    read,
    read_line,
)
from waypost.audit.models import AuditCheckpoint, AuditSeal
from waypost.audit.reading import SEALED, event_of, seal_of
from waypost.audit.retention.checking import Removed, signed_removals
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database

BATCH = 2000
STRETCH = 50_000  # numbers of events that are looked at together
MOST_PROBLEMS = 100
LATE = timedelta(minutes=5)  # an event that is not sealed after so long is a problem
FAR = 2**62

_NEXT = text("SELECT min(id) FROM events WHERE id > :after")
_UNSEALED = text("""
    SELECT e.id, e.at, e.txid::text::bigint AS txid FROM events e
    WHERE e.id > :after AND e.id <= :upto AND NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.event_id = e.id)
    ORDER BY e.id LIMIT :most
""")
_GUARDED = text("""
    SELECT has_table_privilege(current_user, 'events', 'UPDATE') OR has_table_privilege(current_user, 'events', 'DELETE')
        OR has_table_privilege(current_user, 'events', 'TRUNCATE')
        OR has_table_privilege(current_user, 'audit_seals', 'UPDATE')
""")
Progress = Callable[[int, int], Awaitable[None]]


@dataclass
class Found:
    """What a run found. `problems` holds the first hundred; `count` says how many there were."""

    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    rows: int = 0
    position: int = 0
    start: int = 0
    checkpoints: int = 0
    anchored: int | None = None  # checkpoints of the file that were compared; None without one
    last_checkpoint_at: str | None = None
    erased: int = 0
    signatures: int = 0
    removed: int = 0
    removed_upto: int | None = None
    removed_at: str | None = None
    removals: int = 0
    waiting: int = 0
    is_guarded: bool = True
    began_at: str = ""
    seconds: float = 0.0

    def add(self, problem: Problem | None) -> None:
        """Remember a problem."""
        if problem is not None:
            self.count += 1
            if len(self.problems) < MOST_PROBLEMS:
                self.problems.append(problem)

    def note_removed(self, removed: Removed, first: int) -> None:
        """What went by policy, and what is wrong with that."""
        for problem in removed.judge(first):
            self.add(problem)
        self.removed, self.removals = removed.count, len(removed.signed)
        if (last := removed.last) is not None:
            self.removed_upto, self.removed_at = max(r.upto for r in removed.signed.values()), last.at

    @property
    def first(self) -> Problem | None:
        """The problem that comes first in the chain; those without a place come last."""
        return min(self.problems, key=lambda p: (p.position is None, p.position or 0, p.event_id or 0), default=None)

    def told(self) -> dict[str, Any]:
        """As it is kept and sent."""
        first = self.first
        return {
            "valid": self.count == 0,
            "rows": self.rows,
            "position": self.position,
            "start": self.start,
            "checkpoints": self.checkpoints,
            "anchored": self.anchored,
            "last_checkpoint_at": self.last_checkpoint_at,
            "erased": self.erased,
            "signatures": self.signatures,
            "removed": self.removed,
            "removed_upto": self.removed_upto,
            "removed_at": self.removed_at,
            "removals": self.removals,
            "waiting": self.waiting,
            "is_guarded": self.is_guarded,
            "began_at": self.began_at,
            "seconds": round(self.seconds, 3),
            "problem_count": self.count,
            "first_problem": _told(first) if first else None,
            "problems": [_told(p) for p in self.problems],
        }


def _told(problem: Problem) -> dict[str, Any]:
    return {
        "kind": problem.kind.value,
        "position": problem.position,
        "event_id": problem.event_id,
        "sentence": problem.sentence,
    }


async def _nothing(done: int, of: int) -> None:
    return None


async def verify(
    database: Database,
    keys: dict[str, bytes],
    *,
    after: int = 0,
    anchor: Path | None = None,
    progress: Progress = _nothing,
) -> Found:
    """Check the chain behind position `after`, the checkpoints, the file outside the database, and what approvers signed.

    `keys` are the public keys whose signatures count. `progress` is told rows done and rows in all.
    """
    found, began = Found(), now()
    found.began_at = rfc3339(began)
    async with database.read() as session:
        found.is_guarded = not await session.scalar(_GUARDED)
        checkpoints = await _checkpoints(session, keys, found)
        first, before = _beginning(checkpoints)
        if after > first:
            kept = await session.scalar(select(AuditSeal.chain_hash).where(AuditSeal.position == after))
            if kept is None:
                found.add(Problem(Kind.TRUNCATED, after, None, f"There is no position {after} to begin at."))
            else:
                first, before = after, kept
        found.start = first
        removed = await signed_removals(session, keys)
        walk = await _walk(session, found, first, before, removed, progress)
        found.note_removed(removed, first)
        await _compare(session, found, [c for c in checkpoints if c.position > first], walk)
        if anchor is not None and anchors.is_there(anchor):
            await _compare_file(session, found, keys, anchor, first)
        await _unsealed(session, found)
        found.signatures, wrong = await signatures.check(session, MOST_PROBLEMS)
        for problem in wrong:
            found.add(problem)
    found.erased = walk.erased
    found.seconds = (now() - began).total_seconds()
    return found


def _beginning(checkpoints: Iterable[Checkpoint]) -> tuple[int, bytes]:
    pruned = [c for c in checkpoints if c.kind == PRUNED]
    return (pruned[-1].position, bytes.fromhex(pruned[-1].chain_hash)) if pruned else (0, GENESIS)


async def _walk(
    session: AsyncSession, found: Found, first: int, before: bytes, removed: Removed, progress: Progress
) -> Walk:
    walk = Walk(first, before)
    end = await session.scalar(select(func.max(AuditSeal.position))) or first
    while True:
        asked = {"after": walk.position, "upto": FAR, "most": BATCH}
        rows = (await session.execute(SEALED, asked)).all()
        for row in rows:
            found.add(step(walk, row, removed))
        found.rows += len(rows)
        await progress(found.rows, end - first)
        if len(rows) < BATCH:
            found.position = walk.position
            return walk


def step(walk: Walk, row: Any, removed: Removed) -> Problem | None:
    """The next seal and its event; one that went by policy is counted with its removal."""
    if row.removed_in is None:
        return walk.step(seal_of(row), event_of(row) if row.id is not None else None)
    removed.add(row.removed_in, row.position, row.row_hash)
    if row.id is not None:
        sentence = f"Event {row.id} is there, and its seal says that it was removed by policy."
        walk.step_removed(seal_of(row))
        walk.is_whole = False
        return Problem(Kind.ALTERED, row.position, row.id, sentence)
    return walk.step_removed(seal_of(row))


async def _checkpoints(session: AsyncSession, keys: dict[str, bytes], found: Found) -> list[Checkpoint]:
    """The genuine ones of the database, in order; each that is not, or is not there, is a problem."""
    genuine: list[Checkpoint] = []
    number, previous = 0, NOTHING_BEFORE
    while True:
        rows = (
            await session.execute(
                select(AuditCheckpoint)
                .where(AuditCheckpoint.number > number)
                .order_by(AuditCheckpoint.number)
                .limit(BATCH)
            )
        ).scalars()
        kept = list(rows)
        for row in kept:
            signed = Signed(row.body, row.signature)
            if row.number != number + 1:
                found.add(_missing(number + 1, row.number - 1, row.position))
                previous = ""
            try:
                one = read(signed, keys)
                if (one.number, one.position, one.kind) != (row.number, row.position, row.kind):
                    raise FalseCheckpoint("its columns say something else than what was signed")
                if previous and one.previous != previous:
                    raise FalseCheckpoint("it was signed behind another checkpoint than the one before it here")
            except FalseCheckpoint as wrong:
                found.add(_false(row.number, row.position, wrong))
            else:
                genuine.append(one)
                found.last_checkpoint_at = one.at
            number, previous = row.number, signed.hash
        if len(kept) < BATCH:
            found.checkpoints = len(genuine)
            return genuine


def _missing(first: int, last: int, position: int) -> Problem:
    which = f"Checkpoint {first}" if first == last else f"Checkpoints {first} to {last}"
    return Problem(Kind.CHECKPOINT_MISSING, position, None, f"{which} cannot be found in the database.")


def _false(number: int, position: int, wrong: FalseCheckpoint) -> Problem:
    return Problem(Kind.CHECKPOINT_FALSE, position, None, f"Checkpoint {number} is not genuine: {wrong}.")


async def _compare(session: AsyncSession, found: Found, checkpoints: list[Checkpoint], walk: Walk) -> None:
    """Whether the chain is the one that was signed. Of a rewritten one the first part that differs is named."""
    good = 0
    for start in range(0, len(checkpoints), BATCH):
        part = checkpoints[start : start + BATCH]
        rows = await session.execute(
            select(AuditSeal.position, AuditSeal.chain_hash).where(AuditSeal.position.in_({c.position for c in part}))
        )
        kept = {row.position: row.chain_hash.hex() for row in rows}
        for one in part:
            if one.position > found.position:
                found.add(_cut(found.position, one))
                return
            if kept.get(one.position) == one.chain_hash:
                good = one.position
            elif one.position in kept:
                found.add(_rewritten(good, one))
                return


def _cut(position: int, one: Checkpoint) -> Problem:
    return Problem(
        Kind.TRUNCATED,
        position + 1,
        None,
        f"The chain ends at position {position}; it was signed at position {one.position} on {one.at}. "
        "Everything behind was cut off.",
    )


def _rewritten(good: int, one: Checkpoint) -> Problem:
    return Problem(
        Kind.REWRITTEN,
        good + 1,
        None,
        f"The chain holds together but is not the one that was signed on {one.at}: something between the positions "
        f"{good + 1} and {one.position} was changed and sealed again.",
    )


async def _compare_file(session: AsyncSession, found: Found, keys: dict[str, bytes], path: Path, first: int) -> None:
    """The same with the checkpoints of the file, which must all be in the database too."""
    part: list[tuple[Signed, Checkpoint]] = []
    found.anchored = 0
    good, is_over = 0, False

    async def look() -> None:
        nonlocal good, is_over
        numbers = {one.number for _, one in part}
        bodies = await session.execute(
            select(AuditCheckpoint.number, AuditCheckpoint.body).where(AuditCheckpoint.number.in_(numbers))
        )
        there = {row.number: row.body for row in bodies}
        rows = await session.execute(
            select(AuditSeal.position, AuditSeal.chain_hash).where(
                AuditSeal.position.in_({c.position for _, c in part})
            )
        )
        kept = {row.position: row.chain_hash.hex() for row in rows}
        for signed, one in part:
            if one.number not in there:
                found.add(_missing(one.number, one.number, one.position))
            elif there[one.number] != signed.body:
                wrong = FalseCheckpoint("the file outside the database has another one of that number")
                found.add(_false(one.number, one.position, wrong))
            if is_over or one.position <= first:
                continue
            if one.position > found.position and one.position not in kept:
                if not any(p.kind is Kind.TRUNCATED for p in found.problems):
                    found.add(_cut(found.position, one))
                is_over = True
            elif kept.get(one.position) == one.chain_hash:
                good = one.position
            elif one.position in kept:
                if not any(p.kind is Kind.REWRITTEN for p in found.problems):
                    found.add(_rewritten(good, one))
                is_over = True
        part.clear()

    for line in anchors.lines(path):
        try:
            signed = read_line(line)
            part.append((signed, read(signed, keys)))
        except FalseCheckpoint as wrong:
            sentence = f"A line of the file outside the database is not genuine: {wrong}."
            found.add(Problem(Kind.CHECKPOINT_FALSE, None, None, sentence))
            continue
        found.anchored += 1
        if len(part) == BATCH:
            await look()
    if part:
        await look()


async def _unsealed(session: AsyncSession, found: Found) -> None:
    """Events that nothing sealed: put in among sealed ones, or waiting for longer than the sealer may take."""
    end = select(AuditSeal.txid, AuditSeal.event_id).order_by(AuditSeal.position.desc()).limit(1)
    last = (await session.execute(end)).first() or (0, 0)
    reached = await session.scalar(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")) or 0
    after, late = 0, 0
    # Old events may wait for their turn at the first start, or after an import: late is the sealer that does not go on.
    signed = await session.scalar(select(func.max(AuditCheckpoint.at)))
    stands = signed is not None and signed < now() - LATE
    while found.count < MOST_PROBLEMS:
        # numbers have gaps, and may begin anywhere: an empty stretch is stepped over at once
        first = await session.scalar(_NEXT, {"after": after})
        if first is None:
            break
        step = first + STRETCH
        rows = (await session.execute(_UNSEALED, {"after": first - 1, "upto": step, "most": BATCH})).all()
        for row in rows:
            if (row.txid, row.id) < tuple(last) and last[0] < reached:
                sentence = f"Event {row.id} stands among sealed events and was never sealed: it was put in afterwards."
                found.add(Problem(Kind.INSERTED, None, row.id, sentence))
                continue
            found.waiting += 1
            if stands and not late and not now() - LATE < row.at < now() + LATE:
                late = row.id
        after = rows[-1].id if len(rows) == BATCH else step
    if late:
        sentence = (
            f"Event {late}, and what came after it, waits to be sealed for more than {LATE.seconds // 60} minutes."
        )
        found.add(Problem(Kind.UNSEALED, None, late, sentence))
