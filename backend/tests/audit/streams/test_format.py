"""An entry on its way: RFC 5424 read back by another hand, JSON, and where a run of lines is cut."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.audit.streams.entries import Entry, body, document, json_line, portions
from waypost.audit.streams.syslog_format import (
    AUDIT,
    BOM,
    CRITICAL,
    INFORMATIONAL,
    NOTICE,
    SHORTEST,
    SIGN_IN,
    WARNING,
    Style,
    facility_of,
    framed,
    header_word,
    message,
    param_value,
    severity_of,
)
from waypost.kernel.events import registry
from waypost.wiring import build_wiring

STYLE = Style(hostname="waypost.example.com")
HOSTILE = 'line\nbreak "quoted" ] [x y="z"] \\ back\x00nul\x1b[31m 🎟️ ' + "ü" * 10_000

_HEADER = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<time>\S+) (?P<host>[\x21-\x7e]{1,255}) (?P<app>[\x21-\x7e]{1,48}) "
    rb"(?P<proc>[\x21-\x7e]{1,128}) (?P<msgid>[\x21-\x7e]{1,32}) "
)


def read_back(raw: bytes) -> dict[str, Any]:
    """RFC 5424's grammar (section 6) by hand, so that a mistake of the writer is not the reader's too."""
    head = _HEADER.match(raw)
    assert head, raw[:200]
    rest = raw[head.end() :].decode()
    assert rest.startswith("[")
    at = rest.index(" ")
    sd_id, params = rest[1:at], {}
    while rest[at] == " ":
        equals = rest.index("=", at)
        name = rest[at + 1 : equals]
        assert re.fullmatch(r"[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}", name)
        assert rest[equals + 1] == '"'
        at, value = equals + 2, ""
        while rest[at] != '"':
            if rest[at] == "\\":
                at += 1
                assert rest[at] in '"\\]'
            else:
                assert rest[at] != "]"
            value += rest[at]
            at += 1
        params[name] = value
        at += 1
    assert rest[at : at + 2] == "] "
    text = rest[at + 2 :].encode()
    assert text.startswith(BOM)
    return {
        "pri": int(head["pri"]),
        "msgid": head["msgid"].decode(),
        "host": head["host"].decode(),
        "time": head["time"].decode(),
        "sd_id": sd_id,
        "params": params,
        "json": json.loads(text[3:]),
        "raw_text": text[3:],
    }


words = st.text(max_size=80)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
entries = st.builds(
    Entry,
    position=st.integers(1, 2**62),
    previous=st.integers(0, 2**62),
    event_id=st.integers(1, 2**62),
    row_hash=st.just("a" * 64),
    chain_hash=st.just("b" * 64),
    at=st.just("2026-11-26T09:30:00.123456Z"),
    action=st.from_regex(r"[a-z_]{1,30}\.[a-z_]{1,30}", fullmatch=True),
    object_type=st.just("ticket"),
    object_id=st.integers(0, 2**62),
    actor=st.none() | st.builds(lambda u: {"id": 3, "username": u, "name": u}, words),
    on_behalf_of=st.none() | st.just({"id": 4, "username": "x]", "name": "X"}),
    channel=st.sampled_from(["web", "system"]),
    request_id=st.none() | words,
    data=st.dictionaries(words, values, max_size=4),
)


def said(text: str) -> str:
    """What of a text can stand in structured data: everything but controls."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "�", text)


@given(entries)
def test_what_is_written_is_read_back(entry: Entry) -> None:
    found = read_back(message(entry, STYLE))
    assert found["json"] == document(entry)
    assert found["params"]["seq"] == str(entry.position)
    assert found["params"]["prev"] == str(entry.previous)
    assert found["params"]["hash"] == entry.chain_hash
    assert found["params"]["type"] == entry.action
    assert found["msgid"] == entry.action[:32]
    assert found["sd_id"] == "waypost@32473"
    if entry.actor:
        assert found["params"]["actor"] == said(entry.actor["username"][:64])
    assert found["pri"] // 8 == facility_of(entry, None)
    assert found["pri"] % 8 == severity_of(entry)


@given(entries)
def test_a_message_is_one_line_and_never_longer_than_asked(entry: Entry) -> None:
    raw = message(entry, Style(hostname="h" * 300, longest=SHORTEST))
    assert b"\n" not in raw
    assert b"\x00" not in raw
    assert len(raw) <= SHORTEST


def _entry(**more: Any) -> Entry:
    given_ = {"action": "ticket.created", "object_type": "ticket", "object_id": 42, "data": {"title": HOSTILE}} | more
    return Entry(7, 5, 9, "a" * 64, "b" * 64, "2026-11-26T09:30:00.000001Z", **given_)


def test_what_is_hostile_comes_through_whole() -> None:
    found = read_back(message(_entry(), STYLE))
    assert found["json"]["data"]["title"] == HOSTILE
    assert "cut" not in found["params"]


def test_what_is_too_long_says_so() -> None:
    found = read_back(message(_entry(), Style(hostname="h", longest=4096)))
    assert found["params"]["cut"] == "1"
    assert found["json"]["cut"] is True
    assert "data" not in found["json"]
    assert found["json"]["chain_hash"] == "b" * 64


def test_a_test_entry_has_no_place_in_the_chain() -> None:
    entry = Entry(0, 0, 0, "", "", "2026-11-26T09:30:00.000001Z", "waypost.test", "audit_stream", 0)
    assert "seq" not in read_back(message(entry, STYLE))["params"]


@pytest.mark.parametrize(
    ("action", "data", "expected"),
    [
        ("audit.checked", {"valid": False}, (AUDIT, CRITICAL)),
        ("audit.checked", {"valid": True}, (AUDIT, NOTICE)),
        ("auth.login_failed", {}, (SIGN_IN, WARNING)),
        ("auth.login", {}, (SIGN_IN, INFORMATIONAL)),
        ("role.changed", {}, (AUDIT, NOTICE)),
        ("ticket.created", {}, (AUDIT, INFORMATIONAL)),
        ("directory.failed", {}, (AUDIT, WARNING)),
    ],
)
def test_how_grave_a_kind_is(action: str, data: dict[str, Any], expected: tuple[int, int]) -> None:
    entry = _entry(action=action, data=data)
    assert (facility_of(entry, None), severity_of(entry)) == expected
    assert facility_of(entry, 16) == 16


def test_the_words_of_the_header() -> None:
    assert header_word("a b\nü", 10) == "ab"
    assert header_word("", 5) == header_word(None, 5) == header_word("ü", 5) == "-"
    assert param_value('a"b\\c]d\n') == 'a\\"b\\\\c\\]d�'
    assert framed(b"abc") == b"3 abc"
    assert read_back(message(_entry(), Style(hostname="h", enterprise=99)))["sd_id"] == "waypost@99"


def test_every_kind_of_event_fits_the_header() -> None:
    build_wiring()
    cut = {type_[:32] for type_ in registry}
    assert len(cut) == len(registry), "two kinds look the same in MSGID"


def test_bodies() -> None:
    lines = [json_line(_entry(object_id=n)) for n in (1, 2)]
    assert [json.loads(line)["object_id"] for line in body(lines, is_array=False).splitlines()] == [1, 2]
    assert [e["object_id"] for e in json.loads(body(lines, is_array=True))] == [1, 2]
    assert json.loads(json_line(_entry(), is_cut=True))["cut"] is True


@given(st.lists(st.binary(max_size=20)), st.integers(1, 5), st.integers(1, 40))
def test_portions_leave_nothing_out(lines: list[bytes], most: int, most_bytes: int) -> None:
    cut = list(portions(lines, most=most, most_bytes=most_bytes))
    assert [line for a, b in cut for line in lines[a:b]] == lines
    for a, b in cut:
        assert 0 < b - a <= most
        assert b - a == 1 or sum(map(len, lines[a:b])) <= most_bytes
