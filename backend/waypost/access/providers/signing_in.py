"""A sign-in on its way to a provider and back, whatever is spoken with it.

A browser leaves with an unguessable `state`, and keeps a cookie that only it has. The provider's answer, once found
good, waits here for a few minutes; the browser fetches it with a ticket, from our own page and with its cookie. So an
answer that somebody else obtained, or that was planted in another browser, opens nothing there, whichever way it came.
Each step can be taken once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import factors, step_up, tokens
from waypost.access.actor import Actor
from waypost.access.events import LoginFailed
from waypost.access.permissions import Permission
from waypost.access.providers import queries
from waypost.access.providers.errors import NotLetIn, ProviderFails, ProviderNotFound, ProviderOff, SignInRefused
from waypost.access.providers.kinds import Leaving, Proven, Redirecting
from waypost.access.providers.models import Identity, IdentityProvider, SeenToken, SignInTransaction
from waypost.access.providers.people import ExternalPerson, bring_in, find, link, roles_by_map
from waypost.access.providers.plain import person_again
from waypost.access.providers.registry import provider_of, redirecting
from waypost.access.providers.service import note
from waypost.access.queries import role_names
from waypost.access.service import admit
from waypost.access.sessions import Caller, SignedIn
from waypost.kernel.clock import now
from waypost.kernel.crypto import WrappedKey, keyring
from waypost.kernel.db import Database
from waypost.kernel.events import System, record
from waypost.kernel.ids import random_token

SIGN_IN, TRY, LINK = "sign_in", "try", "link"
LIFE = timedelta(minutes=10)  # at the provider's page
WAIT = timedelta(minutes=2)  # for the browser to fetch what was found
SEEN_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Going:
    """Where a browser goes."""

    url: str


async def leave(
    database: Database,
    provider_id: int,
    *,
    browser: str,
    next_path: str,
    purpose: str = SIGN_IN,
    actor: Actor | None = None,
) -> Going:
    """Begin a sign-in at a provider, in the browser with this cookie. A try may go to one that is off.

    Raises `ProviderNotFound`, `ProviderOff` or `ProviderFails`.
    """
    async with database.read() as session:
        row = await queries.find_provider(session, provider_id)
        kind, provider = redirecting(row.kind), provider_of(row)
        lacking = queries.missing(row)
    if kind is None:
        raise ProviderNotFound
    if not provider.is_on and purpose != TRY:
        raise ProviderOff
    if lacking:
        raise ProviderFails(f"This provider is not set up yet: {', '.join(lacking)} is missing.")
    leaving = Leaving(
        state=random_token(), nonce=random_token(), verifier=random_token(), request_id=f"_{random_token()}"
    )
    url = await _address(database, provider_id, kind, provider, leaving)
    at = now()
    verifier = _wrap(leaving.verifier.encode(), leaving.state)
    async with database.transaction() as session:
        session.add(
            SignInTransaction(
                state_hash=tokens.hash_token(leaving.state),
                provider_id=provider_id,
                purpose=purpose,
                person_id=actor.user_id if actor else None,
                browser_hash=tokens.hash_token(browser),
                nonce=leaving.nonce,
                verifier=verifier.value,
                sealed_with=verifier.key_id,
                request_id=leaving.request_id,
                next_path=next_path,
                created_at=at,
                expires_at=at + LIFE,
            )
        )
    return Going(url)


async def _address(database: Database, provider_id: int, kind: Redirecting, provider: Any, leaving: Leaving) -> str:
    try:
        return await kind.sign_in_address(provider, leaving)
    except ProviderFails as fails:
        async with database.transaction() as session:
            await note(session, provider_id, fails.detail)
        raise


@dataclass(frozen=True, slots=True)
class Returned:
    """A browser that left and came back, with what it left with."""

    state: str
    provider_id: int
    purpose: str
    next_path: str
    nonce: str
    verifier: str
    request_id: str


async def take(session: AsyncSession, provider_id: int, state: str) -> Returned | None:
    """The sign-in this state belongs to, once: whoever comes second finds none. None also for another provider's."""
    row = await session.scalar(
        update(SignInTransaction)
        .where(
            SignInTransaction.state_hash == tokens.hash_token(state),
            SignInTransaction.provider_id == provider_id,
            SignInTransaction.used_at.is_(None),
            SignInTransaction.expires_at > now(),
        )
        .values(used_at=now())
        .returning(SignInTransaction)
    )
    if row is None or row.verifier is None:
        return None
    verifier = keyring().unwrap(WrappedKey(row.sealed_with or "", row.verifier), _about(state)).decode()
    return Returned(state, row.provider_id, row.purpose, row.next_path, row.nonce or "", verifier, row.request_id or "")


async def keep(session: AsyncSession, returned: Returned, proven: Proven) -> str:
    """Let what the provider proved wait for the browser; the ticket with which that fetches it."""
    ticket = random_token("wpt_")
    sealed = _wrap(json.dumps(asdict(proven)).encode(), ticket)
    await session.execute(
        update(SignInTransaction)
        .where(SignInTransaction.state_hash == tokens.hash_token(returned.state))
        .values(
            ticket_hash=tokens.hash_token(ticket),
            outcome=sealed.value,
            sealed_with=sealed.key_id,
            verifier=None,
            expires_at=now() + WAIT,
        )
    )
    return ticket


async def fail(
    database: Database, caller: Caller, provider_id: int, reason: str, error: str, *, is_theirs: bool
) -> None:
    """Write down that a sign-in failed, and, when the provider is to blame, tell who looks after it."""
    async with database.transaction() as session:
        failed = LoginFailed(
            user_id=0, reason=f"{reason}: {error}"[:300], ip_address=caller.ip_address, provider_id=provider_id
        )
        await record(session, failed, actor=System(channel="sign_in"))
        if is_theirs:
            await note(session, provider_id, error)


async def fetch(
    database: Database, ticket: str, browser: str | None, purpose: str, actor: Actor | None = None
) -> tuple[int, Proven]:
    """What waits under a ticket, for the browser it waits for, once. Raises `SignInRefused`."""
    async with database.transaction() as session:
        row: SignInTransaction | None = await session.scalar(
            delete(SignInTransaction)
            .where(
                SignInTransaction.ticket_hash == tokens.hash_token(ticket),
                SignInTransaction.browser_hash == tokens.hash_token(browser or ""),
                SignInTransaction.purpose == purpose,
                SignInTransaction.expires_at > now(),
                *([SignInTransaction.person_id == actor.user_id] if actor else []),
            )
            .returning(SignInTransaction)
        )
        if row is None or row.outcome is None:
            raise SignInRefused
        opened = keyring().unwrap(WrappedKey(row.sealed_with or "", row.outcome), _about(ticket))
        return row.provider_id, msgspec.json.decode(opened, type=Proven)


async def come_in(
    database: Database, caller: Caller, *, ticket: str, browser: str | None
) -> SignedIn | factors.SecondFactorAsked:
    """Finish a sign-in: the person is found, linked or made, and let in, or asked for their second factor.

    Raises `SignInRefused`, `ProviderOff`, `NotLetIn`.
    """
    provider_id, proven = await fetch(database, ticket, browser, SIGN_IN)
    person = person_again(proven.person)
    try:
        async with database.transaction() as session:
            row = await queries.find_provider(session, provider_id)
            if not row.is_on:
                raise ProviderOff
            user = await bring_in(session, row, person, System(channel=row.kind), now())
            await note(session, provider_id, None)
            hint = keyring().wrap(proven.hint.encode(), _hint_of(provider_id)) if proven.hint else None
            is_vouched = proven.is_vouched and row.trusts_second_factor
            ends_at = datetime.fromisoformat(proven.ends_at) if proven.ends_at else None
            came = factors.CameBy(provider_id, proven.session, hint, is_vouched, ends_at)
            return await admit(session, caller, user_id=user.id, method=row.kind, came_by=came)
    except NotLetIn as refused:
        await fail(database, caller, provider_id, refused.reason, person.subject, is_theirs=False)
        raise


async def foresee(database: Database, actor: Actor, *, ticket: str, browser: str | None) -> dict[str, Any]:
    """What a sign-in would do, for the administrator who tried it: everything is done, looked at, and undone."""
    actor.require(Permission.IDENTITY_CONFIGURE)
    provider_id, proven = await fetch(database, ticket, browser, TRY, actor)
    person = person_again(proven.person)
    async with database.transaction() as session:
        row = await queries.find_provider(session, provider_id)
        before = await find(session, provider_id, person.subject)
        had = before.id if before else None
        wanted = await roles_by_map(session, provider_id, person.groups or ())
        outcome, user = await _rehearsed(session, row, person, had)
        await note(session, provider_id, None)
        named = await role_names(session, wanted)
    return {
        "provider_id": provider_id,
        "outcome": outcome,
        "user": user,
        "claims": [{"name": k, "value": _shown(v)} for k, v in sorted(proven.claims.items())],
        "groups": list(person.groups) if person.groups is not None else None,
        "roles": named,
        "is_vouched": proven.is_vouched,
        "email_verified": person.email_verified,
    }


async def _rehearsed(
    session: AsyncSession, row: IdentityProvider, person: ExternalPerson, had: int | None
) -> tuple[str, str | None]:
    undone = await session.begin_nested()
    try:
        user = await bring_in(session, row, person, System(channel=row.kind), now())
        was_there = await session.scalar(
            select(Identity.created_at).where(Identity.provider_id == row.id, Identity.subject == person.subject)
        )
        is_new = user.created_at >= (was_there or now()) - timedelta(seconds=1) and had is None
        outcome = "FOUND" if had is not None else "CREATED" if is_new else "LINKED"
        return outcome, user.username
    except NotLetIn as refused:
        return refused.reason.upper(), None
    finally:
        await undone.rollback()
        session.expire_all()


def _shown(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:500]


async def take_as_own(database: Database, actor: Actor, *, ticket: str, browser: str | None) -> None:
    """Let a provider's person, who has just signed in there, use one's own account. Raises `IdentityTaken`, `SignInRefused`."""
    provider_id, proven = await fetch(database, ticket, browser, LINK, actor)
    async with database.transaction() as session:
        await step_up.require(session, actor)
        row = await queries.find_provider(session, provider_id)
        if not row.is_on:
            raise ProviderOff
        await link(session, row, str(proven.person["subject"]), actor.user_id, actor, now(), by="themselves")


async def is_first_time(session: AsyncSession, provider_id: int, token_id: str) -> bool:
    """Whether a message of a provider comes for the first time; from now on it does not."""
    kept = (
        insert(SeenToken)
        .values(provider_id=provider_id, token_hash=tokens.hash_token(token_id), expires_at=now() + SEEN_KEPT)
        .on_conflict_do_nothing()
        .returning(SeenToken.provider_id)
    )
    return await session.scalar(kept) is not None


async def forget_old(session: AsyncSession) -> None:
    """Remove sign-ins that can lead nowhere any more, and messages that are too old to count a second time."""
    await session.execute(delete(SignInTransaction).where(SignInTransaction.expires_at < now()))
    await session.execute(delete(SeenToken).where(SeenToken.expires_at < now()))


def hint_of(provider_id: int, value: bytes | None, sealed_with: str | None) -> str | None:
    """What a provider wants to see when somebody signs out. Raises `Damaged`."""
    if value is None or sealed_with is None:
        return None
    return keyring().unwrap(WrappedKey(sealed_with, value), _hint_of(provider_id)).decode()


def _hint_of(provider_id: int) -> bytes:
    return f"provider-hint:{provider_id}".encode()


def _wrap(value: bytes, under: str) -> WrappedKey:
    return keyring().wrap(value, _about(under))


def _about(under: str) -> bytes:
    return b"sign-in:" + tokens.hash_token(under)
