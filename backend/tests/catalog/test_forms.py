"""The rule of forms: which definitions are taken, and what is wrong with a filled-in one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.catalog.answers import answers, differing, with_names
from waypost.catalog.errors import FormNotFilled
from waypost.catalog.forms import HIDDEN, NEEDED, check_fields, check_form, hidden_keys, with_defaults
from waypost.catalog.kinds import FieldKind, choices_of, kind_of
from waypost.kernel.errors import Invalid


def field(kind: str, title: str = "Field", **more: Any) -> dict[str, Any]:
    return {"x-kind": kind, "title": title, **{k.replace("_", "-") if k[:2] == "x_" else k: v for k, v in more.items()}}


def leaf(name: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": name, "op": op} | ({} if value is None else {"value": value})


CHOICE = field("choice", enum=["new", "used"], x_choices={"new": "Brand new"})
EVERY: dict[str, dict[str, Any]] = {
    "line": field("text", maxLength=10, minLength=2, pattern="^[a-z ]+$"),
    "words": field("long_text"),
    "count": field("number", type="integer", minimum=1, maximum=9),
    "price": field("money", **{"x-min": "1", "x-max": "100.00"}),
    "day": field("date", **{"x-min": "2026-01-01", "x-max": "2026-12-31"}),
    "state": CHOICE,
    "extras": field("multi_choice", items={"enum": ["a", "b", "c"]}, minItems=1, maxItems=2),
    "boss": field("person"),
    "unit": field("department"),
    "papers": field("file"),
    "agreed": field("checkbox"),
}
GOOD: dict[str, Any] = {
    "line": "a line",
    "words": "two\nlines",
    "count": 3,
    "price": {"amount": "12.50", "currency": "EUR"},
    "day": "2026-11-23",
    "state": "used",
    "extras": ["a", "c"],
    "boss": 3,
    "unit": 1,
    "papers": [7, 8],
    "agreed": True,
}


def made(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return check_form({"properties": properties, "required": list(required)}, pointer="/form")


def wrong(form: dict[str, Any], fields: dict[str, Any], *, is_draft: bool = False, **facts: Any) -> dict[str, str]:
    try:
        check_fields(form, fields, facts=facts, is_draft=is_draft)
    except FormNotFilled as refused:
        return {e.pointer.removeprefix("/custom_fields/"): e.message for e in refused.errors}
    return {}


def test_every_kind_is_completed_and_filled_in() -> None:
    form = made(EVERY, *EVERY)
    assert {kind_of(s) for s in form["properties"].values()} == set(FieldKind)
    assert form["properties"]["price"]["required"] == ["amount", "currency"]
    assert form["properties"]["words"]["maxLength"] == 4000
    assert form["properties"]["papers"]["maxItems"] == 5
    assert choices_of(form["properties"]["extras"]) == ["a", "b", "c"]
    assert made(form["properties"], *form["required"]) == form, "a kept form is taken again as it is"
    assert wrong(form, GOOD) == {}
    assert wrong(form, {}, is_draft=True) == {}
    assert wrong(form, {}) == dict.fromkeys(EVERY, NEEDED)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("line", 5, "must be text"),
        ("line", "a", "must have at least 2 characters"),
        ("line", "a" * 11, "must have at most 10 characters"),
        ("line", "ABC", "does not have the form that is asked for"),
        ("words", "  \u200b", NEEDED),
        ("count", 1.5, "must be a whole number"),
        ("count", True, "must be a whole number"),
        ("count", 0, "must be at least 1"),
        ("count", 10, "must be at most 9"),
        ("day", "2026-02-30", "must be a day such as 2026-11-23"),
        ("day", "9999-01-01", "must be a day such as 2026-11-23"),
        ("day", "2025-12-31", "must be at least 2026-01-01"),
        ("day", "2027-01-01", "must be at most 2026-12-31"),
        ("day", "", "must be a day such as 2026-11-23"),
        ("state", "old", "must be one of the choices"),
        ("extras", [], "must hold at least 1"),
        ("extras", ["a", "b", "c"], "must hold at most 2"),
        ("extras", ["a", "a"], "must be a list of choices, each once"),
        ("boss", "3", "must be the id of a person"),
        ("boss", 0, "must be the id of a person"),
        ("boss", 3.0, "must be the id of a person"),
        ("boss", 2**62, "must be the id of a person"),
        ("papers", [7.0], "must be a list of the request's files, each once"),
        ("unit", None, "must be the id of a department"),
        ("papers", [], NEEDED),
        ("papers", list(range(1, 7)), "must hold at most 5"),
        ("agreed", False, NEEDED),
        ("agreed", "yes", "must be true or false"),
    ],
)
def test_a_value_that_does_not_fit_is_named(key: str, value: Any, message: str) -> None:
    assert wrong(made(EVERY, *EVERY), GOOD | {key: value}) == {key: message}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("12.50", "price"),
        ({"amount": "12.50"}, "price/currency"),
        ({"amount": "-1", "currency": "EUR"}, "price/amount"),
        ({"amount": "1.234", "currency": "EUR"}, "price/amount"),
        ({"amount": "NaN", "currency": "EUR"}, "price/amount"),
        ({"amount": 5, "currency": "EUR"}, "price/amount"),
        ({"amount": "5", "currency": "euro"}, "price/currency"),
        ({"amount": "0.99", "currency": "EUR"}, "price"),
        ({"amount": "100.01", "currency": "EUR"}, "price"),
        ({"amount": "5", "currency": "EUR", "more": 1}, "price/more"),
    ],
)
def test_money_is_a_decimal_and_a_currency(value: Any, place: str) -> None:
    assert list(wrong(made(EVERY), {"price": value})) == [place]


@pytest.mark.parametrize("text", ["two\nlines", "a\ttab", "a\x1b"])
def test_a_line_is_one_line(text: str) -> None:
    assert wrong(made({"a": field("text")}), {"a": text}) == {"a": "must be one line"}
    assert wrong(made({"a": field("long_text")}), {"a": text}) == {}


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        (field("colour"), "/x-kind"),
        ({"x-kind": ["text"], "title": "A"}, "/x-kind"),
        ({"x-kind": "text"}, "/title"),
        (field("text", " "), "/title"),
        (field("text", "x" * 101), "/title"),
        (field("text", description=5), "/description"),
        (field("text", x_order="first"), "/x-order"),
        (field("text", type="number"), "/type"),
        (field("text", enum=["a"]), "/enum"),
        (field("text", maxLength=0), "/maxLength"),
        (field("text", maxLength=-1), "/maxLength"),
        (field("text", maxLength=True), "/maxLength"),
        (field("text", minLength=9, maxLength=8), "/maxLength"),
        (field("text", default=5), "/default"),
        (field("text", maxLength=3, default="four"), "/default"),
        (field("number", type="string"), "/type"),
        (field("number", minimum="1"), "/minimum"),
        (field("number", maximum=1e300), "/maximum"),
        (field("number", minimum=3, maximum=2), "/maximum"),
        (field("number", minimum=3, default=2), "/default"),
        (field("money", **{"x-min": 5}), "/x-min"),
        (field("money", **{"x-min": "-5"}), "/x-min"),
        (
            field("money", **{"x-min": "9", "x-max": "10.00", "default": {"amount": "11", "currency": "EUR"}}),
            "/default",
        ),
        (field("money", **{"x-min": "11", "x-max": "10"}), "/x-max"),
        (field("money", properties={}), "/properties"),
        (field("date", **{"x-min": "tomorrow"}), "/x-min"),
        (field("date", **{"x-max": "9999-01-01"}), "/x-max"),
        (field("date", **{"x-min": "2026-02-01", "x-max": "2026-01-01"}), "/x-max"),
        (field("date", default="2026-02-30"), "/default"),
        (field("choice"), "/enum"),
        (field("choice", enum=[]), "/enum"),
        (field("choice", enum=["a", "a"]), "/enum"),
        (field("choice", enum=["a", 5]), "/enum/1"),
        (field("choice", enum=["a"], x_choices={"b": "B"}), "/x-choices"),
        (field("choice", enum=["a"], x_choices={"a": ""}), "/x-choices"),
        (field("choice", enum=["a"], x_choices=["A"]), "/x-choices"),
        (field("choice", enum=["a"], default="b"), "/default"),
        (field("multi_choice"), "/items"),
        (field("multi_choice", items={"enum": ["a"], "more": 1}), "/items"),
        (field("multi_choice", items={"enum": [""]}), "/items/enum/0"),
        (field("multi_choice", items={"enum": ["a", "b"]}, maxItems=3), "/maxItems"),
        (field("multi_choice", items={"enum": ["a", "b"]}, default="a"), "/default"),
        (field("person", default=1), "/default"),
        (field("department", default=1), "/default"),
        (field("file", default=[]), "/default"),
        (field("file", maxItems=21), "/maxItems"),
        (field("checkbox", default="yes"), "/default"),
        (field("text", x_show_when=leaf("custom.nope", "eq", "a")), "/x-show-when/field"),
        (field("text", x_show_when=leaf("custom.odd", "eq", "a")), "/x-show-when/field"),
        (field("text", x_show_when=leaf("status", "eq", "DRAFT")), "/x-show-when/field"),
        (field("text", x_show_when=leaf("priority", "eq", "SOON")), "/x-show-when/value"),
        (field("text", x_show_when={"any": [leaf("custom.state", "eq", "old")]}), "/x-show-when/any/0/value"),
        (field("text", x_show_when="always"), "/x-show-when"),
    ],
)
def test_a_bad_field_is_named(schema: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        made({"odd": schema, "state": CHOICE})
    assert refused.value.errors[0].pointer == f"/form/properties/odd{place}"


@pytest.mark.parametrize("key", ["Upper", "1st", "with space", "ä", "a" * 65, "", "a/b~c"])
def test_a_key_is_plain(key: str) -> None:
    with pytest.raises(Invalid) as refused:
        made({key: field("text")})
    assert refused.value.errors[0].pointer == "/form/properties/" + key.replace("~", "~0").replace("/", "~1")


def test_keys_do_not_differ_by_capitals_alone() -> None:
    with pytest.raises(Invalid, match="capitals"):
        made({"Note": {"type": "string"}, "note": field("text")})
    made({"Note": {"type": "string"}, "note": {"type": "string"}})


def test_what_is_required_must_be_there() -> None:
    with pytest.raises(Invalid) as refused:
        made({"a": field("text")}, "a", "b")
    assert refused.value.errors[0].pointer == "/form/required/1"


@pytest.mark.parametrize("length", [1, 2, 5])
def test_conditions_do_not_go_round_in_a_circle(length: int) -> None:
    keys = [f"f{n}" for n in range(length)]
    circle = {
        key: field("text", x_show_when=leaf(f"custom.{keys[(n + 1) % length]}", "is_not_empty"))
        for n, key in enumerate(keys)
    }
    with pytest.raises(Invalid) as refused:
        made(circle)
    assert "/x-show-when" in refused.value.errors[0].pointer
    if length > 1:
        assert "circle" in refused.value.errors[0].message


FORM = made(
    {
        "last": field("text", x_show_when=leaf("custom.reason", "contains", "theft")),
        "reason": field("long_text", x_show_when=leaf("custom.state", "eq", "new")),
        "state": CHOICE,
        "second": field("money", x_show_when=leaf("amount", "gt", "1000")),
        "urgent": field(
            "text", x_show_when={"any": [leaf("priority", "eq", "CRITICAL"), leaf("custom.boss", "eq", 3)]}
        ),
        "boss": field("person"),
    },
    "last",
    "reason",
    "second",
)


@pytest.mark.parametrize(
    ("fields", "facts", "errors"),
    [
        ({}, {}, {}),
        ({"state": "used"}, {}, {}),
        ({"state": "new"}, {}, {"reason": NEEDED}),
        ({"state": "new", "reason": "broken"}, {}, {}),
        ({"state": "new", "reason": "Theft!"}, {}, {"last": NEEDED}),
        ({"state": "new", "reason": "theft", "last": "x"}, {}, {}),
        ({"state": "used", "reason": "theft", "last": "x"}, {}, {"reason": HIDDEN, "last": HIDDEN}),
        ({"reason": 5}, {}, {"reason": HIDDEN}),
        ({}, {"amount": Decimal("1000.01")}, {"second": NEEDED}),
        ({}, {"amount": Decimal(1000)}, {}),
        ({"second": {"amount": "x"}}, {"amount": None}, {"second": HIDDEN}),
        ({"urgent": "now"}, {"priority": "CRITICAL"}, {}),
        ({"urgent": "now", "boss": 3}, {"priority": "LOW"}, {}),
        ({"urgent": "now"}, {"priority": "LOW"}, {"urgent": HIDDEN}),
    ],
)
def test_what_is_hidden_is_neither_needed_nor_taken(
    fields: dict[str, Any], facts: dict[str, Any], errors: dict[str, str]
) -> None:
    assert wrong(FORM, fields, **facts) == errors
    needed = {k for k, m in errors.items() if m == NEEDED}
    assert wrong(FORM, fields, is_draft=True, **facts) == {k: m for k, m in errors.items() if k not in needed}


def test_defaults_stand_where_a_shown_field_was_left_out() -> None:
    form = made(
        {
            "late": field("text", default="x", x_show_when=leaf("custom.early", "eq", "yes")),
            "early": field("choice", enum=["yes", "no"], default="yes"),
            "price": field("money", default={"amount": "5", "currency": "EUR"}),
            "never": field("text", default="x", x_show_when={"any": []}),
            "plain": {"type": "string", "default": "only a hint"},
            "agreed": field("checkbox", default=False),
        },
        "early",
        "late",
    )
    full = {"early": "yes", "late": "x", "price": {"amount": "5", "currency": "EUR"}, "agreed": False}
    assert with_defaults(form, {}, {}) == full
    assert wrong(form, full) == {}
    assert with_defaults(form, {"early": "no", "agreed": True}, {}) == {
        "early": "no",
        "price": full["price"],
        "agreed": True,
    }
    assert with_defaults(form, full, {}) is not full
    assert with_defaults({}, {"a": 1}, {}) == {"a": 1}


def test_a_form_without_kinds_goes_on_as_ever() -> None:
    plain = {"properties": {"code": {"type": "string", "pattern": "^[A-Z]{3}$"}, "Any Key": {}}, "required": ["code"]}
    form = check_form(plain, pointer="/form")
    assert form["properties"] == plain["properties"]
    assert wrong(form, {"code": "ABC", "Any Key": [1]}) == {}
    assert list(wrong(form, {"code": "abc"})) == ["code"]
    assert wrong(form, {"code": "ABC", "more": 1}) == {"more": "is not a field of this form"}
    assert wrong(form, {}) == {"code": NEEDED}
    hiding = check_form(
        {"properties": {"a": {"type": "string", "x-show-when": leaf("custom.b", "eq", "x")}, "b": {"type": "string"}}},
        pointer="/form",
    )
    assert wrong(hiding, {"a": "1"}) == {"a": HIDDEN}


def test_errors_are_bounded() -> None:
    form = made({f"f{n}": field("text") for n in range(150)}, *[f"f{n}" for n in range(150)])
    assert len(wrong(form, {})) == 50


def test_answers_are_said_in_the_forms_order() -> None:
    form = made({**EVERY, "state": {**CHOICE, "x-order": 1}, "boss": {**EVERY["boss"], "x-order": 2}})
    said = with_names(answers(form, GOOD | {"old": [1], "state": "new"}), {3: {"name": "Mike Okafor"}}, {})
    assert [a["key"] for a in said][:2] == ["state", "boss"]
    texts = {a["key"]: a["text"] for a in said}
    assert texts["state"] == "Brand new"
    assert texts["boss"] == "Mike Okafor"
    assert texts["unit"] == "#1", "nobody knows it"
    assert texts["price"] == "12.50 EUR"
    assert texts["extras"] == "a, c"
    assert texts["papers"] == "2 files"
    assert texts["agreed"] == "Yes"
    assert texts["old"] == "1"
    assert said[-1]["title"] == "old"
    assert answers({"properties": {"a": True, "b": {"x-order": True}}}, {"a": False, "b": "x"})[0]["text"] == "No"


def test_an_edit_is_told_field_by_field() -> None:
    form = made(EVERY)
    pairs = differing(form, GOOD | {"old": 1}, GOOD | {"state": "new", "boss": 4, "old": 2, "agreed": False})
    assert [(a and a["text"], b and b["text"]) for a, b in pairs] == [
        ("used", "Brand new"),
        ("3", "4"),
        ("Yes", "No"),
        ("1", "2"),
    ]
    assert [(a, b and b["key"]) for a, b in differing(form, {}, {"line": "x"})] == [(None, "line")]
    assert differing(form, GOOD, dict(GOOD)) == []


# --- properties ------------------------------------------------------------------------------------------------------

KEYS = [f"f{n}" for n in range(6)]
VALUE = st.sampled_from(["a", "b", "", "theft"])


@st.composite
def forms(draw: Any) -> dict[str, Any]:
    """Forms whose fields are shown on conditions over earlier fields and facts, in any order in the document."""
    properties: dict[str, Any] = {}
    for n, key in enumerate(KEYS):
        schema = field(draw(st.sampled_from(["text", "long_text"])))
        if draw(st.booleans()):
            names = [f"custom.{k}" for k in KEYS[:n]] + ["title"]
            parts = st.builds(
                leaf, st.sampled_from(names), st.sampled_from(["eq", "ne", "contains"]), st.sampled_from(["a", "theft"])
            )
            word = draw(st.sampled_from(["all", "any"]))
            schema["x-show-when"] = {word: draw(st.lists(parts, min_size=1, max_size=2))}
        if draw(st.booleans()):
            schema["default"] = draw(st.sampled_from(["a", "b"]))
        properties[key] = schema
    order = draw(st.permutations(KEYS))
    return made({k: properties[k] for k in order}, *draw(st.lists(st.sampled_from(KEYS), unique=True)))


FILLED = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, VALUE))


@given(form=forms(), fields=FILLED, title=VALUE)
def test_a_hidden_field_is_never_required_and_never_taken(
    form: dict[str, Any], fields: dict[str, Any], title: str
) -> None:
    gone = hidden_keys(form, fields, {"title": title})
    errors = wrong(form, fields, title=title)
    for key in gone:
        assert errors.get(key) == (HIDDEN if key in fields else None)
    shown = set(form["required"]) - gone
    assert {k for k, m in errors.items() if m == NEEDED} == {k for k in shown if not fields.get(k, "").strip()}


@given(form=forms(), fields=FILLED, title=VALUE)
def test_what_is_shown_is_taken_and_defaults_never_hide_behind_a_condition(
    form: dict[str, Any], fields: dict[str, Any], title: str
) -> None:
    facts = {"title": title}
    kept = {k: v for k, v in fields.items() if k not in hidden_keys(form, fields, facts)}
    assert hidden_keys(form, kept, facts) == hidden_keys(form, fields, facts), (
        "taking away what is hidden changes nothing"
    )
    filled = with_defaults(form, kept, facts)
    assert {k: filled[k] for k in kept} == kept
    assert not hidden_keys(form, filled, facts) & (set(filled) - set(kept))
    assert with_defaults(form, filled, facts) == filled
