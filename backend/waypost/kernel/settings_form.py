"""Forms of settings that administrators fill in: what was asked laid over what there is, and what is wrong with it.

A room says its `Field`s and keeps the values; here is what is the same wherever a form of settings is filled in. Secrets go
in and never come out: what is read says only that there is one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from waypost.kernel.errors import FieldError, escape_pointer
from waypost.kernel.outgoing import NotAllowed, check_url, resolve

MOST_TEXT = 2000
MOST_SECRET = 10_000
MOST_LINES = 50
LOOK_UP = 3.0  # seconds for the address behind a name
EMPTY: tuple[object, ...] = (None, "", [])
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A setting an administrator fills in. Secrets are kept sealed and never shown again.

    `list` is a few lines of text, one value each; `long` is text of several lines, such as a certificate.
    """

    key: str
    label: str
    kind: Literal["text", "secret", "url", "choice", "boolean", "list", "long"] = "text"
    help: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()
    default: Any = None
    most: int = 0  # characters; 0 is what is usual for its kind
    may_hold_token: bool = False  # people put tokens into it, though it is shown: the trail tells a hash
    is_secret: bool = False  # for a `long` text that is kept like a secret, such as a private key

    @property
    def is_hidden(self) -> bool:
        """Whether it is kept sealed and never shown."""
        return self.kind == "secret" or self.is_secret

    @property
    def longest(self) -> int:
        """How many characters it may have; of a list, each of its lines."""
        return self.most or (MOST_SECRET if self.is_hidden else MOST_TEXT)

    @property
    def pointer(self) -> str:
        """Where it stands in a body."""
        return f"/settings/{self.key}"


@dataclass(frozen=True, slots=True)
class Filled:
    """A form with what was asked laid over what was there: values one may read, secrets, and what is wrong."""

    plain: dict[str, Any]
    hidden: dict[str, str]
    wrong: tuple[FieldError, ...] = ()

    @property
    def all(self) -> dict[str, Any]:
        """Values and secrets together."""
        return {**self.plain, **self.hidden}


def fill_in(fields: Iterable[Field], before: Values, secrets: Mapping[str, str], asked: Values, of: str) -> Filled:
    """What the form holds then. A setting not named stays; null, or nothing, takes it away.

    Values of settings there no longer are fall away; secrets stay, since a room may keep some nobody types. `of` is what
    has these settings, in words.
    """
    by_key = {f.key: f for f in fields}
    plain = {k: v for k, v in before.items() if k in by_key}
    hidden = dict(secrets)
    wrong = []
    for key, value in asked.items():
        field = by_key.get(key)
        if field is None:
            wrong.append(FieldError(f"/settings/{escape_pointer(key[:64])}", f"is no setting of {of}"))
            continue
        into: dict[str, Any] = hidden if field.is_hidden else plain
        if value in EMPTY:
            into.pop(key, None)
        elif fault := fault_of(field, value):
            wrong.append(FieldError(field.pointer, fault))
        else:
            into[key] = value.strip() if isinstance(value, str) and not field.is_hidden else value
    return Filled(plain, hidden, tuple(wrong))


def fault_of(field: Field, value: Any) -> str | None:
    """What is wrong with a value by itself."""
    if field.kind == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if field.kind == "list":
        is_list = isinstance(value, list) and all(isinstance(v, str) and 0 < len(v) <= field.longest for v in value)
        return None if is_list and len(value) <= MOST_LINES else f"must be at most {MOST_LINES} lines of text"
    if not isinstance(value, str):
        return "must be text"
    if len(value) > field.longest:
        return "is too long"
    if field.kind == "choice" and value not in field.choices:
        return f"must be one of {', '.join(field.choices)}"
    return _address_fault(value.strip()) if field.kind == "url" else None


def _address_fault(value: str) -> str | None:
    """Whether it reads as an address at all; what may be reached is judged when it is called."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "is no web address"
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return "must be a web address such as https://example.com/path"
    return "must not hold a name and password" if parts.username or parts.password else None


def lacking(fields: Iterable[Field], config: Values) -> list[Field]:
    """The settings that are needed and not filled in."""
    return [f for f in fields if f.required and config.get(f.key) in EMPTY]


def not_ready(fields: Iterable[Field], config: Values, faults: Mapping[str, str]) -> list[FieldError]:
    """What keeps it from being switched on: what is needed and missing, and the `faults` of what is there."""
    wrong = [FieldError(f.pointer, "is needed to switch it on") for f in lacking(fields, config)]
    return with_more(wrong, [FieldError(f"/settings/{key}", why) for key, why in faults.items()])


def with_more(wrong: Iterable[FieldError], more: Iterable[FieldError]) -> list[FieldError]:
    """What is wrong, and of `more` what stands at places nothing is said of yet."""
    told = list(wrong)
    known = {e.pointer for e in told}
    return told + [e for e in more if e.pointer not in known]


def differences(
    fields: Iterable[Field], before: Values, secrets: Mapping[str, str], filled: Filled
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What changes, before and after; of a secret only whether there is one, and that it is another."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for f in fields:
        if f.is_hidden:
            is_same = secrets.get(f.key) == filled.hidden.get(f.key)
            old[f.key] = "(set)" if f.key in secrets else None
            new[f.key] = old[f.key] if is_same else "(another)" if f.key in filled.hidden else None
        else:
            old[f.key], new[f.key] = _told(f, before.get(f.key)), _told(f, filled.plain.get(f.key))
    return changed_only(old, new)


def _told(field: Field, value: Any) -> Any:
    if not field.may_hold_token:
        return value
    if field.kind == "url":
        return address_told(value)
    return None if value in EMPTY else _hash_of(str(value))


def address_told(url: str | None) -> str | None:
    """A web address for the trail: whom it calls, and a short hash of what stands behind that, where tokens may be."""
    if not url:
        return url
    try:
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    except ValueError:
        return _hash_of(url)
    rest = url[url.find(parts.netloc) + len(parts.netloc) :] if parts.netloc else url
    return host if rest in ("", "/") else f"{host}/… ({_hash_of(rest)})"


def _hash_of(value: str) -> str:
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()[:12]}"


def changed_only(before: Values, after: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of two states of the same thing what differs."""
    names = [n for n in {**before, **after} if before.get(n) != after.get(n)]
    return {n: before.get(n) for n in names}, {n: after.get(n) for n in names}


async def forbidden_addresses(fields: Iterable[Field], asked: Values) -> list[FieldError]:
    """Web addresses that would never be called. One whose name is not known just now is judged when it is called.

    To be asked before a row is locked: names are looked up meanwhile.
    """
    found = []
    for field in fields:
        value = asked.get(field.key)
        if field.kind != "url" or not isinstance(value, str) or not value.strip() or fault_of(field, value):
            continue
        try:
            async with asyncio.timeout(LOOK_UP):
                await resolve(check_url(value.strip()))
        except NotAllowed as refused:
            found.append(FieldError(field.pointer, f"is not called: {refused}"))
        except (httpx2.HTTPError, TimeoutError):
            continue
    return found


def field_json(field: Field, kept: Values, secrets: Mapping[str, str]) -> dict[str, Any]:
    """A setting as it is read."""
    return {
        "key": field.key,
        "label": field.label,
        "kind": "secret" if field.kind == "text" and field.is_secret else field.kind,
        "help": field.help,
        "required": field.required,
        "is_secret": field.is_hidden,
        "choices": list(field.choices),
        "default": field.default,
        "value": None if field.is_hidden else kept.get(field.key),
        "is_set": field.key in (secrets if field.is_hidden else kept),
    }
