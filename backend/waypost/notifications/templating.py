"""Writing the words people are told in: for a kind, a channel and a language; its versions, and back to the built-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.notifications.choices import CHANNELS, EMAIL, LABELS
from waypost.notifications.errors import TemplateNotFound
from waypost.notifications.events import TemplateChanged, TemplateReset
from waypost.notifications.expressions import CannotRender, faults
from waypost.notifications.kinds import KINDS
from waypost.notifications.layouts import LAYOUT, VARIABLES, layout_faults
from waypost.notifications.models import TemplateVersion
from waypost.notifications.rendering import built_in
from waypost.notifications.texts import ALL, ENGLISH, filled
from waypost.notifications.variables import examples_of, variables_of

WAYS = (ALL, *CHANNELS)


@dataclass(frozen=True, slots=True)
class Which:
    """Which words: of a kind, for a channel (or all), in a language."""

    key: str
    channel: str
    language: str


def which_of(key: str, channel: str, language: str) -> Which:
    """The layout of mails is one for all languages."""
    return Which(LAYOUT, EMAIL, ENGLISH) if key == LAYOUT else Which(key, channel, language)


def event_of_template(key: str) -> str:
    """The event a template's kind belongs to; the layout belongs to none."""
    return LAYOUT if key == LAYOUT else KINDS[key].event.value


def check_key(key: str) -> None:
    """Raises `TemplateNotFound`."""
    if key not in KINDS and key != LAYOUT:
        raise TemplateNotFound


# --- reading ----------------------------------------------------------------------------------------------------------


async def template_list(session: AsyncSession) -> dict[str, Any]:
    """Every kind of notice, with those of its words that somebody wrote."""
    row = TemplateVersion
    latest = (
        select(row)
        .ext(distinct_on(row.key, row.channel, row.language))
        .order_by(row.key, row.channel, row.language, row.version.desc())
    )
    written: dict[str, list[TemplateVersion]] = {}
    for version in await session.scalars(latest):
        if version.subject is not None:
            written.setdefault(version.key, []).append(version)
    people = await names.people(session, [v.author_id for rows in written.values() for v in rows])
    return {
        "items": [
            {
                "key": key,
                "event": event_of_template(key),
                "subject": built_in(key)[0],
                "is_default": key not in written,
                "written": [
                    {
                        "channel": v.channel,
                        "language": v.language,
                        "version": v.version,
                        "updated_at": rfc3339(v.created_at),
                        "updated_by": people.get(v.author_id),
                        "fault": _fault(v),
                    }
                    for v in written.get(key, ())
                ],
            }
            for key in (LAYOUT, *KINDS)
        ],
        "next_cursor": None,
        "channels": [{"key": ALL, "label": "Every channel"}, *({"key": k, "label": LABELS[k]} for k in CHANNELS)],
    }


async def one_template(session: AsyncSession, which: Which) -> dict[str, Any]:
    """Words as they stand, and what they can name. Raises `TemplateNotFound`."""
    check_key(which.key)
    row = await _latest(session, which)
    is_default = row is None or row.subject is None
    subject, body = built_in(which.key)
    people = await names.people(session, [row.author_id] if row else [])
    return {
        "key": which.key,
        "event": event_of_template(which.key),
        "channel": which.channel,
        "language": which.language,
        "subject": subject if row is None or row.subject is None else row.subject,
        "body": body if row is None or row.body is None else row.body,
        "version": row.version if row else 0,
        "is_default": is_default,
        "built_in": {"subject": subject, "body": body},
        "variables": [{"name": n, "example": _shown(e)} for n, e in values_of(which.key).items()],
        "fault": _fault(row) if row and not is_default else None,
        "updated_at": rfc3339(row.created_at) if row else None,
        "updated_by": people.get(row.author_id) if row else None,
    }


async def version_page(session: AsyncSession, which: Which, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """What the words were, newest first. Raises `TemplateNotFound`."""
    check_key(which.key)
    statement = select(TemplateVersion).where(*_same(which)).order_by(TemplateVersion.version.desc()).limit(limit + 1)
    if cursor:
        (last,) = decode_cursor(cursor, "template versions", int)
        statement = statement.where(TemplateVersion.version < last)
    rows = list(await session.scalars(statement))
    page = rows[:limit]
    people = await names.people(session, [r.author_id for r in page])
    subject, body = built_in(which.key)
    return {
        "items": [
            {
                "version": r.version,
                "is_default": r.subject is None,
                "subject": subject if r.subject is None else r.subject,
                "body": body if r.body is None else r.body,
                "updated_at": rfc3339(r.created_at),
                "updated_by": people.get(r.author_id),
            }
            for r in page
        ],
        "next_cursor": encode_cursor("template versions", page[-1].version) if len(rows) > limit else None,
    }


def values_of(key: str) -> Mapping[str, Any]:
    """What a template of this key can name, with examples."""
    return VARIABLES if key == LAYOUT else variables_of(key)


def check_words(key: str, subject: str, body: str) -> None:
    """Raises `Invalid` with the line of each mistake: what no template may hold, and what examples do not fit."""
    if key == LAYOUT:
        if broken := layout_faults(body):
            raise Invalid(errors=tuple(FieldError("/body", f"line {f.line}: {f.message}") for f in broken))
        return
    wrong = [
        FieldError(f"/{name}", f"line {fault.line}: {fault.message}")
        for name, source in (("subject", subject), ("body", body))
        for fault in faults(source, variables_of(key))
    ]
    if wrong:
        raise Invalid(errors=tuple(wrong))
    try:
        filled(key, subject, body, examples_of(key))
    except CannotRender as trouble:
        raise Invalid(errors=(FieldError("/body", str(trouble)),)) from trouble


# --- writing ----------------------------------------------------------------------------------------------------------


async def save_template(
    session: AsyncSession, actor: Actor, which: Which, *, version: int, subject: str, body: str
) -> None:
    """Give a template other words; the built-in ones take it back to them. Raises `TemplateNotFound`, `Invalid`,
    `StaleVersion`."""
    check_key(which.key)
    subject = built_in(LAYOUT)[0] if which.key == LAYOUT else subject
    check_words(which.key, subject, body)
    row = await _current(session, which, version)
    if (subject, body) == built_in(which.key):
        await _reset(session, actor, which, row)
    elif row is None or (row.subject, row.body) != (subject, body):
        await _add(session, actor, which, version, subject, body)
        changed = TemplateChanged(
            key=which.key, tells_by=which.channel, language=which.language, template_version=version + 1
        )
        await record(session, changed, actor=actor)


async def reset_template(session: AsyncSession, actor: Actor, which: Which, *, version: int) -> None:
    """Back to the built-in words. Raises `TemplateNotFound`, `StaleVersion`."""
    check_key(which.key)
    await _reset(session, actor, which, await _current(session, which, version))


async def _reset(session: AsyncSession, actor: Actor, which: Which, row: TemplateVersion | None) -> None:
    if row is None or row.subject is None:
        return
    await _add(session, actor, which, row.version, None, None)
    reset = TemplateReset(
        key=which.key, tells_by=which.channel, language=which.language, template_version=row.version + 1
    )
    await record(session, reset, actor=actor)


async def _add(
    session: AsyncSession, actor: Actor, which: Which, version: int, subject: str | None, body: str | None
) -> None:
    """The next version; of two who write it at once the later one is refused."""
    made = await session.scalar(
        insert(TemplateVersion)
        .values(
            key=which.key,
            channel=which.channel,
            language=which.language,
            version=version + 1,
            subject=subject,
            body=body,
            author_id=actor.user_id,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["key", "channel", "language", "version"])
        .returning(TemplateVersion.id)
    )
    if made is None:
        raise StaleVersion(current_version=version + 1)


async def _current(session: AsyncSession, which: Which, version: int) -> TemplateVersion | None:
    row = await _latest(session, which)
    if (row.version if row else 0) != version:
        raise StaleVersion(current_version=row.version if row else 0)
    return row


async def _latest(session: AsyncSession, which: Which) -> TemplateVersion | None:
    wanted = select(TemplateVersion).where(*_same(which)).order_by(TemplateVersion.version.desc()).limit(1)
    return (await session.scalars(wanted)).first()


def _same(which: Which) -> tuple[Any, ...]:
    row = TemplateVersion
    return row.key == which.key, row.channel == which.channel, row.language == which.language


def _fault(row: TemplateVersion) -> dict[str, Any] | None:
    if row.failed_at is None:
        return None
    return {"message": row.last_error or "", "at": rfc3339(row.failed_at)}


def _shown(example: Any) -> str:
    return str(example).lower() if isinstance(example, bool) else str(example)
