"""Providers for the directories of these tests, and signing in by them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete, update

from integration import open_ldap, samba_ad
from waypost.access.models import Role, Throttle
from waypost.access.providers.models import IdentityProvider, ProviderGroup
from waypost.access.providers.registry import seal
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings

_numbers = itertools.count(1)


def openldap_settings(server: open_ldap.OpenLdap, **more: Any) -> dict[str, Any]:
    return {
        "flavour": "openldap",
        "servers": [f"localhost:{server.tls}"],
        "security": "tls",
        "ca_file": str(server.ca_file),
        "base_dn": open_ldap.BASE,
        "bind_dn": open_ldap.SEARCHER,
        "bind_password": "searcher-Passw0rd",
        "nested_groups": True,
        **more,
    }


def ad_settings(server: samba_ad.SambaAd, **more: Any) -> dict[str, Any]:
    return {
        "flavour": "ad",
        "servers": ["localhost"],
        "security": "tls",
        "ca_file": str(server.ca_file),
        "certificate_name": samba_ad.HOST,
        "base_dn": samba_ad.BASE,
        "bind_dn": f"CN=Administrator,CN=Users,{samba_ad.BASE}",
        "bind_password": samba_ad.ADMIN_PASSWORD,
        "domains": ["CORP", "corp.example.com"],
        "nested_groups": True,
        **more,
    }


@asynccontextmanager
async def provider(database: Any, settings: dict[str, Any], **rules: Any) -> AsyncIterator[IdentityProvider]:
    """A directory that is on, and gone afterwards; the people who came by it stay."""
    at = now()
    secret = {"bind_password": settings.pop("bind_password")}
    async with database.transaction() as session:
        values = {"creates_people": True, "updates_people": True, "links_by": "NONE", **rules}
        row = IdentityProvider(
            key=f"dir{next(_numbers)}", kind="ldap", name="Directory", is_on=True, settings=settings, version=1,
            created_at=at, updated_at=at, trusts_second_factor=False, **values,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        seal(row, secret)
    yield row
    async with database.transaction() as session:
        await session.execute(delete(IdentityProvider).where(IdentityProvider.id == row.id))
        await session.execute(delete(Throttle))


async def change(database: Any, row: IdentityProvider, **settings: Any) -> None:
    """Set settings of a directory anew."""
    async with database.transaction() as session:
        kept = await session.get(IdentityProvider, row.id)
        new = {**kept.settings, **settings}
        await session.execute(
            update(IdentityProvider)
            .where(IdentityProvider.id == row.id)
            .values(settings=new, version=IdentityProvider.version + 1)
        )


async def map_groups(database: Any, row: IdentityProvider, **groups: str) -> None:
    """Say which role each group gives."""
    async with database.transaction() as session:
        for group, key in groups.items():
            role_id = await session.scalar(Role.__table__.select().with_only_columns(Role.id).where(Role.key == key))
            session.add(ProviderGroup(provider_id=row.id, group_name=group, role_id=role_id))


class Door:
    """The sign-in form."""

    def __init__(self, app: Any, database: Any) -> None:
        self.database = database
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://waypost.test/api/v1")

    async def knock(self, username: str, password: str) -> httpx2.Response:
        return await self.http.post("/auth/login", json={"username": username, "password": password})

    async def code(self, username: str, password: str) -> str:
        """What a sign-in comes to: the user's name when it works, else the refusal's code. Nothing is counted."""
        answer = await self.knock(username, password)
        await self.forget()
        said = answer.json()
        return str(said["user"]["username"] if answer.status_code == 200 else said["code"])

    async def come_in(self, username: str, password: str) -> dict[str, Any]:
        """The person, signed in; the door holds their token."""
        answer = await self.knock(username, password)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def forget(self) -> None:
        """Wrong passwords so far are forgiven."""
        async with self.database.transaction() as session:
            await session.execute(delete(Throttle))


def allow_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8", "::1/128"]')
    get_settings.cache_clear()
