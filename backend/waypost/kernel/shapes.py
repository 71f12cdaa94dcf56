"""Shapes that many answers share."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


class Strict(BaseModel):
    """A request body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid")


class PersonRef(BaseModel):
    """A person, as named in other things."""

    id: Annotated[int, Field(examples=[3])]
    username: Annotated[str, Field(examples=["manager"])]
    name: Annotated[str, Field(examples=["Mike Okafor"])]


class NamedRef(BaseModel):
    """A team or department, as named in other things."""

    id: Annotated[int, Field(examples=[2])]
    name: Annotated[str, Field(examples=["Marketing"])]


def is_blank(value: str) -> bool:
    """Whether a text shows nothing at all: white space, control characters, and invisible ones."""
    return all(unicodedata.category(c)[0] in "CZ" for c in value)


def nfc(value: Any) -> Any:
    """Text in Unicode's composed form, in lists and objects too: what looks the same is the same."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {nfc(k): nfc(v) for k, v in value.items()}
    return [nfc(v) for v in value] if isinstance(value, list) else value


# They turn the words around, of what stands behind a line too: in a list, in a mail's subject.
_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def in_one_line(value: str) -> str:
    """Text as one line of composed letters, without what turns words around."""
    return " ".join(str(nfc(value)).translate(_TURNS).split())


def _one_line(value: str) -> str:
    line = in_one_line(value)
    if is_blank(line):
        raise ValueError("must not be empty")
    if any(unicodedata.category(c) == "Cc" for c in line):
        raise ValueError("must not contain control characters")
    return line


def _not_blank(value: str) -> str:
    if is_blank(value):
        raise ValueError("must not be empty")
    return value


def _blank_is_empty(value: str) -> str:
    return "" if is_blank(value) else value


def _as_sought(value: str) -> str:
    return value.replace("\x00", " ")[:MOST_SOUGHT]


def _text_only(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("must be text")
    return value


# One line of text: inner white space, line breaks too, becomes single blanks; nothing but blanks is refused.
Line = Annotated[str, BeforeValidator(_text_only), AfterValidator(_one_line)]
# Text of any length; `Said` shows something, `Remark` may be empty, and is when it shows nothing.
Text = Annotated[str, AfterValidator(nfc)]
Said = Annotated[Text, AfterValidator(_not_blank)]
Remark = Annotated[Text, AfterValidator(_blank_is_empty)]
Fields = Annotated[dict[str, Any], AfterValidator(nfc)]
# What is looked for in a list of names or subjects. Any text has an answer, as in the search: of one that is too long its beginning
# counts, and a NUL, which PostgreSQL knows nothing of, is a blank.
MOST_SOUGHT = 200
Sought = Annotated[str, AfterValidator(_as_sought)]

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?", re.ASCII)
# RFC 3339, section 5.6; a leap second is read as the second before it.
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def _decimal_text(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise ValueError('must be a decimal number such as "1250.00", at least 0, with at most two decimals')
    return Decimal(value).quantize(Decimal("0.01"))


def _instant_text(value: Any) -> Any:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("must be a time with offset (RFC 3339) such as 2030-01-15T00:00:00Z")
    if value[17:19] == "60":
        value = f"{value[:17]}59{value[19:]}"
    try:
        at = datetime.fromisoformat(value.upper().replace(" ", "T").replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise ValueError("is not a time that exists") from wrong
    if not _EARLIEST <= at < _LATEST:
        raise ValueError("must lie between 1900 and 9998")
    return at


Money = Annotated[
    Decimal,
    BeforeValidator(_decimal_text, json_schema_input_type=str),
    Field(examples=["1450.00"], description="Decimal string, two decimals at most."),
]
Instant = Annotated[
    datetime, BeforeValidator(_instant_text, json_schema_input_type=str), Field(examples=["2030-01-15T00:00:00Z"])
]
# What one read, of something that counts its versions: as PostgreSQL's integer holds it.
Version = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True, examples=[1], description="The version you read.")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["USD"], description="ISO 4217.")]
