"""The `scim` kind of provider: it pushes people to us; nobody signs in by it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from sqlalchemy import func, select

from waypost.access.providers.kinds import Address, Config, Findings, Found, Provider
from waypost.access.scim.door import base_url
from waypost.access.scim.models import ScimPerson
from waypost.access.scim.tokens import KIND, of_provider
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.settings_form import Field

_DOMAIN = re.compile(r"(?=.{4,200}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", re.ASCII | re.IGNORECASE)


class Scim:
    """People and groups by SCIM 2.0."""

    key: ClassVar[str] = KIND
    label: ClassVar[str] = "SCIM 2.0 provisioning"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "mail_domain",
            "Domain of addresses",
            help="For people who are pushed without an e-mail address: theirs is their user name at this domain. "
            "Without it, such people are refused.",
            required=False,
            most=200,
        ),
    )

    def check(self, settings: Config) -> Mapping[str, str]:
        """A domain has to be one."""
        domain = settings.get("mail_domain")
        return (
            {"mail_domain": "must be a domain such as example.com"} if domain and not _DOMAIN.fullmatch(domain) else {}
        )

    async def test(self, provider: Provider) -> Findings:
        """Nothing of the other side can be asked: what has come from there so far is told."""
        at = now()
        async with database().read() as session:
            tokens = [t for t in await of_provider(session, provider.id) if t.expires_at > at]
            people = await session.scalar(
                select(func.count())
                .select_from(ScimPerson)
                .where(ScimPerson.provider_id == provider.id, ScimPerson.deleted_at.is_(None))
            )
        used = max((t.used_at for t in tokens if t.used_at), default=None)
        found = (
            Found("Tokens that open the door", str(len(tokens)), bool(tokens)),
            Found("Last used", used.isoformat(timespec="minutes") if used else "never", used is not None),
            Found("People pushed so far", str(people or 0)),
        )
        return Findings(
            found, None if tokens else "There is no token yet: make one, and enter it at the identity system."
        )

    def addresses(self, provider: Provider) -> tuple[Address, ...]:
        """What is entered at the identity system."""
        return (Address("base", "Base URL", base_url(), "Called “Tenant URL” by Entra ID, “Base URL” by Okta."),)
