"""The headings of the catalogue: adding, renaming, ordering and removing them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.catalog.errors import CategoryInUse, CategoryNotFound, CategoryTaken
from waypost.catalog.events import CategoryCreated, CategoryRemoved, CategoryUpdated
from waypost.catalog.models import Category, TicketType
from waypost.kernel.errors import Conflict, FieldError, Invalid, StaleVersion
from waypost.kernel.events import Doer, record

MOST = 100


async def category_list(session: AsyncSession) -> list[tuple[Category, int]]:
    """Every category in its order, each with how many types belong to it, inactive ones too."""
    count = func.count(TicketType.id)
    statement = (
        select(Category, count)
        .outerjoin(TicketType, TicketType.category == Category.name)
        .group_by(Category.id)
        .order_by(Category.position, Category.id)
        .limit(MOST)
    )
    return [(row[0], row[1]) for row in await session.execute(statement)]


async def create_category(session: AsyncSession, actor: Doer, *, name: str, position: int | None) -> Category:
    """Add a category, at the end or at a place (1 is the first). Raises `CategoryTaken`."""
    others = await _locked(session)
    if len(others) >= MOST:
        raise Conflict(f"There are {MOST} categories already.")
    # another administrator may add the first one beside this one: the unique name decides
    made_id = await session.scalar(
        insert(Category)
        .values(name=name, position=len(others) + 1)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(Category.id)
    )
    if made_id is None or _is_taken(name, others):
        raise CategoryTaken
    made = await session.get_one(Category, made_id)
    _place([*others, made], made, position)
    await session.flush()
    await record(session, CategoryCreated(category_id=made.id, name=name), actor=actor)
    return made


async def update_category(
    session: AsyncSession, actor: Actor, category_id: int, *, version: int, name: str, position: int | None
) -> Category:
    """Rename a category, its types with it, and put it at another place (1 is the first).

    Raises `CategoryNotFound`, `StaleVersion` or `CategoryTaken`.
    """
    actor.require(Permission.CATALOG_CONFIGURE)
    every = await _locked(session)
    found = next((c for c in every if c.id == category_id), None)
    if found is None:
        raise CategoryNotFound
    if found.version != version:
        raise StaleVersion(current_version=found.version)
    if _is_taken(name, [c for c in every if c.id != category_id]):
        raise CategoryTaken
    before = {"name": found.name, "position": every.index(found) + 1}
    found.name = name
    _place(every, found, position)
    changes = {k: [old, new] for k, old in before.items() if (new := getattr(found, k)) != old}
    if not changes:
        return found
    found.version += 1
    await session.flush()
    await record(session, CategoryUpdated(category_id=found.id, name=name, changes=changes), actor=actor)
    return found


async def remove_category(session: AsyncSession, actor: Actor, category_id: int) -> None:
    """Take away a category that no type belongs to. Raises `CategoryNotFound` or `CategoryInUse`."""
    actor.require(Permission.CATALOG_CONFIGURE)
    every = await _locked(session)
    found = next((c for c in every if c.id == category_id), None)
    if found is None:
        raise CategoryNotFound
    if await session.scalar(select(TicketType.id).where(TicketType.category == found.name).limit(1)):
        raise CategoryInUse
    await session.delete(found)
    await session.flush()
    await record(session, CategoryRemoved(category_id=category_id, name=found.name), actor=actor)


async def check_category(session: AsyncSession, name: str) -> None:
    """Refuse a category there is not; it stays until the transaction ends. Raises `Invalid` naming the field."""
    statement = select(Category.id).where(Category.name == name).with_for_update(read=True, key_share=True)
    if await session.scalar(statement) is None:
        raise Invalid(errors=(FieldError("/category", "there is no such category"),))


async def _locked(session: AsyncSession) -> list[Category]:
    """All categories in order, locked: who orders them does it one after the other."""
    statement = select(Category).order_by(Category.position, Category.id).with_for_update()
    return list((await session.scalars(statement)).all())


def _is_taken(name: str, others: list[Category]) -> bool:
    return any(c.name.casefold() == name.casefold() for c in others)


def _place(every: list[Category], moved: Category, position: int | None) -> None:
    """Number all anew; `moved` comes to its place, or stays where it is."""
    rest = [c for c in every if c is not moved]
    at = every.index(moved) if position is None else min(position - 1, len(rest))
    for n, category in enumerate([*rest[:at], moved, *rest[at:]], 1):
        category.position = n
