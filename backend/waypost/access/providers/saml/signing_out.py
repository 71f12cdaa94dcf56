"""An identity provider ends sign-ins here, or answers that it ended its own."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import LoginSession, SignInChallenge
from waypost.access.providers.events import SignedOutThere
from waypost.access.providers.kinds import Provider
from waypost.access.providers.models import SeenToken
from waypost.access.providers.oidc import signed_out_uri
from waypost.access.providers.saml import bindings, bounded, keys, requests
from waypost.access.providers.saml.kind import Here, is_logout_id, session_name, sessions_of, trust_of
from waypost.access.providers.saml.logout import LogoutAsked
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.worker import LogoutJob
from waypost.access.queries import actors
from waypost.access.sessions import end_session
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import System, record

REASON = "provider_logout"  # why a session ended


async def hear_logout(database: Database, provider: Provider, **message: Any) -> str:
    """Do what the message says, and say where the browser goes on to. Raises `Refused`.

    `message` is a `query` as it came, or a form's `kind`, `field` and `relay_state`.
    """
    here, at = Here(provider.key), now()
    trust = await trust_of(provider)
    job = LogoutJob(idp=str(provider.get("entity_id")), url=here.sls_url, at=at, trust=trust, **message)
    said = await bounded.read_logout(job)
    if not isinstance(said, LogoutAsked):
        if not is_logout_id(said.in_response_to, provider.id):
            raise Refused("wrong_request", "nobody asked for that")
        return signed_out_uri()
    async with database.transaction() as session:
        if not await count_once(session, provider.id, said.request_id, said.valid_until):
            raise Refused("replayed")
        ended = await _end(session, provider.id, said)
        happened = SignedOutThere(provider_id=provider.id, name=provider.name, ended=len(ended))
        await record(session, happened, actor=System(channel=provider.kind))
    for session_id in ended:
        actors.forget(session_id)
    answer_to = str(provider.get("slo_response_url") or provider.get("slo_url") or "")
    if not answer_to:
        return signed_out_uri()
    message_out = requests.logout_response(
        response_id=f"_{secrets.token_hex(16)}",
        at=at,
        url=answer_to,
        entity_id=here.entity_id,
        in_response_to=said.request_id,
    )
    key = (await keys.key_pairs(database))[0].private_key
    # What the provider put beside its request goes back to it and nowhere else, as the protocol has it.
    return bindings.address(answer_to, bindings.RESPONSE, message_out, relay_state=said.relay_state, private_key=key)


async def count_once(session: AsyncSession, provider_id: int, name: str, until: Any) -> bool:
    """Whether this message is here for the first time; from now on it is not, also for another process."""
    seen = insert(SeenToken).values(
        provider_id=provider_id, token_hash=hashlib.sha256(name.encode()).digest(), expires_at=until
    )
    first = await session.execute(seen.on_conflict_do_nothing().returning(SeenToken.provider_id))
    return first.first() is not None


async def _end(session: AsyncSession, provider_id: int, said: LogoutAsked) -> list[int]:
    """End the sign-ins that are meant, and those that wait for a second factor; their ids."""
    at = now()

    def meant(model: Any) -> Any:
        if said.sessions:
            return model.provider_session.in_([session_name(said.name_id, s) for s in said.sessions])
        return model.provider_session.startswith(sessions_of(said.name_id), autoescape=True)

    live = (
        select(LoginSession)
        .where(LoginSession.provider_id == provider_id, LoginSession.ended_at.is_(None), meant(LoginSession))
        .order_by(LoginSession.id)
        .with_for_update()
    )
    ended = []
    for login in await session.scalars(live):
        await end_session(session, login, REASON, at, System(channel="saml"))
        ended.append(login.id)
    await session.execute(
        delete(SignInChallenge).where(SignInChallenge.provider_id == provider_id, meant(SignInChallenge))
    )
    return ended
