"""Who somebody is by the claims of an issuer: which claim means what, as the administrator set it up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waypost.access.providers.kinds import Config
from waypost.access.providers.people import ExternalPerson

MOST_GROUPS = 1000


def needs_more(config: Config, claims: Mapping[str, Any]) -> bool:
    """Whether the ID token lacks what the userinfo endpoint may know."""
    wanted = [str(config.get("username_claim") or ""), "email", str(config.get("groups_claim") or "")]
    return any(name and _at(claims, name) is None for name in wanted)


def person_of(config: Config, claims: Mapping[str, Any]) -> ExternalPerson:
    """Somebody as an issuer describes them."""
    first, last = _text(claims, "given_name"), _text(claims, "family_name")
    name = _text(claims, "name")
    if first is None and last is None and name:
        first, _, last = name.partition(" ")
    email = _text(claims, "email")
    return ExternalPerson(
        subject=str(claims["sub"]),
        username=_text(claims, str(config.get("username_claim") or "preferred_username")),
        email=email,
        # a text "true" vouches for nothing: only the issuer's own yes, or the administrator's word for all of it
        email_verified=claims.get("email_verified") is True or config.get("vouches_for_email") is True,
        first_name=first,
        last_name=last,
        groups=groups_of(config, claims),
        department=_text(claims, str(config["department_claim"])) if config.get("department_claim") else None,
        job_title=_text(claims, str(config["job_title_claim"])) if config.get("job_title_claim") else None,
        timezone=_text(claims, "zoneinfo"),
        empties=tuple(name for name in ("department", "job_title") if _is_emptied(config, claims, f"{name}_claim")),
    )


def _is_emptied(config: Config, claims: Mapping[str, Any], setting: str) -> bool:
    """Whether a claim is there and empty: one that is missing may only not have been asked for."""
    name = str(config.get(setting) or "")
    value = _at(claims, name) if name else None
    return isinstance(value, str) and not value.strip()


def groups_of(config: Config, claims: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Somebody's groups: those that are named; none when the claim is missing.

    None (nothing is said, nothing changes) when no claim is set up, or the issuer says they are too many to be told.
    """
    name = str(config.get("groups_claim") or "")
    elsewhere = claims.get("_claim_names")
    if not name or (isinstance(elsewhere, Mapping) and name in elsewhere):
        return None
    said = _at(claims, name)
    listed = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return tuple(g for g in listed[:MOST_GROUPS] if isinstance(g, str) and 0 < len(g) <= 300)


def is_vouched(config: Config, claims: Mapping[str, Any]) -> bool:
    """Whether the issuer says that it asked for a second factor, by `amr` or `acr`."""
    wanted = set(config.get("second_factor_values") or ())
    amr = claims.get("amr")
    said = {v for v in amr if isinstance(v, str)} if isinstance(amr, list) else set()
    acr = claims.get("acr")
    return bool(wanted & (said | ({acr} if isinstance(acr, str) else set())))


def _at(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name; `a.b` also means `b` within `a`."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = _at(claims, name)
    return value[:500] if isinstance(value, str) and value.strip() else None
