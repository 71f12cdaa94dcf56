"""A filter as SQL, on what has an index; whatever else is asked for is refused with the reason.

Nobody's filter makes us read everybody: attributes without a column of their own, and operators that need every row
looked at, are answered with `invalidFilter`, which RFC 7644 (3.4.2.2) provides for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from scim2_models import InvalidFilterException
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator, Present, ValuePath
from sqlalchemy import ColumnElement, and_, exists, false, func, or_, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import column

from waypost.access.scim.membership import scim_id
from waypost.access.scim.models import ScimGroup, ScimMember, ScimPerson

MOST_TERMS = 50
DEEPEST = 8
Compare = Callable[[CompareOperator, Any], ColumnElement[bool]]
_ORDER: dict[CompareOperator, Callable[[Any, Any], ColumnElement[bool]]] = {
    CompareOperator.eq: lambda a, b: a == b,
    CompareOperator.gt: lambda a, b: a > b,
    CompareOperator.ge: lambda a, b: a >= b,
    CompareOperator.lt: lambda a, b: a < b,
    CompareOperator.le: lambda a, b: a <= b,
}


def refused(why: str) -> InvalidFilterException:
    """The answer to a filter we do not evaluate."""
    return InvalidFilterException(detail=why)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise refused("This attribute is compared with a text.")
    return value


def _only_eq(op: CompareOperator) -> None:
    if op is not CompareOperator.eq:
        raise refused(f"Of this attribute only eq is evaluated, not {op.value}.")


def _equals(expression: Any, *, any_case: bool) -> Compare:
    def compare(op: CompareOperator, value: Any) -> ColumnElement[bool]:
        _only_eq(op)
        said = _text(value)
        wanted: ColumnElement[bool] = func.lower(expression) == func.lower(said) if any_case else expression == said
        return wanted

    return compare


def _id(expression: Any) -> Compare:
    def compare(op: CompareOperator, value: Any) -> ColumnElement[bool]:
        _only_eq(op)
        named = scim_id(_text(value))
        return expression == named if named is not None else false()

    return compare


def _instant(expression: Any) -> Compare:
    def compare(op: CompareOperator, value: Any) -> ColumnElement[bool]:
        if op not in _ORDER:
            raise refused(f"Times are compared with eq, gt, ge, lt and le, not {op.value}.")
        try:
            at = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
        except ValueError as wrong:
            raise refused("This is not a time.") from wrong
        if at.tzinfo is None:
            raise refused("A time needs an offset, such as Z.")
        return _ORDER[op](expression, at)

    return compare


def _is_active(op: CompareOperator, value: Any) -> ColumnElement[bool]:
    _only_eq(op)
    if not isinstance(value, bool):
        raise refused("active is compared with true or false.")
    return ScimPerson.is_active.is_(value)


def _has_address(op: CompareOperator, value: Any) -> ColumnElement[bool]:
    _only_eq(op)
    return ScimPerson.emails.contains([_text(value).lower()])


def _has_member(op: CompareOperator, value: Any) -> ColumnElement[bool]:
    _only_eq(op)
    named = scim_id(_text(value))
    if named is None:
        return false()
    is_in = exists().where(ScimMember.group_id == ScimGroup.id, ScimMember.person_id == ScimPerson.id)
    return is_in.where(ScimPerson.scim_id == named, ScimPerson.deleted_at.is_(None))


PEOPLE: Mapping[str, Compare] = {
    "id": _id(ScimPerson.scim_id),
    "externalid": _equals(ScimPerson.external_id, any_case=False),
    "username": _equals(ScimPerson.user_name, any_case=True),
    "displayname": _equals(ScimPerson.display_name, any_case=True),
    "emails": _has_address,
    "emails.value": _has_address,
    "active": _is_active,
    "meta.created": _instant(ScimPerson.created_at),
    "meta.lastmodified": _instant(ScimPerson.updated_at),
}
GROUPS: Mapping[str, Compare] = {
    "id": _id(ScimGroup.scim_id),
    "externalid": _equals(ScimGroup.external_id, any_case=False),
    "displayname": _equals(ScimGroup.display_name, any_case=True),
    "members": _has_member,
    "members.value": _has_member,
    "meta.created": _instant(ScimGroup.created_at),
    "meta.lastmodified": _instant(ScimGroup.updated_at),
}
# What everybody has: `pr` is true of all of the one and of none of the other.
_ALWAYS = {True: {"id", "username"}, False: {"id", "displayname"}}


def condition(node: FilterNode | None, *, people: bool) -> ColumnElement[bool]:
    """The condition a filter stands for. Raises `InvalidFilterException`."""
    if node is None:
        return true()
    return _Reader(people).read(node)


class _Reader:
    def __init__(self, people: bool) -> None:
        self.people = people
        self.known = PEOPLE if people else GROUPS
        self.foreign = GROUPS if people else PEOPLE
        self.terms = 0

    def read(self, node: FilterNode, depth: int = 0) -> ColumnElement[bool]:
        self.terms += 1
        if self.terms > MOST_TERMS or depth > DEEPEST:
            raise refused("This filter asks for too much at once.")
        if isinstance(node, LogicalExpr):
            joined = and_ if node.op is LogicalOperator.and_ else or_
            return joined(*(self.read(term, depth + 1) for term in node.terms))
        if isinstance(node, Comparison):
            return self._compare(str(node.attr_path), node.op, node.value)
        if isinstance(node, ValuePath):
            return self._element(node)
        if isinstance(node, Present):
            name = _bare(str(node.attr_path))
            if name in _ALWAYS[self.people]:
                return true()
            if name in _ALWAYS[not self.people] and name not in self.known:
                return false()
        raise refused("This kind of filter is not evaluated; eq, and, or are, and gt, ge, lt, le of meta.lastModified.")

    def _compare(self, path: str, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        name = _bare(path)
        if name in self.known:
            return self.known[name](op, value)
        if name in self.foreign:
            return false()  # of another type of resource: it has no such attribute (RFC 7644, 3.4.2.1)
        raise refused(f"{path} is not searched by. Ask for one of: {', '.join(sorted(self.known))}.")

    def _element(self, node: ValuePath) -> ColumnElement[bool]:
        """`emails[type eq "work" and value eq "…"]`: the address is looked up, then its type looked at."""
        name = _bare(str(node.attr_path))
        terms = node.val_filter.terms if isinstance(node.val_filter, LogicalExpr) else (node.val_filter,)
        is_or = isinstance(node.val_filter, LogicalExpr) and node.val_filter.op is not LogicalOperator.and_
        said = {_bare(str(t.attr_path)): t for t in terms if isinstance(t, Comparison)}
        if is_or or len(said) != len(terms) or "value" not in said or not set(said) <= {"value", "type"}:
            raise refused("Within brackets, value eq, or value eq and type eq, is evaluated.")
        for term in said.values():
            _only_eq(term.op)
        if f"{name}.value" not in self.known:
            return self._compare(f"{name}.value", CompareOperator.eq, said["value"].value)
        found = self.known[f"{name}.value"](CompareOperator.eq, said["value"].value)
        if "type" not in said or name != "emails":
            return found
        said_of = func.jsonb_array_elements(ScimPerson.document["emails"]).table_valued(column("value", JSONB)).c.value
        return and_(
            found,
            exists().where(
                func.lower(func.jsonb_extract_path_text(said_of, "value")) == _text(said["value"].value).lower(),
                func.lower(func.jsonb_extract_path_text(said_of, "type")) == _text(said["type"].value).lower(),
            ),
        )


def _bare(path: str) -> str:
    """An attribute's name without the schema it stands in, in lower case."""
    lower = path.lower()
    for schema in ("urn:ietf:params:scim:schemas:core:2.0:user:", "urn:ietf:params:scim:schemas:core:2.0:group:"):
        lower = lower.removeprefix(schema)
    return lower
