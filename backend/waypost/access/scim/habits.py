"""What Entra ID and Okta say in their own way, put as the protocol has it. Pure: JSON in, JSON out.

Both follow RFC 7644 in their way: truth as text (`"active": "False"`), a manager as a bare id, members to take out as the
value of a `remove`, a value filter that is to make what it looks for, and whole answers sent back with what is ours to
say (`id`, `meta`, `groups`). Passwords are sent along too; nobody here keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MANAGER = f"{ENTERPRISE}:manager".lower()
OURS = frozenset({"id", "meta", "groups", "password"})  # not theirs to say, or not to be kept
BOOLEANS = frozenset({"active", "primary"})
_TRUTH = {"true": True, "false": False}

Operation = dict[str, Any]
# `emails[type eq "work"].value`: one element of a list, and what of it
_TARGET = re.compile(
    r'(?P<attr>[A-Za-z]\w*)\[(?P<key>[A-Za-z]\w*) eq (?P<wanted>"[^"\\]*"|true|false)\]\.(?P<leaf>\w+)'
)


def body(document: Any) -> Any:
    """A person or a group as it was sent, without what is ours to say and with truth as truth."""
    if not isinstance(document, dict):
        return document
    return {k: _value(k, v) for k, v in document.items() if k.lower() not in OURS}


def _value(name: str, value: Any) -> Any:
    last = name.lower()
    if last.rpartition(".")[2] in BOOLEANS and isinstance(value, str):
        return _TRUTH.get(value.strip().lower(), value)
    if last == ENTERPRISE.lower() and isinstance(value, dict):
        return {k: _manager(v) if k.lower() == "manager" else v for k, v in value.items()}
    if last == MANAGER:
        return _manager(value)
    if isinstance(value, list):
        return [{k: _value(k, v) for k, v in i.items()} if isinstance(i, dict) else i for i in value]
    return value


def _manager(value: Any) -> Any:
    """A bare id, or one without its address, as the object it stands for; nothing for a manager who is taken away."""
    if isinstance(value, str):
        value = {"value": value.strip()}
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        return value
    if not value["value"]:
        return None
    return value if value.get("$ref") else {**value, "$ref": f"Users/{value['value']}"}


def operations(sent: Any) -> list[Operation] | None:
    """The operations of a PATCH as the protocol has them; None when there is no list of them to read."""
    if not isinstance(sent, dict):
        return None
    listed = next((v for k, v in sent.items() if k.lower() == "operations"), None)
    if not isinstance(listed, list) or not all(isinstance(o, dict) for o in listed):
        return None
    return [said for operation in listed for said in _operation({str(k).lower(): v for k, v in operation.items()})]


def _operation(sent: Mapping[str, Any]) -> Iterable[Operation]:
    op = sent["op"].strip().lower() if isinstance(sent.get("op"), str) else sent.get("op")
    path = sent.get("path")
    if path is None or path == "":
        yield from _without_path(op, sent.get("value"))
        return
    if not isinstance(path, str) or path.lower() in OURS:
        if not isinstance(path, str):
            yield {"op": op, "path": path, "value": sent.get("value")}
        return
    value = sent.get("value")
    if path.lower() == f"{MANAGER}.value":
        path = path[: -len(".value")]
    value = _value(path, value)
    if op == "remove" and isinstance(value, list):
        # Entra names whom to take out as a value; without the filter this would empty the group
        for element in value:
            named = element.get("value") if isinstance(element, dict) else element
            yield {"op": op, "path": f'{path}[value eq "{named}"]' if _is_plain(named) else str(named)}
    elif op == "remove" or (op in ("add", "replace") and (value is None or value == "")):
        yield {"op": "remove", "path": path}
    else:
        yield {"op": op, "path": path, "value": value}


def _without_path(op: Any, value: Any) -> Iterable[Operation]:
    if not isinstance(value, dict):
        yield {"op": op, "value": value}
        return
    said = {k: v for k, v in value.items() if k.lower() not in OURS and k.lower() != "schemas"}
    plain = {k: _value(k, v) for k, v in said.items() if "[" not in k and k.lower() != MANAGER}
    if plain:
        yield {"op": op, "value": plain}
    for key, one in said.items():
        if "[" in key or key.lower() == MANAGER:
            yield from _operation({"op": op, "path": key, "value": one})


def _is_plain(named: Any) -> bool:
    return isinstance(named, str) and '"' not in named and "\\" not in named


def with_targets(said: list[Operation], document: Mapping[str, Any]) -> list[Operation]:
    """Operations in which a value filter finds something: what it looks for is added where it is not there yet.

    Several operations for the same missing element make one element.
    """
    made: dict[tuple[str, str, str], dict[str, Any]] = {}
    found: list[Operation] = []
    for operation in said:
        target = _TARGET.fullmatch(str(operation.get("path", ""))) if operation["op"] in ("add", "replace") else None
        if target is None:
            found.append(operation)
            continue
        attr, key, wanted = target["attr"], target["key"], target["wanted"]
        is_there = any(_is(element, key, wanted) for element in _elements(document, attr))
        if is_there:
            found.append(operation)
            continue
        which = (attr.lower(), key.lower(), wanted.lower())
        if which not in made:
            made[which] = {key: _TRUTH.get(wanted, wanted.strip('"'))}
            found.append({"op": "add", "path": attr, "value": [made[which]]})
        made[which][target["leaf"]] = operation["value"]
    return found


def _elements(document: Mapping[str, Any], attr: str) -> list[Any]:
    value = next((v for k, v in document.items() if k.lower() == attr.lower()), None)
    return value if isinstance(value, list) else []


def _is(element: Any, key: str, wanted: str) -> bool:
    if not isinstance(element, dict):
        return False
    value = next((v for k, v in element.items() if k.lower() == key.lower()), None)
    return str(value).lower() == wanted.strip('"').lower()
