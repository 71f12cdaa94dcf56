"""Saving, changing, pinning and deleting views."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.models import Role
from waypost.directory.models import Team, User
from waypost.kernel.clock import now
from waypost.kernel.errors import StaleVersion, invalid_field
from waypost.kernel.events import record
from waypost.kernel.shapes import nfc
from waypost.search import alerts, policy, queries
from waypost.search.columns import check_columns
from waypost.search.errors import MOST_PINS, MOST_VIEWS, MayNotShare, TooManyPins, TooManyViews, ViewNotYours
from waypost.search.events import SavedViewCreated, SavedViewDeleted, SavedViewUpdated
from waypost.search.models import SavedView, SavedViewPin
from waypost.tickets.conditions import condition_of


async def create_view(session: AsyncSession, actor: Actor, *, pinned: bool, **values: Any) -> SavedView:
    """Save a view. Raises `InvalidCondition`, `MayNotShare`, `TooManyViews` or `TooManyPins`."""
    await _one_at_a_time(session, actor)
    mine = await session.scalar(select(func.count()).select_from(SavedView).where(SavedView.owner_id == actor.user_id))
    if (mine or 0) >= MOST_VIEWS:
        raise TooManyViews
    await _check(session, actor, values)
    await check_columns(session, values["columns"])
    at = now()
    view = SavedView(owner_id=actor.user_id, version=1, created_at=at, updated_at=at, **values)
    await _yield_default(session, view)
    session.add(view)
    await session.flush()
    created = SavedViewCreated(view_id=view.id, scope=view.scope, team_id=view.team_id, role=view.role)
    await record(session, created, actor=actor)
    if pinned:
        await pin_view(session, actor, view.id, pinned=True)
    return view


async def update_view(
    session: AsyncSession, actor: Actor, view_id: int, *, version: int, pinned: bool | None, **values: Any
) -> SavedView:
    """Change a view. Raises `ViewNotFound`, `ViewNotYours`, `StaleVersion` and what `create_view` raises."""
    view = await changeable(session, actor, view_id)
    if view.version != version:
        raise StaleVersion(current_version=view.version)
    if values["scope"] == "PERSONAL" and view.owner_id != actor.user_id:
        raise invalid_field("/scope", "only who made a view can keep it to themself")
    await _check(session, actor, values)
    await check_columns(session, values["columns"], kept=view.columns)
    changed = sorted(k for k, v in values.items() if getattr(view, k) != v)
    if changed:
        for field in changed:
            setattr(view, field, values[field])
        with session.no_autoflush:
            await _yield_default(session, view)
        view.version += 1
        view.updated_at = now()
        await session.flush()
        if not {"condition", "filters"}.isdisjoint(changed):
            await alerts.seed_anew(session, view.id)
        await record(session, SavedViewUpdated(view_id=view.id, scope=view.scope, changed=changed), actor=actor)
    if pinned is not None:
        await pin_view(session, actor, view.id, pinned=pinned)
    return view


async def delete_view(session: AsyncSession, actor: Actor, view_id: int) -> None:
    """Delete a view, from every side bar too. Raises `ViewNotFound` or `ViewNotYours`."""
    view = await changeable(session, actor, view_id)
    await record(session, SavedViewDeleted(view_id=view.id, scope=view.scope), actor=actor)
    await session.delete(view)
    await session.flush()


async def pin_view(session: AsyncSession, actor: Actor, view_id: int, *, pinned: bool) -> SavedView:
    """Keep a view in one's side bar, or take it down. Raises `ViewNotFound` or `TooManyPins`."""
    view = await queries.find_view(session, actor, view_id)
    mine = SavedViewPin.user_id == actor.user_id
    if not pinned:
        await session.execute(delete(SavedViewPin).where(mine, SavedViewPin.view_id == view_id))
        return view
    await _one_at_a_time(session, actor)
    shown = select(SavedView.id).where(policy.visible_to(actor))
    others = select(func.count()).where(mine, SavedViewPin.view_id != view_id, SavedViewPin.view_id.in_(shown))
    if (await session.scalar(others) or 0) >= MOST_PINS:
        raise TooManyPins
    row = {"user_id": actor.user_id, "view_id": view_id, "pinned_at": now()}
    await session.execute(insert(SavedViewPin).values(row).on_conflict_do_nothing())
    return view


async def changeable(session: AsyncSession, actor: Actor, view_id: int) -> SavedView:
    """The view, locked for a change that is theirs to make."""
    view = await queries.find_view(session, actor, view_id, lock=True)
    if not policy.may_change(actor, view, await queries.teams_led(session, actor, [view])):
        raise ViewNotYours
    return view


async def _check(session: AsyncSession, actor: Actor, values: dict[str, Any]) -> None:
    scope, team_id, role = values["scope"], values["team_id"], values["role"]
    if (scope == "TEAM") != (team_id is not None):
        raise invalid_field("/team_id", "belongs to a view of a team, and only there")
    if (scope == "ROLE") != (role is not None):
        raise invalid_field("/role", "belongs to a view of a role, and only there")
    if not policy.may_share_with(actor, scope, team_id):
        raise MayNotShare("/team_id" if scope == "TEAM" else "/role")
    if team_id is not None and await session.scalar(select(Team.id).where(Team.id == team_id)) is None:
        raise invalid_field("/team_id", "there is no such team")
    if role is not None and await session.scalar(select(Role.id).where(Role.key == role)) is None:
        raise invalid_field("/role", "there is no such role")
    if values["is_default"] and scope == "TEAM":
        raise invalid_field("/is_default", "is for one's own views and for those of a role")
    values["condition"] = nfc(values["condition"])
    await condition_of(session, actor, values["condition"], pointer="/condition")


async def _yield_default(session: AsyncSession, view: SavedView) -> None:
    """There is one default for a role, and one for oneself: the last one that was made it."""
    if not view.is_default:
        return
    same = SavedView.role == view.role if view.scope == "ROLE" else SavedView.owner_id == view.owner_id
    before = update(SavedView).where(same, SavedView.scope == view.scope, SavedView.is_default)
    if view.id is not None:
        before = before.where(SavedView.id != view.id)
    await session.execute(before.values(is_default=False, version=SavedView.version + 1))


async def _one_at_a_time(session: AsyncSession, actor: Actor) -> None:
    """Counting and adding are one step, however many requests a person sends at once."""
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
