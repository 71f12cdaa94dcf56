"""Every kind of provider there is; settings and secrets of one."""

from __future__ import annotations

import json

from waypost.access.providers.kinds import Addressed, Config, Kind, Provider, Redirecting, SigningOut
from waypost.access.providers.ldap.kind import Ldap
from waypost.access.providers.models import IdentityProvider
from waypost.access.providers.oidc import OpenIdConnect
from waypost.access.providers.saml.kind import Saml
from waypost.access.scim.kind import Scim
from waypost.kernel.crypto import WrappedKey, keyring

_kinds: tuple[Kind, ...] = (OpenIdConnect(), Saml(), Ldap(), Scim())
KINDS: dict[str, Kind] = {kind.key: kind for kind in _kinds}


def signs_in_by_redirect(kind: str) -> bool:
    """Whether people sign in at the page of providers of this kind."""
    return redirecting(kind) is not None


def redirecting(kind: str) -> Redirecting | None:
    """The kind as one by which people sign in at the provider's page; None when it is none."""
    found: object = KINDS.get(kind)
    return found if isinstance(found, Redirecting) else None


def signing_out(kind: str) -> SigningOut | None:
    """The kind as one at which one can be signed out too; None when it is none."""
    found: object = KINDS.get(kind)
    return found if isinstance(found, SigningOut) else None


def addressed(kind: str) -> Addressed | None:
    """The kind as one whose other side has to be told addresses of ours; None when it is none."""
    found: object = KINDS.get(kind)
    return found if isinstance(found, Addressed) else None


def seal(row: IdentityProvider, secrets: dict[str, str]) -> None:
    """Keep a provider's secrets, sealed with the installation's key. The provider has its id already."""
    wrapped = keyring().wrap(json.dumps(secrets).encode(), row.about)
    row.sealed, row.sealed_with = wrapped.value, wrapped.key_id


def unseal(row: IdentityProvider) -> dict[str, str]:
    """A provider's secrets. Raises `Damaged`."""
    if row.sealed is None or row.sealed_with is None:
        return {}
    opened = keyring().unwrap(WrappedKey(row.sealed_with, row.sealed), row.about)
    secrets: dict[str, str] = json.loads(opened)
    return secrets


def config_of(row: IdentityProvider) -> Config:
    """Settings and secrets of a provider, with what a field is when nobody sets it. Raises `Damaged`."""
    kind = KINDS.get(row.kind)
    defaults = {f.key: f.default for f in kind.fields if f.default is not None} if kind else {}
    return {**defaults, **row.settings, **unseal(row)}


def provider_of(row: IdentityProvider) -> Provider:
    """A provider as its kind sees it. Raises `Damaged`."""
    return Provider(
        id=row.id,
        key=row.key,
        kind=row.kind,
        name=row.name,
        config=config_of(row),
        is_on=row.is_on,
        trusts_second_factor=row.trusts_second_factor,
    )
