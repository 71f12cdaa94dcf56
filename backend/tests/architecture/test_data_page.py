"""Every table of the database stands in one of the classes of data, and only once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from waypost.kernel.db import Base
from waypost.migrations import tables  # noqa: F401 - every table there is

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operators" / "data.md").read_text()
CLASSES = ("secret", "private", "internal", "open")


def classes() -> dict[str, list[str]]:
    """The tables the page puts into each class."""
    where = PAGE.partition("## Where it lies")[2]
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", where, re.MULTILINE)
    return {name: re.findall(r"`(\w+)`", told) for name, told in rows if name in CLASSES}


def test_every_table_has_a_class() -> None:
    found = classes()
    assert tuple(found) == CLASSES
    counted = Counter(table for names in found.values() for table in names)
    assert [table for table, times in counted.items() if times > 1] == []
    assert set(counted) == set(Base.metadata.tables), "put it where the harm belongs that strangers could do with it"


def test_what_is_sealed_as_a_whole_is_never_of_a_low_class() -> None:
    sealed = {m.local_table.name for m in Base.registry.mappers if hasattr(m.class_, "sealed_columns")}  # type: ignore[attr-defined]
    low = {table for name in ("internal", "open") for table in classes()[name]}
    assert sealed
    assert not sealed & low


def test_no_room_with_tables_is_forgotten() -> None:
    """What migrations, the change of keys and these tests see is every table the code has."""
    package = ROOT / "backend" / "waypost"
    listed = (package / "migrations" / "tables.py").read_text()
    with_tables = [p for p in package.rglob("*.py") if re.search(r"^    __tablename__ = ", p.read_text(), re.MULTILINE)]
    names = [".".join(("waypost", *p.relative_to(package).with_suffix("").parts)) for p in with_tables]
    assert names
    assert [name for name in names if f"import {name}\n" not in listed.replace("  # noqa: F401", "")] == []
