"""What a delegation covers: a condition and a ceiling, over the facts a workflow keeps of what it judges. Pure.

Said twice: `covers` for one workflow, and `path_of` as a JSON path that PostgreSQL asks of the kept facts
(`jsonb_path_match`), so that a queue with somebody else's steps in it stays one statement. A property test holds both
equal. The facts are kept in a shape both read alike: `{"v": {name: value}, "f": {name: text without upper case}}`,
empty values left out, instants as texts of one form that sort as they follow each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from waypost.kernel.conditions import evaluate
from waypost.kernel.conditions.evaluate import fold
from waypost.kernel.conditions.fields import Kind
from waypost.kernel.conditions.tree import ALWAYS, All, Condition, Leaf, Not, leaves

AMOUNT = "amount"
_INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"
_MONEY = re.compile(evaluate.AMOUNT)
_TYPES = {Kind.NUMBER: "number", Kind.ID: "number", Kind.BOOLEAN: "boolean", Kind.LIST: "array"}
_ORDERS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a delegation covers. `up_to` is a ceiling in the company's currency; what has no amount is below it."""

    condition: Condition = ALWAYS
    up_to: Decimal | None = None

    @property
    def is_everything(self) -> bool:
        """Whether there is nothing it leaves out."""
        return self.condition == ALWAYS and self.up_to is None


EVERYTHING = Scope()


def facts_kept(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as a workflow keeps them."""
    values = {name: kept for name, value in facts.items() if (kept := _kept(value)) is not None}
    folded = {name: fold(value) for name, value in values.items() if isinstance(value, str)}
    return {"v": values, "f": folded}


def _kept(value: Any) -> Any:
    if isinstance(value, Mapping):  # money without a rate is compared by its amount, as everywhere
        amount = value.get("amount")
        return _kept(Decimal(amount)) if isinstance(amount, str) and _MONEY.fullmatch(amount) else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(_INSTANT)
    if isinstance(value, list):
        return [v for v in value if isinstance(v, str)] or None
    if isinstance(value, Decimal):
        # a whole number stays one: JSON's numbers are read as floats otherwise
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, (str, bool, int, float)) and value != "" else None


def covers(scope: Scope, kept: Mapping[str, Any] | None) -> bool:
    """Whether a delegation covers what was judged by these facts. Facts that were not kept are covered by no part."""
    if scope.is_everything:
        return True
    if kept is None:
        return False
    values = kept["v"]
    amount = values.get(AMOUNT)
    is_above = scope.up_to is not None and _is_number(amount) and Decimal(str(amount)) > scope.up_to
    return not is_above and evaluate.holds(scope.condition, _record(scope.condition, values))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _record(condition: Condition, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values a condition looks at, typed as it compares them."""
    record = {}
    for leaf in leaves(condition):
        value = values.get(leaf.field.name)
        if leaf.field.kind is Kind.INSTANT:
            value = _instant(value)
        elif leaf.field.kind is Kind.ID and isinstance(value, float):
            value = None
        record[leaf.field.name] = value
    return record


def _instant(value: Any) -> datetime | None:
    try:
        return datetime.strptime(value, _INSTANT).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None


# --- the same as a JSON path ------------------------------------------------------------------------------------------


def path_of(scope: Scope) -> str | None:
    """The scope as a JSON path over kept facts; None for one that covers everything. Never answers "unknown"."""
    parts = []
    if scope.up_to is not None:
        amount = f'$.v."{AMOUNT}"'
        parts.append(f'(!({amount}.type() == "number") || {amount} <= {scope.up_to})')
    if scope.condition != ALWAYS:
        parts.append(_path(scope.condition))
    return " && ".join(parts) or None


def paths_together(paths: list[str | None]) -> str | None:
    """The path that holds where all of these do."""
    said = [p for p in paths if p is not None]
    return " && ".join(f"({p})" for p in said) or None


def _path(condition: Condition) -> str:
    if isinstance(condition, Leaf):
        return _leaf(condition)
    if isinstance(condition, Not):
        return f"!({_path(condition.part)})"
    if not condition.parts:
        return "(1 == 1)" if isinstance(condition, All) else "(1 == 0)"
    return "(" + (" && " if isinstance(condition, All) else " || ").join(_path(p) for p in condition.parts) + ")"


def _leaf(leaf: Leaf) -> str:
    name = json.dumps(leaf.field.name, ensure_ascii=False)
    value, folded = f"$.v.{name}", f"$.f.{name}"
    is_there = _is_there(leaf.field.kind, value)
    match leaf.op:
        case "is_empty":
            return f"!({is_there})"
        case "is_not_empty":
            return f"({is_there})"
        case "eq" | "ne":
            same = f"({is_there} && {value} == {_literal(leaf.value)})"
            return same if leaf.op == "eq" else f"!{same}"
        case "in" | "not_in":
            same = " || ".join(f"{value} == {_literal(v)}" for v in leaf.value)
            return f"({is_there} && ({same}))" if leaf.op == "in" else f"!({is_there} && ({same}))"
        case "starts_with":
            return f"({is_there} && {folded} starts with {_literal(fold(leaf.value))})"
        case "contains" if leaf.field.kind is Kind.LIST:
            return f"({is_there} && exists({value}[*] ? (@ == {_literal(leaf.value)})))"
        case "contains" if leaf.value == "":
            return f"({is_there})"
        case "contains":
            return f'({is_there} && {folded} like_regex {_literal(fold(leaf.value))} flag "q")'
    return f"({is_there} && {value} {_ORDERS[leaf.op]} {_literal(leaf.value)})"


def _is_there(kind: Kind, value: str) -> str:
    there = f'{value}.type() == "{_TYPES.get(kind, "string")}"'
    if kind is Kind.ID:  # a number with a fraction is nobody's id
        there += f" && {value}.floor() == {value}"
    return there


def _literal(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        value = value.astimezone(UTC).strftime(_INSTANT)
    return json.dumps(value, ensure_ascii=False)
