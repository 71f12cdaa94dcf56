"""Passkeys (W3C Web Authentication, Level 3): a device signs that its owner is there, and that they showed it to the device.

Because the owner unlocked it (user verification), a passkey is both factors at once: with it one signs in without a
password, goes on after one, and confirms what weighs more. A challenge is signed once, for the purpose and the person it
was made for, and soon. A device signs for one address only, so a copied page gets nothing.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from cryptography.exceptions import UnsupportedAlgorithm
from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from waypost.access import factors, second_factor, step_up, tokens
from waypost.access.actor import Actor
from waypost.access.errors import (
    ChallengeOver,
    NoPasskeysHere,
    PasskeyNotFound,
    PasskeyRefused,
    TooManyPasskeys,
)
from waypost.access.events import FactorAdded, FactorRemoved, LoginFailed
from waypost.access.models import Passkey, PasskeyChallenge, SignInChallenge
from waypost.access.queries import actors
from waypost.access.sessions import Caller, SignedIn, start_session
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.settings import get_settings

REGISTER, SIGN_IN, SECOND, STEP_UP = "register", "sign_in", "second", "step_up"
CHALLENGE_LIFE = timedelta(minutes=5)
MOST = 20  # of one person
HANDLE = 32
NAME = "Waypost"


@dataclass(frozen=True, slots=True)
class Here:
    """The address people are at, and the name devices know it by."""

    origin: str
    rp_id: str


def here(origin: str | None) -> Here:
    """The address a request comes from, when it is ours. Raises `NoPasskeysHere` for one without a name (a number).

    On a developer's own machine `localhost` is ours as well as its number.
    """
    own = urlsplit(get_settings().origin)
    allowed = {get_settings().origin}
    if _is_loopback(own.hostname or ""):
        allowed.add(f"{own.scheme}://localhost{f':{own.port}' if own.port else ''}")
    found = origin if origin in allowed else get_settings().origin
    host = urlsplit(found).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return Here(found, host)
    raise NoPasskeysHere


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- one's own --------------------------------------------------------------------------------------------------------


async def begin(session: AsyncSession, actor: Actor, at_address: Here) -> dict[str, Any]:
    """What a browser needs to make a passkey. Raises `StepUpNeeded` or `TooManyPasskeys`."""
    await step_up.require(session, actor)
    mine = list(await session.scalars(select(Passkey).where(Passkey.user_id == actor.user_id)))
    if len(mine) >= MOST:
        raise TooManyPasskeys
    user = (await session.scalars(select(User).where(User.id == actor.user_id))).one()
    handle = mine[0].handle if mine else secrets.token_bytes(HANDLE)
    options = webauthn.generate_registration_options(
        rp_id=at_address.rp_id,
        rp_name=NAME,
        user_id=handle,
        user_name=user.username,
        user_display_name=user.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=key.credential_id) for key in mine],
    )
    await _keep(session, options.challenge, REGISTER, actor.user_id, handle)
    found: dict[str, Any] = options_to_json_dict(options)
    return found


async def add(
    session: AsyncSession, actor: Actor, at_address: Here, *, name: str, credential: dict[str, Any]
) -> tuple[Passkey, list[str] | None]:
    """Keep a passkey; with somebody's first factor come recovery codes. Raises `PasskeyRefused` or `StepUpNeeded`."""
    await step_up.require(session, actor)
    waiting = await _take(session, credential, REGISTER, actor.user_id)
    challenge = _challenge_of(credential)
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=at_address.rp_id,
            expected_origin=at_address.origin,
            require_user_verification=True,
        )
    except _WRONG as wrong:
        raise PasskeyRefused from wrong
    at = now()
    # the person's row is held, so that two at once are counted one after the other
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())
    if int(await session.scalar(select(func.count()).where(Passkey.user_id == actor.user_id)) or 0) >= MOST:
        raise TooManyPasskeys
    if await _passkey(session, made.credential_id) is not None:
        raise PasskeyRefused
    row = Passkey(
        user_id=actor.user_id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        handle=waiting.handle or b"",
        sign_count=made.sign_count,
        transports=",".join(credential["response"].get("transports") or ())[:100],
        is_synced=made.credential_backed_up,
        name=name,
        created_at=at,
    )
    session.add(row)
    await session.flush()
    has_codes = await factors.codes_left(session, actor.user_id)
    codes = None if has_codes else await second_factor.new_recovery_codes(session, actor, at)
    await record(session, FactorAdded(user_id=actor.user_id, factor=factors.PASSKEY), actor=actor, at=at)
    actors.forget(actor.session_id or 0)
    return row, codes


async def remove(session: AsyncSession, actor: Actor, passkey_id: int) -> None:
    """Do without one. Raises `PasskeyNotFound`, `FactorInUse` or `StepUpNeeded`."""
    await step_up.require(session, actor)
    mine = (Passkey.user_id == actor.user_id, Passkey.id == passkey_id)
    if await session.scalar(delete(Passkey).where(*mine).returning(Passkey.id)) is None:
        raise PasskeyNotFound
    if not await factors.has_totp(session, actor.user_id) and not await factors.has_passkey(session, actor.user_id):
        await second_factor.check_not_needed(session, actor)
    await factors.void_unneeded_codes(session, actor.user_id)
    await record(session, FactorRemoved(user_id=actor.user_id, factor=factors.PASSKEY), actor=actor)


async def passkeys_of(session: AsyncSession, user_id: int) -> list[Passkey]:
    """Somebody's passkeys, oldest first; at most `MOST`."""
    return list(await session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


# --- using them -------------------------------------------------------------------------------------------------------


async def ask(
    session: AsyncSession,
    at_address: Here,
    purpose: str,
    *,
    user_id: int | None = None,
    challenge: bytes | None = None,
    statements: list[str] | None = None,
) -> dict[str, Any]:
    """What a browser needs to let a device sign; of somebody known only their own devices are asked.

    `challenge` is the number to sign, a random one by default; `statements` are kept with it until it was signed.
    """
    mine = await passkeys_of(session, user_id) if user_id is not None else []
    options = webauthn.generate_authentication_options(
        rp_id=at_address.rp_id,
        allow_credentials=[PublicKeyCredentialDescriptor(id=key.credential_id) for key in mine] or None,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    await _keep(session, options.challenge, purpose, user_id, None, statements)
    found: dict[str, Any] = options_to_json_dict(options)
    return found


async def waiting_person(session: AsyncSession, token: str) -> int:
    """Whose sign-in waits under this token. Raises `ChallengeOver`."""
    user_id = await session.scalar(
        select(SignInChallenge.user_id).where(*factors.waits_under(token, now())).with_for_update()
    )
    if user_id is None:
        raise ChallengeOver
    return user_id


async def sign_in(
    database: Database, caller: Caller, at_address: Here, credential: dict[str, Any], token: str | None
) -> SignedIn:
    """Sign in with a passkey alone, or finish a sign-in that waits. Works however often others guessed a password.

    Raises `PasskeyRefused`, `ChallengeOver` or `TooManyAttempts`.
    """
    failed_for = 0
    try:
        async with database.transaction() as session:
            waiting = await waiting_person(session, token) if token else None
            key, _ = await verify(session, at_address, credential, SECOND if token else SIGN_IN, waiting)
            failed_for = key.user_id
            is_active = await session.scalar(select(User.is_active).where(User.id == key.user_id))
            if not is_active:
                raise PasskeyRefused
            method, came_by = factors.PASSKEY, None
            if token:
                challenge = await session.get(SignInChallenge, tokens.hash_token(token))
                if challenge is None:
                    raise ChallengeOver
                challenge.used_at = now()
                method, came_by = f"{challenge.method}+{method}", factors.came_by(challenge)
            return await start_session(session, caller, user_id=key.user_id, method=method, came_by=came_by)
    except PasskeyRefused:
        async with database.transaction() as session:
            failed = LoginFailed(user_id=failed_for, reason="passkey_refused", ip_address=caller.ip_address)
            await record(session, failed, actor=SYSTEM)
        await second_factor.count_address(database, caller)
        raise


async def verify(
    session: AsyncSession, at_address: Here, credential: dict[str, Any], purpose: str, user_id: int | None
) -> tuple[Passkey, PasskeyChallenge]:
    """The passkey that signed, its use counted, and the challenge it signed, gone with this. Raises `PasskeyRefused`."""
    waiting = await _take(session, credential, purpose, user_id)
    key = await _passkey(session, decoded(credential["rawId"]), is_locked=True)
    handle = credential["response"].get("userHandle")
    if key is None or (user_id is not None and key.user_id != user_id) or (handle and decoded(handle) != key.handle):
        raise PasskeyRefused
    try:
        signed = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=_challenge_of(credential),
            expected_rp_id=at_address.rp_id,
            expected_origin=at_address.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except _WRONG as wrong:
        raise PasskeyRefused from wrong
    key.sign_count, key.used_at, key.is_synced = signed.new_sign_count, now(), signed.credential_backed_up
    await session.flush()
    return key, waiting


async def _is_signed(database: Database, user_id: int, proof: str) -> bool:
    given = json.loads(proof)
    try:
        async with database.transaction() as session:
            await verify(session, here(given.pop("origin", None)), given, STEP_UP, user_id)
    except (PasskeyRefused, NoPasskeysHere):
        return False
    return True


step_up.register(step_up.Factor(factors.PASSKEY, "credential", factors.has_passkey, _is_signed))


_WRONG = (WebAuthnException, ValueError, KeyError, TypeError, UnsupportedAlgorithm)


async def _keep(
    session: AsyncSession,
    challenge: bytes,
    purpose: str,
    user_id: int | None,
    handle: bytes | None,
    statements: list[str] | None = None,
) -> None:
    hashed = tokens.hash_token(challenge.hex())
    expires: datetime = now() + CHALLENGE_LIFE
    session.add(
        PasskeyChallenge(
            challenge_hash=hashed,
            user_id=user_id,
            purpose=purpose,
            handle=handle,
            statements=statements,
            expires_at=expires,
        )
    )
    await session.flush()


async def _take(
    session: AsyncSession, credential: dict[str, Any], purpose: str, user_id: int | None
) -> PasskeyChallenge:
    """The challenge that was signed, gone with this. Raises `PasskeyRefused`."""
    wanted = PasskeyChallenge.challenge_hash == tokens.hash_token(_challenge_of(credential).hex())
    row: PasskeyChallenge | None = await session.scalar(
        delete(PasskeyChallenge).where(wanted).returning(PasskeyChallenge)
    )
    if row is None or row.purpose != purpose or row.user_id != user_id or row.expires_at <= now():
        raise PasskeyRefused
    return row


async def _passkey(session: AsyncSession, credential_id: bytes, *, is_locked: bool = False) -> Passkey | None:
    # by the index, which is of a digest: an id may be a kilobyte long
    digest = text("md5(credential_id) = md5(CAST(:wanted AS bytea))").bindparams(wanted=credential_id)
    wanted = select(Passkey).where(digest, Passkey.credential_id == credential_id)
    return await session.scalar(wanted.with_for_update() if is_locked else wanted)


def _challenge_of(credential: dict[str, Any]) -> bytes:
    """The challenge a device says it signed. Raises `PasskeyRefused`."""
    try:
        said = json.loads(decoded(credential["response"]["clientDataJSON"]))
        return base64url_to_bytes(said["challenge"])
    except (*_WRONG, RecursionError) as wrong:
        raise PasskeyRefused from wrong


def decoded(written: str) -> bytes:
    """What a device wrote in base64url. Raises `PasskeyRefused`."""
    try:
        return base64url_to_bytes(written)
    except ValueError as wrong:
        raise PasskeyRefused from wrong
