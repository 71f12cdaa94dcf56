"""How soon holes are closed is written down, and held."""

from __future__ import annotations

import importlib.util
import tomllib
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[3]
FLOORS = tomllib.loads((ROOT / "scripts" / "floors.toml").read_text())
PAGE = (ROOT / "docs" / "operators" / "updates.md").read_text()


@pytest.fixture(scope="module")
def floors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("floors", ROOT / "scripts" / "floors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_locked_has_a_hole_we_know_of(floors: ModuleType) -> None:
    assert floors.too_old(FLOORS) == []
    newer = {"python": {"starlette": ["9999.0", "a hole of this test"]}, "npm": {}}
    (told,) = floors.too_old(newer)
    assert told.startswith("python: starlette ")
    assert Version(FLOORS["python"]["starlette"][0]) < Version("9999.0")


def test_looks_that_are_overdue_are_told(floors: ModuleType) -> None:
    days = floors.days_between_looks(PAGE)
    assert set(days) == {"advisories", "libraries"} == set(FLOORS["looked"])
    for name, every in days.items():
        looked = FLOORS["looked"][name]
        assert not [t for t in floors.overdue(FLOORS, PAGE, looked + timedelta(days=every)) if t.startswith(name)]
        assert [t for t in floors.overdue(FLOORS, PAGE, looked + timedelta(days=every + 1)) if t.startswith(name)]


def test_the_page_gives_each_severity_its_days() -> None:
    for severity, days in {"critical": 2, "high": 7, "medium": 30, "low": 90}.items():
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {severity}")]
        assert f"| {days} days |" in row
