"""Setting up a second factor, going on with a sign-in that asks for it, and getting rid of it.

Guesses are counted by person, under a key of their own: only who knows the password comes this far, so nobody can keep
another out by guessing, and however many sign-ins somebody begins, their guesses at the code are counted together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import factors, step_up, throttling, totp
from waypost.access.actor import Actor
from waypost.access.errors import (
    ChallengeOver,
    FactorInUse,
    NothingToConfirm,
    PasswordTooShort,
    TooManyAttempts,
    WrongCode,
)
from waypost.access.events import FactorAdded, FactorRemoved, LoginFailed, RecoveryCodesMade, RecoveryCodeUsed
from waypost.access.models import Credential, RecoveryCode, SignInChallenge, TotpSecret
from waypost.access.queries import actors
from waypost.access.sessions import Caller, SignedIn, start_session
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.settings import get_settings


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app has to be given, once: the secret, and the same as an address and a picture."""

    secret: str
    otpauth_uri: str
    qr_svg: str


async def begin_totp(session: AsyncSession, actor: Actor) -> Enrolment:
    """Make a secret that waits to be confirmed; the one in force stays until then. Raises `StepUpNeeded`."""
    await step_up.require(session, actor)
    secret = totp.new_secret()
    kept = factors.seal(secret, actor.user_id)
    # the person's row is held: two beginnings at once leave one secret, the later one
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())
    await session.execute(
        delete(TotpSecret).where(TotpSecret.user_id == actor.user_id, TotpSecret.confirmed_at.is_(None))
    )
    session.add(
        TotpSecret(user_id=actor.user_id, sealed=kept.value, sealed_with=kept.key_id, last_step=0, created_at=now())
    )
    await session.flush()
    address = totp.uri(secret, actor.username)
    return Enrolment(secret, address, totp.picture(address))


async def confirm_totp(database: Database, caller: Caller, actor: Actor, code: str) -> list[str]:
    """Put the waiting secret into force by a code of it; new recovery codes, told this once.

    Raises `NothingToConfirm`, `TooManyAttempts`, `WrongCode` or `StepUpNeeded`.
    """
    async with database.read() as session:
        await step_up.require(session, actor)
    await _count(database, caller, actor.user_id)
    at = now()
    async with database.transaction() as session:
        waiting = await session.scalar(
            select(TotpSecret)
            .where(TotpSecret.user_id == actor.user_id, TotpSecret.confirmed_at.is_(None))
            .with_for_update()
        )
        if waiting is None:
            raise NothingToConfirm
        step = totp.step_of(factors.unseal(waiting), _typed(code), at, after=0)
        if step is not None:
            await session.execute(
                delete(TotpSecret).where(TotpSecret.user_id == actor.user_id, TotpSecret.id != waiting.id)
            )
            waiting.confirmed_at, waiting.last_step = at, step
            await session.flush()
            codes = await new_recovery_codes(session, actor, at)
            await _forgive(session, caller, actor.user_id)
            await record(session, FactorAdded(user_id=actor.user_id, factor=factors.TOTP), actor=actor, at=at)
    if step is None:
        raise _wrong()
    actors.forget(actor.session_id or 0)
    return codes


async def remove_totp(session: AsyncSession, actor: Actor) -> None:
    """Do without the authenticator app, and void the recovery codes. Raises `StepUpNeeded` or `FactorInUse`."""
    await step_up.require(session, actor)
    if not await factors.has_passkey(session, actor.user_id):
        await check_not_needed(session, actor)
    had = await session.execute(
        delete(TotpSecret).where(TotpSecret.user_id == actor.user_id).returning(TotpSecret.confirmed_at)
    )
    was_in_force = any(confirmed is not None for confirmed in had.scalars())
    await factors.void_unneeded_codes(session, actor.user_id)
    if was_in_force:
        await record(session, FactorRemoved(user_id=actor.user_id, factor=factors.TOTP), actor=actor)


async def renew_recovery_codes(session: AsyncSession, actor: Actor) -> list[str]:
    """New recovery codes in place of those before. Raises `StepUpNeeded`, or `NothingToConfirm` without a factor."""
    await step_up.require(session, actor)
    if not await factors.methods_of(session, actor.user_id):
        raise NothingToConfirm
    return await new_recovery_codes(session, actor, now())


async def check_not_needed(session: AsyncSession, actor: Actor) -> None:
    """Raises `FactorInUse` when a role of theirs needs the last factor they have, `PasswordTooShort` when the password does."""
    if await session.scalar(select(Credential.is_short).where(Credential.user_id == actor.user_id)):
        raise PasswordTooShort
    if await factors.roles_that_need_one(session, actor.user_id):
        raise FactorInUse


async def new_recovery_codes(session: AsyncSession, actor: Actor, at: datetime) -> list[str]:
    """New codes; those before are void."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == actor.user_id))
    codes = totp.new_recovery_codes()
    session.add_all(
        RecoveryCode(user_id=actor.user_id, code_hash=totp.hash_recovery_code(code), created_at=at) for code in codes
    )
    await session.flush()
    await record(session, RecoveryCodesMade(user_id=actor.user_id), actor=actor, at=at)
    return codes


async def go_on(database: Database, caller: Caller, *, token: str, code: str) -> SignedIn:
    """Finish a sign-in with a code of the authenticator app, or a recovery code.

    A code, a recovery code and the token each open once, also when two try at the same instant. Raises `ChallengeOver`,
    `TooManyAttempts` or `WrongCode`.
    """
    live = factors.waits_under(token, now())
    async with database.read() as session:
        user_id = await session.scalar(
            select(SignInChallenge.user_id).join(User, User.id == SignInChallenge.user_id).where(*live, User.is_active)
        )
    if user_id is None:
        await count_address(database, caller)
        raise ChallengeOver
    await _count(database, caller, user_id)
    at = now()
    async with database.transaction() as session:
        challenge = await session.scalar(select(SignInChallenge).where(*live).with_for_update())
        if challenge is None:
            raise ChallengeOver
        method = await _take(session, user_id, _typed(code), at)
        if method is not None:
            challenge.used_at = at
            await _forgive(session, caller, user_id)
            way = f"{challenge.method}+{method}"
            return await start_session(session, caller, user_id=user_id, method=way, came_by=factors.came_by(challenge))
        await throttling.count_try(
            session, throttling.address(caller.network), get_settings().login_attempts_per_address
        )
        failed = LoginFailed(user_id=user_id, reason="wrong_code", ip_address=caller.ip_address)
        await record(session, failed, actor=SYSTEM, at=at)
    raise _wrong()


async def _take(session: AsyncSession, user_id: int, code: str, at: datetime) -> str | None:
    """What of theirs a code was, used up in the same statement that found it unused; None when it was nothing."""
    if await take_totp(session, user_id, code, at):
        return factors.TOTP
    used = await session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == totp.hash_recovery_code(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCode.id)
    )
    if used is None:
        return None
    left = await factors.codes_left(session, user_id)
    person = Actor(user_id=user_id, username="", session_id=None, permissions={})
    await record(session, RecoveryCodeUsed(user_id=user_id, left=left), actor=person, at=at)
    return factors.RECOVERY


async def take_totp(session: AsyncSession, user_id: int, code: str, at: datetime) -> bool:
    """Whether a code is right and was not taken before; then nobody can use it again."""
    row = await session.scalar(
        select(TotpSecret).where(TotpSecret.user_id == user_id, TotpSecret.confirmed_at.is_not(None)).with_for_update()
    )
    if row is None:
        return False
    step = totp.step_of(factors.unseal(row), code, at, after=row.last_step)
    if step is None:
        return False
    row.last_step = step
    await session.flush()
    return True


async def _is_totp(database: Database, user_id: int, proof: str) -> bool:
    async with database.transaction() as session:
        return await take_totp(session, user_id, _typed(proof), now())


step_up.register(step_up.Factor(factors.TOTP, "code", factors.has_totp, _is_totp))


def _typed(code: str) -> str:
    return "".join(code.split())


def _wrong() -> WrongCode:
    return WrongCode(errors=(FieldError("/code", "is not right, has been used, or is too old"),))


def _key(user_id: int) -> str:
    return f"factor:{user_id}"


async def _count(database: Database, caller: Caller, user_id: int) -> None:
    """Count a try before it is looked at. Raises `TooManyAttempts`."""
    key, address = _key(user_id), throttling.address(caller.network)
    async with database.transaction() as session:
        waiting = await throttling.seconds_to_wait(session, [key, address], now())
        if not waiting:
            waiting = await throttling.count_try(session, key, get_settings().login_attempts)
        if waiting:
            failed = LoginFailed(user_id=user_id, reason="paused", ip_address=caller.ip_address)
            await record(session, failed, actor=SYSTEM)
    if waiting:
        raise TooManyAttempts(retry_after=waiting, policy=throttling.policy())


async def count_address(database: Database, caller: Caller) -> None:
    """Count a try nobody is known of. Raises `TooManyAttempts`."""
    address = throttling.address(caller.network)
    async with database.transaction() as session:
        waiting = await throttling.count_try(session, address, get_settings().login_attempts_per_address)
    if waiting:
        raise TooManyAttempts(retry_after=waiting, policy=throttling.policy())


async def _forgive(session: AsyncSession, caller: Caller, user_id: int) -> None:
    await throttling.forgive(session, _key(user_id), throttling.address(caller.network))
