"""Who a caller is to the limits, and how a request is counted: by address until somebody is found behind it."""

from __future__ import annotations

from fastapi import Request
from starlette.types import Scope

from waypost.kernel import limits, proxies
from waypost.kernel.settings import get_settings

STRANGER = "waypost_stranger"  # of a request: how its address stands, until somebody is found behind it
STANDING = "waypost_standing"  # of a request: how its caller stands against the limit it was counted under


def network_of(request: Request) -> str:
    """What a caller without a sign-in is counted under; an IPv6 host owns its whole /64."""
    return proxies.network(address_of(request))


def address_of(request: Request) -> str:
    """Where a request comes from; what our own proxies say of it is believed."""
    settings = get_settings()
    peer = request.client.host if request.client else ""
    return proxies.client_of(
        peer,
        settings.proxy_header,
        request.headers.getlist(settings.proxy_header),
        proxies.networks(tuple(settings.trusted_proxies)),
    )


def count_person(request: Request, user_id: int) -> None:
    """Count a request of somebody signed in, once. Raises `TooManyRequests`."""
    state = request.scope.setdefault("state", {})
    if state.pop(STRANGER, None) is not None:
        limits.limiter.give_back(of_address(), network_of(request))
    if STANDING in state:
        return
    state[STANDING] = limits.slow_down(limits.Policy("person", get_settings().quota("person")), str(user_id))
    is_costly = getattr(request.scope.get("endpoint"), "__costly__", False)
    if is_costly(request) if callable(is_costly) else is_costly:
        costly = limits.Policy("costly", get_settings().quota("costly"))
        state[STANDING] = limits.slow_down(costly, str(user_id))


def check_stranger(request: Request) -> None:
    """Refuse a request nobody is known behind, from an address that asked too much. Raises `TooManyRequests`.

    Asked where a header that may say anything would otherwise be a way around the limit: before a key is looked up, where
    nobody was found, and at doors that are open to everybody.
    """
    standing: limits.Standing | None = request.scope.get("state", {}).get(STRANGER)
    if standing is not None and standing.is_over:
        raise limits.TooManyRequests(retry_after=standing.reset, policy=str(standing.policy))


def is_from_proxy(scope: Scope) -> bool:
    """Whether a request comes through a proxy of ours, which may have named it already."""
    trusted = proxies.networks(tuple(get_settings().trusted_proxies))
    return bool(trusted) and proxies.is_among((scope.get("client") or ("",))[0], trusted)


def of_address() -> limits.Policy:
    """The limit for requests of one network address that nobody is known behind."""
    return limits.Policy("address", get_settings().quota("address"))
