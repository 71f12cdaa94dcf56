"""Forms: which JSON Schemas we take, and what is wrong with a filled-in one. Pure.

JSON Schema 2020-12. The validator is a compiled one whose regular expressions cannot run away, so a pattern an
administrator wrote cannot hold up the server.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jsonschema_rs
import msgspec

from waypost.catalog.errors import BadForm, FormNotFilled
from waypost.kernel.errors import FieldError

MAX_BYTES = 64 * 1024
MAX_FIELDS = 200
MOST_ERRORS = 50  # enough for any form; a hostile body could have thousands
_FORBIDDEN = ("$ref", "$dynamicRef", "$id", "$anchor", "$dynamicAnchor")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check_form(form: dict[str, Any], *, pointer: str) -> dict[str, Any]:
    """The form as it is kept: an object schema that takes no unknown fields. Raises `BadForm` naming the place."""
    kept = {"type": "object", "properties": {}, "additionalProperties": False, **form}
    if len(msgspec.json.encode(kept)) > MAX_BYTES:
        raise _bad(pointer, f"must be smaller than {MAX_BYTES // 1024} KiB")
    if kept["type"] != "object":
        raise _bad(f"{pointer}/type", 'must be "object"')
    if not isinstance(kept["properties"], dict) or len(kept["properties"]) > MAX_FIELDS:
        raise _bad(f"{pointer}/properties", f"must be an object of at most {MAX_FIELDS} fields")
    _no_references(kept, pointer)
    try:
        jsonschema_rs.meta.validate({**kept, "$schema": DIALECT})
        _validator(msgspec.json.encode(kept))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as wrong:
        path = "".join(f"/{p}" for p in getattr(wrong, "instance_path", []))
        raise _bad(pointer + path, str(getattr(wrong, "message", wrong))[:300]) from wrong
    return kept


def check_fields(form: dict[str, Any], fields: dict[str, Any], *, is_draft: bool) -> None:
    """Refuse custom fields that do not fit the form, all at once. A draft may still lack required ones.

    Raises `FormNotFilled` with a JSON pointer under `/custom_fields` for each.
    """
    errors = []
    for error in _validator(msgspec.json.encode(form)).iter_errors(fields):
        keyword = str(error.schema_path[-1]) if error.schema_path else ""
        if keyword == "required" and is_draft:
            continue
        path = [*error.instance_path]
        message = error.message
        if keyword == "required":
            missing = getattr(error.kind, "property", None)
            if missing is not None:
                path.append(str(missing))
            message = "is needed"
        if keyword == "additionalProperties":
            names = list(getattr(error.kind, "unexpected", []))[:MOST_ERRORS]
            errors += [FieldError(_pointer([*path, name]), "is not a field of this form") for name in names]
        else:
            errors.append(FieldError(_pointer(path), message[:300]))
        if len(errors) >= MOST_ERRORS:
            break
    if errors:
        raise FormNotFilled(errors=tuple(errors))


@lru_cache(maxsize=512)
def _validator(encoded: bytes) -> Any:
    schema = msgspec.json.decode(encoded)
    return jsonschema_rs.validator_for({**schema, "$schema": DIALECT}, validate_formats=True)


def _pointer(path: list[Any]) -> str:
    return "/custom_fields" + "".join(f"/{_escape(p)}" for p in path)


def _escape(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _bad(pointer: str, message: str) -> BadForm:
    return BadForm(f"The form {message}.", errors=(FieldError(pointer, message),))


def _no_references(value: object, pointer: str) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _FORBIDDEN and isinstance(inner, str):
                raise _bad(f"{pointer}/{_escape(key)}", "must not refer to other schemas")
            _no_references(inner, f"{pointer}/{_escape(key)}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            _no_references(inner, f"{pointer}/{n}")
