"""A mail in the words of a request or a comment, and the line above which a reply is written."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from waypost.notifications.channels import Message
from waypost.notifications.channels.email import mail_message
from waypost.notifications.incoming import wording
from waypost.notifications.incoming.reading import Arrived, read
from waypost.notifications.incoming.replies import MARKER, new_words
from waypost.notifications.words import Words


def mail(body: str, subject: str = "Re: x") -> Arrived:
    found = read(f"From: Ann Lee <a@b.test>\r\nSubject: {subject}\r\n\r\n{body}".encode())
    assert isinstance(found, Arrived)
    return found


@pytest.mark.parametrize(
    ("words", "is_thanks"),
    [
        ("Thanks!", True),
        ("Thank you very much for your help,\nAnn", True),
        ("Vielen Dank, passt!", True),
        ("OK", True),
        ("Thanks, but it is still broken", False),
        ("Thanks. Broken", False),
        ("Thanks?", False),
        ("It works now", False),
        ("thanks " * 50, False),
        ("", False),
    ],
)
def test_what_says_nothing_but_thanks(words: str, is_thanks: bool) -> None:
    assert wording.says_thanks(words, ["Ann Lee"]) is is_thanks


def test_a_reply_and_a_request_hold_only_so_much() -> None:
    long = mail("word " * 30_000, subject="s" * 400)
    reply = wording.reply(long, [f"file {n}" for n in range(20)], has_files=True, is_stranger=True)
    assert reply.body.startswith("From: Ann Lee <a@b.test>\n\nword")
    assert reply.body.endswith("file 7; 12 more.")
    assert wording.CUT in reply.body
    assert len(reply.body) <= wording.MOST_COMMENT
    request = wording.request(long, ["a.zip"], is_stranger=False)
    assert (len(request.title), len(request.body) <= wording.MOST_DESCRIPTION) == (200, True)
    assert "Not kept of this mail: a.zip." in request.body


def test_a_mail_without_words_or_subject() -> None:
    nothing = mail("", subject="")
    assert wording.request(nothing, [], is_stranger=False) == wording.Written("A mail without a subject", "")
    assert wording.reply(nothing, [], has_files=True, is_stranger=False).body == "(A mail with files.)"
    assert wording.reply(nothing, [], has_files=False, is_stranger=False).body == "(A mail without words.)"
    assert wording.request(mail("\n\nThe first line\nmore", subject="Re:"), [], is_stranger=False).title == "Re:"


def test_what_is_its_readers_alone_is_left_out() -> None:
    token = f"wpd_{'0a' * 32}"
    text = f"see https://w.test/x/decide/{token}, {token} and Help+{'ab2' * 9}@w.test or a+b@w.test"
    assert wording.without_secrets(text) == "see [a personal link] [a personal link] and Help@w.test or a+b@w.test"


def test_a_mail_that_can_be_answered_has_the_line_above_which_one_writes() -> None:
    words = Words(title="Ann commented", body="Which one?", link="https://w.test/tickets/1", action="Open", because="x")

    def written(**headers: str) -> tuple[str, str]:
        raw = mail_message(Message("<1.2@w.test>", 1, "a@b.test", "s", (words,), headers)).as_bytes()
        parsed = message_from_bytes(raw, policy=default)
        text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
        assert text is not None
        assert html is not None
        return text.get_content(), html.get_content()

    text, html = written(**{"Reply-To": "help+code@w.test"})
    assert text.startswith(MARKER)
    assert html.index("<body") < html.index(MARKER) < html.index("Which one?")
    assert new_words(f"This one\n\n{text}") == "This one"
    assert all(MARKER not in part for part in written())
