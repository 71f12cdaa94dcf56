"""The first administrator of an empty installation."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.roles import ensure_system_roles
from waypost.access.service import grant_roles, make_password_link
from waypost.directory.models import User
from waypost.directory.queries import by_login
from waypost.directory.service import create_user
from waypost.kernel.db import Database
from waypost.kernel.errors import Invalid
from waypost.kernel.events import SYSTEM


async def create_administrator(database: Database, email: str) -> str:
    """Make (or find) the person with this address, give them the administrator's role, and return a one-time link.

    The link sets their password and is valid for 24 hours. There is no default password. Raises `Invalid` for what is
    no e-mail address.
    """
    try:
        email = validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError as wrong:
        raise Invalid(f"“{email}” is no e-mail address: {wrong}") from None
    async with database.transaction() as session:
        await ensure_system_roles(session)
        user = await session.scalar(select(User).where(func.lower(User.email) == email.lower()))
        if user is None:
            username = await _free_username(session, email)
            name = username.capitalize()
            user = await create_user(
                session,
                SYSTEM,
                username=username,
                email=email,
                first_name=name,
                last_name="",
                department_id=None,
                manager_id=None,
            )
        await grant_roles(session, SYSTEM, user.id, ["employee", "admin"], pointer="/roles")
        return await make_password_link(session, user.id)


async def _free_username(session: AsyncSession, email: str) -> str:
    """The address's first part, or with a number when somebody has that name."""
    name = re.sub(r"[^a-z0-9._-]", "", email.partition("@")[0].lower())[:60] or "admin"
    tried, n = name, 1
    while await session.scalar(select(User.id).where(by_login(tried))):
        n += 1
        tried = f"{name}{n}"
    return tried
