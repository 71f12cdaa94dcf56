"""The table of security requirements names what there is, once each, and counts itself rightly."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "contributors" / "security-requirements.md"
STATES = ("met", "open", "n/a")
LEVELS = {1: 70, 2: 183}  # requirements of the standard, version 5.0.0
_ROW = re.compile(r"\| v5\.0\.0-(\d+)\.(\d+)\.(\d+) \| (\d) \| ([^|]+) \| (\S+) \| ([^|]+) \|")
_COUNT = re.compile(r"^\| (met|open|n/a|all) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
_OPEN = re.compile(r"^- \*\*v5\.0\.0-([\d.]+)\*\* \(level (\d)\), \S.*: \S.*\.$", re.MULTILINE)
_PLACE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """A requirement as it stands in the table."""

    chapter: int
    id: str
    level: int
    state: str
    shown: str

    @property
    def places(self) -> list[str]:
        """The files and tests that show it."""
        return _PLACE.findall(self.shown)


def rows() -> list[Row]:
    """Every row, in order; a line of a table that cannot be read is a failure."""
    found, chapter = [], 0
    for line in PAGE.read_text().splitlines():
        if line.startswith("## V"):
            chapter = int(line[4:].partition(":")[0])
        if chapter and line.startswith("|") and not line.startswith(("| id |", "| --- |")):
            read = _ROW.fullmatch(line)
            assert read, f"this row cannot be read: {line}"
            first, second, third, level, _, state, shown = read.groups()
            assert int(first) == chapter, f"in the wrong chapter: {line}"
            found.append(Row(chapter, f"{first}.{second}.{third}", int(level), state, shown))
    return found


@lru_cache
def names_in(path: Path) -> frozenset[str]:
    """The functions a Python file defines."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))


def is_there(place: str) -> bool:
    """Whether a file, and the test behind `::`, exist."""
    name, _, test = place.partition("::")
    path = ROOT / name
    if not path.is_file():
        return False
    if path.suffix == ".py":
        return not test or test in names_in(path)
    return test in path.read_text()


def test_what_shows_it_exists() -> None:
    gone = [(row.id, place) for row in rows() for place in row.places if not is_there(place)]
    assert gone == []


def test_every_requirement_stands_once() -> None:
    found = rows()
    ids = [tuple(map(int, row.id.split("."))) for row in found]
    assert ids == sorted(set(ids)), "in the standard's order, none twice"
    assert Counter(row.level for row in found) == LEVELS


def test_a_state_has_what_it_needs() -> None:
    for row in rows():
        assert row.state in STATES, row
        assert bool(row.places) is (row.state != "n/a"), f"a place, or for n/a a reason: {row}"


def test_the_counts_are_those_of_the_tables() -> None:
    found = Counter((row.state, row.level) for row in rows())
    told = {state: [int(n) for n in numbers] for state, *numbers in _COUNT.findall(PAGE.read_text())}
    counted = {state: [found[state, level] for level in LEVELS] for state in STATES}
    counted["all"] = [sum(column) for column in zip(*counted.values(), strict=True)]
    assert told == {state: [*numbers, sum(numbers)] for state, numbers in counted.items()}


def test_every_open_one_says_what_is_missing() -> None:
    told = [(id_, int(level)) for id_, level in _OPEN.findall(PAGE.read_text())]
    assert told == [(row.id, row.level) for row in rows() if row.state == "open"]
