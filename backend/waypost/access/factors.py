"""Which second factors somebody has, and the sign-in that waits for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import tokens
from waypost.access.models import (
    Passkey,
    PasskeyChallenge,
    RecoveryCode,
    Role,
    SignInChallenge,
    TotpSecret,
    UserRole,
    held,
)
from waypost.kernel.crypto import WrappedKey, keyring
from waypost.kernel.ids import random_token

TOTP = "totp"
PASSKEY = "passkey"
RECOVERY = "recovery_code"
CHALLENGE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CameBy:
    """The identity provider somebody came by: what it calls their sign-in, and, sealed, what signing out there wants.

    `is_vouched`: it asked for a second factor and is trusted with that, so that none is asked for here. `ends_at`: the
    sign-in there is over then, and so is the one here.
    """

    provider_id: int
    session: str | None = None
    hint: WrappedKey | None = None
    is_vouched: bool = False
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SecondFactorAsked:
    """The first factor was right: with this token and one of these methods the sign-in goes on."""

    token: str
    methods: list[str]


async def has_totp(session: AsyncSession, user_id: int) -> bool:
    """Whether an authenticator app of theirs is in force."""
    return await totp_since(session, user_id) is not None


async def totp_since(session: AsyncSession, user_id: int) -> datetime | None:
    """Since when an authenticator app of theirs is in force; None without one."""
    return await session.scalar(
        select(TotpSecret.confirmed_at).where(TotpSecret.user_id == user_id, TotpSecret.confirmed_at.is_not(None))
    )


def waits_under(token: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is true of the sign-in that waits under this token, while it does."""
    return (
        SignInChallenge.token_hash == tokens.hash_token(token),
        SignInChallenge.used_at.is_(None),
        SignInChallenge.expires_at > at,
    )


async def has_passkey(session: AsyncSession, user_id: int) -> bool:
    """Whether they have a passkey."""
    return bool(await session.scalar(select(exists().where(Passkey.user_id == user_id))))


async def methods_of(session: AsyncSession, user_id: int) -> list[str]:
    """With what somebody can go on after their password, the safest first; nothing when it is enough."""
    had = {PASSKEY: await has_passkey(session, user_id), TOTP: await has_totp(session, user_id)}
    methods = [name for name, is_had in had.items() if is_had]
    return [*methods, RECOVERY] if methods and await codes_left(session, user_id) else methods


async def void_unneeded_codes(session: AsyncSession, user_id: int) -> None:
    """Without any factor there is nothing to recover."""
    if not await has_totp(session, user_id) and not await has_passkey(session, user_id):
        await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


async def codes_left(session: AsyncSession, user_id: int) -> int:
    """How many recovery codes have not been used."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return int(await session.scalar(unused) or 0)


async def roles_that_need_one(session: AsyncSession, user_id: int) -> list[str]:
    """The names of somebody's roles that need a second factor."""
    statement = (
        select(Role.name)
        .join(UserRole, UserRole.role_id == Role.id)
        .where(UserRole.user_id == user_id, Role.needs_second_factor, held())
        .order_by(Role.name)
    )
    return list(await session.scalars(statement))


async def ask(
    session: AsyncSession, user_id: int, methods: list[str], *, method: str, at: datetime, came_by: CameBy | None = None
) -> SecondFactorAsked:
    """Let a sign-in wait for its second factor."""
    hint = came_by.hint if came_by else None
    token = random_token("wpm_")
    session.add(
        SignInChallenge(
            token_hash=tokens.hash_token(token),
            user_id=user_id,
            method=method,
            created_at=at,
            expires_at=at + CHALLENGE_LIFE,
            provider_id=came_by.provider_id if came_by else None,
            provider_session=came_by.session if came_by else None,
            provider_hint=hint.value if hint else None,
            provider_hint_sealed_with=hint.key_id if hint else None,
            provider_ends_at=came_by.ends_at if came_by else None,
        )
    )
    await session.flush()
    return SecondFactorAsked(token, methods)


def came_by(challenge: SignInChallenge) -> CameBy | None:
    """The provider by which a sign-in that waits came, if it did."""
    if challenge.provider_id is None:
        return None
    hint = None
    if challenge.provider_hint is not None and challenge.provider_hint_sealed_with is not None:
        hint = WrappedKey(challenge.provider_hint_sealed_with, challenge.provider_hint)
    return CameBy(challenge.provider_id, challenge.provider_session, hint, ends_at=challenge.provider_ends_at)


async def forget_old_challenges(session: AsyncSession, at: datetime) -> None:
    """Those that can lead nowhere any more."""
    await session.execute(delete(SignInChallenge).where(SignInChallenge.expires_at < at - CHALLENGE_LIFE))
    await session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < at - CHALLENGE_LIFE))


def seal(secret: str, user_id: int) -> WrappedKey:
    """A secret as it is kept."""
    return keyring().wrap(secret.encode(), _about(user_id))


def unseal(row: TotpSecret) -> str:
    """The secret again. Raises `Damaged`."""
    return keyring().unwrap(WrappedKey(row.sealed_with, row.sealed), row.about).decode()


def _about(user_id: int) -> bytes:
    return f"totp:{user_id}".encode()
