"""Confirming a decision: by a passkey's signature of exactly it, kept beside it, or by what else counts as a step-up.

A signature is of one decision, or of a list of them given at once. Nothing but the very statement of this decision counts:
what reads otherwise by now, or was signed for another, is refused. What is laid before people to sign: `offering.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import signing
from waypost.access.actor import Actor
from waypost.access.errors import SignatureRefused
from waypost.access.factors import PASSKEY
from waypost.access.signing import Offered, Signed
from waypost.approvals import step_up
from waypost.approvals.events import DecisionSigned
from waypost.approvals.models import ApprovalWorkflow
from waypost.approvals.signature_models import ApprovalSignature
from waypost.approvals.statements import Deed, Record, record_hash, statement
from waypost.kernel.errors import FieldError
from waypost.kernel.events import record
from waypost.kernel.settings import get_settings

Signature = Offered | Signed | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """How somebody showed that it is them: None where nothing was asked and nothing given. A signature has its statement."""

    by: str | None
    deed: Deed
    signed: Signed | None = None
    statement: str = ""


def deed_of(
    actor: Actor,
    row: ApprovalWorkflow,
    decision: str,
    *,
    words: str,
    step_id: int | None = None,
    approver_id: int | None = None,
    to: int | None = None,
) -> Deed:
    """A decision as it is signed. `approver_id` is the one who is asked; the subject's own version and the time are added
    when it is laid before somebody."""
    return Deed(
        decision=decision,
        workflow_id=row.id,
        step_id=step_id,
        version=row.subject_version,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        subject_version=0,
        content=row.subject,
        words=words.strip(),
        approver_id=actor.user_id,
        in_place_of=None if approver_id == actor.user_id else approver_id,
        to=to,
        installation=get_settings().origin,
        at="",
    )


async def confirm(
    session: AsyncSession, actor: Actor, row: ApprovalWorkflow, deed: Deed, signature: Signature, *, is_asked: bool
) -> Confirmed:
    """Whether it is them, before they decide this. The signature is taken where one is given.

    Raises `SignatureRefused`, or, without one, `StepUpNeeded` where `is_asked` and it was not shown.
    """
    if signature is None:
        return Confirmed(await step_up.require(session, actor, row) if is_asked else None, deed)
    signed = await signing.take(session, actor, signature) if isinstance(signature, Offered) else signature
    text = next((s for s in signed.statements if _is_of(s, deed)), None)
    if text is None:
        raise SignatureRefused(errors=(FieldError("/signature", "is of something else"),))
    return Confirmed(PASSKEY, deed, signed, text)


def _is_of(text: str, deed: Deed) -> bool:
    said = json.loads(text)  # ours: it was kept here, with the number that was signed
    return statement(replace(deed, at=said["at"], subject_version=said["subject"]["version"])) == text


async def keep(session: AsyncSession, actor: Actor, confirmed: Confirmed, at: datetime) -> None:
    """Keep the signature beside the decision, with its hash in the trail; nothing where there is none."""
    if confirmed.signed is None:
        return
    deed, signed = confirmed.deed, confirmed.signed
    kept = Record(
        decision=deed.decision,
        workflow_id=deed.workflow_id,
        step_id=deed.step_id,
        subject_type=deed.subject_type,
        subject_id=deed.subject_id,
        user_id=actor.user_id,
        statement=confirmed.statement,
        hashes=signed.hashes,
        assertion=signed.assertion,
    )
    event = DecisionSigned(
        subject_type=deed.subject_type,
        subject_id=deed.subject_id,
        workflow_id=deed.workflow_id,
        step_id=deed.step_id,
        decision=deed.decision,
        together=len(signed.hashes),
        record_sha256=record_hash(kept),
        for_id=deed.in_place_of,
    )
    event_id = await record(session, event, actor=actor, at=at)
    a = signed.assertion
    session.add(
        ApprovalSignature(
            workflow_id=kept.workflow_id,
            step_id=kept.step_id,
            subject_type=kept.subject_type,
            subject_id=kept.subject_id,
            subject_version=deed.version,
            decision=kept.decision,
            user_id=kept.user_id,
            statement=kept.statement,
            hashes=list(kept.hashes),
            credential_id=a.credential_id,
            public_key=a.public_key,
            authenticator_data=a.authenticator_data,
            client_data=a.client_data,
            signature=a.signature,
            sign_count=a.sign_count,
            rp_id=a.rp_id,
            algorithm=a.algorithm,
            passkey=signed.passkey,
            event_id=event_id,
            at=at,
        )
    )
    await session.flush()
