"""The protocol's steps, where identity systems have habits of their own: PATCH."""

from __future__ import annotations

import json
from typing import Any, cast

from scim2_models import InvalidSyntaxException, Resource, ResourceType, TooManyException
from scim2_server.conditions import Conditions
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation
from scim2_server.service import ScimService

from waypost.access.scim import habits
from waypost.access.scim.membership import delta_of
from waypost.access.scim.resources import PROVIDER, bare, is_person
from waypost.access.scim.storage import Storage

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST_OPERATIONS = 100  # of one PATCH, when each is looked at by itself
SERVICE = ScimService(PROVIDER)


class Handler(AsyncScimHandler):
    """Serves one request."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(SERVICE, storage)
        self.rows = storage

    async def patch(self, request: ScimRequest) -> ScimResponse:
        """Change somebody or a group (RFC 7644, 3.5.2), as the protocol or an identity system of habits says it."""
        with self.service.provider:
            target = self.service.route(request, Operation.patch)
            resource_type = self.service.resource_type_at(cast(str, target.endpoint))
            parameters = self.service.read_response_parameters(resource_type, request.query)
            sent = self.service.decode_body(request.body, request.header("Content-Type"))
            said = habits.operations(sent)
            if said is None:
                # not the shape of a PATCH at all: the protocol's own words say what is wrong
                self.service.read_patch(resource_type, request.body, request.header("Content-Type"))
                raise InvalidSyntaxException(detail="Operations has to be a list of operations.")
            resource_id, conditions = cast(str, target.resource_id), self.service.read_conditions(request)
            async with self.storage.operation():
                delta = delta_of(said) if said and not is_person(resource_type) else None
                if delta is not None:
                    known = await self.rows.group_without_members(resource_id)
                    self.service.check_preconditions(known, "PATCH", conditions)
                    resource = await self.rows.change_group(resource_type, resource_id, delta, parameters)
                else:
                    resource = await self._patched(resource_type, resource_id, sent, said, conditions)
            return self.service.patch_response(request.base_url, resource, parameters)

    async def _patched(
        self,
        resource_type: ResourceType,
        resource_id: str,
        sent: dict[str, Any],
        said: list[habits.Operation],
        conditions: Conditions,
    ) -> Resource[Any]:
        if len(said) > MOST_OPERATIONS:
            raise TooManyException(detail=f"A PATCH has at most {MOST_OPERATIONS} operations.")
        current = await self.storage.get(resource_type, resource_id)
        assert current.meta is not None
        version = current.meta.version
        if not said and any(k.lower() == "operations" and v for k, v in sent.items()):
            self.service.check_preconditions(current, "PATCH", conditions)
            return current  # all it said is ours to say: nothing changes
        document = {"schemas": [PATCH], "Operations": habits.with_targets(said, bare(current))}
        operations = self.service.read_patch(resource_type, json.dumps(document).encode(), "application/json")
        patched = self.service.apply_patch(current, operations, conditions)
        if patched is None:
            return current
        return await self.storage.update(resource_type, patched, expected_version=version)

    async def delete_resource(self, resource_type: ResourceType, resource_id: str, conditions: Conditions) -> None:
        """Let somebody or a group go; of a group it is not read who is in it."""
        if is_person(resource_type):
            await super().delete_resource(resource_type, resource_id, conditions)
            return
        self.service.check_deletion(await self.rows.group_without_members(resource_id), conditions)
        await self.storage.delete(resource_type, resource_id)
