"""What a browser brings from a SAML identity provider, taken up: judged, counted once, and left for it to fetch.

The provider's form comes from another site, and no cookie of ours that is any good comes with it. None is needed: what is
found waits until the browser that began fetches it, from our own page and with its cookie (`signing_in`). Of `RelayState`
nothing is believed; it is the handle by which we find what we wrote down when the browser left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waypost.access.providers import queries, signing_in
from waypost.access.providers.errors import ProviderNotFound
from waypost.access.providers.kinds import Proven, Provider
from waypost.access.providers.oidc_answers import Came
from waypost.access.providers.registry import provider_of
from waypost.access.providers.saml import bounded, mapping
from waypost.access.providers.saml.kind import Here, Saml, hint_of, session_name, trust_of
from waypost.access.providers.saml.reading import Asked, Facts
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.signing_out import count_once
from waypost.access.providers.saml.worker import ResponseJob
from waypost.access.providers.signing_in import Returned
from waypost.access.sessions import Caller
from waypost.kernel.clock import now
from waypost.kernel.db import Database

# What a provider answers when it was the person, and not the provider, who went no further.
_DENIED = ("AuthnFailed", "RequestDenied", "NoPassive")


async def find_provider(database: Database, key: str) -> Provider:
    """The SAML provider of that key. Raises `ProviderNotFound`."""
    async with database.read() as session:
        row = await queries.provider_by_key(session, key)
    if row.kind != Saml.key:
        raise ProviderNotFound
    return provider_of(row)


async def take_response(database: Database, caller: Caller, provider: Provider, form: Mapping[str, str]) -> Came:
    """Judge the answer to a sign-in that left from here, and say with which ticket it is fetched, or why it is not."""
    async with database.transaction() as session:
        returned = await signing_in.take(session, provider.id, form.get("RelayState", ""))
    if returned is None:
        return Came()
    came = Came(returned.purpose, returned.next_path)
    if not provider.is_on and returned.purpose != signing_in.TRY:
        return came
    try:
        facts = await _judge(provider, returned, form)
        proven = _proven(provider, facts)
        async with database.transaction() as session:
            if not await count_once(session, provider.id, f"assertion:{facts.assertion_id}", facts.valid_until):
                raise Refused("replayed")
            ticket = await signing_in.keep(session, returned, proven)
    except Refused as refused:
        is_denied = refused.reason == "not_successful" and any(word in refused.detail for word in _DENIED)
        said = f"The response is not believed: {refused}."
        await signing_in.fail(database, caller, provider.id, "saml", said, is_theirs=not is_denied)
        return Came(came.purpose, came.next_path, refused="denied" if is_denied else "fails")
    return Came(came.purpose, came.next_path, ticket=ticket)


async def _judge(provider: Provider, returned: Returned, form: Mapping[str, str]) -> Facts:
    here = Here(provider.key)
    asked = Asked(
        idp=str(provider.get("entity_id")),
        audience=here.entity_id,
        acs_url=here.acs_url,
        request_id=returned.request_id,
        at=now(),
    )
    job = ResponseJob(field=form.get("SAMLResponse", ""), asked=asked, trust=await trust_of(provider))
    return await bounded.judge_response(job)


def _proven(provider: Provider, facts: Facts) -> Proven:
    """What waits for the browser; `claims` are what an administrator sees who tries."""
    claims: dict[str, Any] = {
        "NameID": facts.name_id.value,
        "NameID format": facts.name_id.format,
        "Authentication context": facts.context,
    }
    return Proven(
        person=mapping.person_of(facts, provider.config),
        session=session_name(facts.name_id, facts.session_index),
        hint=hint_of(facts.name_id, facts.session_index),
        ends_at=facts.session_ends.isoformat() if facts.session_ends else None,
        is_vouched=provider.trusts_second_factor and mapping.is_vouched(facts, provider.config),
        claims=claims | {name: list(values) for name, values in facts.attributes.items()},
    )
