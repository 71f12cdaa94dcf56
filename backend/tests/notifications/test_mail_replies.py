"""What is new in a reply: the labelled mails of a published test set, our own marker, and texts made to hurt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.notifications.incoming import replies
from waypost.notifications.incoming.replies import MARKER, new_words

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "payloads" / "email-reply-fixtures.json").read_text(encoding="utf-8")
)["cases"]
LABELLED = [c for c in CASES if c["expected_reply"] is not None]


def test_the_labelled_replies_of_the_published_set() -> None:
    right = [c["fixture"] for c in LABELLED if new_words(c["text"]) == c["expected_reply"]]
    wrong = sorted({c["fixture"] for c in LABELLED} - set(right))
    assert len(LABELLED) == 42
    assert len(right) >= 38, wrong


@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{c['fixture']}" for n, c in enumerate(CASES)])
def test_no_published_mail_is_read_as_nothing(case: dict[str, Any]) -> None:
    assert new_words(case["text"])


@pytest.mark.parametrize(
    ("text", "new"),
    [
        (f"Yes please\n\n{MARKER}\n\nAna commented\n\nwhich one?", "Yes please"),
        (f"Ja\n> {MARKER}\n> old", "Ja"),
        ("Ja bitte\n\n##- Bitte antworten Sie oberhalb dieser Zeile -##\n\nalt", "Ja bitte"),
        ("Thanks\n\nSent from my iPhone", "Thanks"),
        ("Danke\n\nVon meinem iPhone gesendet", "Danke"),
        ("Merci\n-- \nJean\nAcme SA", "Merci"),
        ("Fine\n\n---- On Wed, 24 Feb 2021 14:02:50 +0530 a@b.test wrote ----\n\nold", "Fine"),
        ("OK\n\n*From:* A <a@b.test>\n*Sent:* Monday\n*To:* c@d.test\n*Subject:* x\n\nold", "OK"),
        ("好的\n\n发件人: 甲 <a@b.test>\n发送时间: 2024年1月1日\n收件人: c@d.test\n主题: x\n\n旧", "好的"),
        (
            "Hello\nsecond\n\nLe lun. 15 janv. 2024 à 14:30, P <p@x.test>\na écrit :\n\n> vieux",
            "Hello\nsecond",
        ),
        # answers below a quote, and between its lines
        ("On Jan 1, 2024, at 9:00, A <a@b.test> wrote:\n> Which one?\n\nThe blue one.", "The blue one."),
        (
            "On Jan 1, 2024, at 9:00, A <a@b.test> wrote:\n> One?\n\nYes.\n\n> Two?\n\nNo.\n\n-- \nme",
            "> One?\n\nYes.\n\n> Two?\n\nNo.",
        ),
        (
            "See below.\n\nOn Jan 1, 2024, at 9:00, A <a@b.test> wrote:\n> One?\n\nYes.\n\n> Two?\n\nNo.",
            "See below.\n\n> One?\n\nYes.\n\n> Two?\n\nNo.",
        ),
        # what is passed on is what they want to say
        ("FYI\n\n-----Forwarded message-----\nFrom: a@b.test\nDate: x\nTo: y\n\nthe offer", None),
        # nothing but a quote or a signature: all is kept
        ("> only this", None),
        ("Sent from my iPhone", None),
        (MARKER, None),
        # no quotes at all
        ("On the other hand, 2 things:\n- one\n- two", None),
        ("I wrote:\nnothing in 10 days", None),
        ("From: the start\nit was wrong", None),
        ("Costs\n--\none\ntwo\n" + "\n".join(f"line {n}" for n in range(20)), None),
        ("Sent from the warehouse yesterday, it should be there.\nThanks", None),
    ],
)
def test_what_is_new(text: str, new: str | None) -> None:
    assert new_words(text) == (text.strip() if new is None else new)


@settings(max_examples=200)
@given(st.text(max_size=400))
def test_whoever_wrote_something_said_something(text: str) -> None:
    assert bool(new_words(text)) == bool(text.replace("\x00", "").strip())


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            ["", "> q", ">", "On Jan 1, 2024, at 9:00, A <a@b.test> wrote:", "-- ", "--", "words", "Sent from my X",
             "From: a", "Sent: b", "To: c", "____", MARKER, "On Jan 1 A", "wrote:", "<a@b.test>:"]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_what_is_new_was_written(lines: list[str]) -> None:
    kept = new_words("\n".join(lines)).split("\n")
    left = iter([*lines, ""] * 2)
    assert all(any(line == one.strip() or line == one for one in left) for line in kept)


@pytest.mark.parametrize(
    "line", ["On 10:00 a@b wrote:", "From:", "--", "Sent from my", "> ", "On 1 ", "##-", "_" * 80, "a écrit"]
)
def test_a_hostile_text_is_looked_at_line_by_line_a_bounded_number_of_times(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    look = replies._is_attribution

    def counted(joined: str) -> bool:
        nonlocal looks
        looks += 1
        assert len(joined) <= 4 * 501
        return look(joined)

    monkeypatch.setattr(replies, "_is_attribution", counted)
    assert new_words("\n".join([f"{line}{'x' * 40}", line] * (1_000_000 // (2 * len(line) + 42))))
    assert new_words(line * (1_000_000 // len(line)))
    assert looks <= 4 * replies.MOST_LINES + 4
