"""Judging one record by a condition. Pure; `sql.compiled` gives the same answers in the database.

Nothing is never equal, above or below anything: a comparison with an empty field is false, `ne` and `not_in` are true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from waypost.kernel.conditions.fields import Kind
from waypost.kernel.conditions.tree import All, Condition, Leaf, Not

# Letters whose case is one to one, so that Python and PostgreSQL fold text alike whatever the server's locale.
UPPER = "".join(c for c in map(chr, range(0x530)) if len(c.lower()) == 1 and c.lower() != c)
LOWER = "".join(c.lower() for c in UPPER)
_FOLD = str.maketrans(UPPER, LOWER)


AMOUNT = r"[0-9]{1,12}(\.[0-9]{1,2})?"  # of money: {"amount": "12.50", "currency": "EUR"}
MOST_DIGITS = 18  # of an id


def fold(text: str) -> str:
    """Text without the difference of upper and lower case (Latin, Greek, Cyrillic, Armenian capitals)."""
    return text.translate(_FOLD)


def holds(condition: Condition, record: Mapping[str, Any]) -> bool:
    """Whether the record fulfils the condition. Fields the record does not have are empty."""
    if isinstance(condition, Leaf):
        return _leaf(condition, record.get(condition.field.name))
    if isinstance(condition, Not):
        return not holds(condition.part, record)
    if isinstance(condition, All):
        return all(holds(p, record) for p in condition.parts)
    return any(holds(p, record) for p in condition.parts)


def _read(value: Any, kind: Kind) -> Any:
    """The value in the shape it is compared in; None when it is empty or of another kind."""
    if value is None or value == "" or value == []:
        return None
    if kind is Kind.NUMBER:
        if isinstance(value, Mapping):  # money is compared by its amount, whatever its currency
            amount = value.get("amount")
            return Decimal(amount) if isinstance(amount, str) and re.fullmatch(AMOUNT, amount) else None
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            return None
        return value if isinstance(value, Decimal) else Decimal(str(value))
    if kind is Kind.ID and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**MOST_DIGITS):
        return None
    expected: dict[Kind, type] = {Kind.BOOLEAN: bool, Kind.INSTANT: datetime, Kind.ID: int, Kind.LIST: list}
    return value if isinstance(value, expected.get(kind, str)) else None


def _leaf(leaf: Leaf, raw: Any) -> bool:
    value, wanted = _read(raw, leaf.field.kind), leaf.value
    match leaf.op:
        case "is_empty":
            return value is None
        case "is_not_empty":
            return value is not None
        case "ne":
            return bool(value != wanted)
        case "not_in":
            return value not in wanted
    if value is None:
        return False
    match leaf.op:
        case "eq":
            return bool(value == wanted)
        case "in":
            return value in wanted
        case "lt":
            return bool(value < wanted)
        case "lte":
            return bool(value <= wanted)
        case "gt":
            return bool(value > wanted)
        case "gte":
            return bool(value >= wanted)
        case "starts_with":
            return fold(value).startswith(fold(wanted))
        case _:  # contains
            return wanted in value if leaf.field.kind is Kind.LIST else fold(wanted) in fold(value)
