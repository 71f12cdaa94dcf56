"""`scim2-server`'s storage over our tables: one per request, of one provider, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from scim2_models import Resource, ResourceType, ResponseParameters, SearchRequest
from scim2_server.storage import AsyncScimStorage, SearchPage
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.providers.models import IdentityProvider
from waypost.access.scim import filters, groups, people
from waypost.access.scim.membership import Delta, scim_id
from waypost.access.scim.models import ScimGroup, ScimPerson
from waypost.access.scim.resources import is_person
from waypost.kernel.db import Database


class Storage(AsyncScimStorage):
    """The people and groups of a provider. `writes` says whether what comes may change something."""

    def __init__(
        self, database: Database, provider: IdentityProvider, *, mail_domain: str, writes: bool = True
    ) -> None:
        self.database = database
        self.provider = provider
        self.mail_domain = mail_domain
        self.writes = writes
        self._session: AsyncSession | None = None

    def operation(self) -> AbstractAsyncContextManager[None]:
        """One transaction around all that one request does; committed before its answer."""
        return self._operation()

    @asynccontextmanager
    async def _operation(self) -> AsyncIterator[None]:
        async with self.database.transaction() if self.writes else self.database.read() as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None

    @asynccontextmanager
    async def _within(self) -> AsyncIterator[AsyncSession]:
        if self._session is not None:
            yield self._session
            return
        async with self.database.transaction() as session:
            yield session

    async def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """Somebody, or a group. Before a change, others who want to change the same wait from here on."""
        async with self._within() as session:
            if self.writes and self._session is not None:
                await people.one_at_a_time(session, self.provider.id, str(scim_id(resource_id)))
            return await self._one(session, resource_type, resource_id, response_parameters)

    async def _one(
        self,
        session: AsyncSession,
        resource_type: ResourceType,
        resource_id: str | None,
        parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        found: list[Any]
        if is_person(resource_type):
            person = await people.row_of(session, self.provider.id, resource_id)
            found = await people.resources(session, [person], with_groups=wants(parameters, "groups"))
        else:
            group = await groups.row_of(session, self.provider.id, resource_id)
            found = await groups.resources(session, [group], with_members=wants(parameters, "members"))
        resource: Resource[Any] = found[0]
        return resource

    async def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """A page of people and groups, in the order in which they came; people first."""
        node = search_request.filter.ast if search_request.filter is not None else None
        start, count = search_request.start_index_0 or 0, search_request.count
        total, found = 0, list[Resource[Any]]()
        async with self._within() as session:
            for resource_type in sorted(resource_types, key=is_person, reverse=True):
                wanted: Any
                if is_person(resource_type):
                    condition = filters.condition(node, people=True)
                    wanted = people.theirs(self.provider.id).where(condition).order_by(ScimPerson.id)
                else:
                    condition = filters.condition(node, people=False)
                    wanted = groups.theirs(self.provider.id).where(condition).order_by(ScimGroup.id)
                here = await session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
                left = None if count is None else count - len(found)
                if here > max(start - total, 0) and left != 0:
                    rows = list(await session.scalars(wanted.offset(max(start - total, 0)).limit(left)))
                    if is_person(resource_type):
                        found += await people.resources(session, rows, with_groups=wants(search_request, "groups"))
                    else:
                        found += await groups.resources(session, rows, with_members=wants(search_request, "members"))
                total += here
        return SearchPage(total, found)

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Somebody new, or a new group."""
        async with self._within() as session:
            if is_person(resource_type):
                person = await people.create(session, self.provider, self.mail_domain, resource)
                return await self._one(session, resource_type, str(person.scim_id))
            group = await groups.create(session, self.provider, resource)
            return await self._one(session, resource_type, str(group.scim_id))

    async def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Somebody, or a group, as they are from now on."""
        async with self._within() as session:
            if is_person(resource_type):
                await people.change(session, self.provider, self.mail_domain, resource, expected_version)
            else:
                await groups.replace(session, self.provider, resource, expected_version)
            return await self._one(session, resource_type, resource.id)

    async def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Somebody the provider does not know any more, or a group that is no more."""
        async with self._within() as session:
            let_go = people.let_go if is_person(resource_type) else groups.let_go
            await let_go(session, self.provider, resource_id, expected_version)

    async def change_group(
        self, resource_type: ResourceType, resource_id: str, delta: Delta, parameters: ResponseParameters[Any]
    ) -> Resource[Any]:
        """What changes in a group, without reading who is in it."""
        async with self._within() as session:
            await groups.change(session, self.provider, resource_id, delta)
            is_told = bool(parameters.attributes or parameters.excluded_attributes)
            group = await groups.row_of(session, self.provider.id, resource_id)
            found = await groups.resources(session, [group], with_members=is_told and wants(parameters, "members"))
            resource: Resource[Any] = found[0]
            return resource

    async def group_without_members(self, resource_id: str) -> Resource[Any]:
        """A group's facts but its members; others who want to change it wait from here on."""
        async with self._within() as session:
            await people.one_at_a_time(session, self.provider.id, str(scim_id(resource_id)))
            group = await groups.row_of(session, self.provider.id, resource_id)
            resource: Resource[Any] = (await groups.resources(session, [group], with_members=False))[0]
            return resource


def wants(parameters: ResponseParameters[Any] | None, attribute: str) -> bool:
    """Whether an answer keeps an attribute, or a part of it."""
    if parameters is None:
        return True
    if parameters.attributes:
        return any(p.parts and p.parts[0].lower() == attribute for p in parameters.attributes)
    return not any(len(p.parts) == 1 and p.parts[0].lower() == attribute for p in parameters.excluded_attributes or ())
