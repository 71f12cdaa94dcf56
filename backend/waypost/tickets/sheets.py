"""Tables that leave the house: which columns a list of tickets can have, and cells that no spreadsheet executes. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from waypost.catalog.answers import ordered, title_of
from waypost.catalog.sensitive import HIDDEN_TEXT, mark_of
from waypost.kernel.cells import plain

Cell = str | Decimal | datetime | None
LONGEST_CELL = 32_767  # characters; Excel's own limit


class Holds(StrEnum):
    """What a column's cells are."""

    TEXT = "text"
    WORD = "word"  # of a fixed vocabulary: shown as people read it
    NUMBER = "number"
    INSTANT = "instant"
    NAMED = "named"  # a person, team or department
    PERSON = "person"  # by id, until names are looked up
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key as clients name it, the words above it, what its cells are."""

    key: str
    label: str
    holds: Holds = Holds.TEXT
    is_default: bool = True
    labels: Mapping[str, str] | None = None  # what people read for a choice


_ALL = (
    Column("ticket_number", "Number"),
    Column("title", "Title"),
    Column("description", "Description", is_default=False),
    Column("ticket_type", "Type"),
    Column("status", "Status", Holds.WORD),
    Column("priority", "Priority", Holds.WORD),
    Column("amount", "Amount", Holds.NUMBER),
    Column("currency", "Currency"),
    Column("requester", "Requester", Holds.NAMED),
    Column("assignee", "Assignee", Holds.NAMED),
    Column("team", "Team", Holds.NAMED),
    Column("department", "Department", Holds.NAMED),
    Column("tags", "Tags"),
    Column("due_date", "Due", Holds.INSTANT),
    Column("sla_state", "Service level", Holds.WORD, is_default=False),
    Column("sla_due_at", "Service level: due", Holds.INSTANT, is_default=False),
    Column("comment_count", "Comments", Holds.NUMBER, is_default=False),
    Column("created_at", "Created", Holds.INSTANT),
    Column("updated_at", "Updated", Holds.INSTANT),
    Column("submitted_at", "Submitted", Holds.INSTANT, is_default=False),
    Column("completed_at", "Completed", Holds.INSTANT, is_default=False),
    Column("closed_at", "Closed", Holds.INSTANT, is_default=False),
)
COLUMNS: Mapping[str, Column] = {c.key: c for c in _ALL}
CUSTOM = "custom."
_IDS = {"person": Holds.PERSON, "department": Holds.DEPARTMENT}  # kinds of fields that hold an id


def form_columns(form: Mapping[str, Any]) -> dict[str, Column]:
    """A column for each field of a form, in the form's order: `custom.<key>`, headed by the field's title."""
    found = {}
    for key, field in ordered(form):
        holds = Holds.NUMBER if field.get("type") in ("number", "integer") else Holds.TEXT
        holds = _IDS.get(str(field.get("x-kind")), holds)
        labels = field.get("x-choices")
        labels = labels if isinstance(labels, dict) else None
        found[CUSTOM + key] = Column(CUSTOM + key, title_of(key, field), holds, labels=labels)
    return found


def heading(column: Column, zone: str) -> str:
    """The words above a column; of times they say in which zone they are."""
    return f"{column.label} ({zone})" if column.holds is Holds.INSTANT else column.label


def cell_of(column: Column, value: Any) -> Cell:
    """A ticket's value as a cell holds it."""
    if value is None or value == "":
        return None
    if mark_of(value) is not None:
        return HIDDEN_TEXT
    match column.holds:
        case Holds.INSTANT:
            return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        case Holds.NUMBER if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            return Decimal(str(value))
        case Holds.NUMBER if isinstance(value, str) and re.fullmatch(r"-?\d{1,30}(\.\d{1,30})?", value, re.ASCII):
            return Decimal(value)
        case Holds.WORD:
            return str(value).replace("_", " ").capitalize()
        case Holds.NAMED | Holds.PERSON | Holds.DEPARTMENT:
            return str(value["name"]) if isinstance(value, dict) else str(value)
    return _words([column.labels.get(v, v) for v in _list(value)] if column.labels else value)


def _list(value: Any) -> list[Any]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else [str(value)]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "; ".join(_words(v) for v in value)
    if isinstance(value, dict):
        named = value.get("name")
        return str(named) if named else ", ".join(f"{k}: {_words(v)}" for k, v in value.items())
    return "" if value is None else str(value)


def fitted(text: str) -> str:
    """A plain text that fits a cell of Excel's."""
    kept = plain(text)
    return kept if len(kept) <= LONGEST_CELL else f"{kept[: LONGEST_CELL - 1]}…"


def csv_lines(rows: Iterable[Sequence[Cell]], zone: tzinfo) -> bytes:
    """Rows as RFC 4180 writes them, in UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_csv_cell(cell, zone) for cell in row])
    return out.getvalue().encode()


def _csv_cell(cell: Cell, zone: tzinfo) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{local(cell, zone):%Y-%m-%d %H:%M:%S}"
    return plain(cell) if isinstance(cell, str) else f"{cell:f}"


def local(at: datetime, zone: tzinfo) -> datetime:
    """What a clock on the wall of that zone shows, to the second, without the zone (spreadsheets know none)."""
    return at.astimezone(zone).replace(tzinfo=None, microsecond=0)
