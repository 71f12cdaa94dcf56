"""The process that judges messages, one after the other: in by its input, out by its output."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Literal

import msgspec
from msgspec import Struct

from waypost.access.providers.saml import judging, logout, metadata
from waypost.access.providers.saml.judging import Trust
from waypost.access.providers.saml.logout import LogoutAsked, LogoutDone
from waypost.access.providers.saml.reading import Asked
from waypost.access.providers.saml.refusing import Refused

MEMORY = 1024 * 1024 * 1024  # bytes of address space


class ResponseJob(Struct, kw_only=True, tag="response"):
    """A response as a form carried it."""

    field: str
    asked: Asked
    trust: Trust


class LogoutJob(Struct, kw_only=True, tag="logout"):
    """A message about signing out: a query, or a form's field."""

    kind: Literal["SAMLRequest", "SAMLResponse"] = "SAMLRequest"
    query: str | None = None
    field: str = ""
    relay_state: str | None = None
    idp: str
    url: str
    at: datetime
    trust: Trust


class MetadataJob(Struct, kw_only=True, tag="metadata"):
    """An identity provider's description."""

    document: bytes


Job = ResponseJob | LogoutJob | MetadataJob


@dataclass(frozen=True, kw_only=True)
class LogoutFound:
    """One of the two."""

    asked: LogoutAsked | None = None
    done: LogoutDone | None = None


class Answer(Struct, kw_only=True):
    """What was found, or why it is refused."""

    found: Any = None
    reason: str | None = None
    detail: str = ""


def do(job: Job) -> Any:
    """One job. Raises `Refused`."""
    if isinstance(job, ResponseJob):
        return judging.judge_response(job.field, job.asked, job.trust)
    if isinstance(job, MetadataJob):
        return metadata.read_idp(job.document)
    about: dict[str, Any] = {"idp": job.idp, "url": job.url, "at": job.at, "pinned": job.trust.pinned()}
    if job.query is not None:
        said = logout.by_redirect(job.query, **about)
    else:
        said = logout.by_post(job.kind, job.field, job.relay_state, **about)
    return LogoutFound(asked=said) if isinstance(said, LogoutAsked) else LogoutFound(done=said)


def answer(written: bytes, work: Callable[[Job], Any] = do) -> bytes:
    """The answer to a job, as it travels."""
    try:
        made = Answer(found=work(msgspec.json.decode(written, type=Job)))
    except Refused as refused:
        made = Answer(reason=refused.reason, detail=refused.detail)
    except MemoryError:
        made = Answer(reason="too_large", detail="it takes more memory than a message may")
    except Exception as wrong:
        made = Answer(reason="unreadable", detail=type(wrong).__name__)
    return msgspec.json.encode(made)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer until nobody asks any more."""
    sink.write(b".")  # ready
    sink.flush()
    while size := source.read(4):
        given = answer(source.read(int.from_bytes(size, "big")))
        sink.write(len(given).to_bytes(4, "big") + given)
        sink.flush()


def main() -> None:
    """The process: little memory, no files to leave behind."""
    with contextlib.suppress(ValueError, OSError):  # macOS knows this limit, and sets none
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)
