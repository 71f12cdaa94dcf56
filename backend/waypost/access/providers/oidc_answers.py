"""What an OpenID Connect provider answers, taken up: a browser that comes back, and word that somebody signed out."""

from __future__ import annotations

from dataclasses import dataclass

from waypost.access.providers import queries, signing_in
from waypost.access.providers.errors import ProviderFails, ProviderNotFound
from waypost.access.providers.events import SignedOutThere
from waypost.access.providers.kinds import Provider
from waypost.access.providers.models import IdentityProvider
from waypost.access.providers.oidc import OpenIdConnect, check_answerer, exchange
from waypost.access.providers.oidc_issuer import issuers
from waypost.access.providers.oidc_tokens import USUAL, WrongToken, read_header, read_logout_token
from waypost.access.providers.registry import provider_of
from waypost.access.providers.signing_out import signed_out_there
from waypost.access.sessions import Caller
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import System, record


@dataclass(frozen=True, slots=True)
class Answered:
    """The parameters a browser came back with."""

    state: str | None
    code: str | None
    issuer: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Came:
    """What becomes of it: a ticket to fetch it with, or why not (`over`, `denied`, `fails`)."""

    purpose: str = signing_in.SIGN_IN
    next_path: str = "/"
    ticket: str | None = None
    refused: str = "over"


async def _provider(database: Database, key: str) -> tuple[IdentityProvider, Provider]:
    async with database.read() as session:
        row = await queries.provider_by_key(session, key)
        if row.kind != OpenIdConnect.key:
            raise ProviderNotFound
        return row, provider_of(row)


async def take_answer(database: Database, caller: Caller, key: str, answered: Answered) -> Came:
    """Check the answer to a sign-in that left from here. Raises `ProviderNotFound`."""
    row, provider = await _provider(database, key)
    async with database.transaction() as session:
        returned = await signing_in.take(session, row.id, answered.state or "")
    if returned is None:
        return Came()
    came = Came(returned.purpose, returned.next_path)
    if not provider.is_on and returned.purpose != signing_in.TRY:
        return came
    try:
        check_answerer(await issuers.metadata(str(provider.get("issuer"))), answered.issuer)
        if answered.error is not None or not answered.code:
            why = (answered.error or "no code")[:100]
            is_denied = why in ("access_denied", "login_required", "consent_required", "interaction_required")
            await signing_in.fail(database, caller, row.id, "provider", f"It answers {why}.", is_theirs=not is_denied)
            return Came(came.purpose, came.next_path, refused="denied" if is_denied else "fails")
        proven = await exchange(provider, code=answered.code, verifier=returned.verifier, nonce=returned.nonce)
    except WrongToken as wrong:
        said = f"The answer is not believed: {wrong}."
        await signing_in.fail(database, caller, row.id, "not_believed", said, is_theirs=True)
        return Came(came.purpose, came.next_path, refused="fails")
    except ProviderFails as fails:
        await signing_in.fail(database, caller, row.id, "provider", fails.detail, is_theirs=True)
        return Came(came.purpose, came.next_path, refused="fails")
    async with database.transaction() as session:
        ticket = await signing_in.keep(session, returned, proven)
    return Came(came.purpose, came.next_path, ticket=ticket)


async def take_logout(database: Database, caller: Caller, key: str, token: str) -> int | None:
    """End what a logout token says, once; how many sign-ins ended, None when it is not believed."""
    row, provider = await _provider(database, key)
    try:
        if not provider.is_on:
            raise WrongToken("the provider is switched off")
        allowed = tuple(provider.get("algorithms") or USUAL)
        header = read_header(token, allowed)
        issuer = str(provider.get("issuer"))
        keys = await issuers.keys(issuer, header.kid, header.algorithm)
        told = read_logout_token(
            token, keys, issuer=issuer, client_id=str(provider.get("client_id")), allowed=allowed, at=now()
        )
        async with database.transaction() as session:
            if not await signing_in.is_first_time(session, row.id, f"logout:{told.jti}"):
                raise WrongToken("it came before")
            ended = await signed_out_there(session, row, subject=told.subject, provider_session=told.session, at=now())
            happened = SignedOutThere(provider_id=row.id, name=row.name, ended=ended)
            await record(session, happened, actor=System(channel=row.kind))
            return ended
    except (WrongToken, ProviderFails) as wrong:
        await signing_in.fail(database, caller, row.id, "logout_token", str(wrong), is_theirs=False)
        return None
