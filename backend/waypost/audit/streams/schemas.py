"""What crosses HTTP about destinations of the trail."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.audit.streams.syslog_format import EXAMPLE_ENTERPRISE, SHORTEST
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, Strict, Version

AT: Any = ["2026-11-26T09:30:00Z"]
StreamKind = Literal["SYSLOG", "HTTPS"]
Start = Literal["NOW", "BEGINNING"]
Family = Annotated[str, Field(pattern=r"^[a-z_]{1,64}$", examples=["auth"])]
Pem = Annotated[str, Field(max_length=100_000, pattern=r"^[\x09\x0a\x0d\x20-\x7e]+$")]


class StreamSetup(Strict):
    """Where the trail is sent: syslog (RFC 5424), or JSON by HTTPS. What the other kind needs is not looked at.

    `families` are what stands before the dot of an action; empty for everything. `longest` is the longest message the
    receiver takes, in bytes: what is longer goes without its details and says `cut`. Secrets are kept sealed and never
    told; null keeps those there are.
    """

    name: Annotated[Line, Field(min_length=1, max_length=100, examples=["Security monitoring"])]
    kind: Annotated[StreamKind, Field(examples=["SYSLOG"])]
    families: Annotated[list[Family], Field(max_length=50, examples=[["auth", "role"]])] = []
    is_on: Annotated[bool, Field(strict=True, examples=[True])] = False
    host: Annotated[
        str | None,
        Field(max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$", examples=["siem.example.com"]),
    ] = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535, examples=[6514])] = 6514
    transport: Annotated[Literal["TLS", "TCP", "UDP"], Field(examples=["TLS"])] = "TLS"
    hostname: Annotated[
        str | None, Field(max_length=255, pattern=r"^[\x21-\x7e]+$", examples=["waypost.example.com"])
    ] = None
    app_name: Annotated[str, Field(max_length=48, pattern=r"^[\x21-\x7e]+$", examples=["waypost"])] = "waypost"
    facility: Annotated[
        int | None,
        Field(strict=True, ge=0, le=23, examples=[13], description="Null: 10 for signing in, 13 for the rest."),
    ] = None
    enterprise_number: Annotated[
        int, Field(strict=True, ge=1, le=2**31 - 1, examples=[32473], description="Your own, if you have one.")
    ] = EXAMPLE_ENTERPRISE
    longest: Annotated[int, Field(strict=True, ge=SHORTEST, le=1_000_000, examples=[65536])] = 65_536
    url: Annotated[
        str | None,
        Field(max_length=2000, pattern=r"^[\x21-\x7e]+$", examples=["https://siem.example.com/ingest"]),
    ] = None
    auth: Annotated[Literal["NONE", "BEARER", "HEADER"], Field(examples=["BEARER"])] = "BEARER"
    header_name: Annotated[
        str | None, Field(max_length=100, pattern=r"^[A-Za-z0-9-]+$", examples=["Authorization"])
    ] = None
    body_format: Annotated[Literal["NDJSON", "ARRAY"], Field(examples=["NDJSON"])] = "NDJSON"
    batch_size: Annotated[int, Field(strict=True, ge=1, le=1000, examples=[200])] = 200
    is_gzip: Annotated[bool, Field(strict=True, examples=[False])] = False
    ca_certificate: Annotated[Pem | None, Field(examples=[None], description="PEM; null: the system's.")] = None
    client_certificate: Annotated[Pem | None, Field(examples=[None], description="PEM, ours.")] = None
    client_key: Annotated[Pem | None, Field(examples=[None], description="PEM, of our certificate.")] = None
    secret: Annotated[
        str | None,
        Field(
            max_length=4000,
            pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
            examples=["a token of the receiver"],
            description="The token, or the whole value of the header.",
        ),
    ] = None


class StreamCreate(StreamSetup):
    """A new destination. `start`: from what is recorded from now on, or from the first row there is."""

    start: Annotated[Start, Field(examples=["NOW"])] = "NOW"


class StreamUpdate(StreamSetup):
    """A destination as it shall be from now on. `start` moves it; null goes on where it is."""

    version: Version
    start: Annotated[Start | None, Field(examples=[None])] = None


class StreamTest(StreamSetup):
    """What to try. With `stream_id` and without secrets, those kept for it are used, for the same address only."""

    stream_id: Annotated[Id | None, Field(examples=[None])] = None


class StreamTested(BaseModel):
    """Whether a test entry was taken, and what was in the way. By UDP nobody says so: look at the receiver."""

    is_taken: bool
    error: Annotated[str | None, Field(examples=["its certificate is not trusted: self-signed certificate"])]


class StreamHealth(BaseModel):
    """How a destination goes. `behind`: rows that wait for it, the oldest of them since `behind_since`."""

    state: Literal["WORKS", "FAILING", "UNTRIED", "OFF"]
    position: Annotated[int, Field(examples=[12045])]
    sealed_to: Annotated[int, Field(examples=[12045])]
    behind: Annotated[int, Field(examples=[0])]
    behind_since: Annotated[str | None, Field(examples=AT)]
    sent_count: Annotated[int, Field(examples=[12045])]
    failures: Annotated[int, Field(examples=[0])]
    failing_since: Annotated[str | None, Field(examples=AT)]
    last_error: Annotated[str | None, Field(examples=["Connection refused"])]
    failed_at: Annotated[str | None, Field(examples=AT)]
    worked_at: Annotated[str | None, Field(examples=AT)]
    paused_until: Annotated[str | None, Field(examples=AT)]


class StreamRead(BaseModel):
    """A destination of the trail. What its kind does not have is null."""

    id: Annotated[int, Field(examples=[3])]
    name: Annotated[str, Field(examples=["Security monitoring"])]
    kind: StreamKind
    families: list[str]
    is_on: bool
    host: Annotated[str | None, Field(examples=["siem.example.com"])]
    port: Annotated[int | None, Field(examples=[6514])]
    transport: Literal["TLS", "TCP", "UDP"] | None
    hostname: str | None
    app_name: Annotated[str | None, Field(examples=["waypost"])]
    facility: int | None
    enterprise_number: Annotated[int | None, Field(examples=[32473])]
    longest: Annotated[int | None, Field(examples=[65536])]
    url: str | None
    auth: Literal["NONE", "BEARER", "HEADER"] | None
    header_name: str | None
    body_format: Literal["NDJSON", "ARRAY"] | None
    batch_size: Annotated[int | None, Field(examples=[200])]
    is_gzip: bool | None
    ca_certificate: str | None
    client_certificate: str | None
    has_secrets: bool
    version: Version
    health: StreamHealth


class StreamList(BaseModel):
    items: list[StreamRead]
    next_cursor: None
