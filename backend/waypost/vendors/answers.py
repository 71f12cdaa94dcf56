"""How clients of other companies' HTTP services talk: bounded in time and size, without redirects and proxies of the
environment; and what an answer that is not a yes means for a message, when the service itself says no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from waypost.kernel import tls
from waypost.vendors.fates import Fate, Misconfigured, Rejected, TryLater

MOST_BYTES = 1024 * 1024
LONGEST = 20.0  # seconds for one call, also when bytes come one by one
LONGEST_WAIT = timedelta(hours=24)
BUSY = timedelta(seconds=30)  # when a service is busy and does not say for how long


class Away(Exception):
    """The service did not answer, or answered with something that is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> dict[str, Any] | None:
        """Its JSON object; None when it holds none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


def client(**more: Any) -> httpx2.AsyncClient:
    """A client for one batch of calls."""
    if "transport" not in more:
        more["verify"] = tls.for_http(trust_env=False)
    return httpx2.AsyncClient(timeout=httpx2.Timeout(10, connect=3), follow_redirects=False, trust_env=False, **more)


async def ask(http: httpx2.AsyncClient, method: str, url: str, *, within: float = LONGEST, **more: Any) -> Answer:
    """One request and its answer. Raises `Away`."""
    try:
        async with asyncio.timeout(within), http.stream(method, url, **more) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise Away("the answer is too large")
            return Answer(response.status_code, response.headers, bytes(body))
    except TimeoutError as late:
        raise Away("no answer in time") from late
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Away(f"{type(error).__name__}: {error}"[:300]) from error


def retry_after(answer: Answer, at: datetime) -> timedelta | None:
    """How long it asks to be left alone (RFC 9110, seconds or a date), at most a day; None when it does not say."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(timedelta(seconds=min(int(said), 10**6)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(timedelta(0), min(until - at, LONGEST_WAIT))


def fate_of(answer: Answer, at: datetime, what: str) -> Fate | None:
    """What a status means that is not a 2xx; None for one that is."""
    status = answer.status
    if 200 <= status < 300:
        return None
    why = f"{what} answers {status}"
    if status == 429:
        return TryLater(why, after=retry_after(answer, at) or BUSY, for_all=True)
    if status >= 500 or status == 408:
        return TryLater(why, after=retry_after(answer, at), for_all=True)
    if status in (401, 403):
        return Misconfigured(why)
    return Rejected(why)
