"""What an approver signs: the decision in one canonical text, and whether a kept signature still stands for it. Pure.

The text is JSON with sorted names, no spaces and UTF-8, so that anybody who has its members writes the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from waypost.access.assertions import Assertion, hash_of, wrong_with

FORMAT = "waypost-decision-1"
OVERRIDE_APPROVE, OVERRIDE_REJECT, BREAK_GLASS = "OVERRIDE_APPROVE", "OVERRIDE_REJECT", "BREAK_GLASS"


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody is about to decide. `version` is the subject's as approvers read it (`content`), `step_id` None for
    what ends a workflow past its approvers, `in_place_of` the one who is asked where the signer is somebody else, `to` to
    whom it is handed on. `at` is when it was laid before them."""

    decision: str
    workflow_id: int
    step_id: int | None
    version: int
    subject_type: str
    subject_id: int
    subject_version: int
    content: Mapping[str, Any]
    words: str
    approver_id: int
    in_place_of: int | None
    to: int | None
    installation: str
    at: str


def canonical(value: Any) -> str:
    """A value as JSON that is written in one way only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """In hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def statement(deed: Deed) -> str:
    """The text that is signed."""
    return canonical(
        {
            "format": FORMAT,
            "installation": deed.installation,
            "decision": deed.decision,
            "workflow": deed.workflow_id,
            "step": {"id": deed.step_id, "version": deed.version},
            "subject": {
                "type": deed.subject_type,
                "id": deed.subject_id,
                "number": deed.content.get("ticket_number"),
                "version": deed.subject_version,
            },
            "amount": deed.content.get("amount"),
            "currency": deed.content.get("currency"),
            "content_sha256": sha256(canonical(deed.content)),
            "words_sha256": sha256(deed.words),
            "approver": deed.approver_id,
            "in_place_of": deed.in_place_of,
            "to": deed.to,
            "at": deed.at,
        }
    )


@dataclass(frozen=True, slots=True)
class Record:
    """A signature as it is kept beside the decision it was given for. `hashes` are all that were signed with it."""

    decision: str
    workflow_id: int
    step_id: int | None
    subject_type: str
    subject_id: int
    user_id: int
    statement: str
    hashes: tuple[str, ...]
    assertion: Assertion


@dataclass(frozen=True, slots=True)
class Stood:
    """What the database says of the decision now: who decided how, with which words, on what content (of the version that
    was signed). None where nothing is known of it."""

    decided_by: int | None
    outcome: str | None
    words: str | None
    content: Mapping[str, Any] | None


_OUTCOMES = {
    "APPROVE": "APPROVED",
    "REJECT": "REJECTED",
    "DELEGATE": "DELEGATED",
    "ESCALATE": "ESCALATED",
    OVERRIDE_APPROVE: "APPROVED",
    OVERRIDE_REJECT: "REJECTED",
    BREAK_GLASS: "APPROVED",
}


def verify(record: Record) -> str | None:
    """Why a kept signature is not right in itself; None when it is. Needs nothing but the record."""
    try:
        said = json.loads(record.statement)
        if canonical(said) != record.statement or said["format"] != FORMAT:
            return "the statement is not written as it was signed"
        told = (said["decision"], said["workflow"], said["step"]["id"], said["approver"])
        about = (said["subject"]["type"], said["subject"]["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "the statement can not be read"
    if told != (record.decision, record.workflow_id, record.step_id, record.user_id):
        return "the statement is about another decision"
    if about != (record.subject_type, record.subject_id):
        return "the statement is about another request"
    if hash_of(record.statement) not in record.hashes:
        return "the statement is not among what was signed"
    return wrong_with(record.assertion, record.hashes)


def contradicts(record: Record, stood: Stood) -> str | None:
    """What of the decision as the database tells it is not what was signed; None when all of it is."""
    said = json.loads(record.statement)
    if stood.decided_by is not None and stood.decided_by != said["approver"]:
        return "the decision is kept as somebody else's"
    expected = _OUTCOMES.get(record.decision)
    if expected is not None and stood.outcome is not None and stood.outcome != expected:
        return f"it was signed to {record.decision.lower().replace('_', ' ')}, and is kept as {stood.outcome.lower()}"
    if stood.words is not None and sha256(stood.words) != said["words_sha256"]:
        return "the words are not those that were signed"
    if stood.content is None:
        return None
    for name in ("amount", "currency"):
        if stood.content.get(name) != said[name]:
            return f"the {name} is not the one that was signed"
    if sha256(canonical(stood.content)) != said["content_sha256"]:
        return "the content is not the one that was signed"
    return None


def portable(record: Record) -> dict[str, Any]:
    """A record as JSON, bytes in base64url: all that other tools need to check it."""
    a = record.assertion
    plain = {f.name: getattr(record, f.name) for f in fields(record) if f.name not in ("assertion", "hashes")}
    return {
        **plain,
        "hashes": list(record.hashes),
        "credential_id": encoded(a.credential_id),
        "public_key_cose": encoded(a.public_key),
        "authenticator_data": encoded(a.authenticator_data),
        "client_data_json": encoded(a.client_data),
        "signature": encoded(a.signature),
        "sign_count": a.sign_count,
        "rp_id": a.rp_id,
        "algorithm": a.algorithm,
    }


def read(told: Mapping[str, Any]) -> Record:
    """A record from `portable`. Raises `KeyError`, `TypeError` or `ValueError` for what is none."""
    return Record(
        decision=told["decision"],
        workflow_id=told["workflow_id"],
        step_id=told["step_id"],
        subject_type=told["subject_type"],
        subject_id=told["subject_id"],
        user_id=told["user_id"],
        statement=told["statement"],
        hashes=tuple(told["hashes"]),
        assertion=Assertion(
            credential_id=decoded(told["credential_id"]),
            public_key=decoded(told["public_key_cose"]),
            authenticator_data=decoded(told["authenticator_data"]),
            client_data=decoded(told["client_data_json"]),
            signature=decoded(told["signature"]),
            sign_count=told["sign_count"],
            rp_id=told["rp_id"],
            algorithm=told["algorithm"],
        ),
    )


def record_hash(record: Record) -> str:
    """What the audit trail keeps of a record."""
    return sha256(canonical(portable(record)))


def encoded(data: bytes) -> str:
    """In base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """From base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def in_words(decision: str) -> str:
    """A decision as people say it: `break the glass`."""
    return {BREAK_GLASS: "break the glass"}.get(decision, decision.lower().replace("_", " "))


def hashes_of(statements: Sequence[str]) -> tuple[str, ...]:
    """The hashes of statements, sorted."""
    return tuple(sorted(hash_of(s) for s in statements))
