"""The blanks of canned replies."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.tickets.canned_words import MOST_FAULTS, VARIABLES, as_words, faults, fill
from waypost.tickets.mentions import mentioned

VALUES = dict.fromkeys(VARIABLES, "Jane")


def test_blanks_are_filled() -> None:
    assert fill("Hello {{ requester.first_name }}, {{ticket.number}}", VALUES | {"ticket.number": "ITH-1"}) == (
        "Hello Jane, ITH-1"
    )


@pytest.mark.parametrize(
    "body",
    [
        "{{ requester.email }}",
        "{{ }}",
        "{{ me }}",
        "{{ ticket.__class__ }}",
        "{{ requester.name",
        "requester.name }}",
        "{{ {{ me.name }} }}",
        "{{ me.name | upper }}",
        "{{ 7*7 }}",
        "{{ Requester.name }}",
    ],
)
def test_what_nobody_can_fill_is_a_fault(body: str) -> None:
    assert faults(body)
    assert len(faults(body * 50)) <= MOST_FAULTS


@pytest.mark.parametrize("body", ["", "{ }", "{% if x %}", "{{ me.name }}{{me.name}}", "a } b {"])
def test_everything_else_is_fine(body: str) -> None:
    assert faults(body) == []


@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(max_size=40)), st.text(max_size=80))
def test_values_are_words_and_nothing_more(values: dict[str, str], around: str) -> None:
    """A value is never filled again, mentions nobody and brings no markup of its own."""
    body = around.replace("{", "").replace("}", "") + " " + " ".join(f"{{{{ {name} }}}}" for name in values)
    filled = fill(body, values)
    assert filled.count("\n") == body.count("\n")
    assert set(mentioned(filled)) <= set(mentioned(around))


def test_a_value_with_braces_stays_as_it_is() -> None:
    assert fill("{{ ticket.title }}", {"ticket.title": "{{ me.name }}", "me.name": "secret"}) == "{{ me.name }}"


def test_a_blank_nobody_knows_stays() -> None:
    assert fill("{{ x }}", VALUES) == "{{ x }}"


def test_markup_in_a_title_is_shown_not_followed() -> None:
    assert as_words("![x](attachment:1)\n@agent <b> `c`") == r"!\[x\](attachment:1) \@agent \<b\> \`c\`"


@pytest.mark.parametrize("piece", ["{", "{{", "{{ ", "}}", "{{}", "{{ me.name }}"])
def test_the_longest_reply_is_read_at_once(piece: str) -> None:
    body = (piece * 10_000)[:10_000]
    began = time.perf_counter()
    faults(body)
    fill(body, VALUES)
    assert time.perf_counter() - began < 1.0
