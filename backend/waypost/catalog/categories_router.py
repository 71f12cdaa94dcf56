"""`/categories`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.catalog import categories
from waypost.catalog.errors import CategoryInUse, CategoryNotFound, CategoryTaken
from waypost.catalog.models import Category
from waypost.catalog.schemas import CategoryCreate, CategoryList, CategoryRead, CategoryUpdate
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, prefix="/categories", tags=["Catalogue"])
Administrator = Annotated[Actor, permit(Permission.CATALOG_CONFIGURE)]


def _json(category: Category, types: int) -> dict[str, Any]:
    return {
        "id": category.id,
        "name": category.name,
        "position": category.position,
        "type_count": types,
        "version": category.version,
    }


async def _read(session: ReadSession, category: Category, status: int = 200) -> Response:
    counts = {c.id: n for c, n in await categories.category_list(session)}
    return json_response(_json(category, counts.get(category.id, 0)), status)


async def _there_is(request: Request) -> None:
    """404 before a 422."""
    category_id = path_id(request.path_params.get("category_id"))
    async with database().read() as session:
        if await session.get(Category, category_id) is None:
            raise CategoryNotFound


@router.get("", response_model=CategoryList)
async def category_list(session: ReadSession, actor: Annotated[Actor, permit(Permission.CATALOG_READ)]) -> Response:
    """The headings of the catalogue, in their order."""
    rows = await categories.category_list(session)
    return json_response({"items": [_json(c, n) for c, n in rows], "next_cursor": None})


@router.post("", status_code=201, response_model=CategoryRead, responses=problems(CategoryTaken))
async def create_category(
    body: CategoryCreate, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Add a category, at the end or at a place."""

    async def work() -> Response:
        made = await categories.create_category(session, actor, name=body.name, position=body.position)
        return await _read(session, made, 201)

    return await once.answer(session, actor.user_id, work)


@router.put(
    "/{category_id}",
    response_model=CategoryRead,
    responses=problems(CategoryNotFound, CategoryTaken, StaleVersion),
)
@guarded(_there_is)
async def update_category(
    category_id: PathId, body: CategoryUpdate, session: WriteSession, actor: Administrator
) -> Response:
    """Rename a category, its types with it, or move it to another place."""
    changed = await categories.update_category(
        session, actor, category_id, version=body.version, name=body.name, position=body.position
    )
    return await _read(session, changed)


@router.delete("/{category_id}", status_code=204, responses=problems(CategoryNotFound, CategoryInUse))
async def remove_category(category_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Take away a category that no ticket type belongs to."""
    await categories.remove_category(session, actor, category_id)
    return Response(status_code=204)
