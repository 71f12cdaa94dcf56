"""The cookies of signing in: their names, whom they are sent to, and how they are read.

Over TLS their names begin with `__Host-`, so that no other host, not even one of the same domain, can plant them. Without
TLS no browser would take such a name, and the plain ones are used. Which it is, is decided here (`is_https`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fastapi import Request, Response

from waypost.kernel.settings import get_settings

REFRESH, DEVICE, SIGN_IN = "waypost_refresh", "waypost_device", "waypost_sign_in"
_OLD_PATH = "/api/v1/auth"  # where cookies without a prefix are sent, and were before there were prefixes
_TRACK = 200  # no token of ours is longer


@dataclass(frozen=True, slots=True)
class Given:
    """What a browser showed. `is_old`: under a name that anybody's sibling host could have planted."""

    value: str
    is_old: bool = False


def name_of(cookie: str) -> str:
    """The name a cookie has here: on TLS one that no other host can plant."""
    return f"__Host-{cookie}" if get_settings().is_https else cookie


def read(request: Request, cookie: str) -> Given | None:
    """A cookie by its name; on TLS also by the one it had before there were prefixes, when there is no other."""
    if value := request.cookies.get(name_of(cookie)):
        return Given(value[:_TRACK])
    value = request.cookies.get(cookie)
    return Given(value[:_TRACK], is_old=True) if value else None


def refresh_given(request: Request) -> Given | None:
    """The refresh token a browser showed."""
    return read(request, REFRESH)


def give(
    response: Response,
    cookie: str,
    value: str,
    *,
    until: datetime | None = None,
    life: timedelta | None = None,
    same_site: Literal["strict", "lax"] = "strict",
) -> None:
    """Give a browser a cookie no script can read; one under its old name goes."""
    is_https = get_settings().is_https
    response.set_cookie(
        name_of(cookie),
        value,
        expires=until,
        max_age=int(life.total_seconds()) if life else None,
        path="/" if is_https or cookie == SIGN_IN else _OLD_PATH,
        httponly=True,
        secure=is_https,
        samesite=same_site,
    )
    if is_https and cookie != SIGN_IN:
        response.delete_cookie(cookie, path=_OLD_PATH, secure=True, httponly=True)


def take_refresh(response: Response) -> None:
    """Take the refresh token from a browser, whatever it is called there."""
    is_https = get_settings().is_https
    if is_https:
        response.delete_cookie(name_of(REFRESH), path="/", secure=True, httponly=True, samesite="strict")
    response.delete_cookie(REFRESH, path=_OLD_PATH, secure=is_https, httponly=True, samesite="strict")
