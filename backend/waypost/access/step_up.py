"""Step-up: who is signed in shows once more, a moment before something that matters, that it is still them.

The factors there are register themselves here (`register`), so that one more needs no change where proofs are asked for:
whoever asks calls `require`, and gets `StepUpNeeded` with the factors the person can use. Signing in is a proof too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import passwords, throttling
from waypost.access.actor import Actor
from waypost.access.errors import SessionEnded, StepUpNeeded, TokensRenewed, TooManyAttempts, UnknownFactor, WrongProof
from waypost.access.events import StepUpDone, StepUpFailed
from waypost.access.models import Credential, LoginSession
from waypost.access.sessions import Caller, SignedIn, ends_as_copied, renew_by_proof
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError
from waypost.kernel.events import record
from waypost.kernel.settings import get_settings

MAX_AGE = timedelta(minutes=5)
PASSWORD = "password"  # noqa: S105 - a factor's name


@dataclass(frozen=True, slots=True)
class Factor:
    """A way to show who one is. `member` names what of the request's body holds the proof.

    `is_had` says whether a person can use it, `verify` whether a proof of theirs is right; no session is open meanwhile.
    """

    name: str
    member: str
    is_had: Callable[[AsyncSession, int], Awaitable[bool]]
    verify: Callable[[Database, int, str], Awaitable[bool]]


_factors: dict[str, Factor] = {}


def register(factor: Factor) -> None:
    """Let people use a factor. Called once for each, when its module is loaded."""
    _factors[factor.name] = factor


async def _has_password(session: AsyncSession, user_id: int) -> bool:
    return bool(await session.scalar(select(exists().where(Credential.user_id == user_id))))


async def _is_password(database: Database, user_id: int, proof: str) -> bool:
    async with database.read() as session:
        kept = await session.scalar(select(Credential.password_hash).where(Credential.user_id == user_id))
    return await passwords.verify_password(kept, proof)


register(Factor(PASSWORD, "password", _has_password, _is_password))


async def factors_of(session: AsyncSession, user_id: int) -> list[str]:
    """The names of the factors a person can use: second ones when they have any."""
    had = [f.name for f in _factors.values() if await f.is_had(session, user_id)]
    # a password alone does not show more than the session did, for somebody who has something better
    return [name for name in had if name != PASSWORD] or had


async def valid_until(session: AsyncSession, actor: Actor) -> datetime | None:
    """Until when this sign-in counts as proven; None when it does not now. Without a session nothing is proven."""
    proved = await session.scalar(
        select(LoginSession.proved_at).where(
            LoginSession.id == actor.session_id,
            LoginSession.user_id == actor.user_id,
            LoginSession.ended_at.is_(None),
        )
    )
    return proved + MAX_AGE if proved is not None and proved + MAX_AGE > now() else None


async def require(session: AsyncSession, actor: Actor) -> None:
    """Raises `StepUpNeeded` for who has not shown within the last minutes, in this session, that it is them.

    Raises `SessionEnded` as `refuse` does.
    """
    if await valid_until(session, actor) is None:
        await refuse(session, actor)


async def refuse(session: AsyncSession, actor: Actor) -> NoReturn:
    """Raises `StepUpNeeded`, with what this person can confirm it with.

    Raises `SessionEnded` when the session was ended a moment ago and its token is still taken: nothing proves it again.
    """
    lives = exists().where(LoginSession.id == actor.session_id, LoginSession.ended_at.is_(None))
    if actor.session_id is not None and not await session.scalar(select(lives)):
        raise SessionEnded
    seconds = int(MAX_AGE.total_seconds())
    raise StepUpNeeded(factors=await factors_of(session, actor.user_id), max_age_seconds=seconds)


async def proven_by(session: AsyncSession, actor: Actor) -> str:
    """With what this session last showed that it is them (`password`, `password+totp`, `passkey`); "" when that was not
    kept. Raises `StepUpNeeded` as `require` does.
    """
    await require(session, actor)
    return await last_proof(session, actor) or ""


async def last_proof(session: AsyncSession, actor: Actor) -> str | None:
    """With what this session last showed it, however long ago; None when that was not kept."""
    found = select(LoginSession.proved_by).where(LoginSession.id == actor.session_id)
    return (await session.execute(found)).scalar_one_or_none()


async def prove(
    database: Database, caller: Caller, actor: Actor, name: str, proofs: Mapping[str, str]
) -> tuple[datetime, SignedIn | None]:
    """Renew the proof of this session by a factor; until when it counts, and the browser's new tokens.

    Tries are counted as those of signing in are, against the person and the address, before the proof is looked at.
    Raises `UnknownFactor`, `TooManyAttempts`, `WrongProof`; `TokensRenewed` when another tab has done this a moment ago;
    or `SessionEnded` when the page shows a token that was used before: then somebody else has a newer one, and would get
    what is proven here.
    """
    async with database.read() as session:
        had = await factors_of(session, actor.user_id)
    if name not in had:
        raise UnknownFactor(errors=(FieldError("/factor", "is none of yours"),), factors=had)
    factor = _factors[name]
    async with database.transaction() as session:  # before a code is used up
        is_copied = await ends_as_copied(session, actor, caller.refresh, now())
    if is_copied:  # the end is committed before the refusal is told
        raise SessionEnded
    await _try(database, caller, actor, factor, proofs.get(factor.member, ""), pointer=f"/{factor.member}")
    at = now()
    renewed: SignedIn | None = None
    overtaken: TokensRenewed | None = None
    async with database.transaction() as session:
        await session.execute(
            update(LoginSession)
            .where(LoginSession.id == actor.session_id, LoginSession.user_id == actor.user_id)
            .values(proved_at=at, proved_by=name)
        )
        try:
            renewed = await renew_by_proof(session, actor, caller.refresh, at)
        except TokensRenewed as meanwhile:
            overtaken = meanwhile  # a code was used up for it: it counts, though the tokens are another tab's
        await _record_success(session, caller, actor, name, at)
    if overtaken is not None:
        raise overtaken
    return at + MAX_AGE, renewed


async def check_password(database: Database, caller: Caller, actor: Actor, password: str, *, pointer: str) -> None:
    """That this is one's password; it proves nothing else. Raises `TooManyAttempts` or `WrongProof`."""
    await _try(database, caller, actor, _factors[PASSWORD], password, pointer=pointer)


async def _try(database: Database, caller: Caller, actor: Actor, factor: Factor, proof: str, *, pointer: str) -> None:
    # Only who is signed in comes this far: strangers who guess at the door are counted elsewhere, and pause nobody here.
    account, address = f"proof:{actor.user_id}", throttling.address(caller.network)
    async with database.transaction() as session:
        waiting = await throttling.seconds_to_wait(session, [account, address], now())
        if not waiting:
            waiting = await throttling.count_try(session, account, get_settings().login_attempts)
        if waiting:
            await _record_failure(session, caller, actor, factor.name, "paused")
    if waiting:
        raise TooManyAttempts(retry_after=waiting, policy=throttling.policy())
    right = await factor.verify(database, actor.user_id, proof)
    async with database.transaction() as session:
        if right:
            await throttling.forgive(session, account, address)
        else:
            await throttling.count_try(session, address, get_settings().login_attempts_per_address)
            await _record_failure(session, caller, actor, factor.name, "wrong")
    if not right:
        raise WrongProof(errors=(FieldError(pointer, "is not right"),))


async def _record_success(session: AsyncSession, caller: Caller, actor: Actor, factor: str, at: datetime) -> None:
    done = StepUpDone(
        user_id=actor.user_id, session_id=actor.session_id or 0, factor=factor, ip_address=caller.ip_address
    )
    await record(session, done, actor=actor, at=at)


async def _record_failure(session: AsyncSession, caller: Caller, actor: Actor, factor: str, reason: str) -> None:
    failed = StepUpFailed(
        user_id=actor.user_id,
        session_id=actor.session_id or 0,
        factor=factor,
        reason=reason,
        ip_address=caller.ip_address,
    )
    await record(session, failed, actor=actor)
