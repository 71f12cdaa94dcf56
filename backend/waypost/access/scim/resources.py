"""What we announce: people with the enterprise extension, groups, and which parts of the protocol we speak."""

from __future__ import annotations

from typing import Any

from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    EnterpriseUser,
    ETag,
    Filter,
    Group,
    Patch,
    ResourceType,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    User,
)

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MOST = 100  # resources on a page

Person = User[EnterpriseUser]
PERSON_TYPE = ResourceType.from_resource(Person)
GROUP_TYPE = ResourceType.from_resource(Group)

PROVIDER: ScimProvider = ScimProvider(
    models=[User, EnterpriseUser, Group],
    resource_types=[PERSON_TYPE, GROUP_TYPE],
    config=ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=True),
        # by index, which needs no announcing: older clients do not know the words for it (RFC 9865)
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer token",
                description="A token made on the provider's page in Waypost.",
                primary=True,
            )
        ],
    ),
)


def is_person(resource_type: ResourceType) -> bool:
    """Whether a resource type is that of people."""
    return resource_type.name == PERSON_TYPE.name


def bare(resource: Any) -> dict[str, Any]:
    """A resource as plain JSON, without what is ours to say and without a password, which nobody keeps."""
    document: dict[str, Any] = resource.model_dump(mode="json")
    for key in ("id", "meta", "groups", "password"):
        document.pop(key, None)
    return document
