"""The first administrator of an empty installation."""

from __future__ import annotations

import re

from sqlalchemy import func, select

from waypost.access.service import ensure_system_roles, grant_roles, make_password_link
from waypost.directory.events import UserCreated
from waypost.directory.models import User
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record


async def create_administrator(database: Database, email: str) -> str:
    """Make (or find) the person with this address, give them the administrator's role, and return a one-time link.

    The link sets their password and is valid for 24 hours. There is no default password.
    """
    async with database.transaction() as session:
        await ensure_system_roles(session)
        user = await session.scalar(select(User).where(func.lower(User.email) == email.lower()))
        if user is None:
            name = re.sub(r"[^a-z0-9._-]", "", email.split("@", maxsplit=1)[0].lower()) or "admin"
            user = User(username=name[:64], email=email, first_name=name.capitalize()[:100], last_name="")
            session.add(user)
            await session.flush()
            await record(
                session,
                UserCreated(user_id=user.id, username=user.username, email=email, department_id=None, manager_id=None),
                actor=SYSTEM,
            )
        await grant_roles(session, SYSTEM, user.id, ["employee", "admin"], pointer="/roles")
        return await make_password_link(session, user.id)
