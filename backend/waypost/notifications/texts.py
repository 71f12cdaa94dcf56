"""The words in force: what administrators wrote for a kind, channel and language, or the built-in ones.

The nearest wins: one's own language on that channel, one's own language on any, English on that channel, English on any,
built in. What cannot be filled in is passed over for the next, and says so where templates are edited.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.logs import get_logger
from waypost.notifications.expressions import CannotRender, Fault, faults, fill
from waypost.notifications.layouts import LAYOUT, layout_faults
from waypost.notifications.models import TemplateVersion
from waypost.notifications.rendering import render, worded
from waypost.notifications.variables import variables_of
from waypost.notifications.words import Words

log = get_logger(__name__)
ALL = "all"
ENGLISH = "en"
LANGUAGES = (ENGLISH, "de", "fr", "es")


@dataclass(frozen=True, slots=True)
class Written:
    """One template as an administrator wrote it; `id` is its row's."""

    id: int
    subject: str
    body: str


@dataclass(slots=True)
class Texts:
    """The templates in force of some kinds, by kind, channel and language; `broken` are those that could not be filled."""

    written: Mapping[tuple[str, str, str], Written] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)

    def words(self, kind: str, values: Mapping[str, Any], channel: str = ALL, language: str = ENGLISH) -> Words:
        """A notice in the words of this channel and language."""
        for template in self._nearest(kind, channel, language):
            try:
                return filled(kind, template.subject, template.body, values)
            except CannotRender as wrong:
                if template.id not in self.broken:
                    log.error("template cannot be filled", kind=kind, template_id=template.id, why=str(wrong))
                self.broken[template.id] = str(wrong)
        return render(kind, dict(values))

    def retold(self, kind: str, values: Mapping[str, Any]) -> Callable[[str, str], Words] | None:
        """The words by channel and language, or None when nobody wrote any of this kind."""
        if not any(key == kind for key, _, _ in self.written):
            return None
        return lambda channel, language: self.words(kind, values, channel, language)

    def _nearest(self, kind: str, channel: str, language: str) -> Iterator[Written]:
        for spoken in dict.fromkeys((language.lower()[:2], ENGLISH)):
            for way in dict.fromkeys((channel, ALL)):
                if (template := self.written.get((kind, way, spoken))) is not None:
                    yield template


def filled(kind: str, subject: str, body: str, values: Mapping[str, Any]) -> Words:
    """A notice in words that somebody wrote. Raises `CannotRender`, also for what the values do not hold any more."""
    for source in (subject, body):
        if wrong := faults(source, variables_of(kind)):
            raise CannotRender(f"line {wrong[0].line}: {wrong[0].message}")
    words = worded(fill(subject, values), fill(body, values), values)
    if not words.title:
        raise CannotRender("the subject is empty")
    return words


async def texts_of(session: AsyncSession, kinds: Collection[str]) -> Texts:
    """The templates in force of these kinds, in one statement."""
    row = TemplateVersion
    latest = (
        select(row.id, row.key, row.channel, row.language, row.subject, row.body)
        .where(row.key.in_(sorted(set(kinds))))
        .ext(distinct_on(row.key, row.channel, row.language))
        .order_by(row.key, row.channel, row.language, row.version.desc())
    )
    return Texts(
        {
            (r.key, r.channel, r.language): Written(r.id, r.subject, r.body)
            for r in await session.execute(latest)
            if r.subject is not None
        }
    )


async def layout_in_force(session: AsyncSession) -> str:
    """The layout of mails that an administrator wrote; "" for the built-in one, also when theirs does not hold any more."""
    wanted = select(TemplateVersion.body).where(TemplateVersion.key == LAYOUT).order_by(TemplateVersion.version.desc())
    source = await session.scalar(wanted.limit(1))
    if source is None:
        return ""
    if wrong := _layout_faults(source):
        log.error("the company's mail layout is not used", line=wrong[0].line, why=wrong[0].message)
        return ""
    return source


@lru_cache(maxsize=8)
def _layout_faults(source: str) -> tuple[Fault, ...]:
    return tuple(layout_faults(source))


async def note_broken(session: AsyncSession, texts: Texts) -> None:
    """Keep what could not be filled, for those who edit templates to see."""
    for template_id, why in texts.broken.items():
        values = {"failed_at": now(), "last_error": why[:500]}
        await session.execute(update(TemplateVersion).where(TemplateVersion.id == template_id).values(**values))
