"""What an operator should know about how this installation is set up. Pure.

None of it stops people from working. Each has a name, under which it is measured, and a sentence, which stands in the log
at every start.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import parse_qs, urlsplit

from waypost.kernel.settings import Settings

OPEN_DEMO = "open_demo"
_VERIFIED = ("verify-full", "verify-ca", "require")


def cautions(settings: Settings) -> dict[str, str]:
    """What is not as it should be for other people than oneself, by name."""
    found = {}
    if is_open_demo(settings):
        found[OPEN_DEMO] = (
            "The demo company is open to others: everybody knows its passwords, administrators' too. Keep nothing real "
            "here; DEMO=0 on an empty database starts without it."
        )
    return found | unencrypted(settings)


def is_open_demo(settings: Settings) -> bool:
    """Whether accounts with a known password can be reached from elsewhere."""
    return settings.demo and not (is_this_machine(settings.host) and is_this_machine(_host(settings.origin)))


def unencrypted(settings: Settings) -> dict[str, str]:
    """The ways to other machines on which somebody could listen."""
    found = {}
    if not settings.is_https and not is_this_machine(_host(settings.origin)):
        found["plain_web"] = (
            "People come in without TLS: put a proxy with TLS in front, or set TLS_CERTIFICATE and TLS_KEY."
        )
    for name in ("database_url", "database_owner_url"):
        url = getattr(settings, name)
        if url is not None and not _is_safe_database(
            url.get_secret_value(), has_ca=settings.database_ca_file is not None
        ):
            found["plain_database"] = "PostgreSQL is spoken to without TLS: set DATABASE_CA_FILE."
    redis = settings.redis_url.get_secret_value() if settings.redis_url else ""
    if redis and not redis.startswith(("rediss://", "unix://")) and not is_this_machine(_host(redis)):
        found["plain_cache"] = "Valkey is spoken to without TLS: let REDIS_URL begin with rediss://."
    if (
        settings.clamd_url
        and settings.clamd_url.startswith("tcp://")
        and not is_this_machine(_host(settings.clamd_url))
    ):
        found["plain_scanner"] = "Files go to the scanner without TLS: let CLAMD_URL begin with tls:// or unix://."
    if settings.smtp_host and settings.smtp_security == "none" and not is_this_machine(settings.smtp_host):
        found["plain_mail"] = "Mails go out without TLS: set SMTP_SECURITY to starttls or tls."
    return found


def in_the_open(settings: Settings) -> str:
    """Why nothing may be started where `REQUIRE_TLS` is set, in words; empty when all of it may."""
    found = unencrypted(settings) if settings.require_tls else {}
    return "\n".join(["REQUIRE_TLS is set, and not everything is encrypted:", *found.values()]) if found else ""


def _is_safe_database(url: str, *, has_ca: bool) -> bool:
    asked = parse_qs(urlsplit(url).query)
    mode = (asked.get("sslmode") or asked.get("ssl") or [""])[0]
    host = _host(url) or (asked.get("host") or [""])[0]
    return has_ca or mode in _VERIFIED or host.startswith("/") or is_this_machine(host)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine and nothing else. No host at all is a socket of it."""
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.endswith(".localhost")
