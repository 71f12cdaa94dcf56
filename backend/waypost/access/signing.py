"""Signing for something: a passkey confirms that it is oneself for exactly this, and what it answered is kept.

Whoever asks hands in statements; here they are opaque. The number the device signs holds their hash
(`assertions.challenge_for`), is good for five minutes, for this person, and once.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import passkeys
from waypost.access.actor import Actor
from waypost.access.assertions import NONCE, Assertion, algorithm_of, challenge_for, hash_of, wrong_with
from waypost.access.errors import NoPasskeysHere, PasskeyRefused, SignatureRefused
from waypost.access.events import StepUpFailed
from waypost.access.factors import PASSKEY
from waypost.access.models import PasskeyChallenge
from waypost.access.sessions import Caller
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError
from waypost.kernel.events import record

SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Offered:
    """What a browser sends of a signature: where it was made, and what the device answered."""

    origin: str | None
    credential: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """Statements a person signed with a passkey of theirs; `passkey` is what they call it."""

    statements: tuple[str, ...]
    assertion: Assertion
    passkey: str

    @property
    def hashes(self) -> tuple[str, ...]:
        """The hashes that were signed, sorted."""
        return tuple(sorted(hash_of(s) for s in self.statements))


async def ask(session: AsyncSession, actor: Actor, origin: str | None, statements: Sequence[str]) -> dict[str, Any]:
    """What a browser needs to let a device sign these statements; what they were asked before is over.

    Raises `NoPasskeysHere`.
    """
    await session.execute(
        delete(PasskeyChallenge).where(PasskeyChallenge.user_id == actor.user_id, PasskeyChallenge.purpose == SIGN)
    )
    return await passkeys.ask(
        session,
        passkeys.here(origin),
        SIGN,
        user_id=actor.user_id,
        challenge=challenge_for(statements, secrets.token_bytes(NONCE)),
        statements=list(statements),
    )


async def take(session: AsyncSession, actor: Actor, offered: Offered) -> Signed:
    """What this person signed with this; it counts once. Raises `SignatureRefused`."""
    try:
        at_address = passkeys.here(offered.origin)
        key, waiting = await passkeys.verify(session, at_address, offered.credential, SIGN, actor.user_id)
        answered = {
            member: passkeys.decoded(offered.credential["response"][member])
            for member in ("authenticatorData", "clientDataJSON", "signature")
        }
        assertion = Assertion(
            credential_id=key.credential_id,
            public_key=key.public_key,
            authenticator_data=answered["authenticatorData"],
            client_data=answered["clientDataJSON"],
            signature=answered["signature"],
            sign_count=key.sign_count,
            rp_id=at_address.rp_id,
            algorithm=algorithm_of(key.public_key),
        )
    except (PasskeyRefused, NoPasskeysHere) as wrong:
        raise SignatureRefused(errors=(FieldError("/signature", "is not right"),)) from wrong
    signed = Signed(tuple(waiting.statements or ()), assertion, key.name)
    if wrong_with(assertion, signed.hashes):  # what could not be checked later is not taken
        raise SignatureRefused(errors=(FieldError("/signature", "is not right"),))
    return signed


async def note_refused(database: Database, caller: Caller, actor: Actor) -> None:
    """Record that somebody came with a signature that is none."""
    failed = StepUpFailed(
        user_id=actor.user_id,
        session_id=actor.session_id or 0,
        factor=PASSKEY,
        reason="wrong",
        ip_address=caller.ip_address,
    )
    async with database.transaction() as session:
        await record(session, failed, actor=actor)
