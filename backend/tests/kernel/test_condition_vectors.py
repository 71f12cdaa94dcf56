"""The web app judges conditions and forms by itself while somebody types. What it must answer stands in `vectors.json`,
written from here and read by its own tests; `WRITE_VECTORS=1 pytest backend/tests/kernel/test_condition_vectors.py`
writes it anew.
"""

from __future__ import annotations

import json
import os
import random
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.kernel.test_conditions import FIELDS
from waypost.catalog.errors import FormNotFilled
from waypost.catalog.forms import NEEDED, check_fields, check_form, hidden_keys
from waypost.kernel.conditions.evaluate import UPPER, fold, holds
from waypost.kernel.conditions.fields import OPERATORS, Kind
from waypost.kernel.conditions.tree import parse

FILE = Path(__file__).parents[3] / "frontend" / "src" / "shared" / "conditions" / "vectors.json"
TEXTS = ["", "a", "A", "ab", "aB", "Äb", "ä", "b a", "Σ", "ς", "İ", "%", "\U0001f600", "\u0130x", "10", "9"]
DAYS = ["2026-01-01", "2026-01-02", "2026-12-31"]
INSTANTS = ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000001Z", "2025-12-31T23:59:59Z"]
NUMBERS = ["0", "1", "1.00", "1.5", "-3", "1000", "999999999999.99", "0.1", "0.000000001"]
GIVEN: list[Any] = [None, True, False, 0, 1, 1.5, -3, 2, 3, 0.1, 10**17, 1e18, "1", [], ["a"], ["a", "ab"], {}]
MONEY = [{"amount": a, "currency": "EUR"} for a in ("1", "1.00", "1000", "-1", "1.234", "", "999999999999.99")]
VALUES: dict[Kind, list[Any]] = {
    Kind.TEXT: TEXTS,
    Kind.CHOICE: ["red", "blue"],
    Kind.NUMBER: NUMBERS,
    Kind.BOOLEAN: [True, False],
    Kind.INSTANT: INSTANTS,
    Kind.DATE: DAYS,
    Kind.ID: [1, 2, 3],
    Kind.LIST: TEXTS[1:5],
}


def a_leaf(rng: random.Random) -> dict[str, Any]:
    field = rng.choice(list(FIELDS.values()))
    op = rng.choice(OPERATORS[field.kind])
    if op.startswith("is_"):
        return {"field": field.name, "op": op}
    values: list[Any] = list(field.choices) or VALUES[field.kind]
    value = rng.sample(values, rng.randint(1, 2)) if op in ("in", "not_in") else rng.choice(values)
    return {"field": field.name, "op": op, "value": value}


def a_tree(rng: random.Random, depth: int = 3) -> Any:
    word = rng.choice(["leaf", "leaf", "all", "any", "not"]) if depth else "leaf"
    if word == "leaf":
        return a_leaf(rng)
    if word == "not":
        return {"not": a_tree(rng, depth - 1)}
    return {word: [a_tree(rng, depth - 1) for _ in range(rng.randint(0, 3))]}


def a_record(rng: random.Random) -> dict[str, Any]:
    record = {}
    for field in FIELDS.values():
        if field.kind is Kind.INSTANT:
            record[field.name] = rng.choice([None, *INSTANTS])
        elif rng.random() < 0.8:
            fitting: list[Any] = [v for v in VALUES[field.kind] if field.kind is not Kind.NUMBER]
            fitting = [*fitting, *MONEY] if field.kind is Kind.NUMBER else fitting
            record[field.name] = rng.choice([*fitting, *(fitting * 2), *GIVEN])
    return record


def as_evaluated(record: dict[str, Any]) -> dict[str, Any]:
    """A record as it comes from the database, where instants are no texts."""
    typed = dict(record)
    for field in FIELDS.values():
        if field.kind is Kind.INSTANT and isinstance(typed.get(field.name), str):
            typed[field.name] = datetime.fromisoformat(typed[field.name])
    return typed


def condition_vectors() -> list[dict[str, Any]]:
    rng = random.Random(20261123)
    found = []
    for n in range(600):
        # Half of them one comparison: whatever an operator does with a kind is looked at by itself.
        tree, record = a_leaf(rng) if n % 2 else a_tree(rng), a_record(rng)
        names = {f for f in FIELDS if f'"{f}"' in json.dumps(tree)}
        shown = {k: v for k, v in record.items() if k in names}
        found.append({"condition": tree, "record": shown, "holds": holds(parse(tree, FIELDS), as_evaluated(shown))})
    return [{"condition": None, "record": {}, "holds": True}, *found]


# --- forms -----------------------------------------------------------------------------------------------------------

FACTS = {"priority": ["LOW", "CRITICAL"], "amount": [None, "999.99", "1000.01"], "title": ["a", "theft"]}
SHOWN = [
    {"field": "priority", "op": "eq", "value": "CRITICAL"},
    {"field": "amount", "op": "gt", "value": "1000"},
    {"field": "title", "op": "contains", "value": "THEFT"},
]
FILLED: dict[str, list[Any]] = {
    "text": ["", " ", "a", "theft"],
    "number": [0, 5],
    "money": [{"amount": "5.00", "currency": "EUR"}, {"amount": "5000", "currency": "EUR"}],
    "date": ["2026-01-02"],
    "choice": ["x", "y"],
    "multi_choice": [[], ["x"], ["x", "y"]],
    "person": [1, 2],
    "department": [1],
    "file": [[], [7]],
    "checkbox": [True, False],
}
ABOUT: dict[str, dict[str, Any]] = {
    "text": {"op": "eq", "value": "theft"},
    "number": {"op": "gte", "value": "5"},
    "money": {"op": "lt", "value": "1000"},
    "date": {"op": "gt", "value": "2026-01-01"},
    "choice": {"op": "in", "value": ["x"]},
    "multi_choice": {"op": "contains", "value": "y"},
    "person": {"op": "eq", "value": 2},
    "department": {"op": "is_empty"},
    "checkbox": {"op": "eq", "value": True},
}


def a_form(rng: random.Random) -> dict[str, Any]:
    kinds = [rng.choice(list(FILLED)) for _ in range(6)]
    properties: dict[str, Any] = {}
    for n, kind in enumerate(kinds):
        schema: dict[str, Any] = {"x-kind": kind, "title": f"F{n}", "x-order": rng.randint(1, 6)}
        if kind == "choice":
            schema["enum"] = ["x", "y"]
        if kind == "multi_choice":
            schema["items"] = {"enum": ["x", "y"]}
        if rng.random() < 0.6:
            earlier = [m for m in range(n) if kinds[m] in ABOUT]
            parts = [{"field": f"custom.f{m}", **ABOUT[kinds[m]]} for m in rng.sample(earlier, min(2, len(earlier)))]
            parts.append(rng.choice(SHOWN))
            schema["x-show-when"] = {rng.choice(["all", "any"]): rng.sample(parts, rng.randint(1, len(parts)))}
        properties[f"f{n}"] = schema
    keys = rng.sample(list(properties), len(properties))
    required = [k for k in keys if rng.random() < 0.6]
    return check_form({"properties": {k: properties[k] for k in keys}, "required": required}, pointer="/form")


def form_vectors() -> list[dict[str, Any]]:
    rng = random.Random(20261124)
    found = []
    for _ in range(80):
        form = a_form(rng)
        fields = {
            key: rng.choice(FILLED[schema["x-kind"]])
            for key, schema in form["properties"].items()
            if rng.random() < 0.7
        }
        facts = {name: rng.choice(values) for name, values in FACTS.items()}
        typed = facts | {"amount": None if facts["amount"] is None else Decimal(str(facts["amount"]))}
        gone = hidden_keys(form, fields, typed)
        needed: list[str] = []
        try:
            kept = {k: v for k, v in fields.items() if k not in gone}
            check_fields(form, kept, facts=typed, is_draft=False)
        except FormNotFilled as refused:
            needed = [e.pointer.removeprefix("/custom_fields/") for e in refused.errors if e.message == NEEDED]
        found.append({"form": form, "fields": fields, "facts": facts, "hidden": sorted(gone), "needed": sorted(needed)})
    return found


def written() -> str:
    """One case a line, so that a difference can be read."""

    def lines(cases: list[dict[str, Any]]) -> str:
        return "[\n" + ",\n".join(json.dumps(c, ensure_ascii=True, sort_keys=True) for c in cases) + "\n]"

    letters = UPPER + "ßıİ abcäσ"
    return (
        '{"about": "Written by backend/tests/kernel/test_condition_vectors.py",\n'
        f'"kinds": {json.dumps({f.name: f.kind.value for f in FIELDS.values()}, sort_keys=True)},\n'
        f'"letters": {json.dumps({"given": letters, "folded": fold(letters)})},\n'
        f'"conditions": {lines(condition_vectors())},\n'
        f'"forms": {lines(form_vectors())}}}\n'
    )


def test_the_web_app_is_told_the_same() -> None:
    if os.environ.get("WRITE_VECTORS"):
        FILE.write_text(written())
    assert FILE.read_text() == written(), "the answers changed: write vectors.json anew (WRITE_VECTORS=1)"


def test_the_cases_tell_something() -> None:
    conditions, forms = condition_vectors(), form_vectors()
    assert 0.2 < sum(v["holds"] for v in conditions) / len(conditions) < 0.8
    used = {(v["condition"]["field"], v["condition"]["op"]) for v in conditions if "op" in (v["condition"] or {})}
    assert len(used) > 0.8 * sum(len(OPERATORS[f.kind]) for f in FIELDS.values())
    assert sum(bool(v["hidden"]) for v in forms) > 30
    assert sum(bool(v["needed"]) for v in forms) > 30
