"""From the cells of a row to a new request: which column is which field, and what its words mean there. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from typing import Any, Literal

from waypost.catalog.answers import ordered
from waypost.kernel.clock import rfc3339
from waypost.kernel.tables import NO, YES, guess
from waypost.tickets.sheets import CUSTOM

DateOrder = Literal["ymd", "dmy", "mdy"]
# What a column can be, besides a form's fields; with the words people head such columns with.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "subject", "summary", "short description", "betreff"),
    "description": ("description", "details", "body", "text", "beschreibung"),
    "priority": ("priority", "urgency", "prio", "priorität"),
    "due_date": ("due", "due date", "deadline", "due_date", "fällig"),
    "tags": ("tags", "labels", "keywords"),
    "amount": ("amount", "price", "cost", "total", "betrag"),
    "currency": ("currency", "währung"),
    "requester": ("requester", "requested by", "requester e-mail", "requester email", "reporter", "e-mail", "email"),
    "assignee": ("assignee", "assigned to", "owner", "agent"),
    "status": ("status", "state"),
    "external_key": ("external key", "external_key", "key", "id", "number", "reference", "ticket number"),
}
PRIORITIES = {
    "low": "LOW",
    "medium": "MEDIUM",
    "normal": "MEDIUM",
    "high": "HIGH",
    "urgent": "CRITICAL",
    "critical": "CRITICAL",
}
STATUSES = {"draft": False, "submitted": True}
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is read: for each field its column, or (and for empty cells) what stands there otherwise."""

    ticket_type: str
    columns: Mapping[str, int]
    defaults: Mapping[str, str] = field(default_factory=dict)
    dates: DateOrder = "ymd"

    def cell(self, cells: Sequence[str], name: str) -> str:
        """What a row says for a field; empty when it says nothing."""
        column = self.columns.get(name)
        said = cells[column].strip() if column is not None and column < len(cells) else ""
        return said or self.defaults.get(name, "").strip()

    @property
    def fields(self) -> set[str]:
        """The fields that get something."""
        return {*self.columns, *self.defaults}


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody or something by name, to be looked up: `kind` is person or department."""

    kind: str
    words: str


@dataclass(slots=True)
class Reading:
    """A row as a new request: `values` as the API takes them, `wrong` what cannot be understood, by field."""

    values: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    requester: str = ""
    assignee: str = ""
    submit: bool = False
    external_key: str | None = None
    wrong: dict[str, str] = field(default_factory=dict)


def importable(form: Mapping[str, Any]) -> dict[str, str]:
    """The form's fields a column can fill, with their titles. Files cannot come from a table, and the rows of one are kept
    as they were brought, so sensitive answers do not either.
    """
    found = {}
    for key, schema in ordered(form):
        if schema.get("x-kind") != "file" and not schema.get("x-sensitive"):
            found[CUSTOM + key] = str(schema.get("title") or key)
    return found


def suggest(headings: Sequence[str], form: Mapping[str, Any]) -> dict[str, int]:
    """The columns whose headings say which field they are: each field once, the form's own titles first."""
    known: dict[str, tuple[str, ...]] = {
        k: (t.lower(), k.removeprefix(CUSTOM).lower()) for k, t in importable(form).items()
    }
    return guess(headings, {**FIELDS, **known})


def read_row(plan: Plan, form: Mapping[str, Any], cells: Sequence[str], zone: tzinfo) -> Reading:
    """What a row asks for. Nothing is looked up and no rule of requests is asked here."""
    row = Reading()
    for name in ("title", "description", "currency"):
        if said := plan.cell(cells, name):
            row.values[name] = said.upper() if name == "currency" else said
    if said := plan.cell(cells, "tags"):
        row.values["tags"] = [tag.strip() for tag in re.split(r"[;,]", said) if tag.strip()]
    row.requester, row.assignee = plan.cell(cells, "requester"), plan.cell(cells, "assignee")
    readers: dict[str, Any] = {
        "priority": _priority,
        "due_date": lambda said: _instant(said, plan.dates, zone),
        "amount": _decimal,
    }
    for name, read in readers.items():
        if said := plan.cell(cells, name):
            _try(row, name, row.values, name, lambda said=said, read=read: read(said))
    if said := plan.cell(cells, "status"):
        submit = STATUSES.get(said.lower())
        if submit is None:
            row.wrong["status"] = "must be Draft or Submitted: a request comes in at its beginning"
        row.submit = bool(submit)
    if said := plan.cell(cells, "external_key"):
        if len(said) > LONGEST_KEY:
            row.wrong["external_key"] = f"must have at most {LONGEST_KEY} characters"
        else:
            row.external_key = said
    properties = form.get("properties") or {}
    for name in plan.fields:
        if name.startswith(CUSTOM) and (said := plan.cell(cells, name)):
            key = name.removeprefix(CUSTOM)
            schema = properties.get(key) or {}
            _try(row, name, row.custom, key, lambda said=said, schema=schema: _custom(schema, said, plan.dates))
    return row


def _try(row: Reading, name: str, into: dict[str, Any], key: str, read: Any) -> None:
    try:
        into[key] = read()
    except ValueError as wrong:
        row.wrong[name] = str(wrong)


def _priority(said: str) -> str:
    found = PRIORITIES.get(said.lower())
    if found is None:
        raise ValueError("must be Low, Medium, High or Critical")
    return found


_DATE = re.compile(r"(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?", re.ASCII)
_ORDERS: Mapping[str, tuple[int, int, int]] = {"ymd": (1, 2, 3), "dmy": (3, 2, 1), "mdy": (3, 1, 2)}
_SHOWN: Mapping[str, str] = {"ymd": "2026-12-31", "dmy": "31.12.2026", "mdy": "12/31/2026"}


def _day(said: str, order: DateOrder) -> tuple[date, time | None]:
    match = _DATE.fullmatch(said)
    if match is None:
        raise ValueError(f"must be a date such as {_SHOWN[order]}")
    year_first = len(match[1]) == 4
    year, month, day = (int(match[n]) for n in _ORDERS["ymd" if year_first else order])
    if year < 100 and not year_first:
        year += 2000
    try:
        clock = time(int(match[4]), int(match[5]), int(match[6] or 0)) if match[4] else None
        return date(year, month, day), clock
    except ValueError:
        raise ValueError(f"is not a day that exists, when dates are written like {_SHOWN[order]}") from None


def _instant(said: str, order: DateOrder, zone: tzinfo) -> str:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}[Tt ].*([Zz]|[+-]\d{2}:\d{2})", said, re.ASCII):
        return said  # a time with its offset: the rules of the API say whether it exists
    day, clock = _day(said, order)
    try:
        return rfc3339(datetime.combine(day, clock or time(17), zone))  # a day alone means its working hours' end
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None


def _decimal(said: str) -> str:
    """A number as people write it, "1.450,50" or "$1,450.50"; one that could be read in two ways is refused."""
    text = re.sub(r"[\s'’\u00a0\u202f]", "", said)
    text = re.sub(r"^([$€£¥]|[A-Z]{3})(?=\d)|(?<=\d)([$€£¥]|[A-Z]{3})$", "", text)
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    if re.fullmatch(r"\d{1,3}([.,]\d{3})", text) and not text.startswith("0"):
        raise ValueError("could be read in two ways: write 1450.00")
    whole = re.fullmatch(r"(\d+|\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d{3})+)(?:([.,])(\d+))?", text, re.ASCII)
    if whole is None or (whole[2] and whole[2] in whole[1]):
        raise ValueError("must be a number such as 1450.00")
    digits = re.sub(r"[.,]", "", whole[1])
    return sign + digits + (f".{whole[3]}" if whole[3] else "")


def _custom(schema: Mapping[str, Any], said: str, order: DateOrder) -> Any:
    kind = schema.get("x-kind")
    if kind in ("person", "department"):
        return Named(str(kind), said)
    if kind == "money":
        currency = re.search(r"[A-Z]{3}", said)
        return {"amount": _decimal(said), "currency": currency[0] if currency else ""}
    if schema.get("type") == "array":
        return [_choice(schema.get("items") or {}, schema, part.strip()) for part in said.split(";") if part.strip()]
    match schema.get("type"):
        case "boolean":
            word = said.lower()
            if word not in YES | NO:
                raise ValueError("must be Yes or No")
            return word in YES
        case "integer" | "number":
            number = _decimal(said)
            return float(number) if "." in number else int(number)
    if schema.get("format") == "date":
        return _day(said, order)[0].isoformat()
    return _choice(schema, schema, said)


def _choice(schema: Mapping[str, Any], labelled: Mapping[str, Any], said: str) -> Any:
    """A choice by its value or by what people read for it, whatever its capitals; other texts as they are."""
    labels = labelled.get("x-choices")
    for value in schema.get("enum") or ():
        shown = labels.get(value, value) if isinstance(labels, dict) else value
        if said.lower() in (str(value).lower(), str(shown).lower()):
            return value
    return said
