"""A form of settings: what was asked is laid over what is there, and each fault is named at its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.kernel.errors import FieldError
from waypost.kernel.settings_form import (
    MOST_LINES,
    Field,
    Filled,
    address_told,
    differences,
    fault_of,
    field_json,
    fill_in,
    forbidden_addresses,
    not_ready,
    with_more,
)
from waypost.notifications.channels.sms import Sms

FIELDS = (
    Field("name", "Name"),
    Field("note", "Note", required=False, most=5),
    Field("key", "Key", "long", is_secret=True),
    Field("token", "Token", "secret"),
    Field("address", "Address", "url", required=False),
    Field("mode", "Mode", "choice", choices=("a", "b"), required=False),
    Field("fast", "Fast", "boolean", required=False, default=False),
    Field("hosts", "Hosts", "list", required=False),
)
BY_KEY = {f.key: f for f in FIELDS}


def test_what_is_not_named_stays_and_nothing_takes_away() -> None:
    filled = fill_in(
        FIELDS,
        {"name": "old", "note": "n", "gone": 1},
        {"token": "t", "made_here": "m"},
        {"note": None, "key": " k ", "hosts": ["a"], "mode": "b", "fast": False, "address": " https://example.com "},
        "this thing",
    )
    assert filled.wrong == ()
    assert filled.plain == {"name": "old", "hosts": ["a"], "mode": "b", "fast": False, "address": "https://example.com"}
    assert filled.hidden == {"token": "t", "made_here": "m", "key": " k "}, "a secret is kept as it came"
    assert filled.all == {**filled.plain, **filled.hidden}


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("name", 5, "must be text"),
        ("name", "x" * 2001, "is too long"),
        ("token", "x" * 10_001, "is too long"),
        ("note", "123456", "is too long"),
        ("fast", "yes", "must be true or false"),
        ("mode", "c", "must be one of a, b"),
        ("hosts", "a", "must be at most 50 lines of text"),
        ("hosts", ["a", ""], "must be at most 50 lines of text"),
        ("hosts", ["a"] * (MOST_LINES + 1), "must be at most 50 lines of text"),
        ("address", "ftp://example.com", "must be a web address such as https://example.com/path"),
        ("address", "https://example.com:0", "must be a web address such as https://example.com/path"),
        ("address", "https://[", "is no web address"),
        ("address", "https://me:mine@example.com", "must not hold a name and password"),
    ],
)
def test_faults(key: str, value: Any, fault: str) -> None:
    filled = fill_in(FIELDS, {key: "before"}, {}, {key: value}, "this thing")
    assert filled.wrong == (FieldError(f"/settings/{key}", fault),)
    assert filled.plain.get(key) in ("before", None), "what is wrong is not taken"


def test_an_unknown_setting_is_named_and_not_repeated_at_length() -> None:
    (told,) = fill_in(FIELDS, {}, {}, {"a/b" + "x" * 100: 1}, "this thing").wrong
    assert told.message == "is no setting of this thing"
    assert told.pointer.startswith("/settings/a~1b")
    assert len(told.pointer) < 80


def test_what_keeps_it_from_being_switched_on_is_told_once_for_each_place() -> None:
    wrong = not_ready(FIELDS, {"name": "", "key": "k"}, {"name": "is odd", "address": "is needed too"})
    assert [(e.pointer, e.message) for e in wrong] == [
        ("/settings/name", "is needed to switch it on"),
        ("/settings/token", "is needed to switch it on"),
        ("/settings/address", "is needed too"),
    ]
    assert with_more(wrong, [FieldError("/settings/name", "again"), FieldError("/is_on", "no")])[3:] == [
        FieldError("/is_on", "no")
    ]


def test_what_is_read_shows_no_secret() -> None:
    kept, secrets = {"name": "here"}, {"token": "t0p", "key": "k3y"}
    read = {f.key: field_json(f, kept, secrets) for f in FIELDS}
    assert (read["name"]["value"], read["name"]["is_set"]) == ("here", True)
    assert (read["note"]["value"], read["note"]["is_set"]) == (None, False)
    assert (read["token"]["value"], read["token"]["is_set"], read["token"]["is_secret"]) == (None, True, True)
    assert (read["key"]["value"], read["key"]["kind"]) == (None, "long")
    assert field_json(Field("x", "X", is_secret=True), {}, {})["kind"] == "secret"


async def test_addresses_that_would_never_be_called() -> None:
    asked = {"address": "https://127.0.0.1/x"}
    (told,) = await forbidden_addresses(FIELDS, asked)
    assert told.pointer == "/settings/address"
    assert told.message.startswith("is not called: ")
    for value in ("", 5, None, "nonsense", "https://nobody.invalid/"):
        assert await forbidden_addresses(FIELDS, {"address": value}) == [], "judged elsewhere, or when it is called"


@given(st.dictionaries(st.sampled_from(sorted(BY_KEY)), st.none() | st.booleans() | st.text() | st.lists(st.text())))
def test_whatever_is_asked_what_is_kept_is_sound(asked: dict[str, Any]) -> None:
    filled = fill_in(FIELDS, {}, {}, asked, "this thing")
    assert all(fault_of(BY_KEY[key], value) is None for key, value in filled.all.items())
    assert not set(filled.hidden) & set(filled.plain)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (None, None),
        ("https://a.example", "https://a.example"),
        ("https://a.example:8443/", "https://a.example:8443"),
        ("https://a.example/token", "https://a.example/… (sha256:"),
        ("https://a.example?token", "https://a.example/… (sha256:"),
        ("https://u:token@a.example/x", "https://a.example/… (sha256:"),
        ("https://[token", "sha256:"),
    ],
)
def test_of_an_address_only_the_host_is_told(url: str | None, told: str | None) -> None:
    said = address_told(url)
    assert said == told or (told is not None and said is not None and said.startswith(told) and told[-1] == ":")
    assert "token" not in str(said)


def test_what_may_hold_a_token_is_told_by_its_hash() -> None:
    fields = (Field("url", "U", "url", may_hold_token=True), Field("parameters", "P", may_hold_token=True))
    before = {"url": "https://a.example/x?key=1234", "parameters": "key=1234"}
    after = {"url": "https://a.example/x?key=5678"}
    old, new = differences(fields, before, {}, Filled(after, {}))
    assert old["url"] != new["url"]
    assert old["parameters"].startswith("sha256:")
    assert new["parameters"] is None
    assert not any(key in str(old | new) for key in ("1234", "5678"))


def test_the_text_message_gateway_keeps_its_tokens_to_itself() -> None:
    assert {f.key for f in Sms.fields if f.may_hold_token} == {"url", "parameters"}
