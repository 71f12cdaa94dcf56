"""Whom a text mentions, and how it reads in a mail."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.tickets.mentions import mentioned, plain_words


def first(body: str) -> list[str]:
    return [readings[0] for readings in mentioned(body)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("@agent please", ["agent"]),
        ("Ask @Agent and @agent2, (@jane.doe)", ["agent", "agent2", "jane.doe"]),
        ("twice @agent and @agent", ["agent"]),
        ("**@agent** and _@agent2_", ["agent"]),  # an underscore is part of a word
        ("@agent's idea", ["agent"]),
        ("write to jane@agent.example", []),
        ("@agent@example.com", []),
        ("see https://chat.example/@agent", []),
        (r"not \@agent", []),
        ("@@agent", []),
        ("user-@agent", []),
        ("@", []),
        ("@ agent", []),
        ("@ägent", []),
        ("> @agent said", []),
        ("   > @agent said\n@agent2", ["agent2"]),
        ("`@agent` and @agent2", ["agent2"]),
        ("``a ` @agent`` @agent2", ["agent2"]),
        ("` @agent", ["agent"]),
        ("`` @agent ` x `` y ` z ```` q", []),
        ("```\n@agent\n```\n@agent2", ["agent2"]),
        ("~~~ py\n@agent\n```\n@x1\n~~~~\n@agent2", ["agent2"]),
        ("```\n@agent never closed", []),
        ("```\n``` not closed\n@agent", []),
    ],
)
def test_who_is_mentioned(body: str, expected: list[str]) -> None:
    assert first(body) == expected


def test_the_end_of_a_sentence_may_be_read_away() -> None:
    assert mentioned("ask @jane.doe.") == [("jane.doe.", "jane.doe")]
    assert mentioned("ask @jane-") == [("jane-", "jane")]


@given(st.lists(st.sampled_from(["@agent", "`", "``", "> ", "\n", " ", "```\n", "@", "\\", "x", "~~~\n"]), max_size=60))
def test_no_text_confuses_it(parts: list[str]) -> None:
    body = "".join(parts)
    found = mentioned(body)
    assert len(found) <= 1 or all(n[0].startswith("agent") for n in found)
    assert plain_words(body, {}) == body


@given(st.text(max_size=200))
def test_what_is_mentioned_stands_in_the_text(body: str) -> None:
    for readings in mentioned(body):
        assert f"@{readings[0]}" in body.lower()


@pytest.mark.parametrize("piece", ["`", "` ", "@a", "@a`", "![", "![](attachment:1", "> ", "```\n", "\\@", "{{"])
def test_the_longest_comment_is_read_at_once(piece: str) -> None:
    body = (piece * 20_000)[:20_000]
    began = time.perf_counter()
    mentioned(body)
    plain_words(body, {"a": "Ann"})
    assert time.perf_counter() - began < 1.0


def test_a_mail_names_people_and_pictures() -> None:
    body = "@agent look: ![screen.png](attachment:12) and ![](attachment:3), @nobody @agent."
    told = plain_words(body, {"agent": "Alex Rivera"})
    assert told == ("@Alex Rivera look: [picture: screen.png] and [picture: without a name], @nobody @Alex Rivera.")
