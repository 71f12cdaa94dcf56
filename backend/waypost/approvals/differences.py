"""What reads differently between two versions of a subject, in words an approver understands. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waypost.catalog.answers import answers, ids_named, with_names
from waypost.catalog.kinds import FieldKind

People = Mapping[int | None, Mapping[str, Any]]
# member of the subject -> what people call it, and how a screen shows its values
_MEMBERS = {
    "title": ("Title", "text"),
    "description": ("Description", "text"),
    "ticket_type_name": ("Type", "text"),
    "priority": ("Priority", "priority"),
    "amount": ("Amount", "money"),
    "due_date": ("Needed by", "instant"),
    "department_id": ("Department", "text"),
    "requester_id": ("Requester", "text"),
}


def answers_of(subject: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was filled in; a subject kept before answers were has fields and titles only."""
    kept: list[dict[str, Any]] | None = subject.get("answers")
    if kept is None:
        titles = subject.get("field_titles", {})
        return answers({"properties": {k: {"title": t} for k, t in titles.items()}}, subject.get("custom_fields", {}))
    return kept


def people_of(*subjects: Mapping[str, Any]) -> list[int]:
    """The ids of the people these subjects name."""
    named = [i for s in subjects for i in ids_named(answers_of(s), FieldKind.PERSON)]
    return named + [s["requester_id"] for s in subjects if s.get("requester_id")]


def departments_of(*subjects: Mapping[str, Any]) -> list[int]:
    """The ids of the departments these subjects name."""
    named = [i for s in subjects for i in ids_named(answers_of(s), FieldKind.DEPARTMENT)]
    return named + [s["department_id"] for s in subjects if s.get("department_id")]


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], people: People, departments: People
) -> list[dict[str, Any]]:
    """`{field, label, kind, before, after}` for each difference, in the order in which the request is read.

    Values are texts, None where there was or is none; `kind` says how to show them.
    """
    found = []
    for member, (label, kind) in _MEMBERS.items():
        old, new = (_said(s, member, people, departments) for s in (before, after))
        if old != new:
            field = member.removesuffix("_id").removesuffix("_name")
            found.append({"field": field, "label": label, "kind": kind, "before": old, "after": new})
    old_answers, new_answers = (
        {a["key"]: a for a in with_names(answers_of(s), people, departments)} for s in (before, after)
    )
    for key in dict.fromkeys([*new_answers, *old_answers]):
        one, two = old_answers.get(key), new_answers.get(key)
        if (one or {}).get("value") != (two or {}).get("value"):
            texts = [None if a is None else str(a["text"]) for a in (one, two)]
            if texts[0] == texts[1] and texts[1] is not None:
                texts[1] = f"{texts[1]}, not the same"  # as many files, but others
            title = (two or one or {}).get("title", key)
            found.append(
                {"field": f"custom.{key}", "label": title, "kind": "text", "before": texts[0], "after": texts[1]}
            )
    return found


def _said(subject: Mapping[str, Any], member: str, people: People, departments: People) -> str | None:
    value = subject.get(member)
    if value is None or value == "":
        return None
    if member == "amount":
        return f"{value} {subject.get('currency') or ''}".strip()
    if member in ("department_id", "requester_id"):
        names = people if member == "requester_id" else departments
        return str(names.get(value, {}).get("name", f"#{value}"))
    return str(value)
