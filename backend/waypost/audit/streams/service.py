"""Setting destinations of the trail up: what an administrator fills in, and a try of it.

Secrets go in and never come out; one that is kept is never sent to another address than the one it was given for.
Whoever sets a destination up reads the whole trail by it, so each change is confirmed by step-up and stands in the trail.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.audit.models import AuditSeal
from waypost.audit.streams.delivering import HTTPS, SYSLOG, Destination, NotTaken, bring, written
from waypost.audit.streams.errors import StreamNameTaken, StreamNotFound, TooManyStreams
from waypost.audit.streams.events import StreamAdded, StreamChanged, StreamRemoved, StreamTried
from waypost.audit.streams.models import AuditStream
from waypost.audit.streams.secrets import seal, unseal
from waypost.audit.streams.sending import trial
from waypost.kernel.clock import now
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.outgoing import NotAllowed, check_url
from waypost.kernel.settings_form import address_told

MOST_STREAMS = 20
NOW, BEGINNING = "NOW", "BEGINNING"
SECRETS = ("secret", "client_key")
OF_KIND = {
    SYSLOG: ("host", "port", "transport", "hostname", "app_name", "facility", "enterprise_number", "longest"),
    HTTPS: ("url", "auth", "header_name", "body_format", "batch_size", "is_gzip"),
}
OF_TLS = ("ca_certificate", "client_certificate")
# What is ours to say, not an administrator's.
FORBIDDEN_HEADERS = frozenset(
    {"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "user-agent"}
)


@dataclass(frozen=True, slots=True)
class Setup:
    """A destination as an administrator wants it. A secret that is None stays as it is."""

    name: str
    kind: str
    settings: dict[str, Any]
    families: list[str]
    is_on: bool
    secrets: dict[str, str | None] = field(default_factory=dict, repr=False)


def setup_of(values: dict[str, Any]) -> Setup:
    """A body as it came: what its kind does not have is left out."""
    wanted = (*OF_KIND[values["kind"]], *OF_TLS)
    return Setup(
        name=values["name"],
        kind=values["kind"],
        settings={key: values[key] for key in wanted},
        families=sorted(set(values["families"])),
        is_on=values["is_on"],
        secrets={key: values[key] for key in SECRETS},
    )


async def add_stream(session: AsyncSession, actor: Actor, wanted: Setup, start: str) -> AuditStream:
    """Add a destination. Raises `StepUpNeeded`, `Invalid`, `StreamNameTaken`, `TooManyStreams`."""
    actor.require(Permission.AUDIT_CONFIGURE)
    await step_up.require(session, actor)
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("audit_streams"))))
    secrets = {k: v for k, v in wanted.secrets.items() if v}
    _check(wanted, secrets)
    await _check_name(session, wanted.name, None)
    if (await session.scalar(select(func.count()).select_from(AuditStream)) or 0) >= MOST_STREAMS:
        raise TooManyStreams
    at, position = now(), 0
    if start == NOW:
        position = await session.scalar(select(func.max(AuditSeal.position))) or 0
    row = AuditStream(
        name=wanted.name,
        kind=wanted.kind,
        settings=wanted.settings,
        families=wanted.families,
        is_on=wanted.is_on,
        position=position,
        sent_position=position,
        version=1,
        created_at=at,
        updated_at=at,
    )
    session.add(row)
    await session.flush()
    seal(row, secrets)
    await session.flush()
    added = StreamAdded(stream_id=row.id, name=row.name, after=_told(wanted, secrets), start=position)
    await record(session, added, actor=actor, at=at)
    return row


async def change_stream(
    session: AsyncSession, actor: Actor, stream_id: int, version: int, wanted: Setup, start: str | None
) -> None:
    """Change a destination, switch it, or let it begin anew. After failures it is tried again at once.

    Raises `StreamNotFound`, `StepUpNeeded`, `Invalid`, `StreamNameTaken`, `StaleVersion`.
    """
    actor.require(Permission.AUDIT_CONFIGURE)
    await check_stream(session, stream_id)
    await step_up.require(session, actor)
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("audit_streams"))))
    row = await _locked(session, stream_id)
    kept = _kept(row)
    secrets = _merged(row, kept, wanted)
    _check(wanted, secrets)
    await _check_name(session, wanted.name, row.id)
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    before = _told(Setup(row.name, row.kind, row.settings, row.families, row.is_on), kept)
    after = _told(wanted, secrets)
    for key in SECRETS:
        if key in kept and key in secrets and kept[key] != secrets[key]:
            after[key] = "(another)"
    if start is not None:
        end = await session.scalar(select(func.max(AuditSeal.position))) or 0
        before["position"], after["position"] = row.position, end if start == NOW else 0
    names = [n for n in sorted({*before, *after}) if before.get(n) != after.get(n)]
    if not names:
        return
    if start is not None:
        row.position = row.sent_position = after["position"]
    at = now()
    row.name, row.kind, row.settings = wanted.name, wanted.kind, wanted.settings
    row.families, row.is_on, row.updated_at = wanted.families, wanted.is_on, at
    seal(row, secrets)
    row.failures, row.open_until, row.failing_since, row.alarmed_at = 0, None, None, None
    row.lease = row.leased_until = None  # whoever sends now stops after this portion
    row.version += 1
    await session.flush()
    changed = StreamChanged(
        stream_id=row.id,
        name=row.name,
        before={n: before.get(n) for n in names},
        after={n: after.get(n) for n in names},
        settings_version=row.version,
    )
    await record(session, changed, actor=actor, at=at)


async def remove_stream(session: AsyncSession, actor: Actor, stream_id: int) -> None:
    """Take a destination away; what it got it keeps. Raises `StreamNotFound`, `StepUpNeeded`."""
    actor.require(Permission.AUDIT_CONFIGURE)
    await check_stream(session, stream_id)
    await step_up.require(session, actor)
    row = await _locked(session, stream_id)
    before = _told(Setup(row.name, row.kind, row.settings, row.families, row.is_on), _kept(row))
    removed = StreamRemoved(stream_id=row.id, name=row.name, before=before, position=row.position)
    await session.delete(row)
    await session.flush()
    await record(session, removed, actor=actor)


async def try_stream(database: Database, actor: Actor, wanted: Setup, stream_id: int | None) -> str | None:
    """Send a test entry as it is set up here; what was in the way, or None. No session is open meanwhile.

    Without a secret the one is used that is kept, for the same address only. Raises `StreamNotFound`, `Invalid`.
    """
    actor.require(Permission.AUDIT_CONFIGURE)
    secrets = {k: v for k, v in wanted.secrets.items() if v}
    if stream_id is not None:
        async with database.read() as session:
            row = await session.get(AuditStream, stream_id)
        if row is None:
            raise StreamNotFound
        secrets = _merged(row, _kept(row), wanted)
    _check(replace(wanted, is_on=True), secrets)
    destination = Destination(wanted.kind, wanted.settings, secrets)
    error = None
    try:
        await bring(destination, written(destination, [trial()]))
    except NotTaken as not_taken:
        error = not_taken.why
    async with database.transaction() as session:
        tried = StreamTried(stream_id=stream_id or 0, name=wanted.name, where=destination.where, error=error)
        await record(session, tried, actor=actor)
    return error


async def check_stream(session: AsyncSession, stream_id: int) -> None:
    """Raises `StreamNotFound`."""
    if await session.scalar(select(AuditStream.id).where(AuditStream.id == stream_id)) is None:
        raise StreamNotFound


async def _locked(session: AsyncSession, stream_id: int) -> AuditStream:
    row = await session.get(AuditStream, stream_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise StreamNotFound
    return row


async def _check_name(session: AsyncSession, name: str, own_id: int | None) -> None:
    same = await session.scalar(select(AuditStream.id).where(AuditStream.name == name))
    if same is not None and same != own_id:
        raise StreamNameTaken(errors=(FieldError("/name", "is taken already"),))


def _kept(row: AuditStream) -> dict[str, str]:
    with suppress(Damaged):  # what cannot be opened any more is entered anew
        return unseal(row)
    return {}


def _address(kind: str, settings: dict[str, Any]) -> tuple[Any, ...]:
    """All that says who gets a secret: on one host, each path may be somebody else's."""
    trusted = settings.get("ca_certificate")
    if kind == SYSLOG:
        return kind, str(settings.get("host")).lower(), settings.get("port"), settings.get("transport"), trusted
    with suppress(NotAllowed):
        url = check_url(str(settings.get("url")))
        port = url.port or (443 if url.scheme == "https" else 80)
        how = (settings.get("auth"), settings.get("header_name"))
        return kind, url.scheme, url.host, port, url.raw_path, *how, trusted
    return (kind, None)


def _merged(row: AuditStream, kept: dict[str, str], wanted: Setup) -> dict[str, str]:
    """The secrets from now on: given ones, and kept ones as long as they go to the address they were given for."""
    is_same = _address(row.kind, row.settings) == _address(wanted.kind, wanted.settings)
    merged = {k: v for k, v in kept.items() if is_same} | {k: v for k, v in wanted.secrets.items() if v}
    if not wanted.settings.get("client_certificate"):
        merged.pop("client_key", None)
    if wanted.kind == SYSLOG or wanted.settings.get("auth") == "NONE":
        merged.pop("secret", None)
    return merged


def _told(wanted: Setup, secrets: dict[str, str]) -> dict[str, Any]:
    """A destination as the trail tells it: of certificates a hash, of secrets only that they are set.

    Collectors put tokens into path and query of their addresses, and whoever gets the trail would get them with it.
    """
    told: dict[str, Any] = {"name": wanted.name, "kind": wanted.kind, "is_on": wanted.is_on}
    told["families"] = list(wanted.families)
    for key, value in wanted.settings.items():
        is_pem = key in OF_TLS and value
        told[key] = f"sha256:{hashlib.sha256(str(value).encode()).hexdigest()}" if is_pem else value
    told["url"] = address_told(told.get("url"))
    if told["url"] is None:
        del told["url"]
    return told | {key: "(set)" for key in SECRETS if key in secrets}


def _check(wanted: Setup, secrets: dict[str, str]) -> None:
    """Raises `Invalid` with everything that is not right."""
    wrong: list[FieldError] = []
    settings = wanted.settings
    if wanted.kind == SYSLOG:
        if not settings["host"]:
            wrong.append(FieldError("/host", "is needed"))
    else:
        wrong += _wrong_https(settings, secrets)
    wrong += _wrong_certificates(settings, secrets)
    if wrong:
        raise Invalid(errors=tuple(wrong))


def _wrong_https(settings: dict[str, Any], secrets: dict[str, str]) -> list[FieldError]:
    wrong: list[FieldError] = []
    try:
        check_url(settings["url"] or "")
    except NotAllowed as refused:
        wrong.append(FieldError("/url", str(refused)))
    if settings["auth"] == "HEADER" and not settings["header_name"]:
        wrong.append(FieldError("/header_name", "is needed"))
    elif settings["header_name"] and settings["header_name"].lower() in FORBIDDEN_HEADERS:
        wrong.append(FieldError("/header_name", "is a header that Waypost sets itself"))
    if settings["auth"] != "NONE" and "secret" not in secrets:
        wrong.append(FieldError("/secret", "is needed; for another address it has to be entered anew"))
    return wrong


def _wrong_certificates(settings: dict[str, Any], secrets: dict[str, str]) -> list[FieldError]:
    wrong: list[FieldError] = []
    read: dict[str, list[x509.Certificate]] = {}
    for key in OF_TLS:
        if settings.get(key):
            try:
                read[key] = x509.load_pem_x509_certificates(settings[key].encode())
            except ValueError:
                wrong.append(FieldError(f"/{key}", "is no certificate in PEM"))
    if settings.get("client_certificate") and "client_key" not in secrets:
        wrong.append(FieldError("/client_key", "is needed with a certificate of our own"))
    elif "client_key" in secrets and "client_certificate" in read:
        try:
            key_ = load_pem_private_key(secrets["client_key"].encode(), None)
            is_pair = _public(key_.public_key()) == _public(read["client_certificate"][0].public_key())
            if not is_pair:
                wrong.append(FieldError("/client_key", "is not the key of this certificate"))
        except (ValueError, TypeError):
            wrong.append(FieldError("/client_key", "is no private key in PEM without a password"))
    return wrong


def _public(key: Any) -> bytes:
    told: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return told
