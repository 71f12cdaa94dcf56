"""An identity system that pushes to this process: a provider with a token, and what one does with it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import httpx2
from sqlalchemy import delete, select, update

from waypost.access.models import Role
from waypost.access.providers.models import IdentityProvider, ProviderGroup
from waypost.access.scim.models import ScimPerson, ScimStop, ScimToken
from waypost.access.tokens import hash_token
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.ids import random_token

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
numbers = itertools.count(1)


async def a_provider(database: Database, *, may_disable_many: bool = True, **more: Any) -> IdentityProvider:
    """A provider that may create people and is on."""
    n, at = next(numbers), now()
    said = {"creates_people": True, "updates_people": True, "settings": {"mail_domain": f"pushed{n}.test"}} | more
    async with database.transaction() as session:
        row = IdentityProvider(
            key=f"push{n}", kind="scim", name=f"Push {n}", is_on=True, created_at=at, updated_at=at, **said
        )
        session.add(row)
        await session.flush()
        await session.refresh(row)
        employee = await session.scalar(select(Role.id).where(Role.key == "employee"))
        session.add(ProviderGroup(provider_id=row.id, group_name="*", role_id=employee))
        if may_disable_many:
            session.add(ScimStop(provider_id=row.id, allowed_until=at + timedelta(days=1), updated_at=at))
    return row


async def forget(database: Database, provider: IdentityProvider) -> None:
    """The provider goes, and the names of its people are free for the next test."""
    async with database.transaction() as session:
        ids = list(await session.scalars(select(ScimPerson.user_id).where(ScimPerson.provider_id == provider.id)))
        for user_id in ids:
            gone = {"username": f"gone{user_id}", "email": f"gone{user_id}@gone.test"}
            await session.execute(update(User).where(User.id == user_id).values(gone))
        await session.execute(delete(IdentityProvider).where(IdentityProvider.id == provider.id))


async def a_token(database: Database, provider: IdentityProvider, *, expires_in: timedelta = timedelta(days=1)) -> str:
    token, at = random_token("wsc_"), now()
    async with database.transaction() as session:
        admin = await session.scalar(select(User.id).where(User.username == "admin"))
        session.add(
            ScimToken(
                provider_id=provider.id,
                token_hash=hash_token(token),
                prefix=token[:12],
                created_by_id=admin,
                created_at=at,
                expires_at=at + expires_in,
            )
        )
    return token


async def map_group(database: Database, provider: IdentityProvider, group: str, role: str) -> None:
    async with database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == role))
        session.add(ProviderGroup(provider_id=provider.id, group_name=group, role_id=role_id))


class Push:
    """The client's side."""

    def __init__(self, app: Any, token: str | None) -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"Content-Type": "application/scim+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://waypost.test/scim/v2", headers=headers)

    async def call(self, method: str, path: str, body: Any = None, expect: int | None = 200, **more: Any) -> Any:
        if body is not None:
            more["json"] = body
        answer = await self.http.request(method, path, **more)
        if expect is None:
            return answer
        assert answer.status_code == expect, f"{method} {path} -> {answer.status_code} {answer.text[:600]}"
        if expect >= 400:
            said = answer.json()
            assert said["schemas"] == [ERROR], said
            assert said["status"] == str(expect), said
        return answer.json() if answer.content else None

    async def user(self, name: str, expect: int = 201, **more: Any) -> Any:
        said = {
            "schemas": [USER],
            "userName": name,
            "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"value": f"{name}@people.example.com", "type": "work", "primary": True}],
            "active": True,
        } | more
        return await self.call("POST", "/Users", said, expect)

    async def group(self, name: str, *members: str, expect: int = 201, **more: Any) -> Any:
        said = {"schemas": [GROUP], "displayName": name, "members": [{"value": m} for m in members]} | more
        return await self.call("POST", "/Groups", said, expect)

    async def patch(self, path: str, *operations: dict[str, Any], expect: int = 204, **more: Any) -> Any:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return await self.call("PATCH", path, body, expect, **more)
