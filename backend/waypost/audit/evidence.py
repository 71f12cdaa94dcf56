"""The evidence of one request: asked for by an auditor, put together by the worker, taken away within a day."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals.queries import workflows_of
from waypost.approvals.signature_queries import records_about
from waypost.audit import evidence_pdf, keys, pack, sealing
from waypost.audit.chain import COLUMNS
from waypost.audit.errors import EvidenceNotFound
from waypost.audit.events import EvidenceAsked, EvidenceTaken
from waypost.audit.models import EvidencePack
from waypost.audit.reading import EVENT
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.events import record
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.tickets import attaching, talking
from waypost.tickets.queries import find_ticket

log = get_logger(__name__)
TASK = "audit.evidence"
KEPT = timedelta(hours=24)
TRIES = 5
MOST_EVENTS, MOST_COMMENTS = 20_000, 5_000
WAITING, READY, FAILED = "WAITING", "READY", "FAILED"

_EVENTS = text(f"""
    SELECT {EVENT}, s.position, s.salt, s.leaves FROM events e LEFT JOIN audit_seals s ON s.event_id = e.id
    WHERE e.object_type = 'ticket' AND e.object_id = :ticket AND e.id <= :upto
    ORDER BY e.id LIMIT :most
""")  # noqa: S608 - our own columns
_PROOFS = text(f"""
    SELECT DISTINCT ON (e.id) {EVENT}, s.position, s.salt, s.leaves, d.id AS of_decision
    FROM events d CROSS JOIN LATERAL (
        SELECT * FROM events p WHERE p.actor_id = d.actor_id AND p.type IN ('auth.step_up', 'auth.login') AND p.id < d.id
        ORDER BY p.id DESC LIMIT 1
    ) e LEFT JOIN audit_seals s ON s.event_id = e.id
    WHERE d.object_type = 'ticket' AND d.object_id = :ticket AND d.type IN ('approval.approved', 'approval.rejected')
    AND d.id <= :upto ORDER BY e.id LIMIT :most
""")  # noqa: S608
_CHECKPOINT = text("""
    SELECT number, position, body, signature FROM audit_checkpoints WHERE position >= :position AND kind = 'SEALED'
    ORDER BY position, number LIMIT 1
""")
_STRETCH = text("SELECT position, row_hash FROM audit_seals WHERE position BETWEEN :first AND :last ORDER BY position")
_BEFORE = text("SELECT chain_hash FROM audit_seals WHERE position = :position")


async def ask_for(session: AsyncSession, actor: Actor, ticket_id: int) -> EvidencePack:
    """Have the evidence of a request put together. What it says is read now, as this person sees it."""
    actor.require(Permission.AUDIT_READ)
    told = await _told(session, actor, ticket_id)
    at = now()
    event = EvidenceAsked(ticket_id=ticket_id)
    upto = await record(session, event, actor=actor, at=at)
    made = insert(EvidencePack).values(
        ticket_id=ticket_id, asked_by_id=actor.user_id, asked_at=at, upto=upto, told=told, status=WAITING
    )
    pack_id = await session.scalar(made.returning(EvidencePack.id))
    found = await session.get(EvidencePack, pack_id)
    assert found is not None
    return found


async def find_pack(session: AsyncSession, actor: Actor, pack_id: int) -> EvidencePack:
    """One's own pack, while one may see its request. Raises `EvidenceNotFound`."""
    actor.require(Permission.AUDIT_READ)
    found = await session.get(EvidencePack, pack_id)
    if found is None or found.asked_by_id != actor.user_id or found.asked_at < now() - KEPT:
        raise EvidenceNotFound
    await find_ticket(session, actor, found.ticket_id)
    return found


async def take(session: AsyncSession, actor: Actor, pack_id: int) -> bytes:
    """The file, taken away. Raises `EvidenceNotFound` also while it is not ready."""
    found = await find_pack(session, actor, pack_id)
    content = await session.scalar(select(EvidencePack.content).where(EvidencePack.id == pack_id))
    if content is None:
        raise EvidenceNotFound
    await record(session, EvidenceTaken(ticket_id=found.ticket_id, sha256=pack.sha256(content)), actor=actor)
    return bytes(content)


def pack_json(found: EvidencePack) -> dict[str, Any]:
    """A pack as clients read it."""
    return {
        "id": found.id,
        "ticket_id": found.ticket_id,
        "status": found.status,
        "asked_at": rfc3339(found.asked_at),
        "size": found.size,
        "sha256": found.sha256,
    }


async def _told(session: AsyncSession, actor: Actor, ticket_id: int) -> dict[str, Any]:
    found = await find_ticket(session, actor, ticket_id)
    t = found.ticket
    people, teams, departments = await names.all(
        session, people=[t.requester_id, t.assignee_id, actor.user_id], teams=[t.team_id], departments=[t.department_id]
    )
    comments: list[dict[str, Any]] = []
    cursor = None
    while len(comments) < MOST_COMMENTS:
        page = await talking.comment_list(session, actor, ticket_id, cursor=cursor, limit=100)
        comments += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    files = await attaching.attachment_list(session, actor, ticket_id)
    team, department = teams.get(t.team_id), departments.get(t.department_id)
    return {
        "ticket": {
            "id": t.id,
            "ticket_number": t.ticket_number,
            "title": t.title,
            "description": t.description,
            "ticket_type": t.ticket_type,
            "ticket_type_name": found.type_name,
            "status": t.status,
            "priority": t.priority,
            "amount": None if t.amount is None else str(t.amount),
            "currency": t.currency,
            "custom_fields": t.custom_fields,
            "requester": people.get(t.requester_id),
            "assignee": people.get(t.assignee_id),
            "team": team,
            "department": department,
            "is_confidential": t.is_confidential,
            "version": t.version,
            "created_at": rfc3339(t.created_at),
        },
        "comments": [
            {k: c.get(k) for k in ("id", "author", "body", "visibility", "created_at", "edited_at")} for c in comments
        ],
        "files": [
            {k: f.get(k) for k in ("id", "filename", "size", "sha256", "uploaded_by", "created_at")} for f in files
        ],
        "approvals": await workflows_of(session, actor, "ticket", ticket_id),
        "signatures": await records_about(session, "ticket", ticket_id),
        "made_by": people.get(actor.user_id),
        "installation": get_settings().origin,
    }


async def run_due(database: Database) -> None:
    """Put together what is asked for, one after the other."""
    async with database.alone(ALONE) as is_alone:
        if not is_alone:
            return
        while True:
            async with database.read() as session:
                row = (
                    await session.execute(
                        select(EvidencePack.id, EvidencePack.attempts)
                        .where(EvidencePack.status == WAITING)
                        .order_by(EvidencePack.id)
                        .limit(1)
                    )
                ).first()
            if row is None:
                return
            if not await _make(database, row.id, row.attempts + 1):
                return


ALONE = 0x57414556  # "WAEV"


async def _make(database: Database, pack_id: int, attempt: int) -> bool:
    """True when others may follow at once."""
    async with database.transaction() as session:
        counted = update(EvidencePack).where(EvidencePack.id == pack_id).values(attempts=attempt)
        await session.execute(counted if attempt <= TRIES else counted.values(status=FAILED))
    if attempt > TRIES:
        log.error("evidence given up", pack_id=pack_id)
        return True
    await sealing.seal_all(database)
    async with database.read() as session:
        asked = await session.get(EvidencePack, pack_id)
        assert asked is not None
        document = await _document(session, asked)
    if document is None:  # a transaction that began earlier still runs: the next turn
        async with database.transaction() as session:
            await session.execute(update(EvidencePack).where(EvidencePack.id == pack_id).values(attempts=attempt - 1))
        return False
    pdf = await asyncio.to_thread(evidence_pdf.render, document)
    content = pack.write(document, pdf)
    async with database.transaction() as session:
        done = {"status": READY, "content": content, "size": len(content), "sha256": pack.sha256(content), "told": {}}
        await session.execute(update(EvidencePack).where(EvidencePack.id == pack_id).values(**done))
    return True


async def _document(session: AsyncSession, asked: EvidencePack) -> dict[str, Any] | None:
    values = {"ticket": asked.ticket_id, "upto": asked.upto, "most": MOST_EVENTS}
    rows = list((await session.execute(_EVENTS, values)).all())
    proofs = (await session.execute(_PROOFS, values)).all()
    if any(r.position is None for r in (*rows, *proofs)):
        return None
    stretches = await _stretches(session, sorted({r.position for r in (*rows, *proofs)}))
    if stretches is None:
        return None
    kept = keys.signing_keys()
    people = await names.people(session, [i for r in rows for i in (r.actor_id, r.on_behalf_of_id)])
    told: dict[str, Any] = asked.told
    return {
        **told,
        "format": pack.FORMAT,
        "made_at": rfc3339(now()),
        "asked_at": rfc3339(asked.asked_at),
        "events": [_event_json(r) for r in (*rows, *proofs)],
        "people": {str(i): p for i, p in people.items()},
        "proofs": {str(r.of_decision): r.id for r in proofs},
        "stretches": stretches,
        "keys": {k: v.hex() for k, v in kept.public.items()},
        "is_cut": len(rows) == MOST_EVENTS,
    }


def _event_json(row: Any) -> dict[str, Any]:
    return {
        "columns": {name: getattr(row, name) for name in COLUMNS},
        "at": rfc3339(datetime.fromtimestamp(row.at / 1_000_000, tz=now().tzinfo)),
        "data": row.told,
        "position": row.position,
        "salt": row.salt.hex() if row.salt else None,
        "leaves": row.leaves,
    }


async def _stretches(session: AsyncSession, positions: list[int]) -> list[dict[str, Any]] | None:
    """For every position the way to the next signed checkpoint; positions that share one share the way."""
    found: list[dict[str, Any]] = []
    done = 0
    for position in positions:
        if position <= done:
            continue
        checkpoint = (await session.execute(_CHECKPOINT, {"position": position})).first()
        if checkpoint is None:
            return None
        before = await session.scalar(_BEFORE, {"position": position - 1})
        if before is None:
            _, before = await sealing.beginning(session)
        rows = (await session.execute(_STRETCH, {"first": position, "last": checkpoint.position})).all()
        found.append(
            {
                "first": position,
                "before": before.hex(),
                "row_hashes": [r.row_hash.hex() for r in rows],
                "checkpoint": {"body": checkpoint.body, "signature": checkpoint.signature},
            }
        )
        done = checkpoint.position
    return found


async def forget_old_packs(session: AsyncSession) -> None:
    """Packs are taken away within a day, or asked for again."""
    await session.execute(delete(EvidencePack).where(EvidencePack.asked_at < now() - KEPT))
